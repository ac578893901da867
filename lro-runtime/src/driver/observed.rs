//! The observed operation: an operation with observers, which are called during its wait.

use std::{
    fmt,
    future::{Future, IntoFuture},
};

use super::{Blocking, Notify, Observers, Snapshots, poll_until_completed};
use crate::{error::Result, operation::Handle, settings::PollSettings, transport::BoxFuture};

/// An operation with observers, which a wait for it calls.
///
/// - An observer of progress is called with the snapshot that the wait begins with, and then with
///   every snapshot that differs from the one before in state, status word or metadata. With
///   [`every_poll`](Self::every_poll) it is called with every snapshot.
/// - An observer of completion is called exactly once, with the terminal snapshot. It is not called
///   if the wait ends without one.
///
/// Observers run in the task or thread that waits, and a panic in one panics there.
///
/// ```
/// # use lro_runtime::{Operation, OperationState, PollSettings, Result};
/// # async fn wait<S: OperationState>(operation: Operation<S>) -> Result<()> {
/// let done = operation
///     .on_progress(|snapshot| println!("{:?}", snapshot.progress()))
///     .on_completed(|snapshot| println!("{} ended", snapshot.name()))
///     .poll_until_completed(PollSettings::default())
///     .await?;
/// let response = done.on_completed(|_| println!("and again")).await?;
/// # Ok(()) }
/// ```
#[must_use = "observers see nothing unless the operation is waited for"]
pub struct Observed<H> {
    operation: H,
    observers: Observers,
}

impl<H: Handle> Observed<H> {
    pub(crate) fn new(operation: H) -> Self {
        Self { operation, observers: Observers::default() }
    }

    /// Adds an observer of progress.
    pub fn on_progress(mut self, mut observer: impl FnMut(&H) + Send + 'static) -> Self {
        // Observers are stored untyped, so that the loop is not compiled again for each type of
        // operation.
        self.observers.add_progress(move |raw| observer(&H::from_raw_operation(raw.clone())));
        self
    }

    /// Adds an observer of completion, which is called once, with the terminal snapshot.
    pub fn on_completed(mut self, observer: impl FnOnce(&H) + Send + 'static) -> Self {
        self.observers.add_completed(move |raw| observer(&H::from_raw_operation(raw.clone())));
        self
    }

    /// Calls the observers of progress after every successful poll. Default: only when something
    /// has changed.
    pub fn every_poll(mut self) -> Self {
        self.observers.notify(Notify::EveryPoll);
        self
    }

    /// Polls until the operation is terminal, and returns the terminal snapshot: see
    /// [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    pub fn poll_until_completed(
        self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<H>> + Send + 'static + use<H> {
        let waiting = poll_until_completed(self.operation.raw_operation().clone(), settings, self.observers, None);
        async move { waiting.await.map(H::from_raw_operation) }
    }

    /// Returns the stream of snapshots, which calls the observers before it yields.
    pub fn snapshots(self, settings: PollSettings) -> Snapshots<H> {
        Snapshots::new(self.operation.raw_operation().clone(), settings, None, self.observers)
    }

    /// Polls until the operation is terminal, blocking the calling thread: see
    /// [`Blocking::poll_until_completed`].
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    pub fn poll_until_completed_blocking(self, settings: PollSettings) -> Result<H> {
        let raw = self.operation.raw_operation().clone();
        let blocking = Blocking::new(self.operation);
        blocking.run(|timer| poll_until_completed(raw, settings, self.observers, timer)).map(H::from_raw_operation)
    }
}

/// Waits as the operation itself does when it is awaited, and calls the observers.
impl<H, T> IntoFuture for Observed<H>
where
    H: Handle + IntoFuture<Output = Result<T>, IntoFuture = BoxFuture<'static, Result<T>>>,
    T: 'static,
{
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'static, Result<T>>;

    /// Polls until completed with the method's settings and returns what `.await` on the operation
    /// returns.
    fn into_future(self) -> Self::IntoFuture {
        let waiting = self.poll_until_completed(PollSettings::default());
        // The second await finds the operation completed: it sends no request and only makes the
        // result.
        Box::pin(async move { waiting.await?.await })
    }
}

impl<H: fmt::Debug> fmt::Debug for Observed<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("operation", &self.operation).finish_non_exhaustive()
    }
}
