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
    sleepers::{Id, Sleepers},
};
use crate::transport::BoxFuture;

/// The sleeps of the process.
static SLEEPERS: LazyLock<Arc<Sleepers>> = LazyLock::new(Arc::default);

/// The timer of [async-io](https://docs.rs/async-io), the default. Its reactor has a thread of its
/// own, so it works on any executor and on none.
///
/// All sleeps share one timer of the reactor, which is set only for the one that ends first: time
/// limits, which nearly always are over before they end, cost next to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncIoTimer;

impl Timer for AsyncIoTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(AsyncIoSleep::of(duration))
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(AsyncIoSleep::of(duration)))
    }
}

struct AsyncIoSleep {
    /// `None` where it is beyond what an `Instant` can hold: such a sleep does not end.
    end: Option<Instant>,
    /// `None` while nothing waits for it.
    id: Option<Id>,
}

impl AsyncIoSleep {
    fn of(duration: Duration) -> Self {
        Self { end: Instant::now().checked_add(duration), id: None }
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
        if self.end.is_some_and(|end| Instant::now() >= end) {
            self.forget();
            return Poll::Ready(());
        }
        self.wake(context.waker());
        Poll::Pending
    }
}

impl Sleep for AsyncIoSleep {
    fn set(mut self: Pin<&mut Self>, duration: Duration) {
        let waiting = self.forget();
        *self = Self::of(duration);
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
