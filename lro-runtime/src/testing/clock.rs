//! A virtual clock: a timer whose sleeps end without real time passing.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    timer::{self, BoxSleep, Timer},
    transport::BoxFuture,
};

/// How often the earliest sleep is polled without any change before the clock jumps to its
/// deadline. Other tasks that were woken run in between; a task that is about to start a shorter
/// sleep must do so before the jump.
const POLLS_BEFORE_JUMP: u32 = 4;

/// How often, multiplied by the number of sleeps, later sleeps are polled without any change before
/// the clock jumps without waiting for the earliest sleep to be polled. The task that owns the
/// earliest sleep may be waiting for something else.
const POLLS_BEFORE_JUMP_UNAIDED: usize = 16;

/// The initial wall clock time: 2030-01-01T00:00:00Z. It is fixed, so that tokens and log lines are
/// the same in every run.
const SYSTEM_START: Duration = Duration::from_secs(1_893_456_000);

/// The end of virtual time, 100 years ahead: an addition to an [`Instant`] that every platform can
/// represent. A sleep that begins there panics.
const END_OF_TIME: Duration = Duration::from_secs(86_400 * 365 * 100);

/// A [`Timer`] on which an hour passes at once.
///
/// The clock stands still while any task has work to do. Once every task that was polled is
/// waiting, the clock jumps to the earliest deadline. A wait of an hour takes as long as its polls
/// take, and of two sleeps the shorter one always ends first. The clock needs no executor and works
/// with any. On an executor with several threads it cannot see whether another thread is still
/// busy: use one thread there, or [`manual`](Self::manual). The clock does not wait for sockets.
/// Use it with a [`ScriptedTransport`](super::ScriptedTransport), and the real clock with an
/// [`LroServer`](super::LroServer).
///
/// Clones share one clock.
///
/// ```
/// use std::time::Duration;
/// use lro_runtime::{Timer, block_on, testing::VirtualClock};
///
/// let clock = VirtualClock::new();
/// block_on(clock.sleep(Duration::from_secs(3600)));
/// assert_eq!(clock.elapsed(), Duration::from_secs(3600));
/// ```
#[derive(Clone)]
pub struct VirtualClock {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    automatic: bool,
    origin: Instant,
    /// The wall clock at [`origin`](Self::origin).
    system_origin: SystemTime,
    elapsed: Duration,
    sleepers: BTreeMap<Key, Waker>,
    next_id: u64,
    /// How often the earliest sleep was polled since the last change. A change is a sleep that
    /// starts, ends or is dropped.
    quiet: u32,
    /// How often other sleeps were polled since the last change.
    stalled: usize,
}

/// Identifies a sleep by its deadline, then by the order in which sleeps were made.
type Key = (Duration, u64);

impl VirtualClock {
    /// Creates a clock that jumps by itself.
    #[must_use]
    pub fn new() -> Self {
        Self::with_mode(true)
    }

    /// Creates a clock that moves only when [`advance`](Self::advance) is called.
    ///
    /// ```
    /// use std::time::Duration;
    /// use lro_runtime::{Timer, block_on, testing::VirtualClock};
    ///
    /// let clock = VirtualClock::manual();
    /// let sleep = std::thread::spawn({
    ///     let clock = clock.clone();
    ///     move || block_on(clock.sleep(Duration::from_secs(60)))
    /// });
    /// while clock.next_deadline().is_none() {
    ///     std::thread::yield_now();
    /// }
    /// assert_eq!(clock.next_deadline(), Some(Duration::from_secs(60)));
    /// clock.advance(Duration::from_secs(60));
    /// sleep.join().unwrap();
    /// ```
    #[must_use]
    pub fn manual() -> Self {
        Self::with_mode(false)
    }

    fn with_mode(automatic: bool) -> Self {
        let shared = Shared {
            automatic,
            origin: Instant::now(),
            system_origin: SystemTime::UNIX_EPOCH + SYSTEM_START,
            elapsed: Duration::ZERO,
            sleepers: BTreeMap::new(),
            next_id: 0,
            quiet: 0,
            stalled: 0,
        };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    /// Returns how far the clock has moved since it was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    /// Moves the clock ahead by `duration` and wakes every sleep that is due.
    ///
    /// The clock moves in one step, like the clock of a machine that was suspended: a sleep with a
    /// deadline in between ends late. To meet every deadline, advance by
    /// [`next_deadline`](Self::next_deadline).
    pub fn advance(&self, duration: Duration) {
        let mut shared = self.lock();
        let to = shared.elapsed.saturating_add(duration);
        let due = shared.move_to(to);
        // Unlocked before waking: an executor may poll inside `wake`, and polling a sleep takes
        // this lock.
        drop(shared);
        wake(due);
    }

    /// Returns how long until the earliest sleep ends, or `None` without a sleep.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let shared = self.lock();
        let ((deadline, _), _) = shared.sleepers.first_key_value()?;
        Some(deadline.saturating_sub(shared.elapsed))
    }

    /// Sets the wall clock, which server hints with a date and the age of tokens depend on. Sleeps
    /// are not affected.
    ///
    /// Default: 2030-01-01T00:00:00Z when the clock is made, so that results are the same in every
    /// run.
    pub fn set_system_time(&self, now: SystemTime) {
        let mut shared = self.lock();
        shared.system_origin = now.checked_sub(shared.elapsed).unwrap_or(SystemTime::UNIX_EPOCH);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Moves the clock to `elapsed`. Returns the wakers of the sleeps that are due, for the caller
    /// to wake after it has released the lock.
    #[must_use]
    fn move_to(&mut self, elapsed: Duration) -> Vec<Waker> {
        self.elapsed = elapsed.min(END_OF_TIME);
        self.changed();
        // `u64::MAX` as the id: sleeps whose deadline is exactly now are due as well.
        let rest = self.sleepers.split_off(&(self.elapsed, u64::MAX));
        std::mem::replace(&mut self.sleepers, rest).into_values().collect()
    }

    /// Makes the key of a sleep that began at `now`.
    fn key(&mut self, now: Instant, duration: Duration) -> Key {
        // A loop of sleeps that never ends would otherwise spin at the end of time without ever
        // returning: a test that waits for ever is to fail, not to hang.
        assert!(
            self.elapsed < END_OF_TIME || duration.is_zero(),
            "the virtual clock reached its end, 100 years ahead: something waits for ever"
        );
        self.next_id += 1;
        let began = now.saturating_duration_since(self.origin);
        (began.saturating_add(duration).min(END_OF_TIME), self.next_id)
    }

    fn changed(&mut self) {
        (self.quiet, self.stalled) = (0, 0);
    }

    /// Returns the waker of the earliest sleep, which has to be polled for an automatic clock to
    /// move.
    fn earliest(&self) -> Option<Waker> {
        self.sleepers.first_key_value().filter(|_| self.automatic).map(|(_, waker)| waker.clone())
    }

    /// Polls the sleep `key`. Returns the result, and the wakers for the caller to wake after it
    /// has released the lock.
    ///
    /// No task can tell the clock that it is idle. So each poll of a sleep wakes the earliest one:
    /// executors run woken tasks in turn, and once the earliest sleep has come round more than
    /// [`POLLS_BEFORE_JUMP`] times without a change, nothing else is left to run.
    fn poll(&mut self, key: Key, waker: &Waker) -> (Poll<()>, Vec<Waker>) {
        let (deadline, _) = key;
        if deadline <= self.elapsed {
            self.sleepers.remove(&key);
            return (Poll::Ready(()), self.earliest().into_iter().collect());
        }
        if self.sleepers.insert(key, waker.clone()).is_none() {
            self.changed();
        }
        let first = self.sleepers.first_key_value().map_or(key, |(first, _)| *first);
        let is_earliest = first == key;
        if is_earliest {
            self.quiet = self.quiet.saturating_add(1);
        } else {
            self.stalled = self.stalled.saturating_add(1);
        }
        // A task may hold the earliest sleep and wait for something else. It then never polls that
        // sleep, and the other sleeps must not wait for it.
        let is_stalled = self.stalled > POLLS_BEFORE_JUMP_UNAIDED.saturating_mul(self.sleepers.len());
        if !self.automatic || (self.quiet <= POLLS_BEFORE_JUMP && !is_stalled) {
            return (Poll::Pending, self.earliest().into_iter().collect());
        }
        let mut due = self.move_to(first.0);
        due.extend(self.earliest());
        (if deadline <= self.elapsed { Poll::Ready(()) } else { Poll::Pending }, due)
    }
}

fn wake(wakers: Vec<Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.lock();
        f.debug_struct("VirtualClock")
            .field("elapsed", &shared.elapsed)
            .field("automatic", &shared.automatic)
            .field("sleepers", &shared.sleepers.len())
            .finish()
    }
}

impl Timer for VirtualClock {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep::of(self.clone(), duration))
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(Sleep::of(self.clone(), duration)))
    }

    fn now(&self) -> Instant {
        let shared = self.lock();
        shared.origin.checked_add(shared.elapsed).unwrap_or(shared.origin)
    }

    fn system_time(&self) -> SystemTime {
        let shared = self.lock();
        shared.system_origin.checked_add(shared.elapsed).unwrap_or(shared.system_origin)
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

struct Sleep {
    clock: VirtualClock,
    key: Key,
    has_yielded: bool,
}

impl Sleep {
    /// Makes a sleep that begins now.
    fn of(clock: VirtualClock, duration: Duration) -> Self {
        let now = clock.now();
        Self::since(clock, now, duration)
    }

    /// Makes a sleep that began at `now`. It is registered at its first poll, not here: a sleep
    /// that is never polled must not hold up the clock.
    fn since(clock: VirtualClock, now: Instant, duration: Duration) -> Self {
        let key = clock.lock().key(now, duration);
        Self { clock, key, has_yielded: false }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (polled, wakers) = self.clock.lock().poll(self.key, context.waker());
        wake(wakers);
        if polled.is_pending() && !std::mem::replace(&mut self.has_yielded, true) {
            // A task on another thread may be about to start a shorter sleep: let it run. Once per
            // sleep, because a yield at every poll costs real time in every test.
            thread::yield_now();
        }
        polled
    }
}

impl timer::Sleep for Sleep {
    fn set(mut self: Pin<&mut Self>, duration: Duration) {
        *self = Self::of(self.clock.clone(), duration);
    }

    fn set_from(mut self: Pin<&mut Self>, now: Instant, duration: Duration) {
        *self = Self::since(self.clock.clone(), now, duration);
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut shared = self.clock.lock();
        if shared.sleepers.remove(&self.key).is_some() {
            shared.changed();
            // The dropped sleep may have been the one that drove the clock. The next one takes
            // over.
            let earliest = shared.earliest();
            drop(shared);
            wake(earliest.into_iter().collect());
        }
    }
}
