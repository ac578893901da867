use std::time::{Duration, Instant};

use super::Timer;
use crate::transport::BoxFuture;

/// tokio's timer: sleeps and tells the time on the runtime that polls it, its paused test clock included.
///
/// Its sleeps panic outside a tokio runtime with time enabled, as [`tokio::time::sleep`] does; the blocking calls never use them.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { tokio::time::sleep(duration).await })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}
