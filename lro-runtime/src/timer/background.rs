//! The background thread: it runs futures that nobody waits for, many at once.

use std::{
    collections::{BTreeSet, HashMap},
    future::poll_fn,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Instant,
};

use super::{
    park::{block_on, poll_again_at, poll_aside},
    queue::Queue,
};
use crate::{transport::BoxFuture, url::Origin};

/// One thread for any number of futures. It starts with the first and ends with the last, and it is
/// a thread of [`block_on`]: a future may sleep by [`blocking_timer`](super::park::blocking_timer).
///
/// Only so many futures run [at once](super::queue::MOST), and [of one
/// origin](super::queue::MOST_OF_AN_ORIGIN). The others are queued and not polled before it is
/// their turn, so that a time limit that a future sets itself does not count the queue.
///
/// A future that panics ends alone.
pub(crate) struct Background {
    name: &'static str,
    state: Mutex<State>,
}

struct State {
    /// Wakes the thread; `None` while there is none, or before its first round.
    thread: Option<Waker>,
    is_running: bool,
    /// Never used twice, so that the late wake-up of a future that has ended meets no other.
    last_id: u64,
    arrived: Vec<(Origin, u64, BoxFuture<'static, ()>)>,
    /// The futures to poll. One that was woken twice is here twice, and polled twice.
    woken: Vec<u64>,
}

/// The thread of a [`Background`], which runs: whether it could be started is known before there is
/// a future to lose.
pub(crate) struct Started<'a>(MutexGuard<'a, State>);

impl Background {
    /// Creates a background whose thread will have this name.
    pub(crate) const fn new(name: &'static str) -> Self {
        let state = State { thread: None, is_running: false, last_id: 0, arrived: vec![], woken: vec![] };
        Self { name, state: Mutex::new(state) }
    }

    /// Starts the thread, unless it runs.
    ///
    /// # Errors
    ///
    /// The operating system's, if it has no thread left.
    pub(crate) fn start(&'static self) -> io::Result<Started<'static>> {
        // `Builder::spawn` returns an error where `thread::spawn` panics.
        self.start_by(|run| thread::Builder::new().name(self.name.to_owned()).spawn(run).map(drop))
    }

    fn start_by(
        &'static self,
        spawn: impl FnOnce(Box<dyn FnOnce() + Send>) -> io::Result<()>,
    ) -> io::Result<Started<'static>> {
        let mut state = self.lock();
        if !state.is_running {
            spawn(Box::new(|| self.run()))?;
            state.is_running = true;
        }
        Ok(Started(state))
    }

    /// Runs until there is no future left.
    fn run(&'static self) {
        let _ended = Ended(self); // dropped last: after the futures
        let mut futures = Futures::default();
        block_on(poll_fn(|context| {
            let mut state = self.lock();
            // `block_on` may poll with another waker than before.
            state.thread.get_or_insert_with(|| context.waker().clone()).clone_from(context.waker());
            let (arrived, woken) = (std::mem::take(&mut state.arrived), std::mem::take(&mut state.woken));
            // Unlocked for the polls: a future may wake itself, or bring another one.
            drop(state);
            for (origin, id, future) in arrived {
                futures.queue.push(origin, (id, future));
            }
            let due = futures.due();
            woken.into_iter().chain(due).for_each(|id| futures.poll(id));
            while let Some(id) = futures.begin_next(self) {
                futures.poll(id);
            }
            let mut state = self.lock();
            // Under the lock that a future arrives under: one that comes later finds no thread, and
            // starts the next one.
            if futures.queue.is_empty() && state.arrived.is_empty() {
                (state.is_running, state.thread) = (false, None);
                state.woken.clear();
                return Poll::Ready(());
            }
            poll_again_at(futures.sleeping.first().map(|(until, _)| *until));
            Poll::Pending
        }));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that the thread has ended where it was unwound. A background that only seems to run would
/// never run a future again; this one starts its next thread with the next future.
struct Ended(&'static Background);

impl Drop for Ended {
    fn drop(&mut self) {
        if thread::panicking() {
            let mut state = self.0.lock();
            (state.is_running, state.thread) = (false, None);
        }
    }
}

impl Started<'_> {
    /// Hands a future to the thread, which will ask this origin.
    pub(crate) fn run(mut self, origin: Origin, future: BoxFuture<'static, ()>) {
        self.0.last_id += 1;
        let id = self.0.last_id;
        self.0.arrived.push((origin, id, future));
        wake(self.0);
    }
}

/// The futures that the thread runs.
#[derive(Default)]
struct Futures {
    all: HashMap<u64, Entry>,
    /// When to poll which future again, because it sleeps.
    sleeping: BTreeSet<(Instant, u64)>,
    queue: Queue<(u64, BoxFuture<'static, ()>)>,
}

struct Entry {
    origin: Origin,
    future: BoxFuture<'static, ()>,
    waker: Waker,
    until: Option<Instant>,
}

impl Futures {
    /// Takes the next future out of the queue, unless as many run as may, and returns its id.
    fn begin_next(&mut self, background: &'static Background) -> Option<u64> {
        let (origin, (id, future)) = self.queue.begin()?;
        let waker = Waker::from(Arc::new(WakeUp { background, id }));
        self.all.insert(id, Entry { origin, future, waker, until: None });
        Some(id)
    }

    /// Returns the futures whose sleep is over.
    fn due(&self) -> Vec<u64> {
        if self.sleeping.is_empty() {
            return vec![];
        }
        let now = Instant::now();
        self.sleeping.iter().take_while(|(until, _)| *until <= now).map(|(_, id)| *id).collect()
    }

    /// Polls a future, and removes it if it has ended.
    fn poll(&mut self, id: u64) {
        let Some(Entry { origin, mut future, waker, until }) = self.all.remove(&id) else { return };
        if let Some(until) = until {
            self.sleeping.remove(&(until, id));
        }
        let polled = isolated(|| poll_aside(future.as_mut(), &mut Context::from_waker(&waker)));
        if let Some((Poll::Pending, until)) = polled {
            self.sleeping.extend(until.map(|until| (until, id)));
            self.all.insert(id, Entry { origin, future, waker, until });
        } else {
            self.queue.end(&origin);
            // On its own, because the drop may panic as well: while a panic of the poll unwinds,
            // that would abort the process.
            isolated(|| drop(future));
        }
    }
}

/// Runs code of somebody else. Returns `None` if it panicked, which the process's hook has printed.
pub(crate) fn isolated<T>(run: impl FnOnce() -> T) -> Option<T> {
    // What was thrown is never dropped: it may be of any type, and its drop may panic, here where
    // nothing would catch it.
    catch_unwind(AssertUnwindSafe(run)).map_err(std::mem::forget).ok()
}

/// Wakes one future of a background.
struct WakeUp {
    background: &'static Background,
    id: u64,
}

impl Wake for WakeUp {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.background.lock();
        if state.is_running {
            state.woken.push(self.id);
            wake(state);
        }
    }
}

/// Wakes the thread, which takes the lock.
fn wake(state: MutexGuard<'_, State>) {
    let thread = state.thread.clone();
    drop(state);
    if let Some(thread) = thread {
        thread.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::mpsc::{self, Sender},
        time::Duration,
    };

    use super::*;
    use crate::timer::{Timer, park::ParkTimer};

    fn origin(number: u64) -> Origin {
        Origin::of(&format!("http://{number}.test").parse().unwrap()).unwrap()
    }

    fn background() -> &'static Background {
        Box::leak(Box::new(Background::new("test")))
    }

    /// Returns a future that is ready once it was woken twice, each time from another thread.
    fn woken_twice() -> BoxFuture<'static, ()> {
        let mut polls = 0;
        Box::pin(poll_fn(move |context| {
            polls += 1;
            let waker = context.waker().clone();
            thread::spawn(move || waker.wake());
            if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
        }))
    }

    /// Runs a future that then says its number.
    fn run(background: &'static Background, ended: &Sender<u64>, number: u64, future: BoxFuture<'static, ()>) {
        let ended = ended.clone();
        background.start().unwrap().run(
            origin(number % 4),
            Box::pin(async move {
                future.await;
                ended.send(number).unwrap();
            }),
        );
    }

    #[test]
    fn futures_run_at_once_whether_they_sleep_or_are_woken() {
        let (background, (ended, order)) = (background(), mpsc::channel());
        let sleep = |milliseconds| ParkTimer.sleep(Duration::from_millis(milliseconds));
        run(background, &ended, 0, Box::pin(pending()));
        run(background, &ended, 1, sleep(20));
        run(background, &ended, 2, sleep(10));
        run(background, &ended, 3, woken_twice());
        let mut all = [(); 3].map(|()| order.recv().unwrap());
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3]);
    }

    #[test]
    fn a_future_that_panics_ends_alone() {
        let (background, (ended, order)) = (background(), mpsc::channel());
        run(background, &ended, 1, ParkTimer.sleep(Duration::from_millis(50)));
        run(background, &ended, 0, Box::pin(async { panic!("out of paper") }));
        run(background, &ended, 0, Box::pin(poll_fn(|_| panic!("out of ink"))));
        assert_eq!(order.recv().unwrap(), 1);
    }

    #[test]
    fn no_more_than_a_hundred_futures_run_at_once_and_the_others_follow() {
        let (background, (ended, order)) = (background(), mpsc::channel());
        let (begun, begins) = mpsc::channel();
        let ends: Vec<Sender<()>> = (0..250)
            .map(|number| {
                let (begun, (end, may_end)) = (begun.clone(), mpsc::channel());
                let mut is_first = true;
                let future = poll_fn(move |context| {
                    if std::mem::take(&mut is_first) {
                        begun.send((number, context.waker().clone())).unwrap();
                    }
                    if may_end.try_recv().is_ok() { Poll::Ready(()) } else { Poll::Pending }
                });
                run(background, &ended, number, Box::pin(future));
                end
            })
            .collect();
        for (from, to) in [(0, 100), (100, 200), (200, 250)] {
            let begun: Vec<(u64, Waker)> = (from..to).map(|_| begins.recv().unwrap()).collect();
            assert_eq!(begun.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (from..to).collect::<Vec<_>>());
            // A round that begins no other future: one is woken and goes on.
            begun[0].1.wake_by_ref();
            thread::sleep(Duration::from_millis(20));
            assert!(begins.try_recv().is_err(), "more than {to} have begun");
            for (number, waker) in begun {
                ends[usize::try_from(number).unwrap()].send(()).unwrap();
                waker.wake();
            }
        }
        let mut all: Vec<u64> = (0..250).map(|_| order.recv().unwrap()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..250).collect::<Vec<_>>());
    }

    /// Panics when it is dropped.
    struct Spring;

    impl Drop for Spring {
        fn drop(&mut self) {
            panic!("out of the box");
        }
    }

    #[test]
    fn what_a_future_throws_and_what_it_leaves_may_panic_when_dropped() {
        let (background, (ended, order)) = (background(), mpsc::channel());
        run(background, &ended, 1, ParkTimer.sleep(Duration::from_millis(50)));
        run(background, &ended, 0, Box::pin(poll_fn(|_| std::panic::panic_any(Spring))));
        let spring = Spring;
        background.start().unwrap().run(
            origin(0),
            Box::pin(poll_fn(move |_| {
                let _kept = &spring;
                panic!("out of ink");
            })),
        );
        let spring = Spring;
        background.start().unwrap().run(
            origin(0),
            Box::pin(poll_fn(move |_| {
                let _kept = &spring;
                Poll::Ready(())
            })),
        );
        assert_eq!(order.recv_timeout(Duration::from_secs(20)).unwrap(), 1);
    }

    #[test]
    fn a_thread_that_is_unwound_is_followed_by_the_next() {
        let background = background();
        background.lock().is_running = true;
        let unwound = thread::spawn(|| {
            let _ended = Ended(background);
            panic!("out of paper");
        });
        assert!(unwound.join().is_err());
        let (ended, order) = mpsc::channel();
        run(background, &ended, 7, woken_twice());
        assert_eq!(order.recv_timeout(Duration::from_secs(20)).unwrap(), 7);
    }

    #[test]
    fn the_thread_ends_with_the_last_future_and_starts_again_with_the_next() {
        let (background, (ended, order)) = (background(), mpsc::channel());
        for number in 0..100 {
            run(background, &ended, number, woken_twice());
            assert_eq!(order.recv().unwrap(), number);
        }
        while background.lock().is_running {
            thread::yield_now();
        }
        let state = background.lock();
        assert!(state.thread.is_none() && state.woken.is_empty() && state.arrived.is_empty());
    }

    #[test]
    fn a_thread_that_cannot_be_started_is_tried_again() {
        let background = background();
        let fails = background.start_by(|_| Err(io::ErrorKind::OutOfMemory.into()));
        assert_eq!(fails.err().unwrap().kind(), io::ErrorKind::OutOfMemory);
        let (ended, order) = mpsc::channel();
        run(background, &ended, 7, woken_twice());
        assert_eq!(order.recv().unwrap(), 7);
    }
}
