//! The world of the model: a service and a clock that do nothing by themselves, and note every
//! promise that the wait breaks towards them.

use std::{
    collections::BTreeMap,
    future::Future,
    panic::resume_unwind,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant, SystemTime},
};

use lro_runtime::{
    PollSettings, Timer, Transport,
    transport::{BoxFuture, Reply, Request, TransportError},
};

/// The delay between two polls.
const DELAY: Duration = Duration::from_secs(4);

const RUNNING: &str = r#"{"name": "operations/1"}"#;
const DONE: &str = r#"{"name": "operations/1", "done": true, "response": {}}"#;

/// The service and the settings of one model.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// With which reply the operation is done; `None` if it never is.
    pub(super) done_with: Option<u32>,
    /// Whether a reply is ready as soon as it is asked for.
    pub(super) answers_at_once: bool,
    /// The time limit of the wait.
    pub(super) timeout: Option<Duration>,
    /// Whether a waker polls its waiter on the spot, as some executors do.
    pub(super) wakes_in_place: bool,
}

impl Service {
    pub(super) fn settings(self) -> PollSettings {
        let settings = PollSettings::default().with_delay(DELAY).with_multiplier(1.0);
        match self.timeout {
            Some(timeout) => settings.with_timeout(timeout),
            None => settings.without_expiration(),
        }
    }
}

/// What happens while the loop is in a step: what other threads do meanwhile. It gets the waker
/// that the step was polled with.
pub(super) type During = Box<dyn FnOnce(&Waker) + Send>;

/// What a step panics with, on purpose.
pub(super) struct Planned;

/// The service and the clock. Everything in it is observed from outside of the wait.
pub(super) struct World {
    service: Service,
    origin: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    now: Duration,
    flight: Option<Flight>,
    sleeps: BTreeMap<(Duration, u64), Waker>,
    sleeps_made: u64,
    seen: Seen,
    /// Whether a waiter is polled that has made no step yet.
    is_polled: bool,
    is_stepping: bool,
    during: Option<During>,
    has_panicked: bool,
    faults: Vec<String>,
}

/// A request that was sent, and whose future was neither ready nor dropped yet.
#[derive(Default)]
struct Flight {
    is_answered: bool,
    waker: Option<Waker>,
}

/// What has happened up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    /// Waiters that were polled and are neither dropped nor ready.
    pub(super) waiters: usize,
    /// How often a future of the loop was polled.
    pub(super) steps: u64,
    pub(super) requests: u32,
    pub(super) replies: u32,
    /// When the last reply was read.
    replied_at: Option<Duration>,
    /// Whether the loop was woken since it was last polled.
    pub(super) is_woken: bool,
}

/// What the future of a wait may depend on, as far as it can be seen from outside.
pub(super) type Outlook = (Duration, Option<bool>, Vec<Duration>, u32, bool);

impl World {
    pub(super) fn new(service: Service) -> Arc<Self> {
        Arc::new(Self { service, origin: Instant::now(), state: Mutex::default() })
    }

    /// Forgets everything: a new history begins.
    pub(super) fn reset(&self) {
        *self.lock() = State::default();
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().seen
    }

    pub(super) fn outlook(&self) -> Outlook {
        let State { now, flight, sleeps, seen, .. } = &*self.lock();
        let sleeps = sleeps.keys().map(|(until, _)| until.saturating_sub(*now)).collect();
        (*now, flight.as_ref().map(|flight| flight.is_answered), sleeps, seen.replies, seen.is_woken)
    }

    /// Whether the loop waits for anything: a request or a sleep.
    pub(super) fn is_busy(&self) -> bool {
        let state = self.lock();
        state.flight.is_some() || !state.sleeps.is_empty()
    }

    /// Notes a waiter that is polled for the first time.
    pub(super) fn arrives(&self) {
        self.lock().seen.waiters += 1;
    }

    /// Notes that a waiter is about to be dropped, or is ready.
    pub(super) fn leaves(&self) {
        self.lock().seen.waiters -= 1;
    }

    /// Notes that a waiter is about to be polled.
    pub(super) fn is_polled(&self) {
        let mut state = self.lock();
        state.is_polled = !state.is_stepping;
    }

    /// Sets what happens during the next step.
    pub(super) fn during_next_step(&self, during: During) {
        self.lock().during = Some(during);
    }

    /// Forgets what was set to happen, if it has not.
    pub(super) fn forget_what_was_set(&self) {
        let during = self.lock().during.take();
        drop(during);
    }

    /// Makes the step panic, from within what happens during it.
    pub(super) fn panic(&self) -> ! {
        let mut state = self.lock();
        (state.has_panicked, state.is_stepping) = (true, false);
        drop(state);
        resume_unwind(Box::new(Planned))
    }

    /// Wakes the loop for no reason.
    pub(super) fn wake(&self, waker: &Waker) -> bool {
        self.lock().seen.is_woken = true;
        waker.wake_by_ref();
        true
    }

    /// Lets the reply arrive. Returns whether one was awaited.
    pub(super) fn reply(&self) -> bool {
        let mut state = self.lock();
        let Some(flight) = state.flight.as_mut().filter(|flight| !flight.is_answered) else { return false };
        flight.is_answered = true;
        let waker = flight.waker.take();
        state.seen.is_woken |= waker.is_some();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        true
    }

    /// Lets time pass up to the end of the next sleep. Returns whether there was one.
    pub(super) fn tick(&self) -> bool {
        let mut state = self.lock();
        let Some((&(until, _), _)) = state.sleeps.first_key_value() else { return false };
        state.now = state.now.max(until);
        let rest = state.sleeps.split_off(&(until, u64::MAX));
        let due = std::mem::replace(&mut state.sleeps, rest);
        state.seen.is_woken = true;
        drop(state);
        due.into_values().for_each(Waker::wake);
        true
    }

    /// Notes a broken promise. Not a panic: it would run through the wait, which may be in a drop.
    pub(super) fn fault(&self, what: impl Into<String>) {
        self.lock().faults.push(what.into());
    }

    pub(super) fn faults(&self) -> Vec<String> {
        self.lock().faults.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Polls a future of the loop: `poll` is its own part, and what was set happens after it.
    fn step<T>(&self, waker: &Waker, poll: impl FnOnce(&mut State) -> Poll<T>) -> Poll<T> {
        let mut state = self.lock();
        if std::mem::replace(&mut state.is_stepping, true) {
            state.faults.push("two steps at once".to_owned());
        }
        state.seen.steps += 1;
        // A step may poll several futures: a wake-up by the first is for the next step.
        if std::mem::take(&mut state.is_polled) {
            state.seen.is_woken = false;
        }
        let polled = poll(&mut state);
        let during = state.during.take();
        drop(state);
        if let Some(during) = during {
            during(waker);
        }
        self.lock().is_stepping = false;
        polled
    }

    /// Notes a request that begins.
    fn begin(&self) {
        let mut state = self.lock();
        state.seen.requests += 1;
        if state.flight.is_some() {
            state.faults.push("two requests at once".to_owned());
        }
        if self.service.done_with.is_some_and(|last| state.seen.replies >= last) {
            state.faults.push("a request after the end".to_owned());
        }
        // With a time limit the last request lands on it, and may come sooner.
        let is_early = state.seen.replied_at.is_some_and(|at| state.now < at + DELAY);
        if is_early && self.service.timeout.is_none() {
            state.faults.push("a request before the delay was over".to_owned());
        }
        state.flight = Some(Flight { is_answered: self.service.answers_at_once, waker: None });
    }
}

/// A request in flight.
struct Sent {
    world: Arc<World>,
    /// When it may be given up.
    until: Duration,
    is_over: bool,
}

impl Future for Sent {
    type Output = Result<Reply, TransportError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let world = Arc::clone(&self.world);
        let polled = world.step(context.waker(), |state| {
            let Some(flight) = &mut state.flight else { return Poll::Pending };
            if flight.is_answered {
                return Poll::Ready(());
            }
            flight.waker = Some(context.waker().clone());
            Poll::Pending
        });
        if polled.is_pending() {
            return Poll::Pending;
        }
        // After the step: a reply of a step that panics is lost, and the next loop asks again.
        self.is_over = true;
        let mut state = world.lock();
        drop(state.flight.take());
        state.seen.replies += 1;
        state.seen.replied_at = Some(state.now);
        let is_done = world.service.done_with.is_some_and(|last| state.seen.replies >= last);
        drop(state);
        let body = if is_done { DONE } else { RUNNING };
        Poll::Ready(Ok(Reply::new(body.into())))
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut state = self.world.lock();
        let flight = state.flight.take();
        if state.seen.waiters > 0 && !state.has_panicked && state.now < self.until {
            state.faults.push("a request was given up although a waiter remains".to_owned());
        }
        drop(state);
        drop(flight);
    }
}

struct Asleep {
    world: Arc<World>,
    key: (Duration, u64),
}

impl Future for Asleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.world.step(context.waker(), |state| {
            if self.key.0 <= state.now {
                state.sleeps.remove(&self.key);
                return Poll::Ready(());
            }
            state.sleeps.insert(self.key, context.waker().clone());
            Poll::Pending
        })
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        let waker = self.world.lock().sleeps.remove(&self.key);
        drop(waker);
    }
}

/// The world as the client's transport and timer.
#[derive(Clone)]
pub(super) struct Adapter(pub(super) Arc<World>);

impl Transport for Adapter {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        self.send_within(request, max_body, Duration::MAX)
    }

    fn send_within<'a>(
        &'a self,
        _: &'a Request,
        _: usize,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Reply, TransportError>> {
        self.0.begin();
        let until = self.0.lock().now.saturating_add(limit);
        Box::pin(Sent { world: Arc::clone(&self.0), until, is_over: false })
    }
}

impl Timer for Adapter {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.0.lock();
        state.sleeps_made += 1;
        let key = (state.now.saturating_add(duration), state.sleeps_made);
        Box::pin(Asleep { world: Arc::clone(&self.0), key })
    }

    fn now(&self) -> Instant {
        self.0.origin + self.0.lock().now
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000) + self.0.lock().now
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
