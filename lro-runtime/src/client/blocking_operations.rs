//! The blocking calls of the client: the Operations service without async.

use std::time::Duration;

use super::{BlockingList, Operations};
use crate::{
    driver::CancelOutcome,
    error::Result,
    operation::{Handle, LongRunning, RawOperation},
    settings::PollSettings,
};

/// The calls of [`Operations`] that take an operation's name, made on the calling thread.
///
/// Start calls are not among them: [`block_on`](crate::block_on) runs those, a
/// [`StartCall`](crate::StartCall) included.
#[derive(Clone, Debug)]
#[must_use = "nothing happens before a call"]
pub struct BlockingOperations(Operations);

impl Operations {
    /// Returns the calls by name in their blocking form: they need no executor.
    ///
    /// ```no_run
    /// # let operations = lro_runtime::Operations::builder("https://images.example.com").build()?;
    /// for operation in operations.blocking().list("done=false") {
    ///     operations.blocking().cancel(operation?.name())?;
    /// }
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    pub fn blocking(&self) -> BlockingOperations {
        BlockingOperations(self.clone())
    }
}

impl BlockingOperations {
    /// Polls the operation `name` once; the blocking form of [`Operations::get`].
    ///
    /// # Errors
    ///
    /// As [`Operations::get`].
    pub fn get(&self, name: &str) -> Result<RawOperation> {
        self.0.resume(name)?.blocking().poll_once()
    }

    /// Lists the service's operations as an iterator; the blocking form of [`Operations::list`].
    /// For a list with a parent or a page size, build that one and call
    /// [`blocking`](crate::ListOperations::blocking) on it.
    pub fn list(&self, filter: impl Into<String>) -> BlockingList {
        self.0.list(filter).blocking()
    }

    /// Lists the operations of one method as an iterator; the blocking form of
    /// [`Operations::list_of`].
    pub fn list_of<O: LongRunning + Handle>(&self, filter: impl Into<String>) -> BlockingList<O> {
        self.0.list_of(filter).blocking()
    }

    /// Asks the service to cancel the operation `name`; the blocking form of
    /// [`Operations::cancel`].
    ///
    /// # Errors
    ///
    /// As [`Operations::cancel`].
    pub fn cancel(&self, name: &str) -> Result<CancelOutcome> {
        self.0.resume(name)?.blocking().cancel()
    }

    /// Tells the service that the operation `name` is no longer needed; the blocking form of
    /// [`Operations::delete`].
    ///
    /// # Errors
    ///
    /// As [`Operations::delete`].
    pub fn delete(&self, name: &str) -> Result<()> {
        self.0.resume(name)?.blocking().delete()
    }

    /// Polls the operation `name` once and lets the server hold the reply; the blocking form of
    /// [`Operations::wait`].
    ///
    /// # Errors
    ///
    /// As [`Operations::wait`].
    pub fn wait(&self, name: &str, timeout: Duration) -> Result<RawOperation> {
        self.0.resume(name)?.blocking().wait(timeout)
    }

    /// Polls the operation `name` until it is terminal, as [`RawOperation::poll_until_completed`]
    /// does.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`].
    pub fn poll_until_completed(&self, name: &str, settings: PollSettings) -> Result<RawOperation> {
        self.0.resume(name)?.blocking().poll_until_completed(settings)
    }
}
