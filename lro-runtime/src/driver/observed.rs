//! An operation that is watched while it is waited for.

use std::{
    fmt,
    future::{Future, IntoFuture},
};

use super::{Blocking, Notify, Observers, Snapshots, poll_until_completed};
use crate::{error::Result, operation::Handle, settings::PollSettings, transport::BoxFuture};

/// An operation with observers, ready to be waited for.
///
/// An observer of progress is called with the snapshot that the wait begins with and with every one that differs in state, status word or metadata (or
/// with every one: [`every_poll`](Self::every_poll)); an observer of completion exactly once, with the terminal snapshot, and not at all if the wait ends
/// without one. They run where the wait runs. A panic in one reaches whoever waits.
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

    /// Calls `observer` as the wait goes on.
    pub fn on_progress(mut self, mut observer: impl FnMut(&H) + Send + 'static) -> Self {
        self.observers.add_progress(move |raw| observer(&H::from_raw_operation(raw.clone())));
        self
    }

    /// Calls `observer` once, with the terminal snapshot.
    pub fn on_completed(mut self, observer: impl FnOnce(&H) + Send + 'static) -> Self {
        self.observers.add_completed(move |raw| observer(&H::from_raw_operation(raw.clone())));
        self
    }

    /// Calls observers of progress after every poll, not only when something changed.
    pub fn every_poll(mut self) -> Self {
        self.observers.notify(Notify::EveryPoll);
        self
    }

    /// Polls until the operation is terminal: see [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_until_completed(
        self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<H>> + Send + 'static + use<H> {
        let waiting = poll_until_completed(self.operation.raw_operation().clone(), settings, self.observers, None);
        async move { waiting.await.map(H::from_raw_operation) }
    }

    /// The stream of snapshots, observed.
    pub fn snapshots(self, settings: PollSettings) -> Snapshots<H> {
        Snapshots::new(self.operation.raw_operation().clone(), settings, None, self.observers)
    }

    /// Polls until the operation is terminal, on this thread: see [`Blocking::poll_until_completed`].
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

/// Waits as the operation itself does when it is awaited, observed.
impl<H, T> IntoFuture for Observed<H>
where
    H: Handle + IntoFuture<Output = Result<T>, IntoFuture = BoxFuture<'static, Result<T>>>,
    T: 'static,
{
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'static, Result<T>>;

    /// Polls until completed with the method's settings; the response, as `.await` on the operation gives it.
    fn into_future(self) -> Self::IntoFuture {
        let waiting = self.poll_until_completed(PollSettings::default());
        // What is completed is not asked again.
        Box::pin(async move { waiting.await?.await })
    }
}

impl<H: fmt::Debug> fmt::Debug for Observed<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("operation", &self.operation).finish_non_exhaustive()
    }
}
