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

use crate::{timer::Timer, transport::BoxFuture};

/// How often the earliest sleep is polled in vain before the clock jumps to it: other tasks that were woken get their turn first.
const PATIENCE: u32 = 4;

/// How often, for each sleep there is, later ones are polled in vain before the clock jumps to the earliest without its help.
const STUBBORNNESS: usize = 16;

/// The wall clock when nobody sets it: 2030-01-01T00:00:00Z.
const NEW_YEAR: Duration = Duration::from_secs(1_893_456_000);

/// What an [`Instant`] can be ahead of another one everywhere: whoever sleeps there panics.
const END_OF_TIME: Duration = Duration::from_secs(86_400 * 365 * 100);

/// A [`Timer`] on which an hour passes at once.
///
/// The clock stands still while there is something to do. Once everything that was polled is waiting, it jumps to the earliest deadline: an
/// hour's wait takes as long as its polls take, and of two sleeps the shorter one ends first, always. It needs no executor and works with any; on
/// an executor of several threads it cannot see whether another thread is still busy, so there use one thread or [`manual`](Self::manual).
/// It does not wait for sockets: use it with a [`ScriptedTransport`](super::ScriptedTransport), and the real clock with an [`LroServer`](super::LroServer).
///
/// Clones are the same clock.
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
    /// How often the earliest sleep was polled since anything changed.
    quiet: u32,
    /// How often any other sleep was.
    stalled: usize,
}

/// A sleep, by its deadline and the order of registration.
type Key = (Duration, u64);

impl VirtualClock {
    /// A clock that jumps by itself.
    #[must_use]
    pub fn new() -> Self {
        Self::with_mode(true)
    }

    /// A clock that moves only when told to: see [`advance`](Self::advance).
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
            system_origin: SystemTime::UNIX_EPOCH + NEW_YEAR,
            elapsed: Duration::ZERO,
            sleepers: BTreeMap::new(),
            next_id: 0,
            quiet: 0,
            stalled: 0,
        };
        Self { shared: Arc::new(Mutex::new(shared)) }
    }

    /// How far the clock has moved.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.lock().elapsed
    }

    /// Moves the clock ahead and wakes every sleep that is due.
    ///
    /// It moves in one step, as a machine's clock does that was suspended: a sleep that ends on the way ends late. Who wants every deadline met
    /// advances by [`next_deadline`](Self::next_deadline).
    pub fn advance(&self, duration: Duration) {
        let mut shared = self.lock();
        let to = shared.elapsed.saturating_add(duration);
        let due = shared.move_to(to);
        drop(shared);
        wake(due);
    }

    /// How long until the earliest sleep ends, if anybody sleeps.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        let shared = self.lock();
        let ((deadline, _), _) = shared.sleepers.first_key_value()?;
        Some(deadline.saturating_sub(shared.elapsed))
    }

    /// Sets the wall clock, which server hints and tokens go by. Nobody's sleep ends earlier or later for it.
    ///
    /// It is 2030-01-01T00:00:00Z when a clock is made, so that what is made of it is the same in every run.
    pub fn set_system_time(&self, now: SystemTime) {
        let mut shared = self.lock();
        shared.system_origin = now.checked_sub(shared.elapsed).unwrap_or(SystemTime::UNIX_EPOCH);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Moves on; the wakers of the sleeps that are due, to be woken once the lock is gone.
    #[must_use]
    fn move_to(&mut self, elapsed: Duration) -> Vec<Waker> {
        self.elapsed = elapsed.min(END_OF_TIME);
        self.changed();
        let rest = self.sleepers.split_off(&(self.elapsed, u64::MAX));
        std::mem::replace(&mut self.sleepers, rest).into_values().collect()
    }

    fn changed(&mut self) {
        (self.quiet, self.stalled) = (0, 0);
    }

    /// Who is to be polled for the clock to move.
    fn earliest(&self) -> Option<Waker> {
        self.sleepers.first_key_value().filter(|_| self.automatic).map(|(_, waker)| waker.clone())
    }

    /// Polls the sleep `key`; whom to wake afterwards.
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
        // Whoever holds the earliest sleep may not care for it at the moment; the others must not wait for him.
        let nobody_cares = self.stalled > STUBBORNNESS.saturating_mul(self.sleepers.len());
        if !self.automatic || (self.quiet <= PATIENCE && !nobody_cares) {
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
    #[expect(clippy::panic, reason = "a test that waits for ever is to fail, not to hang")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut shared = self.lock();
        if shared.elapsed >= END_OF_TIME && !duration.is_zero() {
            drop(shared);
            panic!("this clock has gone 100 years ahead, its end: something waits for ever");
        }
        shared.next_id += 1;
        let key = (shared.elapsed.saturating_add(duration).min(END_OF_TIME), shared.next_id);
        Box::pin(Sleep { clock: self.clone(), key, has_yielded: false })
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

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (polled, wakers) = self.clock.lock().poll(self.key, context.waker());
        wake(wakers);
        if polled.is_pending() && !std::mem::replace(&mut self.has_yielded, true) {
            thread::yield_now(); // a task on another thread may be about to sleep, too
        }
        polled
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let mut shared = self.clock.lock();
        if shared.sleepers.remove(&self.key).is_some() {
            shared.changed();
            let earliest = shared.earliest();
            drop(shared);
            wake(earliest.into_iter().collect());
        }
    }
}
