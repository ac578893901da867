//! The untyped operation: one snapshot, and the means to look again.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Method, Token,
    snapshot::{ReplyTime, Snapshot},
};
use crate::{
    client::Operations,
    dialect::Payload,
    error::{Error, ErrorKind, Result},
    settings::PollSettings,
    status::{Code, Failure, State, Status},
    timer::Timer,
};

/// One immutable snapshot of an operation whose payloads nobody has declared, and the means to look again.
///
/// It does everything that a typed [`Operation`](crate::Operation) does, except decode. Cheap to clone.
#[derive(Clone)]
#[must_use = "an operation that is dropped goes on remotely, unwatched"]
pub struct RawOperation {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) client: Operations,
    pub(crate) method: Option<&'static Method>,
}

impl RawOperation {
    pub(crate) fn new(snapshot: Snapshot, client: Operations, method: Option<&'static Method>) -> Self {
        Self { snapshot: Arc::new(snapshot), client, method }
    }

    pub(crate) fn bind(self, method: &'static Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// The name that the service gave it; store it to resume later. Empty if a finished operation came without one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.snapshot.name
    }

    /// The name fit to print: it may be a URL.
    pub(crate) fn label(&self) -> String {
        crate::url::redacted(self.name())
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> State {
        self.snapshot.state
    }

    /// The status word as the service wrote it, in dialects that have words. Words that the dialect does not know read as running.
    #[must_use]
    pub fn raw_status(&self) -> Option<&str> {
        self.snapshot.raw_status.as_deref()
    }

    /// Whether the work has ended, however it did.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.state().is_terminal()
    }

    /// Whether the service says that it succeeded.
    #[must_use]
    pub fn is_succeeded(&self) -> bool {
        self.state() == State::Succeeded
    }

    /// Whether it failed.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.state() == State::Failed
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state() == State::Cancelled
    }

    /// The fraction done, 0 to 1, as far as the service or the method says; 1 once it has succeeded.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        if self.is_succeeded() {
            return Some(1.0);
        }
        let declared = self.method.and_then(|method| method.progress);
        let from_metadata = declared.and_then(|progress| self.metadata().and_then(progress));
        from_metadata
            .or(self.snapshot.progress)
            .filter(|fraction| fraction.is_finite())
            .map(|fraction| fraction.clamp(0.0, 1.0))
    }

    /// The last known metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<Payload<'_>> {
        self.snapshot.metadata()
    }

    /// The response, once it has succeeded.
    #[must_use]
    pub fn response(&self) -> Option<Payload<'_>> {
        self.snapshot.response()
    }

    /// Why it failed or was cancelled.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.snapshot.status.as_deref()
    }

    /// The message as received: the body of the reply that this snapshot is of. Empty if it was resumed and not looked at.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.snapshot.body
    }

    /// What must be stored to resume it in another process.
    #[must_use]
    pub fn token(&self) -> Token {
        Token::of(&self.snapshot, self.client.dialect().id(), self.method)
    }

    /// The client it belongs to.
    #[must_use]
    pub fn client(&self) -> &Operations {
        &self.client
    }

    /// The settings of a wait: the argument, else the method's, else the client's, else the library's.
    pub(crate) fn settings(&self, argument: PollSettings) -> PollSettings {
        let method = self.method.map(Method::poll_settings).unwrap_or_default();
        argument.or(method).or(self.client.settings().clone())
    }

    /// How long one poll may take outside a wait.
    pub(crate) fn poll_timeout(&self) -> Result<Duration> {
        Ok(self.settings(PollSettings::default()).resolve()?.poll_timeout)
    }

    /// One look over the network, begun now: the next snapshot. `hold` asks the server to take its time.
    pub(crate) async fn poll(
        &self,
        began: Instant,
        limit: Duration,
        hold: Option<Duration>,
        timer: &dyn Timer,
    ) -> Result<Snapshot, Failure> {
        let Some(target) = &self.snapshot.target else {
            return Err(Failure::protocol("the operation has no name: it cannot be looked at again"));
        };
        let holding = match hold {
            Some(hold) => Some(self.client.request(target.dialect.wait(&target.cursor, hold)?)?),
            None => None,
        };
        let reply = self.client.exchange(holding.as_ref().unwrap_or(&target.request), limit, timer).await?;
        let now = timer.now();
        let replied = ReplyTime { at: now, round_trip: now.saturating_duration_since(began), to_start: false };
        let mut seen = target.dialect.read(&target.cursor, &reply)?;
        let moved = match seen.cursor.take().filter(|cursor| *cursor != target.cursor) {
            Some(cursor) => Some(Arc::new(self.client.target(Arc::clone(&target.dialect), cursor)?)),
            None => None,
        };
        let next = self.snapshot.after(seen, reply.body(), self.method, replied);
        let mut snapshot = next.with_body(|| reply.into_body());
        if let Some(moved) = moved {
            snapshot.target = Some(moved);
        }
        Ok(snapshot)
    }

    /// The same operation at a later `snapshot`.
    pub(crate) fn at(&self, snapshot: Snapshot) -> Self {
        Self { snapshot: Arc::new(snapshot), client: self.client.clone(), method: self.method }
    }

    /// Moves on to a later `snapshot`, in place where nobody else holds this one.
    pub(crate) fn advance(&mut self, snapshot: Snapshot) {
        match Arc::get_mut(&mut self.snapshot) {
            Some(own) => *own = snapshot,
            None => self.snapshot = Arc::new(snapshot),
        }
    }

    /// A failed call as an error that leads back to this operation.
    pub(crate) fn poll_error(&self, message: &str, failure: Failure) -> Error {
        let seen_before = self.snapshot.replied.is_some();
        let gone = failure.is_not_found();
        let code = failure.status().map(Status::code);
        let unauthorized = matches!(code, Some(Code::Unauthenticated | Code::PermissionDenied));
        let message = if gone && seen_before {
            format!("{message}, it was there before and is gone")
        } else {
            message.to_owned()
        };
        let error = Error::from_failure(ErrorKind::Poll, message, failure).with_operation(self);
        let error =
            error.with_advice(ErrorKind::Unsupported, "check the address and the dialect: nothing answers there");
        match () {
            () if gone && seen_before => {
                error.with_advice(ErrorKind::Poll, "its result may have expired, or somebody deleted it")
            }
            () if gone => error.with_advice(ErrorKind::Poll, "check the name and the address of the service"),
            () if unauthorized => {
                error.with_advice(ErrorKind::Poll, "check the credentials, then poll again from the snapshot")
            }
            () => error,
        }
    }
}

impl fmt::Debug for RawOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RawOperation");
        out.field("name", &self.label()).field("state", &self.state());
        if let Some(word) = self.raw_status() {
            out.field("raw_status", &word);
        }
        if let Some(status) = self.status() {
            out.field("status", status);
        }
        out.finish_non_exhaustive()
    }
}

impl RawOperation {
    /// `Ok` if it succeeded; else the error that its state is.
    pub(crate) fn success(&self) -> Result<()> {
        if self.is_succeeded() { Ok(()) } else { Err(self.no_response()) }
    }

    /// Why there is no response, as far as the state says.
    #[cold]
    pub(crate) fn no_response(&self) -> Error {
        let ended = |word: &str| self.status().map_or_else(|| word.to_owned(), |status| format!("{word}: {status}"));
        let (kind, message) = match self.state() {
            State::Failed => (ErrorKind::Failed, ended("failed")),
            State::Cancelled => (ErrorKind::Cancelled, ended("was cancelled")),
            state => (ErrorKind::NotCompleted, format!("has no result yet, it is {state}")),
        };
        let error = Error::new(kind, message).with_operation(self);
        match &self.snapshot.status {
            Some(status) => error.with_status(status),
            None => error,
        }
    }
}
