//! A clock that only sleeps advance, and a runner for futures that wait for nothing real.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant, SystemTime},
};

use lro_runtime::{Timer, transport::BoxFuture};

/// A timer whose sleeps are over at once and advance its clock.
#[derive(Clone)]
pub struct Clock {
    epoch: Instant,
    elapsed: Arc<AtomicU64>,
}

impl Clock {
    pub fn new() -> Self {
        Self { epoch: Instant::now(), elapsed: Arc::default() }
    }

    /// Returns the sum of all sleeps.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed.load(Relaxed))
    }

    pub fn advance(&self, duration: Duration) {
        self.elapsed.fetch_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> Instant {
        self.epoch + self.elapsed()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.elapsed()
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// Runs a future that waits for nothing outside of it, by polling it again and again.
pub fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
