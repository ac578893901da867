//! Why an operation failed: `google.rpc.Status`, from whatever dialect.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{status::details::Detail, text::line};

pub(crate) mod details;
mod failure;
mod state;

pub use self::{
    failure::{Cause, Failure, FailurePolicy, Verdict},
    state::State,
};

/// Declares the canonical codes once: number, name, words, HTTP status.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $http:literal;)*) => {
        /// A canonical error code ([`google.rpc.Code`](https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto)).
        ///
        /// Never an HTTP status: those that were received are [`Status::http_status`].
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

/// Why an operation failed or was cancelled: a code, a message for developers, and typed details
/// ([`google.rpc.Status`](https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto)).
///
/// Every dialect's error reads as one, with what does not fit kept: the service's own error word is [`reason`](Status::reason),
/// an HTTP status is [`http_status`](Status::http_status).
///
/// ```
/// use lro_runtime::{Code, Status};
///
/// let status = Status::new(Code::NotFound, "no such bucket");
/// assert_eq!(status.to_string(), "NOT_FOUND: no such bucket");
/// ```
///
/// `Display` and `Debug` show the message as one line and not more than its beginning: all of it is [`message`](Status::message).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "an HTTP status is called so")]
pub struct Status {
    code: Code,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
}

impl Status {
    /// A status without details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), reason: None, http_status: None }
    }

    /// With these details.
    #[must_use]
    pub fn with_details(mut self, details: Vec<Detail>) -> Self {
        self.details = details;
        self
    }

    /// With the service's own error word, such as `ResourceNotFound`.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// With the HTTP status it came with.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// The canonical code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The message, for developers, in whatever language the service speaks. May be empty.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The details in the order they were sent; those of unknown types are kept raw.
    #[must_use]
    pub fn details(&self) -> &[Detail] {
        &self.details
    }

    /// The service's own error word, where its dialect has one.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The HTTP status this arrived with, where it did.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// How long the service asks to wait, from a `RetryInfo` detail.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.details.iter().find_map(Detail::retry_info).and_then(|info| info.retry_delay)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Status");
        out.field("code", &self.code).field("message", &format_args!("\"{}\"", line(&self.message)));
        if !self.details.is_empty() {
            out.field("details", &self.details);
        }
        if let Some(reason) = &self.reason {
            out.field("reason", &format_args!("\"{}\"", line(reason)));
        }
        if let Some(status) = self.http_status {
            out.field("http_status", &status);
        }
        out.finish()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        if let Some(reason) = &self.reason {
            write!(f, " ({})", line(reason))?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", line(&self.message))?;
        }
        Ok(())
    }
}

impl std::error::Error for Status {}
