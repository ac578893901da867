//! Waiters on real threads: a service on a thread of its own, and a wait that may not hang.

use std::{
    future::{Future, IntoFuture},
    pin::{Pin, pin},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use lro_runtime::{
    Operations, PollSettings, RawOperation, Result, Shared, Timer, Transport,
    transport::{BoxFuture, Reply, Request, TransportError},
};

use crate::round::Counts;

/// The delay between two polls; a longer sleep is a time limit and does not end.
const DELAY: Duration = Duration::from_secs(1);

/// After which real time a wait hangs. Only a wait that is broken takes so long.
const HANGS: Duration = Duration::from_secs(60);

/// Plays one shared wait whose waiters are on threads.
///
/// # Panics
///
/// If a waiter hangs, gets another outcome, or the loop is not one.
pub(super) fn wait_on_threads(seed: u64) -> Counts {
    let mut random = fastrand::Rng::with_seed(seed);
    let last = random.u32(1..12);
    let desk = Arc::new(Desk { last, origin: Instant::now(), state: Mutex::default(), is_changed: Condvar::new() });
    let builder = Operations::builder("https://threads.test").transport(At(Arc::clone(&desk)));
    let operations = builder.timer(At(Arc::clone(&desk))).build().expect("the client is legal");
    let settings = PollSettings::default().with_delay(DELAY).with_multiplier(1.0).without_expiration();
    let shared = operations.resume("operations/1").expect("the name is legal").shared(settings);

    let (ended, ends) = mpsc::channel();
    let threads = random.usize(2..8);
    for thread in 0..threads {
        let (shared, ended, random) = (shared.clone(), ended.clone(), random.fork());
        // The first waits to the end: there is always one that does.
        thread::spawn(move || ended.send(play(&shared, random, thread == 0)));
    }
    drop(ended);
    let service = thread::spawn({
        let (desk, random) = (Arc::clone(&desk), random.fork());
        move || desk.serve(random)
    });
    let mut counts = Counts::default();
    for _ in 0..threads {
        match ends.recv_timeout(HANGS) {
            Ok(of_thread) => counts.merge(of_thread),
            Err(RecvTimeoutError::Timeout) => panic!("a waiter hangs"),
            Err(RecvTimeoutError::Disconnected) => panic!("a waiter has panicked"),
        }
    }
    desk.close();
    service.join().expect("the service does not panic");
    let State { requests, replies, given_up, in_flight, were_two, .. } = &*desk.lock();
    assert!(!were_two, "two requests at once");
    assert_eq!((*in_flight, *replies, *requests), (0, last, replies + given_up), "one loop, whose requests are known");
    counts.add("requests", u64::from(*requests));
    counts.add("given_up", u64::from(*given_up));
    counts
}

/// Plays the waiters of one thread, one after the other.
fn play(shared: &Shared<RawOperation>, mut random: fastrand::Rng, stays: bool) -> Counts {
    let mut counts = Counts::default();
    let mut held = vec![];
    for _ in 0..random.usize(0..20) {
        let mut waiter = Box::pin(shared.clone().into_future());
        for _ in 0..random.usize(1..4) {
            if let Poll::Ready(ended) = waiter.as_mut().poll(&mut Context::from_waker(&unparking())) {
                check(&ended);
                break;
            }
            thread::yield_now();
        }
        if random.bool() {
            counts.add("dropped", 1);
        } else {
            counts.add("held", 1);
            held.push(waiter);
        }
        if held.len() > 3 {
            drop(held.swap_remove(random.usize(..held.len())));
        }
    }
    if stays || random.bool() {
        check(&shared.wait_blocking());
        counts.add("waited", 1);
    }
    counts
}

fn check(ended: &Result<RawOperation>) {
    assert!(ended.as_ref().is_ok_and(RawOperation::is_succeeded), "{ended:?}");
}

/// Returns a waker that unparks this thread.
fn unparking() -> Waker {
    struct Unpark(thread::Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    Waker::from(Arc::new(Unpark(thread::current())))
}

/// The service and the clock: what is asked of them waits here for the service's thread.
struct Desk {
    /// With which reply the operation is done.
    last: u32,
    origin: Instant,
    state: Mutex<State>,
    is_changed: Condvar,
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    now: Duration,
    requests: u32,
    replies: u32,
    given_up: u32,
    in_flight: u32,
    were_two: bool,
    is_closed: bool,
}

/// A request or a sleep.
struct Asked {
    slot: Arc<Mutex<Slot>>,
    sleeps_for: Option<Duration>,
}

/// Where the future of what was asked and the service meet.
#[derive(Default)]
struct Slot {
    is_ready: bool,
    waker: Option<Waker>,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers until it is closed, in an order and after pauses of its own.
    fn serve(&self, mut random: fastrand::Rng) {
        loop {
            let mut state = self.lock();
            while state.asked.is_empty() && !state.is_closed {
                state = self.is_changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.asked.is_empty() {
                return;
            }
            let next = random.usize(..state.asked.len());
            let asked = state.asked.swap_remove(next);
            state.now += asked.sleeps_for.unwrap_or_default();
            drop(state);
            (0..random.usize(0..8)).for_each(|_| thread::yield_now());
            let mut slot = asked.slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.is_ready = true;
            let waker = slot.waker.take();
            drop(slot);
            waker.into_iter().for_each(Waker::wake);
        }
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.is_changed.notify_all();
    }

    /// Asks for an answer, or for the end of a sleep.
    fn ask(&self, sleeps_for: Option<Duration>) -> Arc<Mutex<Slot>> {
        let slot = Arc::default();
        // A time limit does not end: the service is slow but never silent.
        if sleeps_for.is_none_or(|duration| duration <= DELAY) {
            self.lock().asked.push(Asked { slot: Arc::clone(&slot), sleeps_for });
            self.is_changed.notify_all();
        }
        slot
    }
}

/// The desk as the client's transport and timer.
struct At(Arc<Desk>);

/// What was asked, as a future.
struct Answer(Arc<Mutex<Slot>>);

impl Future for Answer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_ready {
            return Poll::Ready(());
        }
        let replaced = slot.waker.replace(context.waker().clone());
        drop(slot);
        drop(replaced);
        Poll::Pending
    }
}

/// Counts a request as given up unless it was read.
struct InFlight<'a> {
    desk: &'a Desk,
    was_read: bool,
}

impl InFlight<'_> {
    fn read(&mut self) {
        self.was_read = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.desk.lock();
        state.in_flight -= 1;
        state.given_up += u32::from(!self.was_read);
    }
}

impl Transport for At {
    fn send<'a>(&'a self, _: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let mut state = self.0.lock();
        state.requests += 1;
        state.in_flight += 1;
        state.were_two |= state.in_flight > 1;
        drop(state);
        let mut in_flight = InFlight { desk: &self.0, was_read: false };
        let answer = Answer(self.0.ask(None));
        Box::pin(async move {
            pin!(answer).await;
            in_flight.read();
            let mut state = self.0.lock();
            state.replies += 1;
            let is_done = state.replies >= self.0.last;
            let body =
                if is_done { r#"{"name": "operations/1", "done": true}"# } else { r#"{"name": "operations/1"}"# };
            Ok(Reply::new(body.into()))
        })
    }
}

impl Timer for At {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Answer(self.0.ask(Some(duration))))
    }

    fn now(&self) -> Instant {
        self.0.origin + self.0.lock().now
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
