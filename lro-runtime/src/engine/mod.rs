//! The engine: poll now, wait until, or stop. Pure: no clock, no I/O, no executor, no randomness of its own.
//!
//! Whatever it learns (the opening, a reply, a failure) it turns into one [`Plan`] at once; asking what to do is then a comparison
//! of the plan with the time.

use std::time::{Duration, Instant, SystemTime};

use crate::{
    hint::Hint,
    settings::{Expiration, HintPolicy, Jitter, SHORTEST_WAIT, Schedule},
    status::{Cause, Failure, Verdict},
};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

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
    /// Its last reply; none if it was resumed and never looked at.
    pub(crate) last_reply: Option<LastReply>,
    /// When the operation was started, if that is known: the base of the 404 grace.
    pub(crate) started: Option<Instant>,
    /// The seed of the jitter, unless the settings have one.
    pub(crate) seed: u64,
}

/// The reply that the snapshot is of with which a wait begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastReply {
    /// When it was read.
    pub(crate) at: Instant,
    /// How long it took.
    pub(crate) round_trip: Duration,
    /// Whether it is that of the start call: then the initial delay counts.
    pub(crate) to_start: bool,
    pub(crate) hint: Option<Hint>,
    /// Whether it said to look again at once.
    pub(crate) follow: bool,
}

/// What one good reply means for the schedule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) completed: bool,
    pub(crate) hint: Option<Hint>,
    pub(crate) follow: bool,
}

/// What the engine will do unless it learns something else.
#[derive(Clone)]
enum Plan {
    /// Poll then.
    PollAt(Instant),
    /// Wait for what the driver has to say about this poll.
    Polling(Polling),
    /// Give up then: there is no time for another poll.
    ExpireAt(Instant),
    Ended(End),
}

/// A poll that the driver was asked for.
#[derive(Clone, Copy)]
struct Polling {
    action: Action,
    began: Instant,
    /// When it should have begun: earlier, where the timer overslept.
    planned: Instant,
    is_held: bool,
    is_last_poll: bool,
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
    plan: Plan,
    /// Whether `next` has told the driver to wait for the plan's time.
    told_to_wait: bool,
    attempts: u32,
    failures: u32,
    failing_since: Option<Instant>,
    last_failure: Option<Failure>,
    follows: u32,
    /// The wait after the next good reply, before jitter.
    delay: Duration,
    /// How long a reply takes, timer included: rises with the slowest, falls slowly.
    round_trip: Duration,
    /// When to poll if the server turns out not to hold polls.
    unheld: Option<Instant>,
    can_hold: bool,
    /// Whether the last poll was an ordinary one: a held one does not count as a last look.
    polled: bool,
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
            delay: schedule.delay,
            can_hold: schedule.long_poll.is_some(),
            schedule,
            began: now,
            deadline,
            plan: Plan::PollAt(now),
            told_to_wait: false,
            attempts: 0,
            failures: 0,
            failing_since: None,
            last_failure: None,
            follows: 0,
            round_trip: opening.last_reply.map(|reply| reply.round_trip).unwrap_or_default(),
            unheld: None,
            polled: false,
        };
        if opening.completed {
            engine.plan = Plan::Ended(End::Completed);
        } else if let Some(reply) = opening.last_reply.filter(|reply| !reply.follow) {
            let wait = engine.wait_after_reply(reply.hint, reply.to_start, opening.system_now);
            let due = add(reply.at, wait);
            // The server may hold a poll: then it is the server that waits.
            let is_held = engine.can_hold && reply.hint.is_none();
            engine.unheld = is_held.then_some(due);
            engine.plan_poll(now, if is_held { now } else { due });
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
        match &self.plan {
            Plan::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// What to do at `now`.
    pub(crate) fn next(&mut self, now: Instant) -> Action {
        match self.plan {
            Plan::Ended(_) => Action::Finished,
            Plan::Polling(polling) => polling.action,
            Plan::PollAt(at) | Plan::ExpireAt(at) if now < at => {
                self.told_to_wait = true;
                Action::WaitUntil(at)
            }
            // Called too late: a poll would end after the deadline.
            Plan::PollAt(_) if self.deadline.is_some_and(|deadline| now > deadline) => self.time_out(),
            Plan::PollAt(at) => self.poll(now, if self.told_to_wait { at } else { now }),
            Plan::ExpireAt(_) => self.time_out(),
        }
    }

    fn poll(&mut self, now: Instant, planned: Instant) -> Action {
        self.attempts = self.attempts.saturating_add(1);
        let is_last_poll = self.deadline.is_some_and(|deadline| now >= self.last_poll(deadline));
        let remaining = self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(now));
        // The server is asked to answer early enough for a last look.
        let longest = remaining.saturating_sub(self.round_trip.saturating_mul(2));
        let hold = self.schedule.long_poll.filter(|_| self.can_hold && !is_last_poll).map(|hold| hold.min(longest));
        let hold = hold.filter(|hold| !hold.is_zero());
        let limit = self.schedule.poll_timeout.saturating_add(hold.unwrap_or_default()).min(remaining);
        let action = Action::Poll { limit, hold };
        let (began, is_held) = (now, hold.is_some());
        self.plan = Plan::Polling(Polling { action, began, planned, is_held, is_last_poll });
        action
    }

    fn time_out(&mut self) -> Action {
        self.plan = Plan::Ended(End::TimedOut(self.last_failure.take()));
        Action::Finished
    }

    /// When the last poll must be sent for its reply to land on the deadline; without a round trip to go by, on the deadline.
    fn last_poll(&self, deadline: Instant) -> Instant {
        deadline.checked_sub(self.lead(deadline)).unwrap_or(deadline)
    }

    fn lead(&self, deadline: Instant) -> Duration {
        self.round_trip.min(deadline.saturating_duration_since(self.began) / 2)
    }

    /// Plans the next poll for `due`, or for the last look, or none if there is no time for one.
    fn plan_poll(&mut self, now: Instant, due: Instant) {
        self.told_to_wait = false;
        self.plan = match self.deadline {
            None => Plan::PollAt(due.max(now)),
            Some(deadline) => {
                let last_poll = self.last_poll(deadline);
                let would_be_last = add(due, self.lead(deadline)) >= last_poll;
                let polled_on_it = self.attempts > 0 && now >= deadline;
                match () {
                    () if polled_on_it || self.polled && now >= last_poll => Plan::ExpireAt(deadline),
                    () if due <= now => Plan::PollAt(now),
                    () if would_be_last => Plan::PollAt(last_poll),
                    () => Plan::PollAt(due),
                }
            }
        };
    }

    /// The poll that was in flight, which has ended.
    fn landed(&mut self) -> Option<Polling> {
        match self.plan {
            Plan::Polling(polling) => {
                self.polled = !polling.is_held;
                Some(polling)
            }
            _ => None,
        }
    }

    /// A poll was answered.
    pub(crate) fn handle_seen(&mut self, now: Instant, system_now: SystemTime, seen: Seen) {
        let Some(polling) = self.landed() else { return };
        if !polling.is_held {
            self.measure(now.saturating_duration_since(polling.planned), polling.is_last_poll);
        }
        (self.failures, self.failing_since, self.last_failure) = (0, None, None);
        self.follows = if seen.follow { self.follows.saturating_add(1) } else { 0 };
        if seen.completed {
            self.plan = Plan::Ended(End::Completed);
        } else if seen.follow && self.follows <= MOST_FOLLOWS {
            self.plan_poll(now, now);
        } else {
            let wait = self.wait_after_reply(seen.hint, false, system_now);
            // A held poll has waited already; one that came back at once has not.
            let held = polling.is_held && seen.hint.is_none();
            self.unheld = held.then(|| add(now, wait));
            self.plan_poll(now, add(if held { polling.began } else { now }, wait));
        }
    }

    /// A poll failed.
    pub(crate) fn handle_failure(&mut self, now: Instant, system_now: SystemTime, failure: Failure) {
        let Some(polling) = self.landed() else { return };
        let verdict = self.schedule.verdict(&failure);
        let is_cut = matches!(failure.cause(), Cause::TimedOut(_));
        if self.deadline.is_some_and(|deadline| now >= deadline) && (is_cut || verdict == Verdict::Retry) {
            self.plan = Plan::Ended(End::TimedOut(Some(failure)));
            return;
        }
        if is_cut && polling.is_held {
            // The server holds polls for longer than it is asked to: from now on, poll as usual.
            self.can_hold = false;
            self.plan_poll(now, now);
            return;
        }
        let forgiven_for = match verdict {
            Verdict::Stop => Duration::ZERO,
            Verdict::Retry => self.spend_budget(now),
            Verdict::RetryWithinGrace => {
                self.grace_ends.map_or(Duration::ZERO, |ends| ends.saturating_duration_since(now))
            }
        };
        if forgiven_for.is_zero() {
            let budgeted = matches!(verdict, Verdict::Retry);
            self.plan = Plan::Ended(if budgeted { End::BudgetSpent(failure) } else { End::Permanent(failure) });
            return;
        }
        // The wait that the server asks for is kept, be it longer than our patience.
        let computed = || self.schedule.error_budget.wait(self.failures.max(1)).min(forgiven_for).max(SHORTEST_WAIT);
        let wait = self.hinted(failure.hint(), system_now).unwrap_or_else(computed);
        self.last_failure = Some(failure);
        self.unheld = None;
        self.plan_poll(now, add(now, wait));
    }

    /// The server cannot hold polls after all: from now on, poll as usual. Not a failure, and no poll.
    pub(crate) fn handle_no_hold(&mut self, now: Instant) {
        if self.landed().is_some() {
            self.can_hold = false;
            self.attempts = self.attempts.saturating_sub(1);
            let due = self.unheld.take().unwrap_or(now);
            self.plan_poll(now, due);
        }
    }

    /// Takes one failure from the budget: what is left of the row's patience.
    fn spend_budget(&mut self, now: Instant) -> Duration {
        let budget = self.schedule.error_budget;
        self.failures = self.failures.saturating_add(1);
        let since = *self.failing_since.get_or_insert(now);
        if self.failures > budget.failures() {
            return Duration::ZERO;
        }
        budget.elapsed().saturating_sub(now.saturating_duration_since(since))
    }

    /// Learns from one reply how long they take. The first of a wait, and the last, say more than those before them.
    fn measure(&mut self, sample: Duration, is_last_poll: bool) {
        let fading = (self.round_trip / 8).saturating_mul(7).saturating_add(sample / 8);
        self.round_trip = if self.attempts <= 1 || is_last_poll { sample } else { sample.max(fading) };
    }

    /// The wait after a good reply: the hint if it counts, else the next computed delay. Either uses up one computed delay.
    fn wait_after_reply(&mut self, hint: Option<Hint>, to_start: bool, system_now: SystemTime) -> Duration {
        let computed = if let Some(initial) = self.schedule.initial_delay.filter(|_| to_start) {
            initial
        } else {
            let next = grown(self.delay, &self.schedule);
            std::mem::replace(&mut self.delay, next)
        };
        let spread = self.spread(computed);
        self.hinted(hint, system_now).unwrap_or(spread)
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
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(delay).min(schedule.max_delay)
}

/// `instant + duration`; what does not fit a clock is as far away as fits.
fn add(instant: Instant, duration: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(86_400 * 365 * 100);
    instant.checked_add(duration).or_else(|| instant.checked_add(FAR)).unwrap_or(instant)
}
