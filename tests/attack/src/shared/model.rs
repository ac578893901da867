//! The model: three waiters of one shared wait, and everything that an executor, other threads and
//! the world may do to them, one action after the other.

use std::{
    future::{Future, IntoFuture},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use lro_runtime::{Operations, RawOperation, Result, Shared, Waiting};

use super::world::{Adapter, Outlook, Planned, Service, World};

/// How many waiters there are at a time.
pub(super) const WAITERS: usize = 3;

/// How many polls an operation of a few replies may need after any history: enough for each waiter
/// to be polled for each reply, delay and failed poll. A wait that needs more spins.
const MOST_POLLS: usize = 200;

/// One action on a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Polls a waiter, woken or not.
    Poll(usize),
    /// Polls a waiter, and if that makes a step, something else happens during it.
    PollWhile(usize, Meanwhile),
    Drop(usize),
    /// Puts a new waiter, which was not polled yet, in an empty place.
    Arrive(usize),
    /// The reply arrives.
    Reply,
    /// The next sleep ends.
    Tick,
}

/// What other threads do during a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meanwhile {
    Poll(usize),
    Drop(usize),
    /// A new waiter is made and polled.
    Arrive(usize),
    Reply,
    Tick,
    /// The loop is woken for no reason.
    Wake,
    /// The step panics.
    Panic,
}

/// A place for one waiter.
#[derive(Default)]
enum Place {
    #[default]
    Empty,
    Waiting(Waiter),
    /// It is being polled.
    Polled,
    /// It was ready.
    Ended,
}

struct Waiter {
    future: Pin<Box<Waiting<RawOperation>>>,
    wakes: Arc<Wakes>,
    has_arrived: bool,
}

/// The waker of a waiter.
struct Wakes {
    /// How often it woke since the waiter was last polled.
    count: AtomicU64,
    /// How many steps had been made when it last woke.
    steps: AtomicU64,
    world: Arc<World>,
    /// The place of the waiter, if the waker polls on the spot.
    in_place: Option<(Weak<Model>, usize)>,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        if self.count.fetch_add(1, Ordering::Relaxed) > 0 {
            self.world.fault("a waiter was woken again before it was polled");
        }
        self.steps.store(self.world.seen().steps, Ordering::Relaxed);
        if let Some((model, place)) = &self.in_place {
            model.upgrade().into_iter().for_each(|model| _ = model.poll(*place));
        }
    }
}

/// Three waiters and their world. One model plays many histories, one after the other.
pub(super) struct Model {
    service: Service,
    world: Arc<World>,
    operation: RawOperation,
    history: Mutex<History>,
}

#[derive(Default)]
struct History {
    shared: Option<Shared<RawOperation>>,
    places: [Place; WAITERS],
    /// What the first waiter that was ready got.
    outcome: Option<String>,
}

/// What tells a place from another: whether it is empty, ended, new, or else woken, and whether a
/// step was made since.
type PlaceOutlook = (u8, bool, bool);

impl Action {
    /// Returns every action that there is.
    pub(super) fn all() -> Vec<Self> {
        let places = || 0..WAITERS;
        let mut meanwhile = vec![Meanwhile::Reply, Meanwhile::Tick, Meanwhile::Wake, Meanwhile::Panic];
        meanwhile.extend(places().flat_map(|at| [Meanwhile::Poll(at), Meanwhile::Drop(at), Meanwhile::Arrive(at)]));
        let mut all = vec![Self::Reply, Self::Tick];
        for place in places() {
            all.extend([Self::Poll(place), Self::Drop(place), Self::Arrive(place)]);
            all.extend(meanwhile.iter().map(|meanwhile| Self::PollWhile(place, *meanwhile)));
        }
        all
    }
}

impl Model {
    pub(super) fn new(service: Service) -> Arc<Self> {
        let world = World::new(service);
        let adapter = Adapter(Arc::clone(&world));
        let builder = Operations::builder("https://model.test").transport(adapter.clone()).timer(adapter);
        let operation = builder.build().and_then(|operations| operations.resume("operations/1"));
        let operation = operation.expect("the client is legal");
        Arc::new(Self { service, world, operation, history: Mutex::default() })
    }

    /// Begins a new history, with waiters that were not polled yet.
    pub(super) fn begin(self: &Arc<Self>) {
        self.end();
        self.world.reset();
        self.lock().shared = Some(self.operation.shared(self.service.settings()));
        for place in 0..WAITERS {
            self.arrive(place);
        }
    }

    /// Drops everything.
    pub(super) fn end(&self) {
        for place in 0..WAITERS {
            self.leave(place);
        }
        let history = std::mem::take(&mut *self.lock());
        drop(history);
    }

    /// Does one action. Returns whether it was possible.
    pub(super) fn act(self: &Arc<Self>, action: Action) -> bool {
        match action {
            Action::Poll(place) => self.poll(place),
            Action::PollWhile(place, meanwhile) => {
                let has_happened = Arc::new(AtomicBool::new(false));
                let (model, happens) = (Arc::clone(self), Arc::clone(&has_happened));
                self.world.during_next_step(Box::new(move |waker| {
                    happens.store(true, Ordering::Relaxed);
                    happens.store(model.act_meanwhile(meanwhile, waker), Ordering::Relaxed);
                }));
                let polled = catch_unwind(AssertUnwindSafe(|| self.poll(place)));
                self.world.forget_what_was_set();
                if let Err(panic) = polled
                    && !panic.is::<Planned>()
                {
                    resume_unwind(panic);
                }
                has_happened.load(Ordering::Relaxed)
            }
            Action::Drop(place) => self.leave(place),
            Action::Arrive(place) => self.arrive(place),
            Action::Reply => self.world.reply(),
            Action::Tick => self.world.tick(),
        }
    }

    /// Does what other threads do during a step. Returns whether it was possible.
    fn act_meanwhile(self: &Arc<Self>, meanwhile: Meanwhile, waker: &Waker) -> bool {
        match meanwhile {
            Meanwhile::Poll(place) => self.poll(place),
            Meanwhile::Drop(place) => self.leave(place),
            Meanwhile::Arrive(place) => self.arrive(place) && self.poll(place),
            Meanwhile::Reply => self.world.reply(),
            Meanwhile::Tick => self.world.tick(),
            Meanwhile::Wake => self.world.wake(waker),
            Meanwhile::Panic => self.world.panic(),
        }
    }

    /// Returns the promises that were broken.
    pub(super) fn faults(&self) -> Vec<String> {
        self.world.faults()
    }

    /// Returns the number of requests and of steps.
    pub(super) fn effort(&self) -> (u64, u64) {
        let seen = self.world.seen();
        (u64::from(seen.requests), seen.steps)
    }

    /// Returns the places of those that wait.
    pub(super) fn waiting(&self) -> Vec<usize> {
        let places = &self.lock().places;
        (0..WAITERS).filter(|place| matches!(places.get(*place), Some(Place::Waiting(_)))).collect()
    }

    /// Plays an executor to these waiters: polls those that were woken, and lets the world go on
    /// when none was. All others are held and never polled. Notes a fault where one waits for ever.
    pub(super) fn finish(self: &Arc<Self>, live: &[usize]) {
        for _ in 0..MOST_POLLS {
            if let Some(place) = live.iter().copied().find(|place| self.is_runnable(*place)) {
                self.poll(place);
                continue;
            }
            if !self.waiting().iter().any(|place| live.contains(place)) {
                return;
            }
            if !self.world.reply() && !self.world.tick() {
                return self.world.fault(format!("of {live:?}, the waiters {:?} wait for ever", self.waiting()));
            }
        }
        self.world.fault(format!("{live:?} spin"));
    }

    /// Returns what the rest of a history can depend on, as far as it can be seen from outside.
    pub(super) fn outlook(&self) -> (Outlook, Vec<PlaceOutlook>, usize, bool) {
        let steps = self.world.seen().steps;
        let history = self.lock();
        let outlook = |place: &Place| match place {
            Place::Empty => (0, false, false),
            Place::Ended => (1, false, false),
            Place::Polled => (2, false, false),
            Place::Waiting(waiter) => {
                let is_woken = waiter.wakes.count.load(Ordering::Relaxed) > 0;
                let has_stepped = waiter.wakes.steps.load(Ordering::Relaxed) < steps;
                (3 + u8::from(waiter.has_arrived), is_woken, has_stepped)
            }
        };
        let mut places: Vec<_> = history.places.iter().map(outlook).collect();
        // In which place a waiter stands makes no difference.
        places.sort_unstable();
        (self.world.outlook(), places, self.world.seen().waiters, history.outcome.is_some())
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an executor would poll the waiter: it is new, or was woken.
    fn is_runnable(&self, place: usize) -> bool {
        match self.lock().places.get(place) {
            Some(Place::Waiting(waiter)) => !waiter.has_arrived || waiter.wakes.count.load(Ordering::Relaxed) > 0,
            _ => false,
        }
    }

    /// Puts a new waiter in a place where none waits. Returns whether that was possible.
    fn arrive(self: &Arc<Self>, place: usize) -> bool {
        let mut history = self.lock();
        let History { shared: Some(shared), places, .. } = &mut *history else { return false };
        let Some(free @ (Place::Empty | Place::Ended)) = places.get_mut(place) else { return false };
        let in_place = self.service.wakes_in_place.then(|| (Arc::downgrade(self), place));
        let world = Arc::clone(&self.world);
        let wakes = Wakes { count: AtomicU64::new(0), steps: AtomicU64::new(0), world, in_place };
        let future = Box::pin(shared.clone().into_future());
        *free = Place::Waiting(Waiter { future, wakes: Arc::new(wakes), has_arrived: false });
        true
    }

    /// Takes a waiter out of its place, where `left` remains.
    fn take(&self, place: usize, left: Place) -> Option<Waiter> {
        let mut history = self.lock();
        let place = history.places.get_mut(place).filter(|place| matches!(place, Place::Waiting(_)))?;
        let Place::Waiting(waiter) = std::mem::replace(place, left) else { return None };
        Some(waiter)
    }

    fn put(&self, place: usize, put: Place) {
        if let Some(place) = self.lock().places.get_mut(place) {
            *place = put;
        }
    }

    /// Drops a waiter. Returns whether there was one.
    fn leave(&self, place: usize) -> bool {
        let Some(waiter) = self.take(place, Place::Empty) else { return false };
        if waiter.has_arrived {
            self.world.leaves();
        }
        drop(waiter);
        if self.world.seen().waiters == 0 && self.world.is_busy() {
            self.world.fault("the loop goes on without waiters");
        }
        true
    }

    /// Polls a waiter. Returns whether there was one.
    fn poll(&self, place: usize) -> bool {
        let Some(mut waiter) = self.take(place, Place::Polled) else { return false };
        let was_over = self.lock().outcome.is_some();
        self.world.is_polled();
        let before = self.world.seen();
        let has_nothing_to_do = self.world.is_busy() && !before.is_woken;
        if !std::mem::replace(&mut waiter.has_arrived, true) {
            self.world.arrives();
        }
        waiter.wakes.count.store(0, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&waiter.wakes));
        let poll = || waiter.future.as_mut().poll(&mut Context::from_waker(&waker));
        let polled = catch_unwind(AssertUnwindSafe(poll));
        if has_nothing_to_do && self.world.seen().steps > before.steps {
            self.world.fault("a step that nothing woke");
        }
        match polled {
            Ok(Poll::Ready(ended)) => {
                self.world.leaves();
                self.put(place, Place::Ended);
                self.compare(&ended);
            }
            Ok(Poll::Pending) => {
                self.put(place, Place::Waiting(waiter));
                if was_over {
                    self.world.fault("a waiter waits after the end");
                }
            }
            Err(panic) => {
                self.put(place, Place::Waiting(waiter));
                resume_unwind(panic);
            }
        }
        true
    }

    /// Notes a fault if this waiter got another outcome than those before it.
    fn compare(&self, ended: &Result<RawOperation>) {
        let outcome = match ended {
            Ok(operation) => format!("{} {:?}", operation.state(), operation.raw()),
            Err(error) => error.to_string(),
        };
        let mut history = self.lock();
        let first = history.outcome.get_or_insert_with(|| outcome.clone());
        let is_same = *first == outcome;
        drop(history);
        if !is_same {
            self.world.fault(format!("another outcome: {outcome}"));
        }
    }
}
