//! Observers: who wants to know while somebody waits.

use std::{
    fmt,
    future::{Future, IntoFuture},
};

use super::{Blocking, Snapshots, Wait};
use crate::{
    dialect::Payload,
    error::Result,
    operation::{Handle, RawOperation},
    settings::PollSettings,
    transport::BoxFuture,
};

/// When an observer of progress is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Notify {
    /// When the state, the status word or the metadata is not what it was.
    #[default]
    OnChange,
    /// After every poll that gave a snapshot.
    EveryPoll,
}

type OnProgress = Box<dyn FnMut(&RawOperation) + Send>;
type OnCompleted = Box<dyn FnOnce(&RawOperation) + Send>;

/// The observers of one wait.
#[derive(Default)]
pub(crate) struct Observers {
    notify: Notify,
    progress: Vec<OnProgress>,
    completed: Vec<OnCompleted>,
}

impl Observers {
    /// The wait begins at `first`, which counts as a change.
    pub(crate) fn begin(&mut self, first: &RawOperation) {
        self.tell(first);
    }

    /// Whether nobody wants to know.
    pub(crate) fn is_empty(&self) -> bool {
        self.progress.is_empty() && self.completed.is_empty()
    }

    /// A poll gave `next` after `last`.
    pub(crate) fn seen(&mut self, last: &RawOperation, next: &RawOperation) {
        let changed = last.state() != next.state()
            || last.raw_status() != next.raw_status()
            || last.metadata().map(Payload::bytes) != next.metadata().map(Payload::bytes);
        if changed || self.notify == Notify::EveryPoll {
            self.tell(next);
        } else if next.is_completed() {
            self.complete(next);
        }
    }

    fn tell(&mut self, snapshot: &RawOperation) {
        for observer in &mut self.progress {
            observer(snapshot);
        }
        if snapshot.is_completed() {
            self.complete(snapshot);
        }
    }

    fn complete(&mut self, snapshot: &RawOperation) {
        for observer in self.completed.drain(..) {
            observer(snapshot);
        }
    }
}

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
        self.observers.progress.push(Box::new(move |raw| observer(&H::from_raw_operation(raw.clone()))));
        self
    }

    /// Calls `observer` once, with the terminal snapshot.
    pub fn on_completed(mut self, observer: impl FnOnce(&H) + Send + 'static) -> Self {
        self.observers.completed.push(Box::new(move |raw| observer(&H::from_raw_operation(raw.clone()))));
        self
    }

    /// Calls observers of progress after every poll, not only when something changed.
    pub fn every_poll(mut self) -> Self {
        self.observers.notify = Notify::EveryPoll;
        self
    }

    /// Polls until the operation is terminal: see [`RawOperation::poll_until_completed`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_until_completed(
        self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<H>> + Send + 'static + use<H> {
        let waiting = waiting(self.operation.raw_operation().clone(), self.observers, settings, None);
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
    /// As [`RawOperation::poll_until_completed`].
    pub fn poll_until_completed_blocking(self, settings: PollSettings) -> Result<H> {
        let raw = self.operation.raw_operation().clone();
        let blocking = Blocking::new(self.operation);
        blocking.run(|timer| waiting(raw, self.observers, settings, timer)).map(H::from_raw_operation)
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

/// The wait of an operation with observers: compiled once, for all types of operations.
fn waiting(
    operation: RawOperation,
    observers: Observers,
    settings: PollSettings,
    timer: super::OwnTimer,
) -> BoxFuture<'static, Result<RawOperation>> {
    Box::pin(async move { Wait::new(operation, settings, timer)?.observed_by(observers).finish().await })
}

impl<H: fmt::Debug> fmt::Debug for Observed<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("operation", &self.operation).finish_non_exhaustive()
    }
}
