//! The one error type.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;

use crate::{
    dialect::{DecodeError, Payload},
    operation::{RawOperation, Token},
    settings::{PollSettings, SettingsError},
    status::{Cause, Failure, Status},
    text::line,
};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The start call failed: as far as is known, there is no operation.
    Start,
    /// Looking failed: a single poll did, or the error budget of a wait is spent. The operation goes on.
    Poll,
    /// The wait expired. The operation goes on: [`Error::token`] and [`Error::snapshot`] lead back to it.
    Timeout,
    /// The operation failed; see [`Error::status`].
    Failed,
    /// The operation was cancelled; see [`Error::status`].
    Cancelled,
    /// A payload does not decode as the type of the method.
    Decode,
    /// The server answered something that its dialect does not allow.
    Protocol,
    /// The dialect, or the service, has no such call.
    Unsupported,
    /// The operation has no result yet.
    NotCompleted,
    /// A token (or a name) that cannot be resumed from.
    InvalidToken,
    /// Settings that cannot be.
    InvalidSettings,
    /// The server pointed to a place where nothing may be sent; nothing was.
    UntrustedUrl,
}

/// What went wrong, to which operation, and what can be done.
///
/// `Display` is one line: what happened, to which operation, after how many polls, and what to do next. Sources go deeper.
/// An error is cheap to clone.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<RawOperation>,
    status: Option<Arc<Status>>,
    attempts: Option<u32>,
    elapsed: Option<Duration>,
    advice: Option<&'static str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: line(&message.into()),
            operation: None,
            status: None,
            attempts: None,
            elapsed: None,
            advice: None,
            source: None,
        }))
    }

    /// A failed exchange as an error: of the kind that its cause has by itself, else of `kind`.
    pub(crate) fn from_failure(kind: ErrorKind, message: impl Into<String>, failure: Failure) -> Self {
        let kind = match failure.cause() {
            Cause::Protocol(_) => ErrorKind::Protocol,
            Cause::Untrusted(_) => ErrorKind::UntrustedUrl,
            _ if failure.is_unsupported() => ErrorKind::Unsupported,
            _ => kind,
        };
        let status = failure.status().cloned();
        let mut error = Self::new(kind, format!("{}: {failure}", message.into()));
        let inner = Arc::make_mut(&mut error.0);
        inner.status = status.map(Arc::new);
        inner.source = Some(Arc::new(failure));
        error
    }

    // Out of line: it is called by code that is compiled per method.
    #[cold]
    #[inline(never)]
    pub(crate) fn with_operation(mut self, operation: &RawOperation) -> Self {
        Arc::make_mut(&mut self.0).operation = Some(operation.clone());
        self
    }

    pub(crate) fn with_status(mut self, status: &Arc<Status>) -> Self {
        Arc::make_mut(&mut self.0).status = Some(Arc::clone(status));
        self
    }

    pub(crate) fn with_effort(mut self, attempts: u32, elapsed: Duration) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        (inner.attempts, inner.elapsed) = (Some(attempts), Some(elapsed));
        self
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::new(source));
        self
    }

    /// With better advice than the kind's own, if it is of this kind.
    pub(crate) fn with_advice(mut self, kind: ErrorKind, advice: &'static str) -> Self {
        if self.kind() == kind {
            Arc::make_mut(&mut self.0).advice = Some(advice);
        }
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The last snapshot of the operation, wherever there is one: it can be polled again.
    #[must_use]
    pub fn snapshot(&self) -> Option<&RawOperation> {
        self.0.operation.as_ref()
    }

    /// The token to resume from, wherever there is an operation.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        self.0.operation.as_ref().map(RawOperation::token)
    }

    /// What the server said: why the operation failed, or why the last call did.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.0.status.as_deref()
    }

    /// How many polls the wait took.
    #[must_use]
    pub fn attempts(&self) -> Option<u32> {
        self.0.attempts
    }

    /// How long the wait took.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }
}

impl ErrorKind {
    /// What to do next, in a few words.
    fn advice(self) -> &'static str {
        match self {
            Self::Start => "check the request, then start again",
            Self::Poll => "poll again from the snapshot, or resume from the token",
            Self::Timeout => "it may still be running: wait again from the snapshot, or resume from the token",
            Self::Failed | Self::Cancelled => "see `status()`",
            Self::Decode => "the message as received is `raw()`",
            Self::Protocol => "check that the dialect and the address are those of the service",
            Self::Unsupported => "poll instead",
            Self::NotCompleted => "poll until it is completed",
            Self::InvalidToken => "resume from the operation's name, or from a token of this method",
            Self::InvalidSettings => "correct the setting",
            Self::UntrustedUrl => "nothing was sent there; an origin that is right can be allowed on the client",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if let Some(operation) = inner.operation.as_ref().filter(|operation| !operation.label().is_empty()) {
            write!(f, "operation `{}`: ", line(&operation.label()))?;
        }
        f.write_str(&inner.message)?;
        if let (Some(attempts), Some(elapsed)) = (inner.attempts, inner.elapsed) {
            let polls = if attempts == 1 { "poll" } else { "polls" };
            let elapsed = Duration::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
            write!(f, " (after {attempts} {polls} in {})", crate::duration::format(elapsed))?;
        }
        write!(f, "; {}", inner.advice.unwrap_or_else(|| inner.kind.advice()))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("message", &inner.message)
            .field("operation", &inner.operation.as_ref().map(RawOperation::label))
            .field("status", &inner.status)
            .field("attempts", &inner.attempts)
            .field("elapsed", &inner.elapsed)
            .field("source", &inner.source.as_ref().map(|source| line(&source.to_string())))
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<SettingsError> for Error {
    fn from(error: SettingsError) -> Self {
        Self::new(ErrorKind::InvalidSettings, error.to_string())
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        let (message, source) = error.into_parts();
        let mut error = Self::new(ErrorKind::Decode, message);
        Arc::make_mut(&mut error.0).source = source;
        error
    }
}

impl From<&Error> for Error {
    fn from(error: &Error) -> Self {
        error.clone()
    }
}

// Public calls on types of lower layers stand here where their error is this one, of which those layers know nothing.

impl PollSettings {
    /// Checks every value that is set, and that they fit each other and the library's defaults.
    ///
    /// # Errors
    ///
    /// Of kind [`InvalidSettings`](ErrorKind::InvalidSettings), naming the field, what was found and what is legal.
    pub fn validate(&self) -> Result<()> {
        Ok(self.clone().resolve().map(drop)?)
    }
}

impl Payload<'_> {
    /// The payload as a `T`, from JSON.
    ///
    /// # Errors
    ///
    /// Of kind [`Decode`](ErrorKind::Decode), with an excerpt of what was found.
    pub fn decode_json<T: DeserializeOwned + 'static>(self) -> Result<T> {
        Ok(self.read_json()?)
    }

    /// The payload as a `T`, from the protobuf message in an `Any`.
    ///
    /// # Errors
    ///
    /// Of kind [`Decode`](ErrorKind::Decode).
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    pub fn decode_message<T: prost::Message + Default + 'static>(self) -> Result<T> {
        Ok(self.read_message()?)
    }
}
