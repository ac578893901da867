//! Waiting without an executor: the calling thread is parked, by itself.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use super::Timer;
use crate::transport::BoxFuture;

thread_local! {
    /// When the future that [`block_on`] runs on this thread wants to be polled again.
    static NEXT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A timer for futures that are run by [`block_on`], and only for those.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParkTimer;

impl Timer for ParkTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let deadline = Instant::now().checked_add(duration);
        Box::pin(poll_fn(move |_| match deadline {
            Some(deadline) if Instant::now() >= deadline => Poll::Ready(()),
            deadline => {
                NEXT.with(|next| next.set(next.get().into_iter().chain(deadline).min()));
                Poll::Pending
            }
        }))
    }
}

/// The timer of a call that [`block_on`] runs: that of the parked thread, unless time is virtual.
pub(crate) fn own_timer(timer: &Arc<dyn Timer>) -> Arc<dyn Timer> {
    if timer.is_virtual() { Arc::clone(timer) } else { Arc::new(ParkTimer) }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `future` on this thread, which is parked while it waits: for programs without an executor, which start operations with it.
///
/// ```no_run
/// # use lro_runtime::{Operations, PollSettings};
/// let operations = Operations::builder("https://images.example.com").build()?;
/// let started = lro_runtime::block_on(operations.post("v1/images:export", &"gs://bucket"))?;
/// let done = started.blocking().poll_until_completed(PollSettings::default())?;
/// # Ok::<(), lro_runtime::Error>(())
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        let outer = NEXT.with(|next| next.replace(None));
        let polled = future.as_mut().poll(&mut context);
        let wake_at = NEXT.with(|next| next.replace(outer));
        match (polled, wake_at) {
            (Poll::Ready(output), _) => return output,
            (Poll::Pending, Some(at)) => thread::park_timeout(at.saturating_duration_since(Instant::now())),
            (Poll::Pending, None) => thread::park(),
        }
    }
}
