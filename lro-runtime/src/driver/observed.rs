//! The observed operation: an operation with observers, which are called during its wait.

use std::{
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
};

#[cfg(feature = "indicatif")]
use super::ObserveWait;
use super::{Blocking, FailedPoll, Notify, ObservedRaw, Snapshots, observe_until_completed};
use crate::{error::Result, operation::Handle, settings::PollSettings, transport::BoxFuture};

/// An operation with observers, which a wait for it calls.
///
/// - An observer of progress is called with the snapshot that the wait begins with, and then with
///   every snapshot that differs from the one before in state, status word, status message or
///   metadata. With [`every_poll`](Self::every_poll) it is called with every snapshot.
/// - An observer of completion is called exactly once, with the terminal snapshot. It is not called
///   if the wait ends without one.
/// - An observer of failed polls is called for each poll that fails. The wait may go on after it:
///   see [`ErrorBudget`](crate::ErrorBudget).
///
/// A wait that expires, fails or is dropped takes no observer with it: the next wait calls them
/// again, and begins at the last snapshot of the one before, which [`snapshot`](Self::snapshot)
/// returns. Only the stream of [`snapshots`](Self::snapshots) and `.await` take them for good.
///
/// Observers run in the task or thread that waits, and a panic in one panics there.
///
/// ```
/// # use lro_runtime::{Operation, OperationState, PollSettings, Result};
/// # async fn wait<S: OperationState>(operation: Operation<S>) -> Result<()> {
/// let mut observed = operation
///     .on_progress(|snapshot| println!("{:?}", snapshot.progress()))
///     .on_failed_poll(|poll| eprintln!("poll {} failed: {}", poll.attempt(), poll.failure()))
///     .on_completed(|snapshot| println!("{} ended", snapshot.name()));
/// if observed.poll_until_completed(PollSettings::interactive()).await.is_err() {
///     println!("it takes longer than usual");
/// }
/// let response = observed.await?;
/// # Ok(()) }
/// ```
#[must_use = "observers see nothing unless the operation is waited for"]
pub struct Observed<H> {
    raw: ObservedRaw,
    // A function that returns `H`, because no `H` is stored.
    handle: PhantomData<fn() -> H>,
}

impl<H: Handle> Observed<H> {
    pub(crate) fn new(operation: &H) -> Self {
        Self { raw: ObservedRaw::new(operation.raw_operation().clone()), handle: PhantomData }
    }

    /// Returns the operation at its last known snapshot: the last one of the wait before, however
    /// that ended. No I/O.
    ///
    /// After a wait that was dropped, as by `select!`, this is the way to the name, to the token
    /// and to `cancel`:
    ///
    /// ```
    /// # use lro_runtime::{PollSettings, RawOperation, Result};
    /// # async fn interrupted<T>() -> Result<T> { std::future::pending().await }
    /// # async fn wait(operation: RawOperation) -> Result<()> {
    /// let mut observed = operation.on_progress(|snapshot| println!("{:?}", snapshot.progress()));
    /// let waiting = observed.poll_until_completed(PollSettings::default());
    /// match futures_lite::future::or(waiting, interrupted()).await {
    ///     Ok(done) => println!("{} has ended", done.name()),
    ///     Err(_) => println!("to resume: {}", observed.snapshot().token()),
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> H {
        H::from_raw_operation(self.raw.latest.clone())
    }

    /// Adds an observer of progress.
    pub fn on_progress(mut self, mut observer: impl FnMut(&H) + Send + 'static) -> Self {
        // Observers are stored untyped, so that the loop is not compiled again for each type of
        // operation.
        self.raw.observers.add_progress(move |raw| observer(&H::from_raw_operation(raw.clone())));
        self
    }

    /// Adds an observer of completion, which is called once, with the terminal snapshot.
    pub fn on_completed(mut self, observer: impl FnOnce(&H) + Send + 'static) -> Self {
        self.raw.observers.add_completed(move |raw| observer(&H::from_raw_operation(raw.clone())));
        self
    }

    /// Adds an observer of failed polls, which is called for each poll of a wait that fails: with
    /// the failure, and with how many polls the wait has sent.
    ///
    /// A poll that the service refuses to hold ([`with_long_poll`](PollSettings::with_long_poll))
    /// is repeated as an ordinary one and has not failed. One that had no reply because its time
    /// was over is reported, also where it costs the wait nothing: a poll that the service held for
    /// longer than it was asked to, and the last one, cut by the wait's own time limit.
    pub fn on_failed_poll(mut self, observer: impl FnMut(FailedPoll<'_>) + Send + 'static) -> Self {
        self.raw.observers.add_failed_poll(observer);
        self
    }

    /// Adds an observer of whole waits.
    #[cfg(feature = "indicatif")]
    pub(crate) fn with_whole_wait(mut self, observer: impl ObserveWait + 'static) -> Self {
        self.raw.observers.add_whole_wait(observer);
        self
    }

    /// Calls the observers of progress after every successful poll. Default: only when something
    /// has changed.
    pub fn every_poll(mut self) -> Self {
        self.raw.observers.notify(Notify::EveryPoll);
        self
    }

    /// Polls until the operation is terminal, and returns the terminal snapshot: see
    /// [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    ///
    /// The future borrows the observers. Where it must own them, as in a task, await the observed
    /// operation itself, or move it into an `async` block.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    pub fn poll_until_completed(
        &mut self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<H>> + Send + use<'_, H> {
        let waiting = observe_until_completed(&mut self.raw, settings, None);
        async move { waiting.await.map(H::from_raw_operation) }
    }

    /// Returns the stream of snapshots, which calls the observers before it yields.
    ///
    /// The stream owns them, because it may be moved away: it drops them with itself, however it
    /// ends. Where they must outlive a time limit, wait with
    /// [`poll_until_completed`](Self::poll_until_completed).
    pub fn snapshots(self, settings: PollSettings) -> Snapshots<H> {
        Snapshots::new(self.raw.latest, settings, None, self.raw.observers)
    }

    /// Polls until the operation is terminal, blocking the calling thread: see
    /// [`Blocking::poll_until_completed`].
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    pub fn poll_until_completed_blocking(&mut self, settings: PollSettings) -> Result<H> {
        let blocking = Blocking::new(self.raw.latest.clone());
        blocking.run(|timer| observe_until_completed(&mut self.raw, settings, timer)).map(H::from_raw_operation)
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
        let mut observed = self;
        // The second await finds the operation completed: it sends no request and only makes the
        // result.
        Box::pin(async move { observed.poll_until_completed(PollSettings::default()).await?.await })
    }
}

impl<H: Handle + fmt::Debug> fmt::Debug for Observed<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("operation", &self.snapshot()).finish_non_exhaustive()
    }
}
