//! The typed operation: types appear when somebody looks.

use std::{
    fmt,
    future::{Future, IntoFuture},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;

use crate::{
    client::{Operations, current_method},
    dialect::Payload,
    driver,
    driver::{Blocking, Observed, Observers, Shared, Snapshots},
    error::{Error, Result},
    settings::PollSettings,
    status::{Code, State, Status},
    transport::BoxFuture,
};

mod calls;
mod cancel_on_drop;
mod capabilities;
mod handle;
mod long_running;
mod method;
mod operation_state;
mod raw;
pub(crate) mod snapshot;
pub(crate) mod token;

pub use self::{
    cancel_on_drop::CancelOnDrop,
    capabilities::{Cancellable, Deletable},
    handle::Handle,
    long_running::LongRunning,
    method::Method,
    operation_state::{OperationState, StateParts},
    raw::RawOperation,
    token::{Resume, Token},
};

/// One immutable snapshot of an operation, and the means to look again.
///
/// `S` is the state enum that `#[long_running]` generates; SDKs name this type by the alias beside it, such as `ExportImageOperation`. Nothing but
/// the calls that say so does I/O. Looking again gives a new snapshot and leaves this one as it is; dropping any future loses nothing.
/// Cheap to clone, and safe to share.
///
/// `.await` on it polls until completed with the method's settings and gives the response:
///
/// ```
/// # use lro_runtime::{Operation, OperationState, Result};
/// async fn response<S: OperationState>(operation: Operation<S>) -> Result<S::Response> {
///     operation.await
/// }
/// ```
#[must_use = "an operation that is dropped goes on remotely, unwatched"]
pub struct Operation<S: OperationState> {
    raw: RawOperation,
    decoded: Arc<OnceLock<Decoded<S>>>,
}

/// What looking at a snapshot gave, once and for all.
struct Decoded<S: OperationState> {
    state: S,
    /// Metadata that says "queued": the variant for that has no place for it.
    queued: Option<S::Metadata>,
    /// Why there is no response although it succeeded.
    response_error: Option<Error>,
    metadata_error: Option<Error>,
    /// What [`Operation::result`] says of any other state: made when somebody asks.
    no_response: OnceLock<Error>,
}

impl<S: OperationState> Operation<S> {
    /// The name that the service gave it; store it to resume later. Empty if a finished operation came without one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.raw.name()
    }

    /// The state, with what belongs to it.
    ///
    /// Metadata that does not decode is `None` here and an error in [`metadata`](Self::metadata). An operation that succeeded with a response
    /// that does not decode has no response to show: it reads as failed with [`Code::DataLoss`], `into_result` is an error of kind
    /// [`Decode`](crate::ErrorKind::Decode), and [`raw`](Self::raw) has what came.
    #[must_use]
    pub fn state(&self) -> &S {
        &self.decoded().state
    }

    /// Whether the work has ended, however it did.
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.raw.is_completed()
    }

    /// Whether it succeeded, and its response decodes.
    #[must_use]
    pub fn is_succeeded(&self) -> bool {
        self.raw.is_succeeded() && self.decoded().response_error.is_none()
    }

    /// Whether it failed, or its response does not decode.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.raw.is_failed() || (self.raw.is_succeeded() && !self.is_succeeded())
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.raw.is_cancelled()
    }

    /// The fraction done, 0 to 1, as far as the service or the method says; 1 once it has succeeded.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        self.raw.progress()
    }

    /// The last known metadata, also on a terminal snapshot.
    ///
    /// # Errors
    ///
    /// Of kind [`Decode`](crate::ErrorKind::Decode) when it is not of the declared type. This fails nothing else.
    pub fn metadata(&self) -> Result<Option<&S::Metadata>, &Error> {
        let decoded = self.decoded();
        match &decoded.metadata_error {
            Some(error) => Err(error),
            None => Ok(decoded.state.metadata().or(decoded.queued.as_ref())),
        }
    }

    /// The response.
    ///
    /// # Errors
    ///
    /// Of kind [`NotCompleted`](crate::ErrorKind::NotCompleted), [`Failed`](crate::ErrorKind::Failed), [`Cancelled`](crate::ErrorKind::Cancelled) (both with the status) or
    /// [`Decode`](crate::ErrorKind::Decode).
    pub fn result(&self) -> Result<&S::Response, &Error> {
        let decoded = self.decoded();
        match (&decoded.response_error, decoded.state.response()) {
            (None, Some(response)) => Ok(response),
            (Some(error), _) => Err(error),
            (None, None) => Err(decoded.no_response.get_or_init(|| self.raw.no_response())),
        }
    }

    /// The response by value.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result).
    pub fn into_result(self) -> Result<S::Response> {
        response::<S>(&self.raw)
    }

    /// Why it failed or was cancelled, as the service says.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.raw.status()
    }

    /// The status word as the service wrote it, in dialects that have words.
    #[must_use]
    pub fn raw_status(&self) -> Option<&str> {
        self.raw.raw_status()
    }

    /// The message as received, always, also when decoding failed. Empty if it was resumed and not looked at.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        self.raw.raw()
    }

    /// The same operation without types.
    pub fn untyped(&self) -> &RawOperation {
        &self.raw
    }

    /// What must be stored to resume it in another process, bound to this method.
    #[must_use]
    pub fn token(&self) -> Token {
        self.raw.token()
    }

    /// The client it belongs to.
    #[must_use]
    pub fn client(&self) -> &Operations {
        self.raw.client()
    }

    /// Looks once: see [`RawOperation::poll_once`].
    ///
    /// # Errors
    ///
    /// When the look failed; the operation did not, and this snapshot can be polled again.
    pub fn poll_once(&self) -> impl Future<Output = Result<Self>> + Send + 'static + use<S> {
        let operation = self.clone();
        async move {
            if operation.is_completed() {
                return Ok(operation);
            }
            driver::poll_once(operation.raw, None).await.map(Self::from_raw_operation)
        }
    }

    /// Polls until the operation is terminal, whichever way it ends: failure is data here, not an error.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`].
    pub fn poll_until_completed(
        &self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<Self>> + Send + 'static + use<S> {
        let operation = self.clone();
        async move {
            if operation.is_completed() {
                return Ok(operation);
            }
            driver::poll_until_completed(operation.raw, settings, Observers::default(), None)
                .await
                .map(Self::from_raw_operation)
        }
    }

    /// A stream of snapshots: this one at once, then one per poll with the same waits as [`poll_until_completed`](Self::poll_until_completed),
    /// the last one terminal.
    pub fn snapshots(&self, settings: PollSettings) -> Snapshots<Self> {
        Snapshots::new(self.raw.clone(), settings, None, Observers::default())
    }

    /// Observes a wait: see [`Observed`].
    pub fn on_progress(&self, observer: impl FnMut(&Self) + Send + 'static) -> Observed<Self> {
        Observed::new(self.clone()).on_progress(observer)
    }

    /// Observes the end of a wait: see [`Observed`].
    pub fn on_completed(&self, observer: impl FnOnce(&Self) + Send + 'static) -> Observed<Self> {
        Observed::new(self.clone()).on_completed(observer)
    }

    /// One wait for many waiters: see [`Shared`]. The settings are those of all.
    pub fn shared(&self, settings: PollSettings) -> Shared<Self> {
        Shared::new(self, settings)
    }

    /// The same calls without async.
    pub fn blocking(&self) -> Blocking<Self> {
        Blocking::new(self.clone())
    }

    /// Looks once, and lets the server hold the reply for up to `timeout`: see [`RawOperation::wait`].
    ///
    /// # Errors
    ///
    /// As [`RawOperation::wait`].
    pub fn wait(&self, timeout: Duration) -> impl Future<Output = Result<Self>> + Send + 'static + use<S> {
        let raw = self.raw.clone();
        async move { driver::wait(raw, timeout, None).await.map(Self::from_raw_operation) }
    }

    /// Runs what starts an operation of this method, and types it: what an annotated method does with its body, for the implementation of a
    /// trait's annotated method that has none.
    ///
    /// ```
    /// use std::future::Future;
    /// use lro_runtime::{Operations, RawOperation, Result, long_running};
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
    ///         BuildOperation::start(self.0.post("v1/builds", &())).await
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `body`.
    pub async fn start<E, F>(body: F) -> Result<Self, E>
    where
        F: Future<Output = Result<RawOperation, E>>,
    {
        current_method::within(S::METHOD, body).await.map(Self::from_raw_operation)
    }

    fn decoded(&self) -> &Decoded<S> {
        self.decoded.get_or_init(|| decode(&self.raw))
    }
}

impl RawOperation {
    /// The same snapshot as an operation of the method whose state enum is `S`: for one that was adopted, listed or resumed without types.
    pub fn typed<S: OperationState>(self) -> Operation<S> {
        Operation::from_raw_operation(self)
    }
}

/// Decodes what a snapshot has. The only generic part of looking.
fn decode<S: OperationState>(raw: &RawOperation) -> Decoded<S> {
    let metadata = raw.metadata().map(|payload| typed(raw, payload, S::METHOD.metadata_type, S::decode_metadata));
    let response = raw.is_succeeded().then(|| decode_response::<S>(raw));
    let (metadata, metadata_error) = apart(metadata);
    let (response, response_error) = apart(response);
    let mut queued = None;
    let parts = match (raw.state(), response) {
        (State::Pending, _) => {
            queued = metadata;
            StateParts::Pending
        }
        (State::Running, _) => StateParts::Running { metadata },
        (State::Succeeded, Some(response)) => StateParts::Succeeded { response, metadata },
        (State::Cancelled, _) => StateParts::Cancelled { status: status(raw, None), metadata },
        (State::Failed | State::Succeeded, _) => {
            StateParts::Failed { status: status(raw, response_error.as_ref()), metadata }
        }
    };
    Decoded { state: S::from_parts(parts), queued, response_error, metadata_error, no_response: OnceLock::new() }
}

fn apart<T>(result: Option<Result<T>>) -> (Option<T>, Option<Error>) {
    match result {
        Some(Ok(value)) => (Some(value), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    }
}

/// Why it has no response: what the service says, or what is wrong with the response.
#[inline(never)]
fn status(raw: &RawOperation, unreadable: Option<&Error>) -> Status {
    match (unreadable, raw.status()) {
        (Some(error), _) => {
            Status::new(Code::DataLoss, format!("the operation succeeded, but its response is unreadable: {error}"))
        }
        (None, Some(status)) => status.clone(),
        (None, None) => Status::new(Code::Unknown, ""),
    }
}

fn response<S: OperationState>(raw: &RawOperation) -> Result<S::Response> {
    raw.success()?;
    decode_response::<S>(raw)
}

fn decode_response<S: OperationState>(raw: &RawOperation) -> Result<S::Response> {
    let payload = raw.response().unwrap_or_else(|| Payload::new(b"", crate::dialect::Encoding::Json));
    typed(raw, payload, S::METHOD.response_type, S::decode_response)
}

/// A payload of the expected type, decoded. An error leads back to the operation.
fn typed<T>(
    raw: &RawOperation,
    payload: Payload<'_>,
    expected: Option<&str>,
    decode: fn(Payload<'_>) -> Result<T>,
) -> Result<T> {
    let decoded = payload.check_type(expected).map_err(Error::from).and_then(|()| decode(payload));
    decoded.map_err(|error| error.with_operation(raw))
}

impl<S: OperationState> Clone for Operation<S> {
    fn clone(&self) -> Self {
        Self { raw: self.raw.clone(), decoded: Arc::clone(&self.decoded) }
    }
}

impl<S: OperationState> fmt::Debug for Operation<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("method", &S::METHOD.name()).field("raw", &self.raw).finish_non_exhaustive()
    }
}

impl<S: OperationState> handle::sealed::Sealed for Operation<S> {}

impl<S: OperationState> Handle for Operation<S> {
    fn raw_operation(&self) -> &RawOperation {
        &self.raw
    }

    fn from_raw_operation(raw: RawOperation) -> Self {
        Self { raw: raw.bind(S::METHOD), decoded: Arc::new(OnceLock::new()) }
    }
}

impl<S: OperationState> IntoFuture for Operation<S> {
    type Output = Result<S::Response>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let waiting = driver::poll_until_completed(self.raw, PollSettings::default(), Observers::default(), None);
        // Typed at the very end: nothing but the decoding is compiled per method.
        Box::pin(async move { response::<S>(&waiting.await?) })
    }
}
