//! The timer of tokio.

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use super::{BoxSleep, Sleep, Timer};
use crate::transport::BoxFuture;

/// The timer of tokio: it sleeps and tells the time on the runtime that polls it, its paused test
/// clock included.
///
/// Its sleeps panic outside a tokio runtime with time enabled, as [`tokio::time::sleep`] does. The
/// blocking calls do not use them.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        // Made when it is polled: only then is it certain that a runtime is there.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(tokio::time::sleep(duration)))
    }

    // Not `Instant::now()`: with tokio's clock paused, the engine would see no time pass while
    // sleeps end.
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

impl Sleep for tokio::time::Sleep {
    fn set(self: Pin<&mut Self>, duration: Duration) {
        self.set_from(TokioTimer.now(), duration);
    }

    fn set_from(self: Pin<&mut Self>, now: Instant, duration: Duration) {
        /// As far ahead as tokio's own sleeps end that are longer than its clock can tell.
        const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
        let now = tokio::time::Instant::from_std(now);
        self.reset(now.checked_add(duration).unwrap_or_else(|| now + FAR));
    }
}
