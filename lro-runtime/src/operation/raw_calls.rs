//! The calls of the untyped operation: polling, waiting, observing, cancelling, deleting.

use std::{
    future::{Future, IntoFuture},
    time::Duration,
};

use super::RawOperation;
use crate::{
    driver::{self, Blocking, CancelOutcome, FailedPoll, Observed, Observers, Shared, Snapshots},
    error::Result,
    settings::PollSettings,
    transport::BoxFuture,
};

impl RawOperation {
    /// Polls once: sends one request and returns a new snapshot.
    ///
    /// On a completed operation it sends no request and returns the same snapshot. The time limit
    /// is the `poll_timeout` of the method's settings, else of the client's.
    ///
    /// # Errors
    ///
    /// When the poll failed. The operation itself did not fail, and this snapshot can be polled
    /// again.
    pub fn poll_once(&self) -> impl Future<Output = Result<Self>> + Send + 'static + use<> {
        driver::poll_once(self.clone(), None)
    }

    /// Polls until the operation is terminal, and returns the terminal snapshot. A failed or
    /// cancelled operation is not an error here.
    ///
    /// # Errors
    ///
    /// Of kind [`Timeout`](crate::ErrorKind::Timeout) when the settings' expiration passes,
    /// [`Poll`](crate::ErrorKind::Poll) when a poll failed permanently or the error budget is
    /// spent, [`Protocol`](crate::ErrorKind::Protocol) when the server breaks the dialect's rules.
    /// Each carries the last snapshot and the token.
    pub fn poll_until_completed(
        &self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<Self>> + Send + 'static + use<> {
        driver::poll_until_completed(self.clone(), settings, None)
    }

    /// Returns a stream of snapshots: this one at once, then one per successful poll, the last one
    /// terminal.
    ///
    /// The delays are those of [`poll_until_completed`](Self::poll_until_completed).
    pub fn snapshots(&self, settings: PollSettings) -> Snapshots<Self> {
        Snapshots::new(self.clone(), settings, None, Observers::default())
    }

    /// Adds an observer of progress, called with the snapshots of a wait: see [`Observed`].
    pub fn on_progress(&self, observer: impl FnMut(&Self) + Send + 'static) -> Observed<Self> {
        Observed::new(self).on_progress(observer)
    }

    /// Adds an observer of completion, called once with the terminal snapshot: see [`Observed`].
    pub fn on_completed(&self, observer: impl FnOnce(&Self) + Send + 'static) -> Observed<Self> {
        Observed::new(self).on_completed(observer)
    }

    /// Adds an observer of failed polls, called for each poll of a wait that fails: see
    /// [`Observed`].
    pub fn on_failed_poll(&self, observer: impl FnMut(FailedPoll<'_>) + Send + 'static) -> Observed<Self> {
        Observed::new(self).on_failed_poll(observer)
    }

    /// Returns one wait that many waiters can share, with one poll loop and one set of settings:
    /// see [`Shared`].
    pub fn shared(&self, settings: PollSettings) -> Shared<Self> {
        Shared::new(self, settings)
    }

    /// Returns the same calls in their blocking form: they need no executor.
    pub fn blocking(&self) -> Blocking<Self> {
        Blocking::new(self.clone())
    }

    /// Asks the service to cancel the operation. Only a later snapshot shows whether it was
    /// cancelled.
    ///
    /// On a completed operation it sends no request and says so:
    /// [`AlreadyCompleted`](CancelOutcome::AlreadyCompleted).
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](crate::ErrorKind::Unsupported) where the dialect or the service has
    /// no cancel call, else of kind [`Poll`](crate::ErrorKind::Poll).
    pub fn cancel(&self) -> impl Future<Output = Result<CancelOutcome>> + Send + 'static + use<> {
        driver::cancel(self.clone(), None)
    }

    /// Asks the service to cancel the operation and polls until it is terminal:
    /// [`Cancelled`](crate::State::Cancelled), or finished anyway. On a completed operation it
    /// sends no request and returns the same snapshot.
    ///
    /// Services refuse to cancel an operation that has ended. Where the call is refused, one poll
    /// finds out whether that is why: if it is terminal, it is returned. The time limits of the
    /// settings hold for that poll, too.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel) and [`poll_until_completed`](Self::poll_until_completed). The
    /// error of a refused call has the snapshot of the poll after it.
    pub fn cancel_and_wait(
        &self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<Self>> + Send + 'static + use<> {
        driver::cancel_and_wait(self.clone(), settings, None)
    }

    /// Tells the service that the operation is no longer needed. This does not cancel it.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel), for the delete call.
    pub fn delete(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        driver::delete(self.clone(), None)
    }

    /// Polls once and lets the server hold the reply for up to `timeout`, until the operation is
    /// done.
    ///
    /// Best effort: the new snapshot may not be terminal. On a completed operation it sends no
    /// request.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](crate::ErrorKind::Unsupported) where there is no wait call: before
    /// any request if the dialect has none, after the request if the service has none.
    pub fn wait(&self, timeout: Duration) -> impl Future<Output = Result<Self>> + Send + 'static + use<> {
        driver::wait(self.clone(), timeout, None)
    }
}

impl IntoFuture for RawOperation {
    type Output = Result<Self>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Polls until completed with the method's settings, else the client's. `Err` of kind `Failed`
    /// or `Cancelled` if the operation did not succeed.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let done = self.poll_until_completed(PollSettings::default()).await?;
            done.success().map(|()| done)
        })
    }
}
