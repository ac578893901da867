//! Waiting without an executor: an own `block_on` and a timer that parks the calling thread.

use std::{
    cell::Cell,
    future::{Future, IntoFuture},
    pin::{Pin, pin},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use super::{BoxSleep, Sleep, Timer};
use crate::transport::BoxFuture;

thread_local! {
    /// The time at which the future that [`block_on`] runs on this thread must be polled again;
    /// `None` if only a waker calls for it.
    static NEXT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The timer of futures that [`block_on`] runs, and only of those. It has no thread and no reactor:
/// a sleep writes its deadline where `block_on` reads it, and no other executor would wake it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParkTimer;

impl Timer for ParkTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(ParkSleep::since(Instant::now(), duration))
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(ParkSleep::since(Instant::now(), duration)))
    }
}

struct ParkSleep {
    /// `None` where it is beyond what an `Instant` can hold: such a sleep does not end.
    deadline: Option<Instant>,
}

impl ParkSleep {
    fn since(now: Instant, duration: Duration) -> Self {
        Self { deadline: now.checked_add(duration) }
    }
}

impl Future for ParkSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Poll::Ready(()),
            deadline => {
                poll_again_at(deadline);
                Poll::Pending
            }
        }
    }
}

impl Sleep for ParkSleep {
    fn set(self: Pin<&mut Self>, duration: Duration) {
        self.set_from(Instant::now(), duration);
    }

    fn set_from(mut self: Pin<&mut Self>, now: Instant, duration: Duration) {
        *self = Self::since(now, duration);
    }
}

/// Returns the timer for a call that [`block_on`] runs: one that parks the thread, or `timer`
/// itself if its clock is virtual.
pub(crate) fn blocking_timer(timer: &Arc<dyn Timer>) -> Arc<dyn Timer> {
    if timer.is_virtual() { Arc::clone(timer) } else { Arc::new(ParkTimer) }
}

/// Parks the thread of one [`block_on`] call, and wakes it.
///
/// Not the park of the thread itself, which has one wake-up for all that wait on it: a nested call
/// would take the wake-up of the outer one, which then sleeps for ever.
#[derive(Default)]
struct Parker {
    is_woken: Mutex<bool>,
    wake_up: Condvar,
}

impl Parker {
    /// Waits for a wake-up, at most until `until`. One that came before counts.
    fn park(&self, until: Option<Instant>) {
        let mut is_woken = self.lock();
        while !*is_woken {
            is_woken = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self.wake_up.wait(is_woken).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.wake_up.wait_timeout(is_woken, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        *is_woken = false;
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_woken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.lock() = true;
        self.wake_up.notify_one();
    }
}

/// Puts the deadlines of the outer call aside while the future of a nested one is polled, and back
/// when dropped: a panic in the poll must not lose them.
struct Aside(Option<Instant>);

impl Aside {
    fn put() -> Self {
        Self(NEXT.replace(None))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        NEXT.set(self.0);
    }
}

/// Has the future that [`block_on`] runs on this thread polled again at `deadline`.
pub(super) fn poll_again_at(deadline: Option<Instant>) {
    // Of all sleeps that are polled in one round, the earliest decides how long the thread is
    // parked.
    NEXT.set(NEXT.get().into_iter().chain(deadline).min());
}

/// Polls `future`, and returns when to poll it again if nothing wakes it.
///
/// The future may call [`block_on`] itself: each level sees only its own deadlines.
pub(super) fn poll_aside<F: Future + ?Sized>(
    future: Pin<&mut F>,
    context: &mut Context<'_>,
) -> (Poll<F::Output>, Option<Instant>) {
    let outer = Aside::put();
    let polled = future.poll(context);
    let until = NEXT.get();
    drop(outer);
    (polled, until)
}

/// Runs `future` on the calling thread, which is parked while it is pending. Programs without an
/// executor start operations with it. It takes whatever can be awaited, such as a
/// [`StartCall`](crate::StartCall).
///
/// ```no_run
/// # use lro_runtime::{Operations, PollSettings};
/// let operations = Operations::builder("https://images.example.com").build()?;
/// let started = lro_runtime::block_on(operations.post("v1/images:export", &"gs://bucket"))?;
/// let done = started.blocking().poll_until_completed(PollSettings::default())?;
/// # Ok::<(), lro_runtime::Error>(())
/// ```
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let parker = Arc::new(Parker::default());
    let waker = Waker::from(Arc::clone(&parker));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future.into_future());
    loop {
        match poll_aside(future.as_mut(), &mut context) {
            (Poll::Ready(output), _) => return output,
            // What waits for a socket is polled once more, and then woken there.
            #[cfg(feature = "hyper")]
            (Poll::Pending, _) if crate::transport::has_sockets() => {
                return super::reactor::wait(|context| poll_aside(future.as_mut(), context));
            }
            (Poll::Pending, until) => parker.park(until),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        panic::{AssertUnwindSafe, catch_unwind},
    };

    use super::*;

    // Each level has a parker of its own: the inner call must not use up the wake-up of the outer
    // one.
    #[test]
    fn a_wake_up_during_a_nested_call_is_not_lost_on_the_outer_future() {
        let mut polls = 0;
        block_on(poll_fn(|outer| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(());
            }
            let mut inner_polls = 0;
            block_on(poll_fn(|inner| {
                inner_polls += 1;
                if inner_polls == 2 {
                    return Poll::Ready(());
                }
                outer.waker().wake_by_ref();
                inner.waker().wake_by_ref();
                Poll::Pending
            }));
            Poll::Pending
        }));
        assert_eq!(polls, 2);
    }

    #[test]
    fn a_wake_up_of_the_outer_future_polls_only_the_outer_future() {
        let mut inner_polls = 0;
        let mut outer_polls = 0;
        block_on(poll_fn(|outer| {
            outer_polls += 1;
            if outer_polls == 2 {
                return Poll::Ready(());
            }
            let sleep = ParkTimer.sleep(Duration::from_millis(1));
            let mut sleep = pin!(sleep);
            block_on(poll_fn(|inner| {
                inner_polls += 1;
                outer.waker().wake_by_ref();
                sleep.as_mut().poll(inner)
            }));
            Poll::Pending
        }));
        assert_eq!((outer_polls, inner_polls), (2, 2));
    }

    #[test]
    fn a_panic_of_a_nested_call_does_not_lose_the_sleep_of_the_outer_future() {
        let mut sleep = ParkTimer.sleep(Duration::from_millis(1));
        let mut is_first = true;
        block_on(poll_fn(|context| {
            let slept = sleep.as_mut().poll(context);
            if std::mem::take(&mut is_first) {
                let nested = || block_on(poll_fn(|_| -> Poll<()> { panic!("out of paper") }));
                assert!(catch_unwind(AssertUnwindSafe(nested)).is_err());
            }
            slept
        }));
    }
}
