//! Waiting without an executor: an own `block_on` and a timer that parks the calling thread.

use std::{
    cell::Cell,
    future::{Future, IntoFuture, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use super::Timer;
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
        // `None` where the deadline is beyond what an `Instant` can hold: such a sleep does not
        // end.
        let deadline = Instant::now().checked_add(duration);
        Box::pin(poll_fn(move |_| match deadline {
            Some(deadline) if Instant::now() >= deadline => Poll::Ready(()),
            deadline => {
                // Of all sleeps that are polled in one round, the earliest decides how long the
                // thread is parked.
                NEXT.with(|next| next.set(next.get().into_iter().chain(deadline).min()));
                Poll::Pending
            }
        }))
    }
}

/// Returns the timer for a call that [`block_on`] runs: one that parks the thread, or `timer`
/// itself if its clock is virtual.
pub(crate) fn blocking_timer(timer: &Arc<dyn Timer>) -> Arc<dyn Timer> {
    if timer.is_virtual() { Arc::clone(timer) } else { Arc::new(ParkTimer) }
}

/// A waker that unparks a thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
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
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future.into_future());
    loop {
        // The future may call `block_on` itself. Each level sees only its own deadlines: the outer
        // one's are put aside during the poll and put back after.
        let outer = NEXT.with(|next| next.replace(None));
        let polled = future.as_mut().poll(&mut context);
        let wake_at = NEXT.with(|next| next.replace(outer));
        // A park may end without reason; then the future is polled once more, which is harmless.
        match (polled, wake_at) {
            (Poll::Ready(output), _) => return output,
            (Poll::Pending, Some(at)) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
            (Poll::Pending, None) => thread::park(),
        }
    }
}
