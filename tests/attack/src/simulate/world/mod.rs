//! The world of one history: the clock, the service with its true operations, the disturbances
//! between it and its clients, and the record of every request.

mod line;
mod record;
mod service;
mod timer;
mod weather;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use fastrand::Rng;
use lro_runtime::{Timer, testing::VirtualClock};

pub(super) use self::record::{Class, Sent, Wish};
use self::{
    line::Line,
    timer::SkewedTimer,
    weather::{Fault, Spell, Weather},
};
use super::{
    lies::Lie,
    promises::{Promise, broken},
    speech::{self, Tongue},
    truth::Truth,
};
use crate::round::Counts;

pub(super) struct World {
    pub(super) clock: VirtualClock,
    pub(super) tongue: Tongue,
    began: Instant,
    lie: Option<Lie>,
    is_told: bool,
    is_blocking: bool,
    /// Which of the forms of its dialect the service prefers.
    accent: usize,
    state: Mutex<WorldState>,
    skew: Arc<AtomicI64>,
}

pub(super) struct WorldState {
    pub(super) rng: Rng,
    pub(super) truths: Vec<Truth>,
    pub(super) sent: Vec<Sent>,
    pub(super) counts: Counts,
    /// Every line of the history, if it is told.
    pub(super) script: Vec<String>,
    weather: Weather,
    in_flight: BTreeMap<usize, u32>,
    /// Whether the service is well: from then on nothing goes wrong.
    is_calm: bool,
    /// By how much sleeps were overslept, in all.
    pub(super) overslept: Duration,
    /// The longest time from a request to its reply.
    pub(super) longest: Duration,
}

impl WorldState {
    /// Returns the record of a request, by the index that it got when it was received.
    #[expect(clippy::indexing_slicing, reason = "no record is ever removed")]
    fn sent_at(&mut self, index: usize) -> &mut Sent {
        &mut self.sent[index]
    }
}

impl World {
    pub(super) fn new(seed: u64, lie: Option<Lie>, is_told: bool) -> Arc<Self> {
        let mut rng = Rng::with_seed(seed);
        let tongue = Tongue::ALL.get(rng.usize(..Tongue::ALL.len())).copied().unwrap_or(Tongue::Google);
        // Blocking calls move the clock themselves; all other futures are polled by the history,
        // which then moves it.
        let is_blocking = rng.u32(..8) == 0 && lie.is_none();
        let clock = if is_blocking { VirtualClock::new() } else { VirtualClock::manual() };
        let mut weather = Weather {
            faults: *pick(&mut rng, &[0, 30, 150, 400]),
            hints: *pick(&mut rng, &[0, 100, 500]),
            slow: *pick(&mut rng, &[0, 20, 200]),
            spells: vec![],
        };
        for _ in 0..rng.usize(..3) {
            let from = Duration::from_millis(rng.u64(..600_000));
            let longest = *pick(&mut rng, &[10_000, 300_000, 4 * 3_600_000]);
            let fault = *pick(&mut rng, &[Fault::Refused, Fault::Status(503), Fault::Status(429), Fault::Status(500)]);
            // Failures of the operation last as long as a budget may.
            let longest = if fault == Fault::Status(500) { longest.min(300_000) } else { longest };
            weather.spells.push(Spell { from, to: from + Duration::from_millis(rng.u64(..longest)), fault });
        }
        let began = clock.now();
        let accent = rng.usize(..60);
        let mut counts = Counts::default();
        counts.add(tongue.word(), 1);
        let state = WorldState {
            rng,
            truths: vec![],
            sent: vec![],
            counts,
            script: vec![],
            weather,
            in_flight: BTreeMap::new(),
            is_calm: false,
            overslept: Duration::ZERO,
            longest: Duration::ZERO,
        };
        let state = Mutex::new(state);
        Arc::new(Self { clock, tongue, began, lie, is_told, is_blocking, accent, state, skew: Arc::default() })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, WorldState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the clock moves by itself, for blocking calls.
    pub(super) fn is_blocking(&self) -> bool {
        self.is_blocking
    }

    pub(super) fn lies(&self, lie: Lie) -> bool {
        self.lie == Some(lie)
    }

    pub(super) fn lie(&self) -> Option<Lie> {
        self.lie
    }

    /// The time since the history began.
    pub(super) fn now(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.began)
    }

    /// Writes a line of the script, if it is told.
    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        if self.is_told {
            let line = format!("{}  {}", speech::clock(self.now()), line());
            self.lock().script.push(line);
        }
    }

    pub(super) fn count(&self, name: &'static str) {
        self.lock().counts.add(name, 1);
    }

    /// Ends all disturbances: from now on the service also forgets nothing.
    pub(super) fn calm(&self) {
        let now = self.now();
        let mut state = self.lock();
        state.is_calm = true;
        for truth in &mut state.truths {
            truth.expires = truth.expires.filter(|expires| *expires <= now);
        }
        self.skew.store(0, Ordering::Relaxed);
    }

    /// Moves the clock to the next deadline, sometimes beyond it. Returns whether there was one.
    pub(super) fn sleep(&self) -> bool {
        let Some(until) = self.clock.next_deadline() else { return false };
        let oversleep = {
            let mut state = self.lock();
            let state = &mut *state;
            let oversleep = match state.rng.u32(..2000) {
                _ if state.is_calm => 0,
                0 => 86_400_000,
                1..=20 => state.rng.u64(..3_000),
                21..=200 => state.rng.u64(..20),
                _ => 0,
            };
            if oversleep == 86_400_000 {
                state.counts.add("suspends", 1);
            }
            state.overslept += Duration::from_millis(oversleep);
            Duration::from_millis(oversleep)
        };
        if oversleep >= Duration::from_secs(1) {
            self.tell(|| format!("the machine sleeps {oversleep:?} too long"));
        }
        self.clock.advance(until.saturating_add(oversleep));
        true
    }

    /// Lets time pass.
    pub(super) fn pass(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// Waits for the request that a thread of the library sends: until this client has sent one
    /// more than it had, and none is in flight.
    pub(super) fn settle(&self, client: usize, sent: usize) {
        let patience = Instant::now() + Duration::from_secs(20);
        loop {
            let state = self.lock();
            let is_sent = state.sent.iter().skip(sent).any(|sent| sent.client == client);
            if is_sent && state.in_flight.get(&client).is_none_or(|count| *count == 0) {
                return;
            }
            drop(state);
            if Instant::now() > patience {
                broken(Promise::CancelsWhatIsDropped, "no cancel call came");
            }
            std::thread::yield_now();
        }
    }

    /// The wall clock of every client.
    pub(super) fn system_time(&self) -> SystemTime {
        self.timer(Duration::ZERO).system_time()
    }

    /// Draws a number below `below`.
    pub(super) fn draw(&self, below: u32) -> u32 {
        self.lock().rng.u32(..below.max(1))
    }

    pub(super) fn pick<T: Copy>(&self, from: &[T], or: T) -> T {
        let at = self.lock().rng.usize(..from.len().max(1));
        from.get(at).copied().unwrap_or(or)
    }

    /// Makes the transport of one client.
    pub(super) fn transport(self: &Arc<Self>, client: usize) -> Line {
        Line { world: Arc::clone(self), client }
    }

    /// Makes the timer of one client, whose clocks are those of another process.
    pub(super) fn timer(&self, ahead: Duration) -> SkewedTimer {
        SkewedTimer { clock: self.clock.clone(), ahead, skew: Arc::clone(&self.skew), lie: self.lie }
    }
}

/// Returns one of these.
#[expect(clippy::indexing_slicing, reason = "a list of choices has one")]
fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}
