//! A clock that only sleeps advance, and a runner for futures that wait for nothing real.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant, SystemTime},
};

use lro_runtime::{
    Timer,
    timer::{BoxSleep, Sleep},
    transport::BoxFuture,
};

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

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        self.advance(duration);
        Some(Box::pin(Slept(self.clone())))
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

/// A sleep that is over.
struct Slept(Clock);

impl Future for Slept {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl Sleep for Slept {
    fn set(self: Pin<&mut Self>, duration: Duration) {
        self.0.advance(duration);
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
