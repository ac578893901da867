//! The guard that cancels an operation when it is dropped before the operation has ended.

use std::{fmt, ops::Deref, thread};

use super::{Blocking, Cancellable, Handle, Operation};
use crate::{error::Result, settings::PollSettings};

/// A guard that cancels its operation when it is dropped: made by [`Operation::cancel_on_drop`].
///
/// The guard dereferences to the operation it holds. It asks for cancellation once, when it is
/// dropped before it has seen the operation end: because its task was aborted, its scope was left
/// with `?` or by a panic, or its wait failed or expired. The request is sent from a short-lived
/// thread of its own, so that it works in blocking code, on any executor, and while an executor is
/// shut down. Its outcome is not awaited. A process that exits right after the drop may exit before
/// the request is sent: where that matters, call [`cancel`](Operation::cancel) instead.
///
/// ```
/// # use lro_runtime::{Cancellable, Operation, PollSettings, Result};
/// # async fn wait<S: Cancellable>(operation: Operation<S>) -> Result<()> {
/// let guarded = operation.cancel_on_drop();
/// let done = guarded.poll_until_completed(PollSettings::interactive()).await?; // dropped here: cancelled
/// # Ok(()) }
/// ```
#[must_use = "if dropped immediately, the guard cancels the operation immediately"]
pub struct CancelOnDrop<S: Cancellable> {
    operation: Operation<S>,
    is_armed: bool,
}

impl<S: Cancellable> CancelOnDrop<S> {
    pub(crate) fn new(operation: Operation<S>) -> Self {
        Self { operation, is_armed: true }
    }

    /// Returns the operation and never cancels it.
    pub fn disarm(mut self) -> Operation<S> {
        self.is_armed = false;
        // A type with a `Drop` cannot be taken apart, so the operation is cloned out, which is
        // cheap.
        self.operation.clone()
    }

    /// Polls once; the guard then holds the new snapshot.
    ///
    /// # Errors
    ///
    /// As [`Operation::poll_once`].
    pub async fn poll_once(&mut self) -> Result<()> {
        self.operation = self.operation.poll_once().await?;
        Ok(())
    }

    /// Polls until the operation is terminal. Dropping the future cancels the operation, and so
    /// does an error.
    ///
    /// # Errors
    ///
    /// As [`Operation::poll_until_completed`].
    pub async fn poll_until_completed(mut self, settings: PollSettings) -> Result<Operation<S>> {
        // The guard stays armed while it waits: an error, or dropping this future, drops it and so
        // cancels.
        let done = self.operation.poll_until_completed(settings).await?;
        self.is_armed = false;
        Ok(done)
    }

    /// Polls until the operation is terminal, blocking the calling thread. An error cancels the
    /// operation.
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
        // A thread, because `drop` may run where there is no executor, and blocking here could hold
        // up one. `Builder::spawn` returns an error where `thread::spawn` panics, and a panic
        // during another panic would abort the process. Errors are ignored: a `drop` cannot return
        // them.
        let blocking = raw.blocking();
        let _ = thread::Builder::new().name("lro-cancel".to_owned()).spawn(move || drop(blocking.cancel()));
    }
}

impl<S: Cancellable> Operation<S> {
    /// Returns a guard that cancels the operation when it is dropped before the operation has
    /// ended: see [`CancelOnDrop`].
    pub fn cancel_on_drop(self) -> CancelOnDrop<S> {
        CancelOnDrop::new(self)
    }
}
