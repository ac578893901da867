//! The calls of the typed operation.
//!
//! They are in one block, in the order in which documentation shows them: what every user needs
//! comes first. On the page of `ExportImageOperation`, rustdoc sorts blocks by the file that they
//! are in: the name of this one is before those of the others.

use std::{
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;

use super::{
    Handle, Operation, OperationState, RawOperation, Token,
    decoded::{Decoded, Lazy, into_response, into_state},
    starting::Starting,
};
use crate::{
    client::Operations,
    driver::{self, Blocking, FailedPoll, Observed, Observers, Shared, Snapshots},
    error::Result,
    settings::PollSettings,
    status::Status,
    transport::{BoxFuture, Transport},
};

impl<S: OperationState> Operation<S> {
    /// Returns the name that the service gave the operation; store it to resume later. Empty if a
    /// finished operation came without a name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.raw.name()
    }

    /// Returns the state with its payloads, decoded on the first call.
    ///
    /// Metadata that does not decode is `None` here and an error in [`metadata`](Self::metadata).
    /// An operation that succeeded with a response that does not decode reads as failed with
    /// [`Code::DataLoss`](crate::Code::DataLoss); `into_result` then returns an error of kind
    /// [`Decode`](crate::ErrorKind::Decode), and [`raw`](Self::raw) returns the message as
    /// received.
    #[must_use]
    pub fn state(&self) -> &S {
        &self.decoded().state
    }

    /// Polls once: sends one request and returns a new snapshot, as [`RawOperation::poll_once`]
    /// does.
    ///
    /// # Errors
    ///
    /// When the poll failed. The operation itself did not fail, and this snapshot can be polled
    /// again.
    pub fn poll_once(&self) -> impl Future<Output = Result<Self>> + Send + 'static + use<S> {
        Typed::new(driver::poll_once(self.raw.clone(), None), self)
    }

    /// Polls until the operation is terminal, and returns the terminal snapshot. A failed or
    /// cancelled operation is not an error here.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`].
    pub fn poll_until_completed(
        &self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<Self>> + Send + 'static + use<S> {
        Typed::new(driver::poll_until_completed(self.raw.clone(), settings, None), self)
    }

    /// Returns the response by value.
    ///
    /// What was decoded already is given away. It is decoded anew only if a clone of this operation
    /// holds it too: response types need not be `Clone`.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result).
    pub fn into_result(self) -> Result<S::Response> {
        into_response::<S>(&self.raw, self.decoded.take())
    }

    /// Returns the token to store in order to resume the operation in another process. It is bound
    /// to this method.
    #[must_use]
    pub fn token(&self) -> Token {
        self.raw.token()
    }

    /// Returns the state with its payloads by value, as [`state`](Self::state) reads them.
    ///
    /// ```
    /// # use lro_runtime::{Operations, RawOperation, Result, long_running};
    /// # #[long_running(operations = operations, response = String, metadata = ())]
    /// # async fn build(operations: &Operations) -> Result<RawOperation> {
    /// #     operations.post("v1/builds", &()).await
    /// # }
    /// fn outcome(operation: BuildOperation) -> String {
    ///     match operation.into_state() {
    ///         BuildState::Succeeded { response, .. } => response,
    ///         BuildState::Failed { status, .. } | BuildState::Cancelled { status, .. } => status.to_string(),
    ///         BuildState::Pending | BuildState::Running { .. } => "not yet".to_owned(),
    ///     }
    /// }
    /// ```
    ///
    /// What was decoded already is given away. It is decoded anew only if a clone of this operation
    /// holds it too: payloads need not be `Clone`.
    #[must_use]
    pub fn into_state(self) -> S {
        into_state(&self.raw, self.decoded)
    }

    /// Whether the operation is terminal: it succeeded, failed, or was cancelled.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.raw.is_completed()
    }

    /// Whether the operation succeeded and its response decodes.
    #[must_use]
    pub fn is_succeeded(&self) -> bool {
        self.raw.is_succeeded() && self.decoded().response_error.is_none()
    }

    /// Whether the operation failed, or succeeded with a response that does not decode.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.raw.is_failed() || (self.raw.is_succeeded() && !self.is_succeeded())
    }

    /// Whether the operation was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.raw.is_cancelled()
    }

    /// Returns the fraction done, 0 to 1, if the service or the method gives one; 1 once the
    /// operation has succeeded. A value that is no such fraction is `None`.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        self.raw.progress()
    }

    /// Returns the last known metadata, also on a terminal snapshot.
    ///
    /// # Errors
    ///
    /// Of kind [`Decode`](crate::ErrorKind::Decode) when it is not of the declared type. No other
    /// call fails because of that.
    pub fn metadata(&self) -> Result<Option<&S::Metadata>> {
        let decoded = self.decoded();
        match &decoded.metadata_error {
            Some(error) => Err(error.clone()),
            None => Ok(decoded.state.metadata().or(decoded.queued.as_ref())),
        }
    }

    /// Returns the response.
    ///
    /// # Errors
    ///
    /// Of kind [`NotCompleted`](crate::ErrorKind::NotCompleted) before the operation is terminal,
    /// [`Failed`](crate::ErrorKind::Failed) or [`Cancelled`](crate::ErrorKind::Cancelled) (both
    /// with the status) when it did not succeed, [`Decode`](crate::ErrorKind::Decode) when the
    /// response does not decode.
    pub fn result(&self) -> Result<&S::Response> {
        let decoded = self.decoded();
        match (&decoded.response_error, decoded.state.response()) {
            (None, Some(response)) => Ok(response),
            (Some(error), _) => Err(error.clone()),
            (None, None) => Err(self.raw.no_response()),
        }
    }

    /// Returns why the operation failed or was cancelled, as the service says.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.raw.status()
    }

    /// Returns what the service says in words about how the operation stands: see
    /// [`RawOperation::status_message`].
    #[must_use]
    pub fn status_message(&self) -> Option<&str> {
        self.raw.status_message()
    }

    /// Returns the status word as the service wrote it, in dialects that have words.
    #[must_use]
    pub fn raw_status(&self) -> Option<&str> {
        self.raw.raw_status()
    }

    /// Returns the message as received, also when it does not decode. Empty if the operation was
    /// resumed and not polled yet.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        self.raw.raw()
    }

    /// Returns the start id that the start call was sent with: see
    /// [`StartCall::start_id`](crate::StartCall::start_id). `None` if it had none, and after a
    /// resume.
    #[must_use]
    pub fn start_id(&self) -> Option<&str> {
        self.raw.start_id()
    }

    /// Returns the same operation without types.
    pub fn untyped(&self) -> &RawOperation {
        &self.raw
    }

    /// Returns the client that the operation belongs to.
    #[must_use]
    pub fn client(&self) -> &Operations {
        self.raw.client()
    }

    /// Returns the same calls in their blocking form: they need no executor.
    pub fn blocking(&self) -> Blocking<Self> {
        Blocking::new(self.clone())
    }

    /// Returns a stream of snapshots: this one at once, then one per successful poll, the last one
    /// terminal.
    ///
    /// The delays are those of [`poll_until_completed`](Self::poll_until_completed).
    pub fn snapshots(&self, settings: PollSettings) -> Snapshots<Self> {
        Snapshots::new(self.raw.clone(), settings, None, Observers::default())
    }

    /// Adds an observer of progress, called with the snapshots of a wait: see [`Observed`].
    pub fn on_progress(&self, observer: impl FnMut(&Self) + Send + 'static) -> Observed<Self> {
        Observed::new(self).on_progress(observer)
    }

    /// Adds an observer of completion, called once with the terminal snapshot: see [`Observed`].
    pub fn on_completed(&self, observer: impl FnOnce(&Self) + Send + 'static) -> Observed<Self> {
        Observed::new(self).on_completed(observer)
    }

    /// Adds an observer of failed polls, called for each poll of a wait that fails: see
    /// [`Observed`].
    pub fn on_failed_poll(&self, observer: impl FnMut(FailedPoll<'_>) + Send + 'static) -> Observed<Self> {
        Observed::new(self).on_failed_poll(observer)
    }

    /// Returns one wait that many waiters can share, with one poll loop and one set of settings:
    /// see [`Shared`].
    pub fn shared(&self, settings: PollSettings) -> Shared<Self> {
        Shared::new(self, settings)
    }

    /// Polls once and lets the server hold the reply for up to `timeout`: see
    /// [`RawOperation::wait`].
    ///
    /// # Errors
    ///
    /// As [`RawOperation::wait`].
    pub fn wait(&self, timeout: Duration) -> impl Future<Output = Result<Self>> + Send + 'static + use<S> {
        Typed::new(driver::wait(self.raw.clone(), timeout, None), self)
    }

    /// Returns the same operation, whose requests go through `transport`, which may be a closure:
    /// see [`RawOperation::with_transport`].
    pub fn with_transport(&self, transport: impl Transport) -> Self {
        Self { raw: self.raw.with_transport(transport), ..self.clone() }
    }

    /// Runs `body`, a start call or a future that makes one, and returns the operation of this
    /// method, typed.
    ///
    /// An annotated method does this with its own body. Where an annotated trait method has no
    /// body, its implementations call this.
    ///
    /// ```
    /// use std::future::Future;
    /// use lro_runtime::{Operations, RawOperation, Result, http::Method, long_running};
    ///
    /// #[long_running(response = String, metadata = ())]
    /// trait BuildService {
    ///     fn operations(&self) -> &Operations;
    ///
    ///     #[long_running]
    ///     fn build(&self) -> impl Future<Output = Result<RawOperation>> + Send;
    /// }
    ///
    /// struct Farm(Operations);
    ///
    /// impl BuildService for Farm {
    ///     fn operations(&self) -> &Operations {
    ///         &self.0
    ///     }
    ///
    ///     async fn build(&self) -> Result<BuildOperation> {
    ///         BuildOperation::start(self.0.call(Method::POST, "v1/builds").no_body()).await
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of `body`.
    pub async fn start<E, F>(body: F) -> Result<Self, E>
    where
        F: IntoFuture<Output = Result<RawOperation, E>>,
    {
        Starting::new(S::METHOD, body.into_future()).await
    }

    /// Returns the decoded payloads, decoding them on the first call.
    fn decoded(&self) -> &Decoded<S> {
        self.decoded.get_or_decode(&self.raw)
    }
}

/// A call that ends with a snapshot, which it returns typed. By hand, as `Awaited` is.
struct Typed<S: OperationState> {
    call: BoxFuture<'static, Result<RawOperation>>,
    /// What has been decoded of an operation that has ended: such a call returns the same snapshot.
    decoded: Option<Lazy>,
    state: PhantomData<fn() -> S>,
}

impl<S: OperationState> Typed<S> {
    fn new(call: BoxFuture<'static, Result<RawOperation>>, of: &Operation<S>) -> Self {
        Self { call, decoded: of.is_completed().then(|| of.decoded.clone()), state: PhantomData }
    }
}

impl<S: OperationState> Future for Typed<S> {
    type Output = Result<Operation<S>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let raw = ready!(self.call.as_mut().poll(context))?;
        Poll::Ready(Ok(match self.decoded.take() {
            Some(decoded) => Operation { raw, decoded, state: PhantomData },
            None => Operation::from_raw_operation(raw),
        }))
    }
}
