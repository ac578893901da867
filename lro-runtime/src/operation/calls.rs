//! What can be done with an untyped operation: poll it, wait for it, watch it, cancel it.

use std::{
    future::{Future, IntoFuture},
    time::Duration,
};

use super::RawOperation;
use crate::{
    driver::{self, Blocking, Observed, Observers, Shared, Snapshots},
    error::Result,
    settings::PollSettings,
    transport::BoxFuture,
};

impl RawOperation {
    /// Looks once: one request, one new snapshot. On a completed operation no request, the same snapshot. The time limit is the
    /// `poll_timeout` of the method's settings.
    ///
    /// # Errors
    ///
    /// When the look failed; the operation did not, and this snapshot can be polled again.
    pub fn poll_once(&self) -> impl Future<Output = Result<Self>> + Send + 'static + use<> {
        driver::poll_once(self.clone(), None)
    }

    /// Polls until the operation is terminal, whichever way it ends: failure is data here, not an error.
    ///
    /// # Errors
    ///
    /// Of kind [`Timeout`](crate::ErrorKind::Timeout) when the settings' expiration passes, [`Poll`](crate::ErrorKind::Poll) when looking failed for good or
    /// the error budget is spent, [`Protocol`](crate::ErrorKind::Protocol) when the server breaks the dialect's rules. Each carries the last snapshot and the token.
    pub fn poll_until_completed(
        &self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<Self>> + Send + 'static + use<> {
        driver::poll_until_completed(self.clone(), settings, Observers::default(), None)
    }

    /// A stream of snapshots: this one at once, then one per poll with the same waits as [`poll_until_completed`](Self::poll_until_completed),
    /// the last one terminal.
    pub fn snapshots(&self, settings: PollSettings) -> Snapshots<Self> {
        Snapshots::new(self.clone(), settings, None, Observers::default())
    }

    /// Observes a wait: see [`Observed`].
    pub fn on_progress(&self, observer: impl FnMut(&Self) + Send + 'static) -> Observed<Self> {
        Observed::new(self.clone()).on_progress(observer)
    }

    /// Observes the end of a wait: see [`Observed`].
    pub fn on_completed(&self, observer: impl FnOnce(&Self) + Send + 'static) -> Observed<Self> {
        Observed::new(self.clone()).on_completed(observer)
    }

    /// One wait for many waiters: see [`Shared`]. The settings are those of all.
    pub fn shared(&self, settings: PollSettings) -> Shared<Self> {
        Shared::new(self, settings)
    }

    /// The same calls without async.
    pub fn blocking(&self) -> Blocking<Self> {
        Blocking::new(self.clone())
    }

    /// Asks the service to cancel it. Only a later snapshot tells what came of it. On a completed operation no request.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](crate::ErrorKind::Unsupported) where the dialect or the service has no such call, else of kind [`Poll`](crate::ErrorKind::Poll).
    pub fn cancel(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        driver::cancel(self.clone(), None)
    }

    /// Asks the service to cancel it and polls until it is terminal: [`Cancelled`](crate::State::Cancelled), or finished anyway.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel) and [`poll_until_completed`](Self::poll_until_completed).
    pub fn cancel_and_wait(
        &self,
        settings: PollSettings,
    ) -> impl Future<Output = Result<Self>> + Send + 'static + use<> {
        let operation = self.clone();
        async move {
            operation.cancel().await?;
            operation.poll_until_completed(settings).await
        }
    }

    /// Tells the service that nobody is interested any more. It does not cancel.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub fn delete(&self) -> impl Future<Output = Result<()>> + Send + 'static + use<> {
        driver::delete(self.clone(), None)
    }

    /// Looks once, and lets the server hold the reply for up to `timeout` if the operation is not done before. Best effort: the new
    /// snapshot may not be terminal. On a completed operation no request.
    ///
    /// # Errors
    ///
    /// Of kind [`Unsupported`](crate::ErrorKind::Unsupported), before any request, where the dialect has no such call, and after it where the service has none.
    pub fn wait(&self, timeout: Duration) -> impl Future<Output = Result<Self>> + Send + 'static + use<> {
        driver::wait(self.clone(), timeout, None)
    }
}

impl IntoFuture for RawOperation {
    type Output = Result<Self>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    /// Polls until completed with the default settings; `Err` of kind `Failed` or `Cancelled` if it did not succeed.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let done = self.poll_until_completed(PollSettings::default()).await?;
            done.success().map(|()| done)
        })
    }
}
