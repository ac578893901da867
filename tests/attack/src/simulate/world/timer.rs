//! The timer of one client, whose clocks are those of another process.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use lro_runtime::{Timer, testing::VirtualClock, timer::BoxSleep, transport::BoxFuture};

use crate::simulate::lies::Lie;

/// The timer of one process: its monotonic clock began at another time, and its wall clock is
/// wrong by the skew.
pub(in crate::simulate) struct SkewedTimer {
    pub(super) clock: VirtualClock,
    pub(super) ahead: Duration,
    pub(super) skew: Arc<AtomicI64>,
    pub(super) lie: Option<Lie>,
}

impl Timer for SkewedTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match self.lie {
            Some(Lie::SleepsForEver) => Box::pin(Forever),
            Some(Lie::WakesForNothing) => Box::pin(std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })),
            _ => self.clock.sleep(duration),
        }
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        self.lie.is_none().then(|| self.clock.reusable_sleep(duration)).flatten()
    }

    fn now(&self) -> Instant {
        self.clock.now() + self.ahead
    }

    fn system_time(&self) -> SystemTime {
        let skew = self.skew.load(Ordering::Relaxed);
        let by = Duration::from_secs(skew.unsigned_abs());
        let now = self.clock.system_time();
        if skew < 0 { now.checked_sub(by) } else { now.checked_add(by) }.unwrap_or(now)
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// A future that is never ready and wakes nobody.
pub(super) struct Forever;

impl Future for Forever {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::task::Poll::Pending
    }
}
