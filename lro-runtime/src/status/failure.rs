//! A poll that failed. Not an operation that failed.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use http::StatusCode;

use super::{Code, Status, TransportError};
use crate::{duration, hint::Hint, text::line, url::UrlError};

/// Why one poll gave no observation. It changes no state; it spends the error budget, or ends the wait when nothing would change.
#[derive(Clone, Debug)]
pub struct Failure {
    cause: Cause,
    hint: Option<Hint>,
}

/// What a poll failed of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// No reply.
    Transport(TransportError),
    /// No reply within this time.
    TimedOut(Duration),
    /// The credentials hook failed.
    Credentials(Arc<dyn StdError + Send + Sync>),
    /// A reply that is an HTTP error.
    Http(StatusCode, Status),
    /// A reply that is a gRPC error.
    Rpc(Status),
    /// A reply that the dialect's specification does not allow.
    Protocol(String),
    /// A URL or a name that leads where nothing may be sent.
    Untrusted(String),
    /// The dialect, or the service, has no such call.
    Unsupported(String),
}

impl Failure {
    /// A failure without a hint.
    #[must_use]
    pub fn new(cause: Cause) -> Self {
        Self { cause, hint: None }
    }

    /// A reply that the specification does not allow.
    #[must_use]
    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(Cause::Protocol(message.into()))
    }

    /// A URL or a name that leads where nothing may be sent.
    #[must_use]
    pub fn untrusted(message: impl Into<String>) -> Self {
        Self::new(Cause::Untrusted(message.into()))
    }

    /// A call that does not exist.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Cause::Unsupported(message.into()))
    }

    /// With the wait that the server asked for.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<Hint>) -> Self {
        self.hint = hint;
        self
    }

    /// What it failed of.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The wait that the server asked for.
    #[must_use]
    pub fn hint(&self) -> Option<Hint> {
        self.hint
    }

    /// What the server said, if it said anything.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match &self.cause {
            Cause::Http(_, status) | Cause::Rpc(status) => Some(status),
            _ => None,
        }
    }

    /// Whether the server says that there is no such operation (now).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match &self.cause {
            Cause::Http(status, _) => *status == StatusCode::NOT_FOUND,
            Cause::Rpc(status) => status.code() == Code::NotFound,
            _ => false,
        }
    }

    /// Whether the server says that it has no such call.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        match &self.cause {
            Cause::Http(code, status) => *code == StatusCode::NOT_IMPLEMENTED || status.code() == Code::Unimplemented,
            Cause::Rpc(status) => status.code() == Code::Unimplemented,
            Cause::Unsupported(_) => true,
            _ => false,
        }
    }

    /// Whether it may be the call that the server does not have, not the operation: what has no route is 404 or 405 over HTTP.
    pub(crate) fn may_be_of_the_call(&self) -> bool {
        self.is_unsupported() || matches!(&self.cause, Cause::Http(status, _) if matches!(status.as_u16(), 404 | 405))
    }

    /// The library's rule for what is worth another poll: no reply, HTTP 408, 429, 500, 502, 503, 504, and gRPC `UNAVAILABLE`,
    /// `DEADLINE_EXCEEDED`, `RESOURCE_EXHAUSTED`, `INTERNAL`, `ABORTED`, `UNKNOWN`. `NOT_FOUND` is worth one only for a while
    /// after the start.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let retry = match &self.cause {
            Cause::Transport(error) => error.is_transient(),
            Cause::TimedOut(_) | Cause::Credentials(_) => true,
            Cause::Http(status, _) => matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504),
            Cause::Rpc(status) => matches!(
                status.code(),
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Internal
                    | Code::Aborted
                    | Code::Unknown
            ),
            Cause::Protocol(_) | Cause::Untrusted(_) | Cause::Unsupported(_) => false,
        };
        match retry {
            true => Verdict::Retry,
            false if self.is_not_found() => Verdict::RetryWithinGrace,
            false => Verdict::Stop,
        }
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

/// The innermost cause: what the machine said.
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

/// What a failed poll means for the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Worth another poll, as long as the error budget lasts.
    Retry,
    /// Worth another poll only within `not_found_grace` after the start: the operation may not have reached every replica.
    RetryWithinGrace,
    /// Nothing would change: the wait ends.
    Stop,
}
