//! The shared wait: one poll loop for one operation, driven by whichever of its waiters is polled.

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
};

/// One wait that many waiters share, with one poll loop: made by
/// [`Operation::shared`](crate::Operation::shared).
///
/// Each clone is awaited by itself, on any executor or thread
/// ([`wait_blocking`](Self::wait_blocking)). All waiters get the same terminal snapshot, or the
/// same error. A waiter that comes after the end gets it at once.
///
/// There is no background task. Whatever the loop waits for wakes all waiters, the oldest first,
/// and the first that is polled then makes the next step. A waiter that is kept without being
/// polled, or is dropped, holds up no other, and no request is lost or repeated.
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
    /// The waker that the loop is polled with. It wakes the waiters of the time of the wake-up,
    /// which may be others than at the poll.
    waker: Waker,
}

/// The state of the wait, behind the lock.
struct SharedWait {
    /// The last snapshot.
    latest: RawOperation,
    poll_loop: PollLoop,
    /// Whether the loop has been woken since its last step began.
    is_woken: bool,
    /// How many steps have begun.
    steps: u64,
    /// The waiters by id. Ids grow, so this is the order of arrival, in which the waiters are
    /// woken.
    waiters: BTreeMap<u64, Waiter>,
    next_id: u64,
}

/// One waiter.
#[derive(Default)]
struct Waiter {
    /// `None` since it was woken: until it is polled it need not be woken again.
    waker: Option<Waker>,
    /// How many steps had begun when it was woken.
    woken_after: u64,
}

/// The poll loop: where it is between two polls of the waiters.
enum PollLoop {
    /// The loop has not begun, or begins again at `latest`.
    NotBegun,
    /// The loop has a snapshot and has not begun the next delay or poll.
    Between(Box<Wait>),
    /// A delay or a poll is in progress.
    Advancing(Box<Wait>),
    /// A waiter has taken the loop out for one step, which it makes without the lock.
    Taken,
    /// The wait has ended: `Ok` with `latest` as the terminal snapshot, or the error of every
    /// waiter.
    Ended(Result<()>),
}

impl<H: Handle> Shared<H> {
    pub(crate) fn new(operation: &H, settings: PollSettings) -> Self {
        let latest = operation.raw_operation().clone();
        let state = SharedWait {
            latest,
            poll_loop: PollLoop::NotBegun,
            is_woken: false,
            steps: 0,
            waiters: BTreeMap::new(),
            next_id: 0,
        };
        let inner = Arc::new_cyclic(|inner| Inner {
            settings,
            state: Mutex::new(state),
            waker: Waker::from(Arc::new(WakeWaiters(inner.clone()))),
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
    /// The waiter's place in the order of arrival, set by its first poll.
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
            let id = *self.id.get_or_insert_with(|| state.arrive());
            if state.is_put_off(id) {
                let replaced = state.wake_later(id);
                drop(state);
                drop(replaced);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Registered before the step: a wake-up that comes during it must find this waker.
            let replaced = state.register(id, context.waker());
            let step = state.begin_step();
            // Without the lock: dropping a waker may drop another waiter.
            drop(state);
            drop(replaced);
            let Some((poll_loop, latest)) = step else { return Poll::Pending };
            // The step runs without the lock as well. It polls futures, which may wake at once, and
            // the loop's waker takes the lock; it may also take long, and other waiters come and go
            // meanwhile.
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
        let waiter = state.waiters.remove(&id);
        // The last waiter drops the loop, and with it a request in flight. The next waiter begins
        // again at the last snapshot, but not before that request is dropped: there is one at a
        // time. Any other waiter may just go: what the loop waits for wakes those that remain.
        let is_last = state.waiters.is_empty() && !matches!(state.poll_loop, PollLoop::Ended(_) | PollLoop::Taken);
        let rest = is_last.then(|| std::mem::replace(&mut state.poll_loop, PollLoop::Taken));
        // The lock is released first. Dropping the loop runs foreign code (a transport, a timer)
        // that may wake the loop's waker, and that takes the lock a second time on this thread.
        // Dropping a waker may drop another waiter.
        drop(state);
        if let Some(rest) = rest {
            let turn = Turn { inner: &self.inner, poll_loop: PollLoop::NotBegun };
            drop(rest);
            drop(turn);
        }
        drop(waiter);
    }
}

impl<H> fmt::Debug for Waiting<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One waiter's turn: it has taken the loop out and puts it back when dropped.
///
/// A guard, because a step may panic. The loop is then `NotBegun` and begins again; left as `Taken`
/// it would keep all waiters waiting for ever.
struct Turn<'a> {
    inner: &'a Arc<Inner>,
    /// What is put back.
    poll_loop: PollLoop,
}

impl Turn<'_> {
    /// Makes one step of the loop. Returns whether the next has to wait for a wake-up.
    fn step(mut self, poll_loop: PollLoop, latest: RawOperation) -> bool {
        self.poll_loop = match poll_loop {
            // `Taken` does not get here; it begins anew because the library does not panic. The
            // wait sleeps on the client's timer: one that parks a thread would not wake a waiter on
            // another thread.
            PollLoop::NotBegun | PollLoop::Taken => match latest.schedule(self.inner.settings.clone()) {
                Ok(schedule) => PollLoop::Between(Box::new(Wait::new(latest, schedule, None))),
                Err(error) => PollLoop::Ended(Err(error)),
            },
            PollLoop::Between(wait) | PollLoop::Advancing(wait) => self.poll(wait),
            PollLoop::Ended(result) => PollLoop::Ended(result),
        };
        matches!(self.poll_loop, PollLoop::Advancing(_))
    }

    /// Polls the delay or the poll in progress, stores the new snapshot if it gives one, and
    /// returns where the loop goes on.
    fn poll(&self, mut wait: Box<Wait>) -> PollLoop {
        let mut context = Context::from_waker(&self.inner.waker);
        let Poll::Ready(advanced) = wait.poll_advance(&mut context, &mut Observers::default()) else {
            return PollLoop::Advancing(wait);
        };
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
            // The waiter whose turn it was goes on at once.
            PollLoop::Between(_) => vec![],
            // Nothing woke the loop during the step: its next wake-up wakes the waiters.
            PollLoop::Advancing(_) if !state.is_woken => vec![],
            // The end, a wake-up during the step, or a panic in it, after which another waiter has
            // to begin: those that were polled during the step found the loop taken.
            _ => state.take_wakers(),
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

    /// Stores the waker of a waiter, and returns the one that it replaces.
    fn register(&mut self, id: u64, waker: &Waker) -> Option<Waker> {
        self.waiters.entry(id).or_default().waker.replace(waker.clone())
    }

    /// Whether a step is to be made, by whichever waiter is polled first.
    fn is_due(&self) -> bool {
        match self.poll_loop {
            PollLoop::NotBegun | PollLoop::Between(_) => true,
            // Not at every poll of a waiter: of a thousand that one wake-up woke, the first makes
            // the step.
            PollLoop::Advancing(_) => self.is_woken,
            PollLoop::Taken | PollLoop::Ended(_) => false,
        }
    }

    /// Takes the loop out for a step, if one is to be made.
    fn begin_step(&mut self) -> Option<(PollLoop, RawOperation)> {
        self.is_due().then(|| {
            self.is_woken = false;
            self.steps += 1;
            (std::mem::replace(&mut self.poll_loop, PollLoop::Taken), self.latest.clone())
        })
    }

    /// Whether the waiter, although a step is to be made, has to leave it to others for now: a step
    /// was made since it was woken.
    ///
    /// A future that wakes itself while it is polled lets other tasks run first. A thousand waiters
    /// that are woken together would poll it a thousand times before any other task runs.
    fn is_put_off(&self, id: u64) -> bool {
        let woken_after = self.waiters.get(&id).map_or(0, |waiter| waiter.woken_after);
        matches!(self.poll_loop, PollLoop::Advancing(_)) && self.is_woken && woken_after < self.steps
    }

    /// Notes that the waiter is woken now, and returns its waker.
    fn wake_later(&mut self, id: u64) -> Option<Waker> {
        let waiter = self.waiters.entry(id).or_default();
        waiter.woken_after = self.steps;
        waiter.waker.take()
    }

    /// Takes the wakers of the waiters that are not woken yet, the oldest first.
    fn take_wakers(&mut self) -> Vec<Waker> {
        let steps = self.steps;
        let take = |waiter: &mut Waiter| {
            let waker = waiter.waker.take()?;
            waiter.woken_after = steps;
            Some(waker)
        };
        self.waiters.values_mut().filter_map(take).collect()
    }
}

/// The waker of the loop. Weak, because the loop's futures keep this waker and `Inner` keeps the
/// loop: a strong reference would be a cycle that is never freed.
///
/// It wakes every waiter, because nothing tells which of them are polled.
struct WakeWaiters(Weak<Inner>);

impl Wake for WakeWaiters {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(inner) = self.0.upgrade() else { return };
        let mut state = inner.lock();
        state.is_woken = true;
        // During a step the waiters would find the loop taken: they are woken after it.
        let is_taken = matches!(state.poll_loop, PollLoop::Taken);
        let woken = if is_taken { vec![] } else { state.take_wakers() };
        // The lock is released before the wake-ups: see `Turn`.
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}
