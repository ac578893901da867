//! The failure of one poll, its cause, and whether another poll is worthwhile. A failed poll is not
//! a failed operation.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use http::StatusCode;

use super::{Code, Status, TransportError, TransportErrorKind, throttle::is_throttle};
use crate::{
    duration,
    hint::Hint,
    text::{line, quoted_message},
    url::UrlError,
};

/// Why one poll gave no observation.
///
/// A failure changes no state. It spends the error budget of the wait, or ends the wait if another
/// poll could not succeed either.
#[derive(Clone, Debug)]
pub struct Failure {
    cause: Cause,
    hint: Option<Hint>,
    /// Whether the caller could allow what was refused: a URL on an origin that is not trusted.
    could_be_allowed: bool,
}

/// Why a poll failed.
#[derive(Clone)]
#[non_exhaustive]
pub enum Cause {
    /// The transport returned no reply.
    Transport(TransportError),
    /// There was no reply within this time.
    TimedOut(Duration),
    /// The credentials hook failed.
    Credentials(Arc<dyn StdError + Send + Sync>),
    /// The reply is an HTTP error.
    Http(StatusCode, Status),
    /// The reply is a gRPC error.
    Rpc(Status),
    /// The reply breaks the dialect's specification.
    Protocol(String),
    /// A URL or a name leads to a place that the client does not trust. Nothing was sent there.
    Untrusted(String),
    /// The dialect, or the service, does not have the call.
    Unsupported(String),
}

// By hand, not derived: the messages may be a server's, of any length.
impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => f.debug_tuple("Transport").field(error).finish(),
            Self::TimedOut(limit) => f.debug_tuple("TimedOut").field(limit).finish(),
            Self::Credentials(error) => {
                f.debug_tuple("Credentials").field(&quoted_message(&error.to_string())).finish()
            }
            Self::Http(http, status) => f.debug_tuple("Http").field(http).field(status).finish(),
            Self::Rpc(status) => f.debug_tuple("Rpc").field(status).finish(),
            Self::Protocol(message) => f.debug_tuple("Protocol").field(&quoted_message(message)).finish(),
            Self::Untrusted(message) => f.debug_tuple("Untrusted").field(&quoted_message(message)).finish(),
            Self::Unsupported(message) => f.debug_tuple("Unsupported").field(&quoted_message(message)).finish(),
        }
    }
}

/// Whose a [`Failure`] is: what else would fail with the same request to the same place.
///
/// The failure behind an [`Error`](crate::Error) of a wait or a call is its
/// [source](std::error::Error::source).
///
/// ```
/// use http::StatusCode;
/// use lro_runtime::{Cause, Code, Failure, FailureScope, Status};
///
/// let throttled = Cause::Http(StatusCode::TOO_MANY_REQUESTS, Status::new(Code::ResourceExhausted, "slower"));
/// assert_eq!(Failure::new(throttled).scope(), FailureScope::Origin);
/// let forbidden = Cause::Http(StatusCode::FORBIDDEN, Status::new(Code::PermissionDenied, "not yours"));
/// assert_eq!(Failure::new(forbidden).scope(), FailureScope::Operation);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureScope {
    /// The origin's: it is throttled or down, and polls of its other operations fail alike. It says
    /// nothing about the operation.
    Origin,
    /// The operation's, or that of this one poll.
    Operation,
}

impl Failure {
    /// Creates a failure without a hint.
    #[must_use]
    pub fn new(cause: Cause) -> Self {
        Self { cause, hint: None, could_be_allowed: false }
    }

    /// Creates a failure for a reply that breaks the dialect's specification.
    #[must_use]
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(Cause::Protocol(message.into()))
    }

    /// Creates a failure for a URL or a name that leads to an untrusted place.
    #[must_use]
    pub fn untrusted(message: impl Into<String>) -> Self {
        Self::new(Cause::Untrusted(message.into()))
    }

    /// Creates a failure for a URL that can be read, on an origin that the client does not trust.
    pub(crate) fn not_allowed(message: String) -> Self {
        Self { could_be_allowed: true, ..Self::untrusted(message) }
    }

    /// Whether the caller could allow what was refused. Else it can be followed nowhere.
    pub(crate) fn could_be_allowed(&self) -> bool {
        self.could_be_allowed
    }

    /// Creates a failure for a call that the dialect or the service does not have.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Cause::Unsupported(message.into()))
    }

    /// Sets the hint that the server sent with the failure.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<Hint>) -> Self {
        self.hint = hint;
        self
    }

    /// Returns why the poll failed.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns the hint that the server sent with the failure.
    #[must_use]
    pub fn hint(&self) -> Option<Hint> {
        self.hint
    }

    /// Returns the status that the server sent, if the cause is an HTTP or gRPC error.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match &self.cause {
            Cause::Http(_, status) | Cause::Rpc(status) => Some(status),
            _ => None,
        }
    }

    /// Returns whether the server says that the operation does not exist: HTTP 404 or gRPC
    /// `NOT_FOUND`. Right after the start it may not exist *yet*.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match &self.cause {
            Cause::Http(status, _) => *status == StatusCode::NOT_FOUND,
            Cause::Rpc(status) => status.code() == Code::NotFound,
            _ => false,
        }
    }

    /// Returns whether the dialect or the service does not have the call: HTTP 501, a status of
    /// `UNIMPLEMENTED`, or [`Cause::Unsupported`].
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        match &self.cause {
            Cause::Http(code, status) => *code == StatusCode::NOT_IMPLEMENTED || status.code() == Code::Unimplemented,
            Cause::Rpc(status) => status.code() == Code::Unimplemented,
            Cause::Unsupported(_) => true,
            _ => false,
        }
    }

    /// Returns whose failure it is.
    ///
    /// The origin's are HTTP 429 and 503, gRPC `RESOURCE_EXHAUSTED` and `UNAVAILABLE`, any other
    /// error whose reason is a rate limit (see [`verdict`](Self::verdict)), and a connection that
    /// was [not made](crate::transport::TransportErrorKind::Connect). All others are the
    /// operation's: among them a certificate that was
    /// [refused](crate::transport::TransportErrorKind::Certificate), which is a mistake of the
    /// configuration and not an outage, and a reply that did not come within the time limit of the
    /// poll.
    ///
    /// A caller that polls many operations can hold back those of one origin after a failure of it.
    /// The default [`ErrorBudget`](crate::ErrorBudget) forgives such failures for as long as the
    /// wait may last.
    #[must_use]
    pub fn scope(&self) -> FailureScope {
        let is_of_origin = match &self.cause {
            Cause::Transport(error) => error.kind() == TransportErrorKind::Connect,
            Cause::Http(status, _) => matches!(status.as_u16(), 429 | 503) || self.is_throttle_in_words(),
            Cause::Rpc(status) => {
                matches!(status.code(), Code::ResourceExhausted | Code::Unavailable) || self.is_throttle_in_words()
            }
            _ => false,
        };
        if is_of_origin { FailureScope::Origin } else { FailureScope::Operation }
    }

    /// Whether the server says in words that calls come too fast, whatever the code beside them:
    /// Compute throttles with 403, AWS with 400.
    pub(crate) fn is_throttle_in_words(&self) -> bool {
        self.status().is_some_and(is_throttle)
    }

    /// Returns whether the server may lack the call itself, not the operation. Over HTTP a call
    /// without a route answers 404 or 405: that is how services that do not bind `WaitOperation`
    /// answer a poll that they are asked to hold.
    pub(crate) fn may_be_of_the_call(&self) -> bool {
        self.is_unsupported() || matches!(&self.cause, Cause::Http(status, _) if matches!(status.as_u16(), 404 | 405))
    }
}

impl From<UrlError> for Failure {
    fn from(error: UrlError) -> Self {
        Self::untrusted(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            // The layers between only name their own step. The innermost source says what went
            // wrong, such as a refused connection.
            Cause::Transport(error) => match root(error) {
                Some(root) => write!(f, "{error}: {}", line(&root.to_string())),
                None => error.fmt(f),
            },
            Cause::TimedOut(limit) => write!(f, "no reply within {}", duration::format(*limit)),
            Cause::Credentials(error) => write!(f, "the credentials hook failed: {}", line(&error.to_string())),
            Cause::Http(code, status) => write!(f, "HTTP {}: {status}", code.as_u16()),
            Cause::Rpc(status) => status.fmt(f),
            Cause::Protocol(message) | Cause::Untrusted(message) | Cause::Unsupported(message) => {
                f.write_str(&line(message))
            }
        }
    }
}

/// Returns the innermost source of a transport error, usually the operating system's or the TLS
/// library's message.
fn root(error: &TransportError) -> Option<&(dyn StdError + 'static)> {
    let mut root = error.source()?;
    while let Some(deeper) = root.source() {
        root = deeper;
    }
    Some(root)
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.cause {
            Cause::Transport(error) => Some(error),
            Cause::Credentials(error) => Some(&**error),
            Cause::Http(_, status) | Cause::Rpc(status) => Some(status),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_and_an_outage_are_the_origins_and_all_else_is_the_operations() {
        let scope_of = |cause: Cause| Failure::new(cause).scope();
        for status in 400..600 {
            let code = Status::new(Code::from_http_status(status), "");
            let scope = scope_of(Cause::Http(StatusCode::from_u16(status).unwrap(), code));
            assert_eq!(scope == FailureScope::Origin, matches!(status, 429 | 503), "{status}");
        }
        for code in (0..=16).map(Code::from_number) {
            let is_of_origin = matches!(code, Code::ResourceExhausted | Code::Unavailable);
            assert_eq!(scope_of(Cause::Rpc(Status::new(code, ""))) == FailureScope::Origin, is_of_origin, "{code}");
        }
        let limited = Status::new(Code::PermissionDenied, "").with_reason("rateLimitExceeded");
        assert_eq!(scope_of(Cause::Http(StatusCode::FORBIDDEN, limited.clone())), FailureScope::Origin);
        assert_eq!(scope_of(Cause::Rpc(limited)), FailureScope::Origin);
        let transport = |kind| scope_of(Cause::Transport(TransportError::message(kind, "")));
        assert_eq!(transport(TransportErrorKind::Connect), FailureScope::Origin);
        assert_eq!(transport(TransportErrorKind::Certificate), FailureScope::Operation);
        assert_eq!(transport(TransportErrorKind::Closed), FailureScope::Operation);
        assert_eq!(scope_of(Cause::TimedOut(Duration::ZERO)), FailureScope::Operation);
        assert_eq!(scope_of(Cause::Protocol(String::new())), FailureScope::Operation);
    }
}
