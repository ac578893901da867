//! Why an operation or a poll failed: the status, its code and typed details, the failure of one
//! poll, and the five states.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::text::{First, kept, line, quoted, quoted_message};

mod code;
pub mod details;
mod failure;
mod state;
mod throttle;
mod transport_error;

use self::details::Detail;
pub(crate) use self::throttle::is_rate_limit;
pub use self::{
    code::Code,
    failure::{Cause, Failure, FailureScope},
    state::State,
    transport_error::{TransportError, TransportErrorKind},
};

/// Why an operation failed or was cancelled: a code, a message for developers, and typed details
/// ([`google.rpc.Status`](https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto)).
///
/// Every dialect turns its errors into this type. What has no place in a `google.rpc.Status` is
/// kept too: the service's own error word is [`reason`](Status::reason), the HTTP status of the
/// reply is [`http_status`](Status::http_status).
///
/// ```
/// use lro_runtime::{Code, Status};
///
/// let status = Status::new(Code::NotFound, "no such bucket");
/// assert_eq!(status.to_string(), "NOT_FOUND: no such bucket");
/// ```
///
/// `Display` and `Debug` show the beginning of the message, escaped to one line.
/// [`message`](Status::message) has all of it.
// Tokens store a status: a renamed member would make older tokens unreadable.
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
    /// Creates a status without details.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), reason: None, http_status: None }
    }

    /// Sets the details. The [reason](Self::reason) is then that of the first
    /// [`ErrorInfo`](details::ErrorInfo) among them, unless one is set.
    #[must_use]
    pub fn with_details(mut self, details: Vec<Detail>) -> Self {
        // Found here and not on demand: tokens store the reason, and a build without gRPC that
        // resumes from one cannot read a detail in protobuf.
        if self.reason.is_none() {
            let mut infos = details.iter().filter_map(Detail::error_info);
            self.reason = infos.find_map(|info| Some(info.reason).filter(|reason| !reason.is_empty()));
        }
        self.details = details;
        self
    }

    /// Sets the service's own error word, such as `ResourceNotFound`.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets the HTTP status of the reply that carried this status.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// Returns the status as a token stores it: without secrets in its texts, which are cut, and
    /// without details. [`Detail::stored`] is what is stored of one.
    pub(crate) fn stored(&self) -> Self {
        /// How many bytes of a message a token keeps.
        const MESSAGE: usize = 4 * 1024;
        /// How many bytes of the service's own word a token keeps.
        const REASON: usize = 1024;
        Self {
            code: self.code,
            message: kept(&self.message, MESSAGE),
            details: Vec::new(),
            reason: self.reason.as_deref().map(|reason| kept(reason, REASON)),
            http_status: self.http_status,
        }
    }

    /// Adds a detail behind the others.
    pub(crate) fn push_detail(&mut self, detail: Detail) {
        self.details.push(detail);
    }

    /// Returns the canonical code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns the message. It is for developers, in the language of the service, and may be empty.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the details in the order in which they were sent. Details of unknown types are kept
    /// raw.
    #[must_use]
    pub fn details(&self) -> &[Detail] {
        &self.details
    }

    /// Returns the service's own error word, such as `ResourceNotFound` or `RATE_LIMIT_EXCEEDED`:
    /// what the dialect found where its services write it, else the reason of the first
    /// [`ErrorInfo`](details::ErrorInfo) among the details.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Returns the HTTP status of the reply that carried this status, if there was one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// Returns how long the service asks the client to wait, from the first `RetryInfo` detail.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.details.iter().find_map(Detail::retry_info).and_then(|info| info.retry_delay)
    }
}

// Written by hand: the derived form would print a server's message whole, with its line breaks and
// at its length.
impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Status");
        out.field("code", &self.code).field("message", &quoted_message(&self.message));
        if !self.details.is_empty() {
            out.field("details", &First(&self.details, 3));
        }
        if let Some(reason) = &self.reason {
            out.field("reason", &quoted(reason));
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
        // A service whose error is one word has it in both places.
        if !self.message.is_empty() && self.reason.as_ref() != Some(&self.message) {
            write!(f, ": {}", line(&self.message))?;
        }
        Ok(())
    }
}

impl std::error::Error for Status {}
