//! The timer of one client, whose clocks are those of another process.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime},
};

use lro_runtime::{
    Timer,
    testing::VirtualClock,
    timer::{BoxSleep, Sleep},
    transport::BoxFuture,
};

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
                Poll::Pending
            })),
            _ => self.clock.sleep(duration),
        }
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        let sleep = self.lie.is_none().then(|| self.clock.reusable_sleep(duration)).flatten()?;
        Some(Box::pin(SkewedSleep { sleep, ahead: self.ahead }))
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

/// A sleep of the clock that all processes share, which is set by the clock of one.
struct SkewedSleep {
    sleep: BoxSleep,
    ahead: Duration,
}

impl Future for SkewedSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(context)
    }
}

impl Sleep for SkewedSleep {
    fn set(mut self: Pin<&mut Self>, duration: Duration) {
        self.sleep.as_mut().set(duration);
    }

    fn set_from(mut self: Pin<&mut Self>, now: Instant, duration: Duration) {
        let now = now.checked_sub(self.ahead).unwrap_or(now);
        self.sleep.as_mut().set_from(now, duration);
    }
}

/// A future that is never ready and wakes nobody.
pub(super) struct Forever;

impl Future for Forever {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}
