//! One wait for many waiters.

use std::{
    collections::BTreeMap,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Wake, Waker},
};

use super::wait::Wait;
use crate::{
    error::Result,
    operation::{Handle, RawOperation},
    settings::PollSettings,
    timer::park::block_on,
    transport::BoxFuture,
};

/// One operation for which many wait, with one poll loop between them: see [`Operation::shared`](crate::Operation::shared).
///
/// Each clone is awaited by itself, on whatever executor or thread ([`wait_blocking`](Self::wait_blocking)); all get the same terminal snapshot, or the same error.
/// No background task runs: one of the waiters drives the loop, and when it is dropped the next one goes on, without a request more or less. Nothing is
/// asked while nobody waits. Who comes after the end gets it at once.
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
#[must_use = "nothing happens before somebody waits"]
pub struct Shared<H> {
    inner: Arc<Inner>,
    handle: std::marker::PhantomData<fn() -> H>,
}

struct Inner {
    settings: PollSettings,
    state: Mutex<SharedWait>,
    /// Wakes whoever drives then.
    waker: Waker,
}

struct SharedWait {
    /// The last snapshot that was seen.
    latest: RawOperation,
    poll_loop: PollLoop,
    /// Who waits, in the order of arrival. The first one drives.
    waiters: BTreeMap<u64, Waker>,
    next_id: u64,
}

enum PollLoop {
    /// Nobody drives: the loop is begun, or begun again, at `latest`.
    Idle,
    Between(Box<Wait>),
    Advancing(BoxFuture<'static, (Box<Wait>, Result<bool>)>),
    /// The driver has it in hand.
    Taken,
    Ended(Result<()>),
}

impl<H: Handle> Shared<H> {
    pub(crate) fn new(operation: &H, settings: PollSettings) -> Self {
        let latest = operation.raw_operation().clone();
        let state = SharedWait { latest, poll_loop: PollLoop::Idle, waiters: BTreeMap::new(), next_id: 0 };
        let inner = Arc::new_cyclic(|inner| Inner {
            settings,
            state: Mutex::new(state),
            waker: Waker::from(Arc::new(WakeDriver(inner.clone()))),
        });
        Self { inner, handle: std::marker::PhantomData }
    }

    /// The last snapshot that any waiter has seen. No I/O.
    #[must_use]
    pub fn snapshot(&self) -> H {
        H::from_raw_operation(self.inner.lock().latest.clone())
    }

    /// How many wait now.
    #[must_use]
    pub fn waiters(&self) -> usize {
        self.inner.lock().waiters.len()
    }

    /// Waits on this thread.
    ///
    /// The loop sleeps on the client's timer, which must not need this thread: async-io's does not, tokio's does on a runtime of one thread.
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

/// One waiter for a [`Shared`] operation.
#[must_use = "a future does nothing unless polled"]
pub struct Waiting<H> {
    inner: Arc<Inner>,
    /// Its place in the order of arrival, which is that of the first polls: who drives is never overtaken.
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
            state.waiters.entry(id).or_insert_with(|| context.waker().clone()).clone_from(context.waker());
            if !state.is_driver(id) || matches!(state.poll_loop, PollLoop::Taken) {
                return Poll::Pending;
            }
            let poll_loop = std::mem::replace(&mut state.poll_loop, PollLoop::Taken);
            let latest = state.latest.clone();
            drop(state);
            let is_pending = Turn { inner: &inner, poll_loop: PollLoop::Idle }.step(poll_loop, latest);
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
        // Nobody waits: whoever comes later begins again at the last snapshot.
        let rest = state.waiters.is_empty() && !matches!(state.poll_loop, PollLoop::Ended(_));
        let rest = rest.then(|| std::mem::replace(&mut state.poll_loop, PollLoop::Idle));
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

/// The loop in the hand of the driver, which gives back what has become of it, even if a step panics: then the loop begins again.
struct Turn<'a> {
    inner: &'a Arc<Inner>,
    poll_loop: PollLoop,
}

impl Turn<'_> {
    /// One step: whether it must be waited for.
    fn step(mut self, poll_loop: PollLoop, latest: RawOperation) -> bool {
        let (poll_loop, is_pending) = match poll_loop {
            PollLoop::Idle | PollLoop::Taken => match Wait::new(latest, self.inner.settings.clone(), None) {
                Ok(wait) => (PollLoop::Between(Box::new(wait)), false),
                Err(error) => (PollLoop::Ended(Err(error)), false),
            },
            PollLoop::Between(mut wait) => {
                let advancing = async move {
                    let advanced = wait.advance().await;
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
        state.poll_loop = std::mem::replace(&mut self.poll_loop, PollLoop::Idle);
        let woken = match &state.poll_loop {
            PollLoop::Ended(_) => state.waiters.values().cloned().collect(),
            _ => vec![],
        };
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, SharedWait> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedWait {
    fn arrive(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn is_driver(&self, id: u64) -> bool {
        self.waiters.first_key_value().is_some_and(|(first, _)| *first == id)
    }

    /// The waker of the waiter that drives.
    fn driver(&self) -> Option<Waker> {
        self.waiters.first_key_value().map(|(_, waker)| waker.clone())
    }
}

/// What the loop is polled with. It must not keep alive what it is kept by.
struct WakeDriver(Weak<Inner>);

impl Wake for WakeDriver {
    fn wake(self: Arc<Self>) {
        let driver = self.0.upgrade().and_then(|inner| inner.lock().driver());
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}
