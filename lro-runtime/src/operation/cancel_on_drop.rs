//! Cancelling what nobody waits for any more.

use std::{fmt, ops::Deref, thread};

use super::{Blocking, Cancellable, Handle, Operation};
use crate::{error::Result, settings::PollSettings};

/// An operation that is cancelled when this guard is dropped: see [`Operation::cancel_on_drop`].
///
/// The guard reads like the operation it holds. It asks for cancellation once, when it is dropped before it has seen the operation end: because its
/// task was aborted, its scope was left with `?` or by a panic, or its wait failed or expired. The request is sent from a short-lived thread of its own, so
/// that it works in blocking code, on any executor, and while one is shut down; what comes of it is not waited for. A process that ends at
/// once may end before it is sent: where that matters, call [`cancel`](Operation::cancel) instead.
///
/// ```
/// # use lro_runtime::{Cancellable, Operation, PollSettings, Result};
/// # async fn wait<S: Cancellable>(operation: Operation<S>) -> Result<()> {
/// let guarded = operation.cancel_on_drop();
/// let done = guarded.poll_until_completed(PollSettings::interactive()).await?; // dropped here: cancelled
/// # Ok(()) }
/// ```
#[must_use = "dropped at once it cancels at once"]
pub struct CancelOnDrop<S: Cancellable> {
    operation: Operation<S>,
    is_armed: bool,
}

impl<S: Cancellable> CancelOnDrop<S> {
    pub(crate) fn new(operation: Operation<S>) -> Self {
        Self { operation, is_armed: true }
    }

    /// The operation; it goes on, whatever becomes of it.
    pub fn disarm(mut self) -> Operation<S> {
        self.is_armed = false;
        self.operation.clone()
    }

    /// Looks once; the guard holds the new snapshot.
    ///
    /// # Errors
    ///
    /// As [`Operation::poll_once`].
    pub async fn poll_once(&mut self) -> Result<()> {
        self.operation = self.operation.poll_once().await?;
        Ok(())
    }

    /// Polls until the operation is terminal. Dropping the future cancels, and so does an error.
    ///
    /// # Errors
    ///
    /// As [`Operation::poll_until_completed`].
    pub async fn poll_until_completed(mut self, settings: PollSettings) -> Result<Operation<S>> {
        let done = self.operation.poll_until_completed(settings).await?;
        self.is_armed = false;
        Ok(done)
    }

    /// Polls until the operation is terminal, on this thread. An error cancels.
    ///
    /// # Errors
    ///
    /// As [`Operation::poll_until_completed`].
    pub fn poll_until_completed_blocking(mut self, settings: PollSettings) -> Result<Operation<S>> {
        let done = Blocking::new(self.operation.clone()).poll_until_completed(settings)?;
        self.is_armed = false;
        Ok(done)
    }
}

impl<S: Cancellable> Deref for CancelOnDrop<S> {
    type Target = Operation<S>;

    fn deref(&self) -> &Operation<S> {
        &self.operation
    }
}

impl<S: Cancellable> fmt::Debug for CancelOnDrop<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelOnDrop").field(&self.operation).finish()
    }
}

impl<S: Cancellable> Drop for CancelOnDrop<S> {
    fn drop(&mut self) {
        let raw = self.operation.raw_operation();
        if !self.is_armed || raw.is_completed() {
            return;
        }
        let blocking = raw.blocking();
        // Nobody is there to tell what came of it.
        let _ = thread::Builder::new().name("lro-cancel".to_owned()).spawn(move || drop(blocking.cancel()));
    }
}

impl<S: Cancellable> Operation<S> {
    /// A guard that cancels it when it is dropped before the end: see [`CancelOnDrop`].
    pub fn cancel_on_drop(self) -> CancelOnDrop<S> {
        CancelOnDrop::new(self)
    }
}
