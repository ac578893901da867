//! The shared wait: one poll loop for one operation, driven by whichever of its waiters is the
//! oldest.

use std::{
    collections::BTreeMap,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Wake, Waker},
};

use super::{Observers, wait::Wait};
use crate::{
    error::Result,
    operation::{Handle, RawOperation},
    settings::PollSettings,
    timer::park::block_on,
    transport::BoxFuture,
};

/// One wait that many waiters share, with one poll loop: made by
/// [`Operation::shared`](crate::Operation::shared).
///
/// Each clone is awaited by itself, on any executor or thread
/// ([`wait_blocking`](Self::wait_blocking)). All waiters get the same terminal snapshot, or the
/// same error. A waiter that comes after the end gets it at once.
///
/// There is no background task. The oldest waiter drives the loop; when it is dropped, the next
/// oldest takes over, and no request is lost or repeated. The oldest waiter must therefore be
/// polled: one that is kept without being polled holds up the others.
///
/// Without waiters no request is sent. The next waiter then begins a new wait, with a new time
/// limit, at the last snapshot.
///
/// ```
/// # use lro_runtime::{Operation, OperationState, PollSettings, Result};
/// # async fn wait<S: OperationState>(operation: Operation<S>) -> Result<()> {
/// let shared = operation.shared(PollSettings::default());
/// let (one, two) = (shared.clone(), shared);
/// let (one, two) = futures_lite::future::zip(async { one.await }, async { two.await }).await;
/// assert_eq!(one?.name(), two?.name());
/// # Ok(()) }
/// ```
#[must_use = "does nothing unless awaited"]
pub struct Shared<H> {
    inner: Arc<Inner>,
    // A function that returns `H`, because no `H` is stored: these types are `Send`, `Sync` and
    // `Unpin` whatever `H` is.
    handle: std::marker::PhantomData<fn() -> H>,
}

/// What the clones and their waiters share.
struct Inner {
    settings: PollSettings,
    state: Mutex<SharedWait>,
    /// The waker that the loop is polled with. It wakes the waiter that drives at the time of the
    /// wake-up, which may have changed since the poll.
    waker: Waker,
}

/// The state of the wait, behind the lock.
struct SharedWait {
    /// The last snapshot.
    latest: RawOperation,
    poll_loop: PollLoop,
    /// The waiters with their wakers, by id. Ids grow, so this is the order of arrival: the first
    /// entry is the oldest waiter, which drives, and at the end the waiters are woken in that
    /// order.
    waiters: BTreeMap<u64, Waker>,
    next_id: u64,
}

/// The poll loop: where it is between two polls of the waiters.
enum PollLoop {
    /// The loop has not begun, or begins again at `latest`.
    NotBegun,
    /// The loop has a snapshot and has not begun the next delay or poll.
    Between(Box<Wait>),
    /// A delay or a poll is in progress. The future owns the wait and hands it back, so that
    /// nothing borrows from the lock.
    Advancing(BoxFuture<'static, (Box<Wait>, Result<bool>)>),
    /// The driver has taken the loop out for one step, which it makes without the lock.
    Taken,
    /// The wait has ended: `Ok` with `latest` as the terminal snapshot, or the error of every
    /// waiter.
    Ended(Result<()>),
}

impl<H: Handle> Shared<H> {
    pub(crate) fn new(operation: &H, settings: PollSettings) -> Self {
        let latest = operation.raw_operation().clone();
        let state = SharedWait { latest, poll_loop: PollLoop::NotBegun, waiters: BTreeMap::new(), next_id: 0 };
        let inner = Arc::new_cyclic(|inner| Inner {
            settings,
            state: Mutex::new(state),
            waker: Waker::from(Arc::new(WakeDriver(inner.clone()))),
        });
        Self { inner, handle: std::marker::PhantomData }
    }

    /// Returns the last snapshot of the shared wait. No I/O.
    #[must_use]
    pub fn snapshot(&self) -> H {
        H::from_raw_operation(self.inner.lock().latest.clone())
    }

    /// Returns the number of waiters: futures of this wait that have been polled and not dropped.
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.inner.lock().waiters.len()
    }

    /// Waits on the calling thread, which is blocked meanwhile.
    ///
    /// The loop sleeps on the client's timer, because another waiter may drive it on another
    /// thread. The timer must not need the calling thread: async-io's does not; tokio's does on a
    /// single-threaded runtime.
    ///
    /// # Errors
    ///
    /// As [`RawOperation::poll_until_completed`].
    pub fn wait_blocking(&self) -> Result<H> {
        block_on(self.clone().into_future())
    }
}

impl<H> Clone for Shared<H> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), handle: std::marker::PhantomData }
    }
}

impl<H> fmt::Debug for Shared<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.inner.lock();
        f.debug_struct("Shared").field("latest", &state.latest).field("waiters", &state.waiters.len()).finish()
    }
}

impl<H: Handle> IntoFuture for Shared<H> {
    type Output = Result<H>;
    type IntoFuture = Waiting<H>;

    fn into_future(self) -> Waiting<H> {
        Waiting { inner: self.inner, id: None, handle: std::marker::PhantomData }
    }
}

/// The future of one waiter of a [`Shared`] operation.
#[must_use = "a future does nothing unless polled"]
pub struct Waiting<H> {
    inner: Arc<Inner>,
    /// The waiter's place in the order of arrival, set by its first poll. A newcomer never comes
    /// before the driver.
    id: Option<u64>,
    handle: std::marker::PhantomData<fn() -> H>,
}

impl<H: Handle> Future for Waiting<H> {
    type Output = Result<H>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<H>> {
        let inner = Arc::clone(&self.inner);
        let mut state = inner.lock();
        loop {
            if let PollLoop::Ended(result) = &state.poll_loop {
                return Poll::Ready(result.clone().map(|()| H::from_raw_operation(state.latest.clone())));
            }
            // Registered before the loop is polled: a wake-up that comes during the step must find
            // this waker.
            let id = *self.id.get_or_insert_with(|| state.arrive());
            state.waiters.entry(id).or_insert_with(|| context.waker().clone()).clone_from(context.waker());
            if !state.is_driver(id) || matches!(state.poll_loop, PollLoop::Taken) {
                return Poll::Pending;
            }
            // The step runs without the lock. It polls futures, which may wake at once, and the
            // loop's waker takes the lock; it may also take long, and other waiters come and go
            // meanwhile.
            let poll_loop = std::mem::replace(&mut state.poll_loop, PollLoop::Taken);
            let latest = state.latest.clone();
            drop(state);
            let is_pending = Turn { inner: &inner, poll_loop: PollLoop::NotBegun }.step(poll_loop, latest);
            if is_pending {
                return Poll::Pending;
            }
            state = inner.lock();
        }
    }
}

impl<H> Drop for Waiting<H> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let mut state = self.inner.lock();
        let drove = state.is_driver(id);
        state.waiters.remove(&id);
        let next = state.driver().filter(|_| drove);
        // The last waiter drops the loop, and with it a request in flight. The next waiter begins
        // again at the last snapshot.
        let rest = state.waiters.is_empty() && !matches!(state.poll_loop, PollLoop::Ended(_));
        let rest = rest.then(|| std::mem::replace(&mut state.poll_loop, PollLoop::NotBegun));
        // The lock is released first. Dropping the loop runs foreign code (a transport, a timer)
        // that may wake the loop's waker, and a waker may poll a waiter on the spot: both would
        // take the lock a second time on this thread, and hang.
        drop(state);
        drop(rest);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl<H> fmt::Debug for Waiting<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The driver's turn: it has taken the loop out and puts it back when dropped.
///
/// A guard, because a step may panic. The loop is then `NotBegun` and begins again; left as `Taken`
/// it would keep all waiters waiting for ever.
struct Turn<'a> {
    inner: &'a Arc<Inner>,
    /// What is put back.
    poll_loop: PollLoop,
}

impl Turn<'_> {
    /// Makes one step of the loop. Returns whether the driver must wait for a wake-up before the
    /// next.
    fn step(mut self, poll_loop: PollLoop, latest: RawOperation) -> bool {
        let (poll_loop, is_pending) = match poll_loop {
            // `Taken` does not get here; it begins anew because the library does not panic. The
            // wait sleeps on the client's timer: one that parks a thread would not wake a driver on
            // another thread.
            PollLoop::NotBegun | PollLoop::Taken => match Wait::new(latest, self.inner.settings.clone(), None) {
                Ok(wait) => (PollLoop::Between(Box::new(wait)), false),
                Err(error) => (PollLoop::Ended(Err(error)), false),
            },
            PollLoop::Between(mut wait) => {
                let advancing = async move {
                    let advanced = wait.advance(&mut Observers::default()).await;
                    (wait, advanced)
                };
                (PollLoop::Advancing(Box::pin(advancing)), false)
            }
            PollLoop::Advancing(mut advancing) => {
                match advancing.as_mut().poll(&mut Context::from_waker(&self.inner.waker)) {
                    Poll::Pending => (PollLoop::Advancing(advancing), true),
                    Poll::Ready((wait, advanced)) => (self.advanced(wait, advanced), false),
                }
            }
            PollLoop::Ended(result) => (PollLoop::Ended(result), false),
        };
        self.poll_loop = poll_loop;
        is_pending
    }

    /// Stores the new snapshot and returns where the loop goes on.
    fn advanced(&self, wait: Box<Wait>, advanced: Result<bool>) -> PollLoop {
        self.inner.lock().latest = wait.operation().clone();
        match advanced {
            Ok(true) => PollLoop::Between(wait),
            Ok(false) => PollLoop::Ended(Ok(())),
            Err(error) => PollLoop::Ended(Err(error)),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        state.poll_loop = std::mem::replace(&mut self.poll_loop, PollLoop::NotBegun);
        let woken = match &state.poll_loop {
            PollLoop::Ended(_) => state.waiters.values().cloned().collect(),
            _ => vec![],
        };
        // Woken without the lock: a waker may poll its waiter on the spot, and that takes the lock.
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Inner {
    /// Locks the state. A poisoned lock is used as it is, because no step that can panic leaves the
    /// state half changed.
    fn lock(&self) -> MutexGuard<'_, SharedWait> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedWait {
    /// Returns the id of a new waiter.
    fn arrive(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Whether the waiter `id` drives: it is the oldest.
    fn is_driver(&self, id: u64) -> bool {
        self.waiters.first_key_value().is_some_and(|(first, _)| *first == id)
    }

    /// Returns the waker of the waiter that drives.
    fn driver(&self) -> Option<Waker> {
        self.waiters.first_key_value().map(|(_, waker)| waker.clone())
    }
}

/// The waker of the loop. Weak, because the loop's futures keep this waker and `Inner` keeps the
/// loop: a strong reference would be a cycle that is never freed.
struct WakeDriver(Weak<Inner>);

impl Wake for WakeDriver {
    fn wake(self: Arc<Self>) {
        // The waker is cloned out, so that the lock is released before the wake-up.
        let driver = self.0.upgrade().and_then(|inner| inner.lock().driver());
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}
