//! The canonical error codes of `google.rpc.Code`, and their mapping from and to HTTP status codes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares each canonical code once: documentation, variant, number, name, HTTP status. The enum
/// and its conversions come from the same line, so they cannot disagree.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $http:literal;)*) => {
        /// A canonical error code
        /// ([`google.rpc.Code`](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto)).
        ///
        /// Exhaustive on purpose: the specification has these 17 codes and reads every other number
        /// as `UNKNOWN`.
        ///
        /// A code is never an HTTP status. The HTTP status of a reply is
        /// [`Status::http_status`](crate::Status::http_status).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),* }

        impl Code {
            /// Returns the number of this code on the wire.
            #[must_use]
            pub fn number(self) -> i32 {
                match self { $(Self::$variant => $number),* }
            }

            /// Returns the name of this code in the specification, such as `NOT_FOUND`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Returns the HTTP status that the specification maps this code to.
            #[must_use]
            pub fn http_status(self) -> u16 {
                match self { $(Self::$variant => $http),* }
            }

            /// Returns the code with this number. An unassigned number is [`Code::Unknown`], as the
            /// specification requires.
            #[must_use]
            pub fn from_number(number: i64) -> Self {
                match number { $($number => Self::$variant,)* _ => Self::Unknown }
            }

            /// Returns the code with this name, such as `NOT_FOUND`, or `None` for an unknown name.
            /// `CANCELED` is read as `CANCELLED`.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* "CANCELED" => Some(Self::Cancelled), _ => None }
            }
        }
    };
}

codes! {
    /// Not an error.
    Ok = 0, "OK", 200;
    /// The operation was cancelled, usually by the caller.
    Cancelled = 1, "CANCELLED", 499;
    /// No other code fits the error, or the service gave none.
    Unknown = 2, "UNKNOWN", 500;
    /// The request is wrong, regardless of the state of the system.
    InvalidArgument = 3, "INVALID_ARGUMENT", 400;
    /// The deadline passed before the work was finished.
    DeadlineExceeded = 4, "DEADLINE_EXCEEDED", 504;
    /// A requested entity does not exist.
    NotFound = 5, "NOT_FOUND", 404;
    /// The entity that was to be created exists already.
    AlreadyExists = 6, "ALREADY_EXISTS", 409;
    /// The caller does not have permission.
    PermissionDenied = 7, "PERMISSION_DENIED", 403;
    /// A resource is used up, such as a quota or a disk.
    ResourceExhausted = 8, "RESOURCE_EXHAUSTED", 429;
    /// The system is not in the state that the work requires.
    FailedPrecondition = 9, "FAILED_PRECONDITION", 400;
    /// The work conflicted with a concurrent change and was aborted.
    Aborted = 10, "ABORTED", 409;
    /// A value is past the valid range.
    OutOfRange = 11, "OUT_OF_RANGE", 400;
    /// The service does not support the call.
    Unimplemented = 12, "UNIMPLEMENTED", 501;
    /// An invariant of the service is broken.
    Internal = 13, "INTERNAL", 500;
    /// The service cannot answer at the moment.
    Unavailable = 14, "UNAVAILABLE", 503;
    /// Data was lost or is corrupted beyond repair.
    DataLoss = 15, "DATA_LOSS", 500;
    /// The request has no valid credentials.
    Unauthenticated = 16, "UNAUTHENTICATED", 401;
}

impl Code {
    /// Returns the code that stands for an HTTP status ([google.rpc.Code's
    /// mapping](https://cloud.google.com/apis/design/errors#handling_errors)).
    #[must_use]
    pub fn from_http_status(status: u16) -> Self {
        // Several codes share one HTTP status (see the table above), so this is not the inverse of
        // `http_status`. The single statuses stand before the ranges that contain them.
        match status {
            200..=299 => Self::Ok,
            400 => Self::InvalidArgument,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 | 410 => Self::NotFound,
            408 | 504 => Self::DeadlineExceeded,
            409 => Self::Aborted,
            416 => Self::OutOfRange,
            429 => Self::ResourceExhausted,
            499 => Self::Cancelled,
            402..=499 => Self::FailedPrecondition,
            501 => Self::Unimplemented,
            503 => Self::Unavailable,
            500..=599 => Self::Internal,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// As the number, which is how `google.rpc.Status` writes its code.
impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32(self.number())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::from_number)
    }
}
