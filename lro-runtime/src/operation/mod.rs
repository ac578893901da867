//! The typed operation: an untyped snapshot whose payloads are decoded on first access.

use std::{fmt, future::IntoFuture, marker::PhantomData};

use crate::{
    error::{Error, Result},
    transport::BoxFuture,
};

mod awaited;
mod calls;
mod cancel_on_drop;
mod capabilities;
mod decoded;
mod handle;
pub(crate) mod left_out;
mod long_running;
mod method;
mod operation_state;
mod raw;
mod raw_calls;
mod reported;
pub(crate) mod snapshot;
pub(crate) mod starting;
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

use self::{awaited::Awaited, decoded::Lazy};

/// One immutable snapshot of an operation, and the means to poll it again.
///
/// `S` is the state enum that `#[long_running]` generates. SDKs name this type by the alias beside
/// it, such as `ExportImageOperation`.
///
/// Only the calls that say so do I/O. A poll returns a new snapshot and leaves this one as it is,
/// so dropping any future loses nothing. An operation is cheap to clone and safe to share.
///
/// `.await` on an operation polls until completed with the method's settings and returns the
/// response:
///
/// ```
/// # use lro_runtime::{Operation, OperationState, Result};
/// async fn response<S: OperationState>(operation: Operation<S>) -> Result<S::Response> {
///     operation.await
/// }
/// ```
#[must_use = "dropping an operation does not stop it: it runs on without being polled"]
pub struct Operation<S: OperationState> {
    raw: RawOperation,
    // Shared by clones, so that the payloads of one snapshot are decoded at most once.
    decoded: Lazy,
    state: PhantomData<fn() -> S>,
}

impl RawOperation {
    /// Returns the same snapshot as an operation of the method whose state enum is `S`, for an
    /// operation that was adopted, listed or resumed without types.
    ///
    /// The method judges it, with its `pending` and `classify`, and polls it in its dialect. If it
    /// was read in another dialect than the method declares, or resumed from the token of another
    /// method, every call about it fails and says so.
    pub fn typed<S: OperationState>(self) -> Operation<S> {
        Operation::from_raw_operation(self.taken_by(S::METHOD))
    }
}

// Not in `error.rs`, which knows untyped operations only: fewer files import each other in a
// circle.
impl Error {
    /// Returns the last snapshot as the typed operation of the method whose state enum is `S`;
    /// `None` if the error is about none, or about an operation of another method.
    ///
    /// ```
    /// use lro_runtime::{ErrorKind, Operation, OperationState, PollSettings, Result};
    ///
    /// /// Waits for as long as it takes, a time limit after the other.
    /// async fn patiently<S: OperationState>(mut operation: Operation<S>) -> Result<Operation<S>> {
    ///     loop {
    ///         match operation.poll_until_completed(PollSettings::default()).await {
    ///             Err(error) if error.kind() == ErrorKind::Timeout => {
    ///                 operation = error.typed_snapshot::<S>().unwrap_or(operation);
    ///             }
    ///             ended => return ended,
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn typed_snapshot<S: OperationState>(&self) -> Option<Operation<S>> {
        // The untyped operation of a client without methods may be of any, as in a token.
        let is_of_method =
            |operation: &&RawOperation| operation.method_name().is_none_or(|name| name == S::METHOD.name());
        self.snapshot().filter(is_of_method).map(|operation| operation.clone().typed())
    }
}

// Not derived: that would demand `S: Clone`, although no `S` is cloned.
impl<S: OperationState> Clone for Operation<S> {
    fn clone(&self) -> Self {
        Self { raw: self.raw.clone(), decoded: self.decoded.clone(), state: PhantomData }
    }
}

// Shows the untyped snapshot: printing an operation decodes nothing and does not demand `S: Debug`.
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
        Self { raw: raw.bind(S::METHOD), decoded: Lazy::default(), state: PhantomData }
    }
}

impl<S: OperationState> IntoFuture for Operation<S> {
    type Output = Result<S::Response>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Polls until completed with the method's settings and returns the response; an error if the
    /// operation did not succeed.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(Awaited::<S>::new(self.raw, self.decoded))
    }
}
