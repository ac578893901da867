//! A simulated fleet with its services, its user, its network and its machine.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use fastrand::Rng;

use super::{
    super::*,
    deeds::{Deed, plan, shown},
    service::{Service, Services},
};
use crate::{
    fleet::core::asked::Cancelled,
    settings::{ErrorBudget, PollSettings},
};

const SECOND: Duration = Duration::from_secs(1);
const TICK_LASTS: Duration = Duration::from_nanos(TICK.unsigned_abs());

/// What an operation of the simulation is, beside what the fleet keeps of it.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of its own about the operation")]
pub(super) struct Subject {
    pub(super) origin: OriginId,
    pub(super) group: Option<GroupId>,
    pub(super) kind: KindId,
    pub(super) schedule: usize,
    /// Whether its kind is its alone.
    pub(super) is_alone: bool,
    pub(super) watched: Duration,
    /// When its work is done.
    pub(super) ends: Duration,
    /// When the fleet must have given it up.
    pub(super) expires: Option<Duration>,
    /// Whether each of its polls fails, by its own fault.
    pub(super) is_broken: bool,
    /// Whether no list shows it, ever.
    pub(super) is_lost: bool,
    /// A number of its own, from 0 to 1.
    pub(super) share: f64,
    /// Before when nobody has a reason to poll it.
    pub(super) due: Duration,
    /// Whether any reply has said that it has ended.
    pub(super) was_seen_ended: bool,
    /// Whether a cancel call was asked for that no service has answered.
    pub(super) wants_cancel: bool,
}

/// A request that was sent and has not ended.
pub(super) struct InFlight {
    pub(super) ends: Duration,
    pub(super) origin: OriginId,
    pub(super) what: What,
}

pub(super) enum What {
    Poll(Ticket, Gave),
    Page { group: GroupId, shows: Vec<(Ticket, Seen)>, end: PageEnd },
    Batch { group: GroupId, members: Vec<Ticket>, shows: Vec<(Ticket, Seen)>, end: PageEnd },
    Cancel { ticket: Ticket, failures: u8, gave: Cancelled },
}

/// What a history has met, by name. A round that does not meet everything proves nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(pub(super) BTreeMap<&'static str, u64>);

impl Counts {
    pub(super) fn add(&mut self, name: &'static str, count: u64) {
        *self.0.entry(name).or_default() += count;
    }

    pub(super) fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(name, count)| self.add(name, count));
    }
}

/// The requests that an origin was sent, as its budget counts them.
pub(super) struct Meter {
    pub(super) budget: Budget,
    tokens: f64,
    at: Duration,
    pub(super) requests: u64,
}

pub(super) struct World {
    /// What the user does, and what befalls the requests: apart, so that one does not move the
    /// other.
    pub(super) user: Rng,
    pub(super) weather: Rng,
    epoch: Instant,
    pub(super) now: Duration,
    /// Up to when everything may be late, because nobody asked the core.
    pub(super) late_until: Duration,
    pub(super) core: Core,
    /// How many operations the user adds at most.
    most: usize,
    pub(super) meters: Vec<Meter>,
    pub(super) services: Services,
    /// By origin and lane, the kinds of each of three schedules and two priorities.
    pub(super) kinds: Vec<Vec<[KindId; 6]>>,
    pub(super) schedules: [Arc<Schedule>; 3],
    pub(super) free_kinds: Vec<KindId>,
    pub(super) timeouts: [Option<Duration>; 3],
    pub(super) subjects: BTreeMap<Ticket, Subject>,
    /// Tickets of operations that the fleet has forgotten.
    pub(super) gone: Vec<Ticket>,
    /// Operations that have ended and were not acknowledged.
    pub(super) unacknowledged: Vec<(Ticket, Subject)>,
    pub(super) flights: Vec<InFlight>,
    plan: VecDeque<(Duration, Deed)>,
    pub(super) outages: Vec<Duration>,
    /// Origins that never come back.
    pub(super) doomed: Option<OriginId>,
    pub(super) is_held: bool,
    has_patience: bool,
    pub(super) counts: Counts,
    checks: u32,
    /// Whether every event is told.
    pub(super) is_told: bool,
}

impl std::ops::Deref for Meter {
    type Target = Budget;

    fn deref(&self) -> &Budget {
        &self.budget
    }
}

impl World {
    /// Whether the user adds no more operations.
    pub(super) fn is_full(&self) -> bool {
        self.core.len() >= self.most
    }

    pub(super) fn new(seed: u64, has_groups: bool, is_told: bool) -> Self {
        let mut user = Rng::with_seed(seed);
        let epoch = Instant::now();
        let most = user.usize(5..60);
        let mut core = Core::new(epoch);
        let has_patience = user.u8(..) < 60;
        core.set_patience(has_patience.then(|| Duration::from_secs(user.u64(1..300))));
        let origins = user.u32(1..4);
        let mut timeouts = [None; 3];
        let schedules: [Arc<Schedule>; 3] = std::array::from_fn(|index| {
            timeouts[index] = Some(Duration::from_millis(user.u64(100..400_000))).filter(|_| user.u8(..) < 190);
            let budget = ErrorBudget::new(user.u32(2..8)).with_origin_forgiven();
            let settings = PollSettings::default()
                .with_delay(Duration::from_millis(user.u64(20..5_000)))
                .with_max_delay(Duration::from_secs(user.u64(5..40)))
                .with_error_budget(budget);
            let settings = match timeouts[index] {
                Some(timeout) => settings.with_timeout(timeout),
                None => settings.with_expiration(crate::Expiration::Never),
            };
            Arc::new(settings.resolve().unwrap())
        });
        let (mut meters, mut kinds, mut services) = (Vec::new(), Vec::new(), Services::new());
        for origin in 0..origins {
            let rate = f64::from(user.u32(1..80)) / 2.0;
            let budget = Budget::per_origin(rate).burst(user.u32(1..20)).concurrency(user.u32(1..12));
            assert_eq!(core.add_origin(budget, epoch), origin);
            meters.push(Meter { budget, tokens: budget.burst.into(), at: Duration::ZERO, requests: 0 });
            let add = |core: &mut Core, lane, priority, index: usize, group| {
                let schedule = Arc::clone(&schedules[index % 3]);
                core.add_kind(Kind { schedule, origin, lane, priority, group }, None)
            };
            let lanes = (0..user.u32(1..3)).map(|_| {
                let lane = core.add_lane(origin).unwrap();
                std::array::from_fn(|index| {
                    let priority = if index < 3 { Priority::Normal } else { Priority::Background };
                    add(&mut core, lane, priority, index, None)
                })
            });
            kinds.push(lanes.collect());
            for _ in 0..user.u32(0..3) {
                let shown = shown(&mut user);
                let group = core.add_group(origin, shown).unwrap();
                let lane = core.add_lane(origin).unwrap();
                let priority = if user.u8(..) < 200 { Priority::Normal } else { Priority::Background };
                let of = |index| add(&mut core, lane, priority, index, Some(group).filter(|_| has_groups));
                let kinds = std::array::from_fn(of);
                services.push(Service::new(&mut user, shown, origin, kinds));
            }
        }
        let (plan, doomed) = plan(&mut user, origins, has_patience);
        Self {
            weather: Rng::with_seed(seed ^ 0x5eed),
            user,
            epoch,
            most,
            now: SECOND,
            late_until: Duration::ZERO,
            core,
            meters,
            services,
            kinds,
            schedules,
            free_kinds: Vec::new(),
            timeouts,
            subjects: BTreeMap::new(),
            gone: Vec::new(),
            unacknowledged: Vec::new(),
            flights: Vec::new(),
            plan,
            outages: vec![Duration::ZERO; origins as usize],
            doomed,
            is_held: false,
            has_patience,
            counts: Counts::default(),
            checks: 0,
            is_told,
        }
    }

    pub(super) fn count(&mut self, name: &'static str) {
        self.counts.add(name, 1);
    }

    pub(super) fn time(&self) -> Instant {
        self.epoch + self.now
    }

    pub(super) fn system(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.now
    }

    pub(super) fn is_down(&self, origin: OriginId) -> bool {
        self.now < self.outages[origin as usize]
    }

    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if self.is_told {
            eprintln!("{:>12.3} s  {}", self.now.as_secs_f64(), what());
        }
    }

    /// Runs the history to its end. Returns what it has met.
    pub(super) fn run(mut self) -> Counts {
        let mut steps = 0;
        loop {
            let wakes = self.drive();
            self.check_sometimes();
            if self.is_told || steps % 16 == 0 {
                self.check_idle(wakes);
            }
            let lands = self.flights.iter().map(|flight| flight.ends).min();
            let acts = self.plan.front().map(|(at, _)| *at);
            let Some(next) = wakes.into_iter().chain(lands).chain(acts).min() else { break };
            assert!(wakes.is_none_or(|wakes| wakes > self.now), "a time to wait for lies ahead");
            self.now = self.now.max(next);
            self.land();
            while self.plan.front().is_some_and(|(at, _)| *at <= self.now) {
                let (_, deed) = self.plan.pop_front().unwrap();
                self.act(&deed);
                self.check_sometimes();
            }
            steps += 1;
            assert!(steps < 300_000, "it ends: {} operations, {} in flight", self.subjects.len(), self.flights.len());
        }
        for (ticket, subject) in std::mem::take(&mut self.unacknowledged) {
            self.forget(ticket, subject);
        }
        assert!(self.subjects.is_empty(), "left alone, every wait ends");
        assert_eq!(self.core.len(), 0, "nothing is left behind");
        self.counts.add("requests", self.meters.iter().map(|meter| meter.requests).sum());
        self.counts.add("simulated seconds", self.now.as_secs());
        self.counts
    }

    /// Lets the fleet do what it wants to at this time. Returns when it wants to be asked again.
    fn drive(&mut self) -> Option<Duration> {
        loop {
            let next = self.core.next(self.time());
            self.tell(|| format!("{next:?}"));
            let flight = match next {
                Next::Poll { ticket, limit, hold } => {
                    assert_eq!(hold, None);
                    let subject = &self.subjects[&ticket];
                    let is_check = self.core.row(ticket).is_some_and(|row| row.is_check);
                    assert!(self.now >= subject.due || is_check, "polled before it was due, for no reason: {ticket}");
                    assert!(subject.expires.is_none_or(|expires| self.now <= expires), "polled after its deadline");
                    assert!(!limit.is_zero() || subject.expires == Some(self.now), "time for a reply");
                    self.count(if is_check { "checks of lists" } else { "polls" });
                    self.answer_poll(ticket, limit)
                }
                Next::Page { group, is_first } => {
                    self.count(if is_first { "sweeps" } else { "further pages" });
                    self.answer_page(group, is_first)
                }
                Next::Batch { group, members } => {
                    let Shown::Named { most } = self.services[group as usize].shown else { panic!("it is a list") };
                    assert!(!members.is_empty() && members.len() <= most as usize);
                    for ticket in &members {
                        let subject = &self.subjects[ticket];
                        assert_eq!(subject.group, Some(group));
                        assert!(self.now >= subject.due, "asked for before it was due: {ticket}");
                    }
                    self.count("batches");
                    self.counts.add("members of batches", members.len() as u64);
                    self.answer_batch(group, members)
                }
                Next::Cancel { ticket, failures } => {
                    assert!(self.subjects[&ticket].wants_cancel, "nobody wants it cancelled: {ticket}");
                    self.count("cancels");
                    self.answer_cancel(ticket, failures)
                }
                Next::Ended { ticket, end, .. } => {
                    self.end(ticket, &end);
                    continue;
                }
                Next::Sleep(until) => return until.map(|until| until.saturating_duration_since(self.epoch)),
            };
            assert!(!self.is_held, "nothing new is looked for");
            self.meter(flight.origin);
            self.flights.push(flight);
            self.check_sometimes();
        }
    }

    /// Counts a request against the budget of its origin, exactly: where no window has more than
    /// `rate × w + burst`, a bucket of that size never runs dry.
    fn meter(&mut self, origin: OriginId) {
        let in_flight = self.flights.iter().filter(|flight| flight.origin == origin).count();
        let now = self.now;
        let meter = &mut self.meters[origin as usize];
        assert!(in_flight < meter.budget.concurrency as usize, "no more at once than may be");
        let come_back = (now - meter.at).as_secs_f64() * meter.budget.rate;
        meter.tokens = (meter.tokens + come_back).min(meter.budget.burst.into()) - 1.0;
        assert!(meter.tokens > -1e-3, "no window has more requests than the budget");
        (meter.at, meter.requests) = (now, meter.requests + 1);
    }

    fn end(&mut self, ticket: Ticket, end: &End) {
        let subject = self.subjects.remove(&ticket).expect("ends once, and is in the fleet");
        match end {
            End::Completed => {
                assert!(subject.was_seen_ended, "nobody has said that it has ended: {ticket}");
                assert!(self.now >= subject.ends);
                self.count("completed");
            }
            End::TimedOut(_) => {
                let expires = subject.expires.expect("it never expires");
                assert!(self.now >= expires, "never early");
                let latest = expires.max(self.late_until) + TICK_LASTS;
                assert!(self.now <= latest, "a deadline is met: {ticket}, {expires:?}, {:?}", self.now);
                self.count("timed out");
            }
            End::Permanent(failure) | End::BudgetSpent(failure) => {
                if failure.scope() == FailureScope::Origin {
                    assert!(self.has_patience, "no operation pays for its origin");
                    self.count("given up with their origin");
                } else {
                    self.count("failed");
                }
            }
        }
        if self.user.u8(..) < 60 {
            self.unacknowledged.push((ticket, subject));
        } else {
            self.forget(ticket, subject);
        }
    }

    /// Has the fleet forget an operation.
    pub(super) fn forget(&mut self, ticket: Ticket, subject: Subject) {
        let kind = self.core.remove(ticket).expect("is in the fleet");
        assert!(self.core.remove(ticket).is_none(), "once");
        assert_eq!(kind, subject.kind);
        if subject.is_alone {
            self.free_kinds.push(kind);
        }
        self.counts.add("operation seconds", (self.now - subject.watched).as_secs());
        self.gone.push(ticket);
        if self.gone.len() > 8 {
            self.gone.remove(0);
        }
    }

    /// Ends the requests whose time has come.
    fn land(&mut self) {
        self.flights.sort_by_key(|flight| std::cmp::Reverse(flight.ends));
        while let Some(flight) = self.flights.pop_if(|flight| flight.ends <= self.now) {
            match flight.what {
                What::Poll(ticket, gave) => self.land_poll(ticket, gave),
                What::Page { group, shows, end } => {
                    self.show(group, &shows);
                    let members: Vec<Ticket> =
                        self.subjects.keys().filter(|key| self.subjects[key].group == Some(group)).copied().collect();
                    self.end_page(group, end, &members, &shows);
                }
                What::Batch { group, members, shows, end } => {
                    self.show(group, &shows);
                    self.end_page(group, end, &members, &shows);
                }
                What::Cancel { ticket, failures, gave } => self.land_cancel(ticket, failures, &gave),
            }
            self.check_sometimes();
        }
    }

    fn land_poll(&mut self, ticket: Ticket, gave: Gave) {
        self.tell(|| format!("{ticket} gave {gave:?}"));
        if let Some(subject) = self.subjects.get_mut(&ticket) {
            subject.was_seen_ended |= matches!(gave, Gave::Success(PollSuccess { completed: true, .. }));
            if matches!(gave, Gave::Success(PollSuccess { completed: false, .. })) && self.user.u8(..) < 5 {
                self.move_elsewhere(ticket);
            }
        } else {
            self.count("removed in flight");
        }
        self.core.report(ticket, self.time(), self.system(), gave);
        self.follow_engine(ticket);
    }

    fn move_elsewhere(&mut self, ticket: Ticket) {
        let origin = self.user.usize(0..self.kinds.len());
        let subject = self.subjects.get_mut(&ticket).unwrap();
        let kind = self.kinds[origin][0][subject.schedule];
        if subject.is_alone {
            self.free_kinds.push(subject.kind);
        }
        (subject.kind, subject.is_alone, subject.group) = (kind, false, None);
        subject.origin = origin as OriginId;
        self.core.move_to(ticket, kind);
        self.count("moved elsewhere");
    }

    /// Takes over when the engine of an operation wants its next poll.
    fn follow_engine(&mut self, ticket: Ticket) {
        let due = self.core.row(ticket).and_then(|row| row.engine.as_ref()).map(Packed::due);
        if let (Some(subject), Some(due)) = (self.subjects.get_mut(&ticket), due) {
            subject.due = Duration::from_nanos(due.unsigned_abs());
        }
    }

    fn show(&mut self, group: GroupId, shows: &[(Ticket, Seen)]) {
        for (ticket, seen) in shows {
            self.tell(|| format!("group {group} shows {ticket} {seen:?}"));
            let is_waited_for = self.core.show(group, *ticket, self.time(), *seen);
            let is_member = self.subjects.get(ticket).is_some_and(|subject| subject.group == Some(group));
            let Some(subject) = self.subjects.get_mut(ticket).filter(|_| is_member) else {
                assert!(!is_waited_for, "it is no member: {ticket}");
                continue;
            };
            match seen {
                Seen::Running => self.follow_engine(*ticket),
                Seen::Ended => subject.was_seen_ended = true,
                Seen::EndedElsewhere => subject.due = Duration::ZERO,
            }
        }
    }

    pub(super) fn end_page(&mut self, group: GroupId, end: PageEnd, members: &[Ticket], shows: &[(Ticket, Seen)]) {
        self.tell(|| format!("group {group}: {end:?}, {} shown", shows.len()));
        if let (PageEnd::Last { is_complete: true }, Some(sweep)) = (&end, &self.core.groups[group as usize].sweep) {
            let Shown::Listed { has_ended, visible_after, .. } = self.services[group as usize].shown else { return };
            let began = Duration::from_nanos(sweep.began.unsigned_abs());
            let seen: Vec<Slot> = sweep.seen.clone();
            for ticket in members {
                let subject = self.subjects.get_mut(ticket).unwrap();
                let is_old = subject.watched + Duration::from_nanos(visible_after.unsigned_abs()) < began;
                // That it is not there is a reason to look, in a list of those that run.
                if !has_ended && is_old && !seen.contains(&ticket.slot) {
                    subject.due = Duration::ZERO;
                    self.counts.add("absent", 1);
                }
            }
        }
        match &end {
            PageEnd::GivenUp if members.is_empty() => self.count("given up pages"),
            PageEnd::GivenUp => self.count("given up batches"),
            PageEnd::Last { .. } => self.count("ended sweeps and batches"),
            _ => {}
        }
        self.core.end_page(group, self.time(), self.system(), &end, members.iter().copied());
    }

    pub(super) fn land_cancel(&mut self, ticket: Ticket, failures: u8, gave: &Cancelled) {
        self.tell(|| format!("the cancel call of {ticket} was answered: {}", matches!(gave, Cancelled::Answered)));
        match (gave, self.subjects.get_mut(&ticket)) {
            (Cancelled::Answered, Some(subject)) => (subject.due, subject.wants_cancel) = (Duration::ZERO, false),
            (Cancelled::Failed(_), Some(_)) => self.count("failed cancels"),
            (_, None) => self.count("cancels of ended ones"),
            (Cancelled::GivenUp, _) => self.count("given up cancels"),
        }
        self.core.report_cancel(ticket, failures, self.time(), self.system(), gave);
    }

    pub(super) fn check_sometimes(&mut self) {
        self.checks += 1;
        // An error stays: it is found a few events later, and at once when the history is repeated.
        if self.is_told || self.checks.is_multiple_of(128) {
            self.check();
        }
    }
}
