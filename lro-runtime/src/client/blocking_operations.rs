//! The Operations service without async.

use std::time::Duration;

use super::{BlockingList, Operations};
use crate::{error::Result, operation::RawOperation, settings::PollSettings};

/// The calls of [`Operations`] about operations by name, on the calling thread. Those that start one are run by [`block_on`](crate::block_on).
#[derive(Clone, Debug)]
#[must_use = "nothing happens before a call"]
pub struct BlockingOperations(Operations);

impl Operations {
    /// The calls by name without async.
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
    /// See [`Operations::get`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get(&self, name: &str) -> Result<RawOperation> {
        self.0.resume(name)?.blocking().poll_once()
    }

    /// See [`Operations::list`].
    pub fn list(&self, filter: impl Into<String>) -> BlockingList {
        self.0.list(filter).blocking()
    }

    /// See [`Operations::cancel`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn cancel(&self, name: &str) -> Result<()> {
        self.0.resume(name)?.blocking().cancel()
    }

    /// See [`Operations::delete`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn delete(&self, name: &str) -> Result<()> {
        self.0.resume(name)?.blocking().delete()
    }

    /// See [`Operations::wait`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn wait(&self, name: &str, timeout: Duration) -> Result<RawOperation> {
        self.0.resume(name)?.blocking().wait(timeout)
    }

    /// Waits for the operation `name` to end: see [`RawOperation::poll_until_completed`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn poll_until_completed(&self, name: &str, settings: PollSettings) -> Result<RawOperation> {
        self.0.resume(name)?.blocking().poll_until_completed(settings)
    }
}
