//! The world of one history: the clock, the service with its true operations, the disturbances
//! between it and its clients, and the record of every request.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use fastrand::Rng;
use lro_runtime::{
    Timer,
    testing::VirtualClock,
    timer::BoxSleep,
    transport::{BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind},
};

use super::{
    lies::Lie,
    promises::{Promise, broken},
    speech::{self, Asked, HOST, Place, Said, Tongue},
    truth::{End, Stage, Truth},
};
use crate::round::Counts;

/// How many requests a history may have. The settings are drawn so that a wait has a few hundred.
const MOST_REQUESTS: usize = 20_000;

/// What a request came to, as far as a wait is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A reply that says how the operation stands.
    Good,
    /// A failure of the origin.
    Origin,
    /// A failure of the operation or of this poll that is worth another.
    Own,
    /// The operation is not found.
    Missing,
    /// A failure that another poll would not mend.
    Permanent,
    /// A reply that no service means: it may be read as a failure or as a running operation.
    Garbage,
    /// A reply that leads to another origin.
    Astray,
    /// Nobody waited for the reply.
    Dropped,
}

/// What a reply asks of the next delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    None,
    After(Duration),
    /// A date or an absurd number: only the bounds of the settings are known.
    Odd,
}

/// One request, and what became of it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Sent {
    pub(super) client: usize,
    pub(super) asked: Asked,
    pub(super) at: Duration,
    /// When the reply or the failure came; `None` while there is none.
    pub(super) answered: Option<Duration>,
    pub(super) class: Class,
    pub(super) wish: Wish,
    pub(super) follow: bool,
    pub(super) is_end: bool,
    /// Whether the service may have done what was asked.
    pub(super) happened: bool,
    /// Whether the reply came as the service wrote it.
    pub(super) is_intact: bool,
    pub(super) start_id: Option<String>,
}

impl Sent {
    pub(super) fn is_poll(&self) -> bool {
        matches!(self.asked, Asked::Poll(_) | Asked::Hold(..))
    }
}

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// No connection.
    Refused,
    /// The connection ends before the reply.
    Reset,
    /// No reply, ever.
    Stall,
    /// An error of this HTTP status.
    Status(u16),
    /// A refusal that another poll would not mend.
    Forbidden,
    Garbage(usize),
    /// The reply of a replica that lags by so much.
    Stale(Duration),
    /// The poll is redirected within the origin.
    Redirect,
    /// The poll is redirected to another origin.
    Astray,
}

impl Fault {
    fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::Refused => "fault.refused",
            Self::Reset => "fault.reset",
            Self::Stall => "fault.stall",
            Self::Status(429) => "fault.429",
            Self::Status(503) => "fault.503",
            Self::Status(_) => "fault.5xx",
            Self::Forbidden => "fault.403",
            Self::Garbage(_) => "fault.garbage",
            Self::Stale(_) => "fault.stale",
            Self::Redirect => "fault.redirect",
            Self::Astray => "fault.astray",
        })
    }
}

/// A time in which every request meets the same fault.
#[derive(Clone, Copy, Debug)]
struct Spell {
    from: Duration,
    to: Duration,
    fault: Fault,
}

/// How rough a history is.
#[derive(Clone, Debug)]
struct Weather {
    /// How many requests of a thousand meet a fault of their own.
    faults: u32,
    /// How many replies of a thousand have a hint.
    hints: u32,
    /// How many requests of a thousand are slow.
    slow: u32,
    spells: Vec<Spell>,
}

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

/// The timer of one process: its monotonic clock began at another time, and its wall clock is
/// wrong by the skew.
pub(super) struct SkewedTimer {
    clock: VirtualClock,
    ahead: Duration,
    skew: Arc<AtomicI64>,
    lie: Option<Lie>,
}

impl Timer for SkewedTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match self.lie {
            Some(Lie::SleepsForEver) => Box::pin(Forever),
            Some(Lie::WakesForNothing) => Box::pin(std::future::poll_fn(|context| {
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })),
            _ => self.clock.sleep(duration),
        }
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        self.lie.is_none().then(|| self.clock.reusable_sleep(duration)).flatten()
    }

    fn now(&self) -> Instant {
        self.clock.now() + self.ahead
    }

    fn system_time(&self) -> SystemTime {
        let skew = self.skew.load(Ordering::Relaxed);
        let by = Duration::from_secs(skew.unsigned_abs());
        let now = self.clock.system_time();
        if skew < 0 { now.checked_sub(by) } else { now.checked_add(by) }.unwrap_or(now)
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

/// The line between one client and the service.
pub(super) struct Line {
    world: Arc<World>,
    client: usize,
}

/// Counts a request as in flight until it is answered or dropped.
struct InFlight<'a> {
    world: &'a World,
    client: usize,
    index: usize,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let now = self.world.now();
        let mut state = self.world.lock();
        if let Some(count) = state.in_flight.get_mut(&self.client) {
            *count -= 1;
        }
        let sent = state.sent_at(self.index);
        if sent.answered.is_none() {
            (sent.class, sent.wish, sent.answered) = (Class::Dropped, Wish::None, Some(now));
            (sent.follow, sent.is_end, sent.is_intact) = (false, false, false);
        }
    }
}

impl Transport for Line {
    fn send<'a>(&'a self, request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(self.world.serve(self.client, request))
    }
}

impl World {
    async fn serve(self: &Arc<Self>, client: usize, request: &Request) -> Result<Reply, TransportError> {
        let asked = speech::asked(request);
        let (flight, index, fault, up, down) = self.receive(client, request, asked);
        self.tell(|| format!("client {client} sends {} {} ({fault:?})", request.method(), request.uri()));
        if !up.is_zero() {
            self.clock.sleep(up).await;
        }
        if fault == Fault::Stall || (self.lies(Lie::NeverAnswers) && matches!(asked, Asked::Poll(_))) {
            self.lock().sent_at(index).happened = true;
            Forever.await;
        }
        // A poll that is held is answered when the operation ends, or after the time.
        if let (Asked::Hold(Place::Operation(of), hold), Fault::None | Fault::Stale(_)) = (asked, fault) {
            let now = self.now();
            let ends = self.lock().truths.get(of).map(|truth| truth.ends);
            let hold = hold.min(ends.unwrap_or(now).saturating_sub(now)).min(Duration::from_secs(120));
            if !hold.is_zero() {
                self.clock.sleep(hold).await;
            }
        }
        let answer = self.answer(index, asked, fault, request);
        if !down.is_zero() {
            self.clock.sleep(down).await;
        }
        let now = self.now();
        {
            let mut state = self.lock();
            let sent = state.sent_at(index);
            sent.answered = Some(now);
            let took = now.saturating_sub(sent.at);
            state.longest = state.longest.max(took);
        }
        drop(flight);
        self.tell(|| match &answer {
            Ok(reply) => {
                let body: String = String::from_utf8_lossy(reply.body()).chars().take(160).collect();
                let mut headers = String::new();
                for (name, value) in reply.headers() {
                    let _ = write!(headers, " {name}: {value:?}");
                }
                format!("client {client} gets {}{headers} {body}", reply.status().as_u16())
            }
            Err(error) => format!("client {client} gets nothing: {error}"),
        });
        answer
    }

    /// Takes a request in: records it and decides what goes wrong with it.
    fn receive(
        &self,
        client: usize,
        request: &Request,
        asked: Asked,
    ) -> (InFlight<'_>, usize, Fault, Duration, Duration) {
        let at = self.now();
        let host = request.uri().host().unwrap_or_default().to_owned();
        if host != HOST {
            broken(Promise::StaysOnItsOrigin, &format!("a request went to `{host}`"));
        }
        if request.headers().get("x-api-key").is_none() {
            broken(Promise::KeepsHeaders, &format!("{} came without the client's header", request.uri()));
        }
        if asked == Asked::Unknown {
            broken(Promise::StaysOnItsOrigin, &format!("{} {} is no request", request.method(), request.uri()));
        }
        let start_id = request.headers().get("operation-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let mut state = self.lock();
        if state.sent.len() > MOST_REQUESTS {
            drop(state);
            broken(Promise::RequestsAreCounted, "a history without end");
        }
        let flights = state.in_flight.entry(client).or_default();
        *flights += 1;
        if *flights > 1 {
            drop(state);
            broken(Promise::OneRequestInFlight, &format!("client {client} has two requests in flight"));
        }
        let fault = self.fault(&mut state, asked, at);
        if let Some(word) = fault.word() {
            state.counts.add(word, 1);
        }
        state.counts.add("requests", 1);
        let index = state.sent.len();
        state.sent.push(Sent {
            client,
            asked,
            at,
            answered: None,
            class: Class::Good,
            wish: Wish::None,
            follow: false,
            is_end: false,
            happened: false,
            is_intact: false,
            start_id,
        });
        if !state.is_calm && state.rng.u32(..40) == 0 {
            let hours = state.rng.i64(-5..=5);
            self.skew.store(hours * 3600, Ordering::Relaxed);
            state.counts.add("clock_jumps", 1);
        }
        let is_quick = state.is_calm || matches!(asked, Asked::Cancel(_));
        let slow = state.weather.slow;
        let mut latency = || {
            let millis = match state.rng.u32(..1000) {
                _ if is_quick => 0,
                n if n < slow => state.rng.u64(..60_000),
                n if n < 500 => 0,
                _ => state.rng.u64(..300),
            };
            Duration::from_millis(millis)
        };
        let (up, down) = (latency(), latency());
        drop(state);
        (InFlight { world: self, client, index }, index, fault, up, down)
    }

    /// Decides what goes wrong with a request.
    fn fault(&self, state: &mut WorldState, asked: Asked, at: Duration) -> Fault {
        if state.is_calm || matches!(asked, Asked::Cancel(_)) {
            return Fault::None;
        }
        if let Some(spell) = state.weather.spells.iter().find(|spell| spell.from <= at && at < spell.to) {
            return spell.fault;
        }
        if state.rng.u32(..1000) >= state.weather.faults {
            return Fault::None;
        }
        let fault = match state.rng.u32(..32) {
            0..=2 => Fault::Refused,
            3..=5 => Fault::Reset,
            6 => Fault::Stall,
            7..=9 => Fault::Status(429),
            10..=13 => Fault::Status(503),
            14 => Fault::Status(408),
            15..=16 => Fault::Status(500),
            17 => Fault::Status(502),
            18 => Fault::Status(504),
            19 => Fault::Forbidden,
            20..=21 => Fault::Garbage(state.rng.usize(..4)),
            22..=23 => Fault::Redirect,
            24..=25 => Fault::Astray,
            _ => Fault::Stale(Duration::from_millis(state.rng.u64(..120_000))),
        };
        let is_told_apart = match (fault, asked) {
            (Fault::Garbage(_), Asked::Poll(place)) => {
                self.tongue.knows_garbage()
                    || self.tongue == Tongue::AzureMonitor && matches!(place, Place::Operation(_))
            }
            (Fault::Forbidden, _) => self.tongue.knows_refusals(),
            (Fault::Redirect | Fault::Astray, Asked::Poll(Place::Operation(_))) => self.tongue == Tongue::Http,
            (Fault::Stale(_), Asked::Poll(place)) => matches!(place, Place::Operation(_)),
            (Fault::Garbage(_) | Fault::Redirect | Fault::Astray | Fault::Stale(_), _) => false,
            _ => true,
        };
        if is_told_apart { fault } else { Fault::None }
    }

    /// Lets the service do what is asked, and makes the answer.
    fn answer(&self, index: usize, asked: Asked, fault: Fault, request: &Request) -> Result<Reply, TransportError> {
        let now = self.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let fails = |kind| Err(TransportError::message(kind, "simulated"));
        let reaches = !matches!(fault, Fault::Refused | Fault::Status(429 | 503) | Fault::Forbidden);
        // A server that breaks may have done the work before.
        let happens = reaches && (!matches!(fault, Fault::Status(_)) || state.rng.bool());
        state.sent_at(index).happened = reaches;
        let said = if happens { self.said(state, asked, fault, now, request) } else { None };
        let sent = state.sent_at(index);
        let class = match fault {
            Fault::Refused | Fault::Status(429 | 503) => Class::Origin,
            Fault::Reset | Fault::Stall | Fault::Status(_) => Class::Own,
            Fault::Forbidden => Class::Permanent,
            Fault::Garbage(_) => Class::Garbage,
            Fault::Astray => Class::Astray,
            Fault::None | Fault::Stale(_) | Fault::Redirect => Class::Good,
        };
        sent.class = class;
        let mut reply = match (fault, said) {
            (Fault::Refused, _) => return fails(TransportErrorKind::Connect),
            (Fault::Reset | Fault::Stall, _) => return fails(TransportErrorKind::Closed),
            (Fault::Status(status), _) => speech::error(self.tongue, status, "try again"),
            (Fault::Forbidden, _) => speech::error(self.tongue, 403, "not yours"),
            (Fault::Garbage(kind), Some(said)) => speech::garbage(kind, &said.reply),
            (Fault::Redirect, Some(_)) => {
                sent.follow = true;
                let path = request.uri().path().trim_end_matches("/on").to_owned() + "/on";
                speech::with(speech::reply(307, ""), "location", &path)
            }
            (Fault::Astray, Some(_)) => {
                let url = format!("https://elsewhere.example.net{}", request.uri().path());
                speech::with(speech::reply(307, ""), "location", &url)
            }
            (_, Some(said)) => {
                (sent.is_end, sent.follow, sent.is_intact) = (said.is_end, said.follow, true);
                said.reply
            }
            (_, None) => {
                sent.class = if self.tongue == Tongue::Waiter { Class::Good } else { Class::Missing };
                speech::error(
                    self.tongue,
                    404,
                    if self.lies(Lie::EchoesSecrets) { super::SECRET_IN_HEADER } else { "no such operation" },
                )
            }
        };
        let mut wish = Wish::None;
        if !state.is_calm && state.rng.u32(..1000) < state.weather.hints {
            let (value, meant) = match state.rng.u32(..10) {
                0 => ("0".to_owned(), Wish::After(Duration::ZERO)),
                1 => ("-5".to_owned(), Wish::After(Duration::ZERO)),
                2 => ("1e300".to_owned(), Wish::Odd),
                3 => (format!("1{}", "0".repeat(300)), Wish::Odd),
                4 => {
                    let at = self.clock.system_time() + Duration::from_secs(state.rng.u64(..300));
                    (httpdate::fmt_http_date(at), Wish::Odd)
                }
                5 => ("Thu, 01 Jan 1970 00:00:00 GMT".to_owned(), Wish::Odd),
                _ => {
                    let seconds = state.rng.u64(..120);
                    (seconds.to_string(), Wish::After(Duration::from_secs(seconds)))
                }
            };
            reply = speech::with(reply, "retry-after", &value);
            wish = meant;
        }
        state.sent_at(index).wish = wish;
        Ok(reply)
    }

    /// Does what is asked. `None` if the operation is not found.
    fn said(
        &self,
        state: &mut WorldState,
        asked: Asked,
        fault: Fault,
        now: Duration,
        request: &Request,
    ) -> Option<Said> {
        let tongue = self.tongue;
        match asked {
            Asked::Start(start) => {
                let id = request.headers().get("operation-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
                let known = state.truths.iter().position(|truth| truth.id == id && id.is_some());
                let of = known.unwrap_or_else(|| {
                    let truth = self.begin(state, start, id, now);
                    state.truths.push(truth);
                    state.truths.len() - 1
                });
                let stands = state.truths.get(of)?.stage(now);
                Some(speech::started(tongue, self.accent, of, stands))
            }
            Asked::Poll(place) | Asked::Hold(place, _) => {
                let of = match place {
                    Place::Operation(of) | Place::Result(of) => of,
                    Place::Made(start) => state.truths.iter().rposition(|truth| truth.start == start)?,
                };
                let count = state.truths.len();
                let truth = state.truths.get(of).filter(|truth| truth.is_known(now))?;
                let mut at = match fault {
                    Fault::Stale(lag) => now.saturating_sub(lag).max(truth.created),
                    _ => now,
                };
                if self.lies(Lie::EndsEarly) {
                    at = at.saturating_add(Duration::from_secs(7));
                }
                let mut stands = truth.stage(at);
                if let Stage::Ended(End::Failed) = stands
                    && self.lies(Lie::EndsOtherwise)
                {
                    stands = Stage::Ended(End::Succeeded);
                }
                let of = if self.lies(Lie::SwapsOperations) && count > 1 { (of + 1) % count } else { of };
                Some(speech::polled(tongue, self.accent, place, of, stands))
            }
            Asked::Cancel(place) => {
                let Place::Operation(of) = place else { return None };
                let takes = Duration::from_millis(state.rng.u64(..20_000));
                let heeds = state.rng.u32(..3) > 0 && tongue.ends().contains(&End::Cancelled);
                let truth = state.truths.get_mut(of).filter(|truth| truth.is_known(now))?;
                if heeds {
                    truth.cancel(now, takes);
                }
                Some(Said { reply: speech::cancelled(tongue), is_end: false, follow: false })
            }
            Asked::List => {
                let known = state.truths.iter().enumerate().filter(|(_, truth)| truth.is_known(now));
                let listed: Vec<_> = known.map(|(of, truth)| (of, truth.stage(now))).take(12).collect();
                Some(Said { reply: speech::listed(tongue, &listed), is_end: false, follow: false })
            }
            Asked::Unknown => None,
        }
    }

    /// Makes a new operation.
    fn begin(&self, state: &mut WorldState, start: usize, id: Option<String>, now: Duration) -> Truth {
        let rng = &mut state.rng;
        let millis = |rng: &mut Rng, most: u64| Duration::from_millis(rng.u64(..=most));
        let lag = if rng.u32(..4) == 0 { millis(rng, 8_000) } else { Duration::ZERO };
        let queued = *pick(rng, &[0, 0, 5_000, 60_000]);
        let runs = now + millis(rng, queued);
        let longest = *pick(rng, &[0, 5_000, 60_000, 600_000, 7_200_000, 86_400_000]);
        // A service that forgets an end after seconds is polled every few of them.
        let longest = if self.tongue.remembers().is_some() { longest.min(1_200_000) } else { longest };
        let ends = runs + millis(rng, longest);
        let end = *pick(rng, self.tongue.ends());
        let kept = self.tongue.remembers().or_else(|| {
            (rng.u32(..6) == 0).then(|| {
                let kept = *pick(rng, &[20_000, 3_600_000]);
                millis(rng, kept)
            })
        });
        // To a waiter that is told to wait for what is not there, what is gone may yet come.
        let kept = kept.filter(|_| self.tongue != Tongue::Waiter);
        state.counts.add("operation_seconds", ends.saturating_sub(now).as_secs());
        state.counts.add("operations", 1);
        Truth {
            start,
            id,
            created: now,
            visible: now + lag,
            runs,
            ends,
            end,
            expires: kept.map(|kept| ends.max(now + lag) + kept),
        }
    }
}

/// A future that is never ready and wakes nobody.
struct Forever;

impl Future for Forever {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        std::task::Poll::Pending
    }
}
