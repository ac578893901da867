//! The timer of async-io: the default.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::{
    BoxSleep, Sleep, Timer,
    sleepers::{Id, Sleepers, end_after},
};
use crate::{stamp::Stamp, transport::BoxFuture};

/// The sleeps of the process.
static SLEEPERS: LazyLock<Arc<Sleepers>> = LazyLock::new(Arc::default);

/// The timer of [async-io](https://docs.rs/async-io), the default. Its reactor has a thread of its
/// own, so it works on any executor and on none.
///
/// All sleeps share one timer of the reactor, which is set only for the one that ends first: time
/// limits, which nearly always are over before they end, cost next to nothing. They end at whole
/// milliseconds, as tokio's do, so each is up to one longer than it was told to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncIoTimer;

impl Timer for AsyncIoTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(AsyncIoSleep::since(Instant::now(), duration))
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(AsyncIoSleep::since(Instant::now(), duration)))
    }
}

struct AsyncIoSleep {
    /// `None` where it does not end.
    end: Option<Stamp>,
    /// `None` while nothing waits for it.
    id: Option<Id>,
}

impl AsyncIoSleep {
    fn since(now: Instant, duration: Duration) -> Self {
        Self { end: end_after(now, duration), id: None }
    }

    /// Has nothing woken, and returns what would have been.
    fn forget(&mut self) -> Option<Waker> {
        SLEEPERS.forget(self.end?, self.id.take()?)
    }

    fn wake(&mut self, waker: &Waker) {
        self.id = self.end.map(|end| SLEEPERS.wake_at(end, self.id, waker));
    }
}

impl Future for AsyncIoSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.end.is_some_and(|end| Stamp::from(Instant::now()) >= end) {
            self.forget();
            return Poll::Ready(());
        }
        self.wake(context.waker());
        Poll::Pending
    }
}

impl Sleep for AsyncIoSleep {
    fn set(self: Pin<&mut Self>, duration: Duration) {
        self.set_from(Instant::now(), duration);
    }

    fn set_from(mut self: Pin<&mut Self>, now: Instant, duration: Duration) {
        let waiting = self.forget();
        *self = Self::since(now, duration);
        if let Some(waker) = waiting {
            self.wake(&waker);
        }
    }
}

impl Drop for AsyncIoSleep {
    fn drop(&mut self) {
        self.forget();
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, thread};

    use super::*;
    use crate::timer::park::block_on;

    #[test]
    fn sleeps_of_many_threads_end_and_none_ends_early() {
        let sleeps = |seed: u64| {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut sleep = AsyncIoTimer.reusable_sleep(Duration::ZERO).unwrap();
            for _ in 0..200 {
                let [long, short] = [2_000, 500].map(|most| Duration::from_micros(random.u64(..most)));
                let mut other = AsyncIoTimer.sleep(long);
                let began = Instant::now();
                sleep.as_mut().set(short);
                let mut is_first = true;
                block_on(poll_fn(|context| {
                    let _either = other.as_mut().poll(context);
                    if sleep.as_mut().poll(context).is_ready() {
                        assert!(began.elapsed() >= short);
                        return Poll::Ready(());
                    }
                    if std::mem::take(&mut is_first) {
                        sleep.as_mut().set(short); // keeps the waker
                    }
                    Poll::Pending
                }));
            }
        };
        let threads: Vec<_> = (0..4).map(|seed| thread::spawn(move || sleeps(seed))).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
