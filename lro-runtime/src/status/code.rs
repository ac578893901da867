//! The canonical error codes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the canonical codes once: number, name, words, HTTP status.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $http:literal;)*) => {
        /// A canonical error code ([`google.rpc.Code`](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto)).
        ///
        /// Exhaustive on purpose: the specification has these 17 and reads every other number as `UNKNOWN`.
        ///
        /// Never an HTTP status: those that were received are [`Status::http_status`](crate::Status::http_status).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),* }

        impl Code {
            /// The number on the wire.
            #[must_use]
            pub fn number(self) -> i32 {
                match self { $(Self::$variant => $number),* }
            }

            /// The name in the specification, such as `NOT_FOUND`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The HTTP status that stands for this code.
            #[must_use]
            pub fn http_status(self) -> u16 {
                match self { $(Self::$variant => $http),* }
            }

            /// The code with this number; an unassigned one is [`Code::Unknown`], as the specification asks.
            #[must_use]
            pub fn from_number(number: i64) -> Self {
                match number { $($number => Self::$variant,)* _ => Self::Unknown }
            }

            /// The code with this name, such as `NOT_FOUND`.
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
    /// Cancelled, usually by the caller.
    Cancelled = 1, "CANCELLED", 499;
    /// An error that has no other code.
    Unknown = 2, "UNKNOWN", 500;
    /// The request is wrong whatever the state of the system.
    InvalidArgument = 3, "INVALID_ARGUMENT", 400;
    /// The deadline passed before the work was done.
    DeadlineExceeded = 4, "DEADLINE_EXCEEDED", 504;
    /// Something that was asked for does not exist.
    NotFound = 5, "NOT_FOUND", 404;
    /// What was to be made exists.
    AlreadyExists = 6, "ALREADY_EXISTS", 409;
    /// The caller may not do this.
    PermissionDenied = 7, "PERMISSION_DENIED", 403;
    /// A quota or a disk is full.
    ResourceExhausted = 8, "RESOURCE_EXHAUSTED", 429;
    /// The system is not in the state that the work needs.
    FailedPrecondition = 9, "FAILED_PRECONDITION", 400;
    /// A conflict with somebody else's change.
    Aborted = 10, "ABORTED", 409;
    /// Past the valid range.
    OutOfRange = 11, "OUT_OF_RANGE", 400;
    /// Not supported by this service.
    Unimplemented = 12, "UNIMPLEMENTED", 501;
    /// An invariant of the service is broken.
    Internal = 13, "INTERNAL", 500;
    /// The service cannot answer now.
    Unavailable = 14, "UNAVAILABLE", 503;
    /// Data is lost or unreadable.
    DataLoss = 15, "DATA_LOSS", 500;
    /// Valid credentials are missing.
    Unauthenticated = 16, "UNAUTHENTICATED", 401;
}

impl Code {
    /// The code that stands for an HTTP status ([google.rpc.Code's mapping](https://cloud.google.com/apis/design/errors#handling_errors)).
    #[must_use]
    pub fn from_http_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Ok,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 | 410 => Self::NotFound,
            408 | 504 => Self::DeadlineExceeded,
            409 => Self::Aborted,
            416 => Self::OutOfRange,
            429 => Self::ResourceExhausted,
            499 => Self::Cancelled,
            400..=499 => Self::FailedPrecondition,
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
