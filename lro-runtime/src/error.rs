//! The public error type: what failed, for which operation, after how many polls, and what to do
//! next.

use std::{any::type_name, error::Error as StdError, fmt, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;

use crate::{
    dialect::{DecodeError, Payload},
    operation::{RawOperation, Token},
    settings::{PollSettings, SettingsError, Verdict},
    status::{Cause, Code, Failure, FailureScope, Status, TransportErrorKind},
    text::{line, quoted_line, quoted_message, quoted_name},
};

#[cfg(feature = "fleet")]
mod kept;
#[cfg(feature = "fleet")]
pub(crate) use self::kept::KeptError;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The start call failed. Where it was not refused (no reply, a reply that broke off, most
    /// `5xx`), the service may have started the operation all the same: the error's advice says
    /// what is known.
    Start,
    /// A call about the operation failed: a single poll, a list, cancel or delete call, or a wait
    /// that polled until its error budget was spent or a poll failed for good. The operation itself
    /// goes on.
    Poll,
    /// The wait expired. The operation itself goes on: [`Error::token`] and [`Error::snapshot`]
    /// lead back to it.
    Timeout,
    /// The operation failed; [`Error::status`] says why.
    Failed,
    /// The operation was cancelled; [`Error::status`] has the details.
    Cancelled,
    /// A payload does not decode as the type that the method declares.
    Decode,
    /// The server sent something that the dialect does not allow.
    Protocol,
    /// The dialect, or the service, does not have the call.
    Unsupported,
    /// The operation has no result yet.
    NotCompleted,
    /// The token or name cannot be resumed from.
    InvalidToken,
    /// A setting is illegal, or two settings conflict.
    InvalidSettings,
    /// A URL or name leads to a place that the client does not trust. Nothing was sent there.
    UntrustedUrl,
    /// A fleet has no room for another operation. The operation itself goes on.
    Full,
    /// A fleet was closed, and takes no more operations. The operation itself goes
    /// on.
    Closed,
    /// A fleet's store failed: what it was asked to keep may be lost with the process. The
    /// operation itself goes on.
    Store,
}

/// The error that calls on clients and operations return.
///
/// `Display` is one line: what happened, to which operation, after how many polls, and what to do
/// next. [`source`](StdError::source) has the cause, where there is one. An error is cheap to
/// clone.
// One pointer wide, so that a `Result` of a small value stays small; `make_mut` copies only an
// error that was cloned before.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<RawOperation>,
    /// The id of the start call that failed.
    start_id: Option<Arc<str>>,
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
            // A server's words may be part of the message: a line break in them would end the line
            // that `Display` promises, and their length would be the server's choice.
            message: line(&message.into()),
            operation: None,
            start_id: None,
            status: None,
            attempts: None,
            elapsed: None,
            advice: None,
            source: None,
        }))
    }

    /// Turns a failed exchange into an error of `kind`, unless the cause itself names a more
    /// precise kind.
    pub(crate) fn from_failure(kind: ErrorKind, message: impl Into<String>, failure: Failure) -> Self {
        let advice = match kind {
            _ if failure.could_be_allowed() => Some(UNKNOWN_ORIGIN),
            ErrorKind::Start => start_advice(&failure),
            _ => None,
        };
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
        inner.advice = advice;
        inner.source = Some(Arc::new(failure));
        error
    }

    // Not inlined: the callers are generic over the method's types and are compiled once per method
    // of an SDK.
    #[cold]
    #[inline(never)]
    pub(crate) fn with_operation(mut self, operation: &RawOperation) -> Self {
        Arc::make_mut(&mut self.0).operation = Some(operation.clone());
        self
    }

    pub(crate) fn with_start_id(mut self, id: Option<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.0).start_id = id;
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

    /// Replaces the advice at the end of the line, if the error is of `kind`.
    pub(crate) fn with_advice(mut self, kind: ErrorKind, advice: &'static str) -> Self {
        if self.kind() == kind {
            Arc::make_mut(&mut self.0).advice = Some(advice);
        }
        self
    }

    /// Returns the kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the last snapshot of the operation, if the error is about one. It can be polled
    /// again.
    #[must_use]
    pub fn snapshot(&self) -> Option<&RawOperation> {
        self.0.operation.as_ref()
    }

    /// Returns a token to resume the operation from, if the error is about one that can be resumed.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        let operation = self.0.operation.as_ref();
        // An entry of a list whose name cannot be read is an operation that nothing leads to.
        let is_lost = |operation: &&RawOperation| operation.snapshot.target.is_none() && !operation.is_completed();
        operation.filter(|operation| !is_lost(operation)).map(RawOperation::token)
    }

    /// Returns the start id of the start call that failed, or of the operation that the error is
    /// about: see [`StartCall::start_id`](crate::StartCall::start_id). `None` if there is none, it
    /// is not known, or the call was not sent because an argument is not legal.
    ///
    /// With it a start that may have happened is repeated safely.
    ///
    /// ```
    /// use lro_runtime::{ErrorKind, Operations, RawOperation, Result, StartCall};
    ///
    /// /// Starts again with the same id, by which the service knows that it is one start.
    /// async fn start(call: impl Fn() -> StartCall) -> Result<RawOperation> {
    ///     let error = match call().await {
    ///         Err(error) if error.kind() == ErrorKind::Start => error,
    ///         started => return started,
    ///     };
    ///     match error.start_id() {
    ///         Some(id) => call().with_start_id(id).await,
    ///         None => Err(error),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn start_id(&self) -> Option<&str> {
        let of_operation = || self.0.operation.as_ref().and_then(RawOperation::start_id);
        self.0.start_id.as_deref().or_else(of_operation)
    }

    /// Returns the status that the server sent: why the operation failed, or why the last call
    /// failed.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.0.status.as_deref()
    }

    /// Returns how many polls the wait sent; `None` if the error is not from a wait.
    #[must_use]
    pub fn attempts(&self) -> Option<u32> {
        self.0.attempts
    }

    /// Returns how long the wait lasted; `None` if the error is not from a wait.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }
}

impl ErrorKind {
    /// The end of the line that `Display` writes: what to do next.
    fn advice(self) -> &'static str {
        match self {
            Self::Start => "check the request, then start again",
            Self::Poll => "poll again from the snapshot, or resume from the token",
            Self::Timeout => "it may still be running: wait again from the snapshot, or resume from the token",
            Self::Failed | Self::Cancelled => "see `status()`",
            Self::Decode => "`raw()` has the message as received",
            Self::Protocol => "check that the dialect and the address are those of the service",
            Self::Unsupported => "check that the dialect and the service support this call",
            Self::NotCompleted => "poll until it is completed",
            Self::InvalidToken => "resume from the name that the service gave, or from a token of this method",
            Self::InvalidSettings => "correct the setting",
            Self::Full => "acknowledge completions, or raise `max_operations`",
            Self::Closed => "poll the operation from the snapshot, or watch it with another fleet",
            Self::Store => "keep the token, and build the fleet anew on a store that works",
            Self::UntrustedUrl => {
                "nothing was sent there, and no setting allows it: correct it where it comes from, the caller or the service"
            }
        }
    }
}

/// The advice where a URL leads to an origin that the caller could allow.
const UNKNOWN_ORIGIN: &str = "nothing was sent there; if you trust this origin, allow it with `allow_origin`, or with `allow_origin_with_credentials` if it is the service's own";

/// Returns what to do after a start call that failed so; `None` where the request is wrong.
///
/// "Start again" is said only where nothing was started: a second call would start a second
/// operation.
fn start_advice(failure: &Failure) -> Option<&'static str> {
    let code = failure.status().map(Status::code);
    Some(match failure.cause() {
        Cause::Protocol(_) | Cause::Untrusted(_) | Cause::Unsupported(_) => return None,
        Cause::Credentials(_) => "check the credentials, then start again",
        Cause::Transport(error) if error.kind() == TransportErrorKind::InvalidRequest => return None,
        Cause::Transport(error) if error.kind() == TransportErrorKind::Certificate => {
            "check the base URL, and which certificates the transport trusts, then start again"
        }
        _ if failure.is_unsupported() => {
            "the service does not have this call: check the base URL, and the method and path of the start call"
        }
        _ if failure.scope() == FailureScope::Origin => {
            "the service is busy or down: start again later, or let the client do it with `start_retries`"
        }
        // Without an answer, with a broken one, or with one that says that the service broke on the
        // way.
        Cause::Transport(_) | Cause::TimedOut(_) => UNKNOWN_START,
        _ if failure.verdict() == Verdict::Retry => UNKNOWN_START,
        _ if matches!(code, Some(Code::Unauthenticated | Code::PermissionDenied)) => {
            "check the credentials, then start again"
        }
        _ => return None,
    })
}

/// The advice where the service may have started the operation.
const UNKNOWN_START: &str =
    "it may have been started: look for it first; with `start_id`, `start_retries` repeats the call safely";

impl Inner {
    /// The end of the line that `Display` writes.
    fn advice(&self) -> &'static str {
        match self.advice {
            Some(advice) => advice,
            // A list call: it is about no operation, so there is no snapshot to poll from.
            None if self.kind == ErrorKind::Poll && self.operation.is_none() => "try the call again",
            None => self.kind.advice(),
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
            // Cut to milliseconds for reading: a measured time has nanoseconds, and `format` writes
            // all of them.
            let elapsed = Duration::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
            write!(f, " (after {attempts} {polls} in {})", crate::duration::format(elapsed))?;
        }
        write!(f, "; {}", inner.advice())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        f.debug_struct("Error")
            .field("kind", &inner.kind)
            .field("message", &quoted_line(&inner.message))
            .field("operation", &inner.operation.as_ref().map(|operation| quoted_name(operation.name())))
            .field("start_id", &self.start_id().map(quoted_name))
            .field("status", &inner.status)
            .field("attempts", &inner.attempts)
            .field("elapsed", &inner.elapsed)
            .field("source", &inner.source.as_ref().map(|source| quoted_message(&source.to_string())))
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

/// Converts the error of a request that cannot be built, so that `?` works in the body of a method
/// that builds its own.
impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        Self::new(ErrorKind::Start, format!("the request cannot be built: {error}")).with_source(error)
    }
}

impl From<&Error> for Error {
    fn from(error: &Error) -> Self {
        error.clone()
    }
}

// `Error` belongs to an upper layer, and lower layers do not import upper ones. Public methods of
// lower-layer types that return it are therefore implemented here.

impl PollSettings {
    /// Checks that every value that is set is legal, and that the values fit each other and the
    /// library's defaults.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`InvalidSettings`](ErrorKind::InvalidSettings) that names the
    /// field, what was found and what is legal.
    pub fn validate(&self) -> Result<()> {
        Ok(self.clone().resolve().map(drop)?)
    }
}

impl Payload<'_> {
    /// Decodes the payload from JSON as a `T`.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`Decode`](ErrorKind::Decode) with an excerpt of what was found.
    #[inline]
    pub fn decode_json<T: DeserializeOwned + 'static>(self) -> Result<T> {
        let text = self.document::<T>()?;
        text.read().map_err(|why| DecodeError::of(&text, type_name::<T>(), why).into())
    }

    /// Decodes the protobuf message inside a `google.protobuf.Any` as a `T`.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`Decode`](ErrorKind::Decode) if the payload is not an `Any`, or
    /// its message is not a `T`.
    #[cfg(feature = "grpc")]
    #[cfg_attr(docsrs, doc(cfg(feature = "grpc")))]
    pub fn decode_message<T: prost::Message + Default + 'static>(self) -> Result<T> {
        Ok(self.read_message()?)
    }
}
