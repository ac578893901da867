//! The timer of tokio.

use std::time::{Duration, Instant};

use super::Timer;
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
        Box::pin(async move { tokio::time::sleep(duration).await })
    }

    // Not `Instant::now()`: with tokio's clock paused, the engine would see no time pass while
    // sleeps end.
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
