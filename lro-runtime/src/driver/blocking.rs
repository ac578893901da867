//! The blocking driver: the calls of an operation on the calling thread, without an executor.

use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use futures_core::Stream;

use super::{CancelOutcome, Observers, Snapshots};
use crate::{
    error::Result,
    operation::{Handle, RawOperation},
    settings::PollSettings,
    timer::{
        Timer, TimerOverride,
        park::{block_on, blocking_timer},
    },
    transport::BoxFuture,
};

/// The calls of an operation in their blocking form: made by
/// [`Operation::blocking`](crate::Operation::blocking).
///
/// They need no executor: the calling thread is parked while it waits. Inside an executor they
/// block one of its threads, as any blocking call does. They do not deadlock there, because nothing
/// that they wait for needs that thread; a transport of your own must keep that promise.
///
/// ```no_run
/// # use lro_runtime::{Operations, PollSettings};
/// let operations = Operations::builder("https://images.example.com").build()?;
/// let done = operations.resume("operations/7")?.blocking().poll_until_completed(PollSettings::default())?;
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens before a call"]
pub struct Blocking<H> {
    operation: H,
}

impl<H: Handle> Blocking<H> {
    pub(crate) fn new(operation: H) -> Self {
        Self { operation }
    }

    /// Polls once: sends one request and returns a new snapshot. On a completed operation it sends
    /// no request and returns the same snapshot.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_once`](crate::RawOperation::poll_once).
    pub fn poll_once(&self) -> Result<H> {
        // Returned here, not by the driver, so that a typed operation keeps what it has decoded.
        if self.operation.raw_operation().is_completed() {
            return Ok(self.operation.clone());
        }
        self.run(|timer| super::poll_once(self.operation.raw_operation().clone(), timer)).map(H::from_raw_operation)
    }

    /// Polls until the operation is terminal, and returns the terminal snapshot. A failed or
    /// cancelled operation is not an error here.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    pub fn poll_until_completed(&self, settings: PollSettings) -> Result<H> {
        if self.operation.raw_operation().is_completed() {
            return Ok(self.operation.clone());
        }
        let raw = self.operation.raw_operation().clone();
        self.run(|timer| super::poll_until_completed(raw, settings, timer)).map(H::from_raw_operation)
    }

    /// Returns an iterator of snapshots: this one at once, then one per successful poll. Blocks
    /// during the delays between them.
    pub fn snapshots(&self, settings: PollSettings) -> impl Iterator<Item = Result<H>> + use<H> {
        let mut snapshots =
            Snapshots::new(self.operation.raw_operation().clone(), settings, Some(self.timer()), Observers::default());
        std::iter::from_fn(move || block_on(poll_fn(|context| Pin::new(&mut snapshots).poll_next(context))))
    }

    /// Polls once and lets the server hold the reply for up to `timeout`, until the operation is
    /// done.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::wait`](crate::RawOperation::wait).
    pub fn wait(&self, timeout: Duration) -> Result<H> {
        self.run(|timer| super::wait(self.operation.raw_operation().clone(), timeout, timer)).map(H::from_raw_operation)
    }

    /// Runs a call on the calling thread, with a timer that parks it.
    pub(crate) fn run<'a, T>(&self, call: impl FnOnce(TimerOverride) -> BoxFuture<'a, Result<T>>) -> Result<T> {
        block_on(call(Some(self.timer())))
    }

    /// Returns the timer of a blocking call: not the client's, which may need an executor, unless
    /// time is virtual.
    fn timer(&self) -> Arc<dyn Timer> {
        blocking_timer(self.operation.raw_operation().client().timer())
    }

    /// Sends the cancel call. Every handle has it; the public `cancel` exists only where the method
    /// declares it.
    pub(crate) fn send_cancel(&self) -> Result<CancelOutcome> {
        self.run(|timer| super::cancel(self.operation.raw_operation().clone(), timer))
    }

    /// Sends the cancel call and polls until the operation is terminal. Every handle has it, as
    /// [`send_cancel`](Self::send_cancel).
    pub(crate) fn send_cancel_and_wait(&self, settings: PollSettings) -> Result<H> {
        if self.operation.raw_operation().is_completed() {
            return Ok(self.operation.clone());
        }
        let raw = self.operation.raw_operation().clone();
        self.run(|timer| super::cancel_and_wait(raw, settings, timer)).map(H::from_raw_operation)
    }

    /// Sends the delete call. Every handle has it; the public `delete` exists only where the method
    /// declares it.
    pub(crate) fn send_delete(&self) -> Result<()> {
        self.run(|timer| super::delete(self.operation.raw_operation().clone(), timer))
    }
}

impl Blocking<RawOperation> {
    /// Asks the service to cancel the operation and polls until it is terminal. On a completed
    /// operation it sends no request and returns the same snapshot.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel_and_wait`](crate::RawOperation::cancel_and_wait).
    pub fn cancel_and_wait(&self, settings: PollSettings) -> Result<RawOperation> {
        self.send_cancel_and_wait(settings)
    }

    /// Asks the service to cancel the operation, or says that it has ended already. Only a later
    /// snapshot shows whether it was cancelled.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel`](crate::RawOperation::cancel).
    pub fn cancel(&self) -> Result<CancelOutcome> {
        self.send_cancel()
    }

    /// Tells the service that the operation is no longer needed. This does not cancel it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::delete`](crate::RawOperation::delete).
    pub fn delete(&self) -> Result<()> {
        self.send_delete()
    }
}
