//! The same calls without async.

use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use futures_core::Stream;

use super::{Observers, Snapshots};
use crate::{
    error::Result,
    operation::{Handle, RawOperation},
    settings::PollSettings,
    timer::{
        OwnTimer, Timer,
        park::{block_on, own_timer},
    },
    transport::BoxFuture,
};

/// The calls of an operation, on the calling thread.
///
/// They need no executor: the thread is parked while it waits. Inside an executor they block its thread, as any blocking call does, but never deadlock: nothing
/// they wait for needs that thread (with a transport of your own, that is your promise).
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

    /// Looks once.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_once`](crate::RawOperation::poll_once).
    pub fn poll_once(&self) -> Result<H> {
        if self.operation.raw_operation().is_completed() {
            return Ok(self.operation.clone());
        }
        self.run(|timer| super::poll_once(self.operation.raw_operation().clone(), timer)).map(H::from_raw_operation)
    }

    /// Polls until the operation is terminal.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`](crate::RawOperation::poll_until_completed).
    pub fn poll_until_completed(&self, settings: PollSettings) -> Result<H> {
        if self.operation.raw_operation().is_completed() {
            return Ok(self.operation.clone());
        }
        let raw = self.operation.raw_operation().clone();
        self.run(|timer| super::poll_until_completed(raw, settings, Observers::default(), timer))
            .map(H::from_raw_operation)
    }

    /// The snapshots, one after the other: an iterator that waits between them.
    pub fn snapshots(&self, settings: PollSettings) -> impl Iterator<Item = Result<H>> + use<H> {
        let mut snapshots =
            Snapshots::new(self.operation.raw_operation().clone(), settings, Some(self.timer()), Observers::default());
        std::iter::from_fn(move || block_on(poll_fn(|context| Pin::new(&mut snapshots).poll_next(context))))
    }

    /// Looks once, and lets the server hold the reply.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::wait`](crate::RawOperation::wait).
    pub fn wait(&self, timeout: Duration) -> Result<H> {
        self.run(|timer| super::wait(self.operation.raw_operation().clone(), timeout, timer)).map(H::from_raw_operation)
    }

    /// Runs a call on this thread.
    pub(crate) fn run<T>(&self, call: impl FnOnce(OwnTimer) -> BoxFuture<'static, Result<T>>) -> Result<T> {
        block_on(call(Some(self.timer())))
    }

    fn timer(&self) -> Arc<dyn Timer> {
        own_timer(self.operation.raw_operation().client().timer())
    }

    pub(crate) fn ask_to_cancel(&self) -> Result<()> {
        self.run(|timer| super::cancel(self.operation.raw_operation().clone(), timer))
    }

    pub(crate) fn ask_to_delete(&self) -> Result<()> {
        self.run(|timer| super::delete(self.operation.raw_operation().clone(), timer))
    }
}

impl Blocking<RawOperation> {
    /// Asks the service to cancel it and polls until it is terminal.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel_and_wait`](crate::RawOperation::cancel_and_wait).
    pub fn cancel_and_wait(&self, settings: PollSettings) -> Result<RawOperation> {
        self.ask_to_cancel()?;
        self.poll_until_completed(settings)
    }

    /// Asks the service to cancel it.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::cancel`](crate::RawOperation::cancel).
    pub fn cancel(&self) -> Result<()> {
        self.ask_to_cancel()
    }

    /// Tells the service that nobody is interested any more.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::delete`](crate::RawOperation::delete).
    pub fn delete(&self) -> Result<()> {
        self.ask_to_delete()
    }
}
