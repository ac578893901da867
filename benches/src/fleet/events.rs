//! A clock that jumps to the end of the next sleep as soon as nothing else is left to do.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant, SystemTime},
};

use lro_runtime::{
    Timer,
    timer::{BoxSleep, Sleep},
    transport::BoxFuture,
};

/// See the module. Clones are one clock.
#[derive(Clone)]
pub struct Events {
    epoch: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    elapsed: Duration,
    /// By their ends, then by the order in which they were made.
    sleeps: BTreeMap<(Duration, u64), Waker>,
    made: u64,
}

impl Events {
    pub fn new() -> Self {
        Self { epoch: Instant::now(), state: Arc::default() }
    }

    pub fn elapsed(&self) -> Duration {
        self.state.lock().unwrap().elapsed
    }

    /// Runs a future that waits for sleeps of this clock only.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        loop {
            while woken.0.swap(false, Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return output;
                }
            }
            self.jump();
        }
    }

    /// Moves the time on to the end of the next sleep.
    fn jump(&self) {
        let mut state = self.state.lock().unwrap();
        let ((end, _), waker) = state.sleeps.pop_first().expect("something sleeps");
        state.elapsed = state.elapsed.max(end);
        drop(state);
        waker.wake();
    }

    fn sleeping(&self, duration: Duration) -> Sleeping {
        let mut state = self.state.lock().unwrap();
        state.made += 1;
        let key = (state.elapsed.saturating_add(duration), state.made);
        Sleeping { clock: self.clone(), key }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl Timer for Events {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.sleeping(duration))
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(self.sleeping(duration)))
    }

    fn now(&self) -> Instant {
        self.epoch + self.elapsed()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.elapsed()
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

struct Sleeping {
    clock: Events,
    key: (Duration, u64),
}

impl Future for Sleeping {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state.lock().unwrap();
        if self.key.0 <= state.elapsed {
            return Poll::Ready(());
        }
        state.sleeps.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Sleep for Sleeping {
    fn set(mut self: Pin<&mut Self>, duration: Duration) {
        *self = self.clock.sleeping(duration);
    }
}

impl Drop for Sleeping {
    fn drop(&mut self) {
        self.clock.state.lock().unwrap().sleeps.remove(&self.key);
    }
}
