//! The engine: poll now, wait until, or stop. Pure: no clock, no I/O, no executor, no randomness of its own.

use std::time::{Duration, Instant, SystemTime};

use crate::{
    failure::{Failure, Verdict},
    hint::Hint,
    settings::{Expiration, HintPolicy, Jitter, SHORTEST_WAIT, Schedule},
};

/// How many times in a row a reply may say "look elsewhere, at once" before the engine waits like after any other poll.
const MOST_FOLLOWS: u32 = 8;

/// What the driver is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Poll now, for at most `limit`; where the server can hold the poll, for `hold`.
    Poll { limit: Duration, hold: Option<Duration> },
    /// Do nothing until then.
    WaitUntil(Instant),
    /// The wait has ended: see [`Engine::end`].
    Finished,
}

/// How a wait ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The operation is terminal.
    Completed,
    /// The expiration passed; with the failure of the last poll, if it failed.
    TimedOut(Option<Failure>),
    /// A poll failed in a way that no other poll would mend.
    Permanent(Failure),
    /// The error budget is spent; with the last failure.
    BudgetSpent(Failure),
}

/// What is known when a wait begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// The current times.
    pub(crate) now: Instant,
    pub(crate) system_now: SystemTime,
    /// Whether the operation is terminal already.
    pub(crate) completed: bool,
    /// When its last reply was read; none if it was resumed and never looked at.
    pub(crate) last_reply: Option<Instant>,
    /// The hint of that reply, and whether it said to look again at once.
    pub(crate) hint: Option<Hint>,
    pub(crate) follow: bool,
    /// How long that reply took.
    pub(crate) round_trip: Duration,
    /// When the operation was started, if that is known: the base of the 404 grace.
    pub(crate) started: Option<Instant>,
    /// The seed of the jitter, unless the settings have one.
    pub(crate) seed: u64,
}

/// What one good reply means for the schedule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) completed: bool,
    pub(crate) hint: Option<Hint>,
    pub(crate) follow: bool,
}

/// Decides when to poll. One engine serves one wait.
///
/// Call order: [`next`](Self::next) until it says [`Action::Poll`]; then exactly one of [`handle_seen`](Self::handle_seen),
/// [`handle_failure`](Self::handle_failure) or [`handle_no_hold`](Self::handle_no_hold); then `next` again, until [`Action::Finished`].
/// `next` may be called at any time and as often as one likes: without a `handle_*` between, only the passing of time changes its answer.
#[derive(Clone)]
pub(crate) struct Engine {
    schedule: Schedule,
    began: Instant,
    deadline: Option<Instant>,
    grace_ends: Option<Instant>,
    rng: fastrand::Rng,
    attempts: u32,
    failures: u32,
    failing_since: Option<Instant>,
    last_failure: Option<Failure>,
    follows: u32,
    /// The wait after the next good reply, before jitter.
    delay: Duration,
    due: Instant,
    poll_began: Instant,
    poll_ended: Option<Instant>,
    round_trip: Duration,
    last_look_taken: bool,
    can_hold: bool,
    end: Option<End>,
}

impl Engine {
    pub(crate) fn new(schedule: Schedule, opening: &Opening) -> Self {
        let now = opening.now;
        let deadline = match schedule.expiration {
            Expiration::Timeout(timeout) => now.checked_add(timeout),
            Expiration::Deadline(deadline) => deadline.monotonic(now, opening.system_now),
            Expiration::Never => None,
        };
        let mut engine = Self {
            rng: fastrand::Rng::with_seed(schedule.seed.unwrap_or(opening.seed)),
            grace_ends: opening.started.and_then(|started| started.checked_add(schedule.not_found_grace)),
            delay: schedule.initial_delay.unwrap_or(schedule.delay),
            can_hold: schedule.long_poll.is_some(),
            schedule,
            began: now,
            deadline,
            attempts: 0,
            failures: 0,
            failing_since: None,
            last_failure: None,
            follows: 0,
            due: now,
            poll_began: now,
            poll_ended: None,
            round_trip: opening.round_trip,
            last_look_taken: false,
            end: opening.completed.then_some(End::Completed),
        };
        if let Some(replied) = opening.last_reply.filter(|_| !opening.follow) {
            let wait = engine.wait_after_reply(opening.hint, opening.system_now);
            // The server may hold a poll: then it is the server that waits.
            engine.due = if engine.can_hold && opening.hint.is_none() { now } else { add(replied, wait).max(now) };
        }
        engine
    }

    /// How many polls this engine has asked for.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long this wait has lasted.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// How the wait ended, once it has.
    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// What to do at `now`.
    pub(crate) fn next(&mut self, now: Instant) -> Action {
        if self.end.is_some() {
            return Action::Finished;
        }
        let Some(deadline) = self.deadline else {
            return if self.due <= now { self.poll(now, None) } else { Action::WaitUntil(self.due) };
        };
        let looked_at_the_end = self.last_look_taken || self.poll_ended.is_some_and(|ended| ended >= deadline);
        if looked_at_the_end {
            return if now < deadline { Action::WaitUntil(deadline) } else { self.time_out() };
        }
        // The last poll is sent early enough that its reply lands on the deadline; without a round trip to go by, on the deadline.
        let span = deadline.saturating_duration_since(self.began);
        let lead = self.round_trip.saturating_mul(2).min(span / 2);
        let last_look = deadline.checked_sub(lead).unwrap_or(deadline);
        if now < self.due && now < last_look {
            return Action::WaitUntil(self.due.min(last_look));
        }
        self.last_look_taken = now >= last_look;
        self.poll(now, Some(deadline))
    }

    fn poll(&mut self, now: Instant, deadline: Option<Instant>) -> Action {
        self.attempts = self.attempts.saturating_add(1);
        self.poll_began = now;
        let remaining = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(now));
        let hold = self.schedule.long_poll.filter(|_| self.can_hold && !self.last_look_taken);
        // The server is asked to answer a little before our own patience ends.
        let hold = hold
            .map(|hold| hold.min(remaining.saturating_sub(self.round_trip.saturating_mul(2))))
            .filter(|hold| !hold.is_zero());
        let limit = self.schedule.poll_timeout.saturating_add(hold.unwrap_or_default()).min(remaining);
        Action::Poll { limit, hold }
    }

    fn time_out(&mut self) -> Action {
        self.end = Some(End::TimedOut(self.last_failure.take()));
        Action::Finished
    }

    /// A poll was answered.
    pub(crate) fn handle_seen(&mut self, now: Instant, system_now: SystemTime, seen: Seen) {
        let held = self.can_hold && self.schedule.long_poll.is_some();
        if !held {
            self.round_trip = now.saturating_duration_since(self.poll_began);
        }
        self.poll_ended = Some(now);
        (self.failures, self.failing_since, self.last_failure) = (0, None, None);
        self.follows = if seen.follow { self.follows.saturating_add(1) } else { 0 };
        if seen.completed {
            self.end = Some(End::Completed);
        } else if seen.follow && self.follows <= MOST_FOLLOWS {
            self.due = now;
        } else {
            let wait = self.wait_after_reply(seen.hint, system_now);
            // A held poll has waited already; one that came back at once has not.
            let from = if held && seen.hint.is_none() { self.poll_began } else { now };
            self.due = add(from, wait).max(now);
        }
    }

    /// A poll failed.
    pub(crate) fn handle_failure(&mut self, now: Instant, system_now: SystemTime, failure: Failure) {
        self.poll_ended = Some(now);
        let verdict = self.schedule.verdict(&failure);
        let forgiven_until = match verdict {
            Verdict::Stop => None,
            Verdict::Retry => self.spend_budget(now),
            Verdict::RetryWithinGrace => self.grace_ends.filter(|ends| now < *ends),
        };
        let Some(forgiven_until) = forgiven_until else {
            let budgeted = matches!(verdict, Verdict::Retry);
            self.end = Some(if budgeted { End::BudgetSpent(failure) } else { End::Permanent(failure) });
            return;
        };
        let computed = self.schedule.error_budget.wait(self.failures.max(1));
        let wait = self.hinted(failure.hint(), system_now).unwrap_or(computed);
        self.due = add(now, wait).min(forgiven_until).max(add(now, SHORTEST_WAIT));
        self.last_failure = Some(failure);
    }

    /// The server cannot hold polls after all: from now on, poll as usual. Not a failure.
    pub(crate) fn handle_no_hold(&mut self, now: Instant) {
        self.can_hold = false;
        self.due = now;
    }

    /// Takes one failure from the budget: the end of the row's patience, or none if it is spent.
    fn spend_budget(&mut self, now: Instant) -> Option<Instant> {
        let budget = self.schedule.error_budget;
        self.failures = self.failures.saturating_add(1);
        let since = *self.failing_since.get_or_insert(now);
        let patience_ends = add(since, budget.elapsed());
        (self.failures <= budget.failures() && now < patience_ends).then_some(patience_ends)
    }

    /// The wait after a good reply: the hint if it counts, else the next computed delay. Either uses up one computed delay.
    fn wait_after_reply(&mut self, hint: Option<Hint>, system_now: SystemTime) -> Duration {
        let computed = self.spread(self.delay);
        let first_is_special = self.schedule.initial_delay.is_some() && self.attempts == 0;
        self.delay = if first_is_special { self.schedule.delay } else { grown(self.delay, &self.schedule) };
        self.hinted(hint, system_now).unwrap_or(computed)
    }

    fn hinted(&self, hint: Option<Hint>, system_now: SystemTime) -> Option<Duration> {
        match (self.schedule.hint, hint) {
            (HintPolicy::Obey { floor, ceiling }, Some(hint)) => Some(hint.wait(system_now).clamp(floor, ceiling)),
            _ => None,
        }
    }

    fn spread(&mut self, delay: Duration) -> Duration {
        match self.schedule.jitter {
            Jitter::None => delay,
            Jitter::Full => delay.mul_f64(self.rng.f64()).max(SHORTEST_WAIT.min(delay)),
            Jitter::Equal => (delay / 2).saturating_add((delay / 2).mul_f64(self.rng.f64())),
        }
    }
}

/// `delay` grown by one step, at most `max_delay`.
fn grown(delay: Duration, schedule: &Schedule) -> Duration {
    let seconds = delay.as_secs_f64() * schedule.multiplier;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).min(schedule.max_delay)
}

/// `instant + duration`; what does not fit a clock is as far away as fits.
fn add(instant: Instant, duration: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(86_400 * 365 * 100);
    instant.checked_add(duration).or_else(|| instant.checked_add(FAR)).unwrap_or(instant)
}
