//! The engine of a wait: decides whether to poll now, to sleep until a time, or to stop.
//!
//! It is pure: it has no clock, no I/O, no executor and no randomness of its own. The driver passes
//! the time in, polls, sleeps, and reports what each poll gave.
//!
//! The engine turns everything it learns (the opening, a reply, a failure) into one [`Plan`] at
//! once. [`Engine::next`] then only compares the plan with the time, so the driver may call it as
//! often as it likes.
//!
//! Time arithmetic saturates throughout. Settings, server hints and clock jumps may give any
//! duration, and `Instant + Duration` panics on overflow.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    hint::Hint,
    settings::{Expiration, Hold, Jitter, SHORTEST_DELAY, Schedule, UnknownStatus, Verdict},
    status::{Cause, Failure, FailureScope},
};

#[cfg(any(test, feature = "fleet"))]
mod elsewhere;
mod moment;
#[cfg(any(test, feature = "fleet"))]
mod packed;
#[cfg(feature = "fleet")]
mod past;
#[cfg(feature = "fleet")]
pub(crate) use self::{
    packed::Packed,
    past::{Left, Noted, Past},
};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod simulation;
mod spending;
#[cfg(test)]
mod tests;
mod why;

pub(crate) use self::why::Why;
use self::{
    moment::{Moment, add, duration, moment, nanos},
    spending::{Share, Spending},
};

/// How many replies in a row may ask for the next poll at once (a redirect, or a finished monitor
/// whose result is elsewhere). After that, the engine delays the next poll as after any other
/// reply.
///
/// Replies that follow one another for ever, such as redirects in a circle, would otherwise be a
/// hot loop. An honest chain is much shorter: one step to the result, and one for each redirect.
/// The exact number matters little, because a longer chain is only slowed down, not cut.
const MOST_FOLLOWS: u32 = 8;

/// What the driver does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Poll now, and give up on the reply after `limit`. With a `hold`, ask the server to hold the
    /// poll for that long.
    Poll { limit: Duration, hold: Option<Duration> },
    /// Sleep for this long, then ask again.
    Wait(Duration),
    /// The wait has ended; [`Engine::end`] says how.
    Finished,
}

/// How a wait ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// The operation is terminal.
    Completed,
    /// The deadline passed. Has the failure of the last poll, if that poll failed.
    TimedOut(Option<Box<Failure>>),
    /// A poll failed in a way that another poll would not mend.
    Permanent(Box<Failure>),
    /// The error budget is spent. Has the last failure.
    BudgetSpent(Box<Failure>),
}

/// What the engine knows when a wait begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// The current time on the monotonic clock.
    pub(crate) now: Instant,
    /// The current time on the wall clock.
    pub(crate) system_now: SystemTime,
    /// Whether the operation is terminal already.
    pub(crate) completed: bool,
    /// The last reply about the operation. `None` if it was resumed and not polled yet: then the
    /// first poll is at once.
    pub(crate) last_reply: Option<LastReply>,
    /// When the operation was started, if that is known. The grace for `404 Not Found` counts from
    /// here, until a poll has found the operation.
    pub(crate) started: Option<Instant>,
    /// Whether a poll has found the operation before.
    pub(crate) is_found: bool,
    /// The seed of the jitter, unless the settings have one.
    pub(crate) seed: u64,
}

/// The reply that gave the snapshot with which a wait begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastReply {
    /// When the reply was read. Time that has passed since then counts towards the first delay.
    pub(crate) at: Instant,
    /// How long the reply took.
    pub(crate) round_trip: Duration,
    /// Whether it is the reply to the start call. Only then does the initial delay apply.
    pub(crate) answers_start: bool,
    /// The hint in the reply.
    pub(crate) hint: Option<Hint>,
    /// Whether the reply asks for the next poll at once.
    pub(crate) follow: bool,
}

/// What a successful poll means for the schedule.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PollSuccess {
    /// Whether the operation is terminal.
    pub(crate) completed: bool,
    /// The hint in the reply.
    pub(crate) hint: Option<Hint>,
    /// Whether the reply asks for the next poll at once.
    pub(crate) follow: bool,
}

/// What the engine does next, unless it learns something else.
#[derive(Clone)]
enum Plan {
    /// Poll at this time.
    PollAt(Moment),
    /// Wait for the driver to report what this poll gave.
    Polling(Polling),
    /// Time out at this time. There is no time left for another poll.
    ExpireAt(Moment),
    /// The wait has ended.
    Ended(End),
}

/// A poll that the driver was asked for and has not reported yet.
#[derive(Clone, Copy)]
struct Polling {
    began: Instant,
    /// When the poll was planned for. Earlier than `began` if the timer overslept.
    planned: Moment,
    limit: Duration,
    /// For how long the server was asked to hold the poll.
    held: Option<Duration>,
    is_last_poll: bool,
}

impl Polling {
    /// Returns the action that [`Engine::next`] repeats until the driver reports.
    fn action(self) -> Action {
        Action::Poll { limit: self.limit, hold: self.held }
    }
}

/// Failures in a row. Few waits ever have one, so it is apart.
#[derive(Clone, Default)]
struct Failing {
    /// What they have spent of the error budget.
    spent: Spending,
    /// The last of them, which was the last poll: the cause that a timeout reports.
    last: Option<Box<Failure>>,
}

/// What the engine knows of a server that it asks to hold polls. Few waits do, so it is apart.
#[derive(Clone, Default)]
struct Holding {
    /// The delay that the next held poll takes the place of, where holds are in place of delays.
    delay: Duration,
    /// When the next poll is due if the server turns out not to hold polls.
    due_without: Option<Moment>,
}

/// What a driver must know of the poll that it was asked for.
#[derive(Clone, Copy)]
pub(crate) struct InFlight {
    pub(crate) began: Instant,
    pub(crate) limit: Duration,
    /// Whether the server was asked to hold the poll.
    pub(crate) is_held: bool,
}

/// Decides when to poll. One engine serves one wait.
///
/// Call order: [`next`](Self::next) until it returns [`Action::Poll`]; then exactly one of
/// [`handle_success`](Self::handle_success), [`handle_failure`](Self::handle_failure) and
/// [`handle_no_hold`](Self::handle_no_hold); then `next` again, until it returns
/// [`Action::Finished`]. `next` may be called at any time and any number of times: between two
/// calls without a `handle_*` in between, only the passing of time changes its answer.
#[derive(Clone)]
pub(crate) struct Engine {
    schedule: Arc<Schedule>,
    began: Instant,
    /// When the wait expires. `None` if it never does, or at a time that the clock cannot hold.
    deadline: Option<Moment>,
    /// Until when a `404 Not Found` is forgiven. Long ago if the start is unknown, or the operation
    /// was found where it is polled: then it is not forgiven.
    grace_ends: Moment,
    rng: fastrand::Rng,
    plan: Plan,
    /// Whether `next` has told the driver to sleep until the plan's time. If so, a poll that begins
    /// later than planned shows by how much the timer overslept.
    told_to_wait: bool,
    /// How many polls were asked for.
    attempts: u32,
    /// The failures since the last success, if there are some.
    failing: Option<Box<Failing>>,
    /// How many replies in a row asked for the next poll at once.
    follows: u32,
    /// The delay after the next good reply, before jitter.
    delay: Duration,
    /// An estimate of how long a poll takes in nanoseconds, including the time that the timer
    /// oversleeps. Rises at once with a slow reply and falls slowly.
    round_trip: i64,
    /// What holds need; `None` if the server is not asked to hold polls.
    holding: Option<Box<Holding>>,
    /// Whether the poll that ended last was an ordinary one. A held poll does not count as a last
    /// poll: `poll` cuts its hold so that an ordinary poll still fits before the deadline, and that
    /// poll would never be sent if the held one counted.
    last_was_ordinary: bool,
}

impl Engine {
    /// Begins a wait.
    pub(crate) fn new(schedule: Arc<Schedule>, opening: &Opening) -> Self {
        let since = |time: Instant| moment(opening.now, time);
        let deadline = match schedule.expiration {
            Expiration::Timeout(timeout) => Some(nanos(timeout)),
            Expiration::Deadline(deadline) => deadline.monotonic(opening.now, opening.system_now).map(since),
            Expiration::Never => None,
        };
        let started = opening.started.filter(|_| !opening.is_found);
        let mut engine = Self {
            rng: fastrand::Rng::with_seed(schedule.seed.unwrap_or(opening.seed)),
            grace_ends: started.map_or(Moment::MIN, |started| add(since(started), schedule.not_found_grace)),
            delay: schedule.delay,
            // Before a first poll there is no delay: a held one takes the place of the first.
            holding: matches!(schedule.hold, Hold::For(_) | Hold::InPlaceOfDelays)
                .then(|| Box::new(Holding { delay: schedule.delay, due_without: None })),
            schedule,
            began: opening.now,
            // A timeout that ends beyond what can be told is as good as none.
            deadline: deadline.filter(|deadline| *deadline < Moment::MAX),
            // Stays if there is no reply yet, or if the last reply asks for the next poll at once.
            plan: Plan::PollAt(0),
            told_to_wait: false,
            attempts: 0,
            failing: None,
            follows: 0,
            round_trip: opening.last_reply.map(|reply| nanos(reply.round_trip)).unwrap_or_default(),
            last_was_ordinary: false,
        };
        if opening.completed {
            engine.plan = Plan::Ended(End::Completed);
        } else if let Some(reply) = opening.last_reply.filter(|reply| !reply.follow) {
            let delay = engine.delay_after_reply(reply.hint, reply.answers_start, opening.system_now);
            let due = add(since(reply.at), delay);
            // A poll that the server holds takes the place of the delay, so it is sent at once. A
            // hint is still obeyed first, because the server has asked not to be polled before.
            let held = engine.holding.as_mut().filter(|_| reply.hint.is_none());
            let is_held = held.is_some();
            if let Some(holding) = held {
                holding.due_without = Some(due);
            }
            engine.plan_poll(0, if is_held { 0 } else { due });
        }
        engine
    }

    /// Returns what a status word that the dialect does not know means for this wait.
    pub(crate) fn unknown_status(&self) -> UnknownStatus {
        self.schedule.unknown_status
    }

    /// Returns how many polls this engine has asked for.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns how long this wait has lasted.
    pub(crate) fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }

    /// Returns how the wait ended, once it has.
    pub(crate) fn end(&self) -> Option<&End> {
        match &self.plan {
            Plan::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// Returns the poll that the driver has not reported yet; `None` if there is none.
    pub(crate) fn in_flight(&self) -> Option<InFlight> {
        match self.plan {
            Plan::Polling(Polling { began, limit, held, .. }) => {
                Some(InFlight { began, limit, is_held: held.is_some() })
            }
            _ => None,
        }
    }

    /// Returns what to do at `time`.
    pub(crate) fn next(&mut self, time: Instant) -> Action {
        let now = moment(self.began, time);
        match self.plan {
            Plan::Ended(_) => Action::Finished,
            Plan::Polling(polling) => polling.action(),
            Plan::PollAt(at) | Plan::ExpireAt(at) if now < at => {
                self.told_to_wait = true;
                Action::Wait(duration(at.saturating_sub(now)))
            }
            // The driver came too late: a poll sent now would end after the deadline. At the
            // deadline itself one poll is still sent, so that a timeout of zero polls once.
            Plan::PollAt(_) if self.deadline.is_some_and(|deadline| now > deadline) => self.time_out(),
            Plan::PollAt(at) => self.poll(time, now, if self.told_to_wait { at } else { now }),
            Plan::ExpireAt(_) => self.time_out(),
        }
    }

    /// Asks the driver for a poll that begins now and was planned for `planned`.
    fn poll(&mut self, began: Instant, now: Moment, planned: Moment) -> Action {
        self.attempts = self.attempts.saturating_add(1);
        let is_last_poll = self.deadline.is_some_and(|deadline| now >= self.last_poll(deadline));
        let remaining = self.deadline.map_or(Duration::MAX, |deadline| duration(deadline.saturating_sub(now)));
        let asked = self.holding.as_ref().filter(|_| !is_last_poll).map(|holding| match self.schedule.hold {
            Hold::For(hold) => hold,
            _ => holding.delay,
        });
        // The hold ends two round trips before the deadline: one for the reply of this poll, one
        // for a last ordinary poll.
        let longest = || remaining.saturating_sub(duration(self.round_trip.saturating_mul(2)));
        let held = asked.map(|hold| hold.min(longest())).filter(|hold| !hold.is_zero());
        // Time to hold and time to answer, but never beyond the deadline: a poll in flight is cut
        // there.
        let limit = self.schedule.poll_timeout.saturating_add(held.unwrap_or_default()).min(remaining);
        let polling = Polling { began, planned, limit, held, is_last_poll };
        self.plan = Plan::Polling(polling);
        polling.action()
    }

    /// Ends the wait because the deadline has passed.
    fn time_out(&mut self) -> Action {
        self.plan = Plan::Ended(End::TimedOut(self.failing.take().and_then(|failing| failing.last)));
        Action::Finished
    }

    /// Returns when the last poll must be sent so that its reply arrives at the deadline. Before
    /// any round trip is known, that is the deadline itself.
    fn last_poll(&self, deadline: Moment) -> Moment {
        deadline.saturating_sub(self.lead(deadline))
    }

    /// Returns by how much the last poll is sent before the deadline: one round trip, but at most
    /// half the wait.
    ///
    /// The first estimate is the round trip of the start call, which may be longer than the whole
    /// wait. Without the cap, the time for the last poll would then lie before the beginning of the
    /// wait: the first poll would be sent at once, and if it failed there would not be another.
    fn lead(&self, deadline: Moment) -> i64 {
        self.round_trip.min(deadline.max(0) / 2)
    }

    /// Plans the next poll: at `due`, or as the last poll of the wait, or not at all if there is no
    /// time for one.
    fn plan_poll(&mut self, now: Moment, due: Moment) {
        self.told_to_wait = false;
        self.plan = match self.deadline {
            None => Plan::PollAt(due.max(now)),
            Some(deadline) => {
                let last_poll = self.last_poll(deadline);
                // The reply to a poll at `due` would come after the time for the last poll. Only
                // one of the two fits, and the last poll sees more: its reply arrives at the
                // deadline.
                let would_be_last = due.saturating_add(self.lead(deadline)) >= last_poll;
                // Also for a held poll: it ended at the deadline, and a further poll could not be
                // answered in time.
                let polled_on_it = self.attempts > 0 && now >= deadline;
                match () {
                    // Waits for the deadline instead of ending now, so that a timeout is never
                    // early.
                    () if polled_on_it || self.last_was_ordinary && now >= last_poll => Plan::ExpireAt(deadline),
                    () if due <= now => Plan::PollAt(now),
                    () if would_be_last => Plan::PollAt(last_poll),
                    () => Plan::PollAt(due),
                }
            }
        };
    }

    /// Returns the poll that has ended, or `None` if no poll was in flight. A report without a poll
    /// changes nothing.
    fn take_polling(&mut self) -> Option<Polling> {
        match self.plan {
            Plan::Polling(polling) => {
                self.last_was_ordinary = polling.held.is_none();
                Some(polling)
            }
            _ => None,
        }
    }

    /// Reports that the poll succeeded.
    pub(crate) fn handle_success(&mut self, time: Instant, system_now: SystemTime, success: PollSuccess) {
        let Some(polling) = self.take_polling() else { return };
        let now = moment(self.began, time);
        // A held poll takes as long as the server holds it, which says nothing about round trips.
        // The time counts from `planned`, so that a timer that oversleeps makes the last poll
        // earlier as a slow network does.
        if polling.held.is_none() {
            self.measure(now.saturating_sub(polling.planned).max(0), polling.is_last_poll);
        }
        self.failing = None;
        self.follows = if success.follow { self.follows.saturating_add(1) } else { 0 };
        // What was found and is not found any more is gone: it expired or was deleted. A reply that
        // leads elsewhere says nothing of that place.
        if !success.follow {
            self.grace_ends = Moment::MIN;
        }
        if success.completed {
            self.plan = Plan::Ended(End::Completed);
        } else if success.follow && self.follows <= MOST_FOLLOWS {
            self.plan_poll(now, now);
        } else {
            let delay = self.delay_after_reply(success.hint, false, system_now);
            // The delay after a held poll counts from its beginning, because the server has waited
            // already. If the server did not hold it, the delay is still ahead, and the wait polls
            // as usual. A hint counts from the reply, as everywhere.
            let held = polling.held.filter(|_| success.hint.is_none());
            if let Some(holding) = &mut self.holding {
                holding.due_without = held.map(|_| add(now, delay));
            }
            let due = match held {
                // A server that has held the poll for as long as it was asked is polled again at
                // once, although the next delay is longer.
                Some(asked) => add(moment(self.began, polling.began), delay.min(asked)),
                None => add(now, delay),
            };
            self.plan_poll(now, due);
        }
    }

    /// Reports that the poll failed.
    pub(crate) fn handle_failure(&mut self, time: Instant, system_now: SystemTime, failure: Failure) {
        let Some(polling) = self.take_polling() else { return };
        let now = moment(self.began, time);
        // Boxed: few waits ever have one, and every wait has the place for it.
        let failure = Box::new(failure);
        let verdict = self.schedule.verdict(&failure);
        let is_cut = matches!(failure.cause(), Cause::TimedOut(_));
        // What the deadline cuts is a timeout, whatever the error budget and the policy say: the
        // poll itself did not fail. Neither is a failure at the deadline that would be retried if
        // there were time. A permanent failure is still reported as such.
        if self.deadline.is_some_and(|deadline| now >= deadline) && (is_cut || verdict == Verdict::Retry) {
            self.plan = Plan::Ended(End::TimedOut(Some(failure)));
            return;
        }
        if is_cut && polling.held.is_some() {
            // The server holds polls for longer than it is asked to, as Compute's wait does, which
            // takes no time limit. That is not a failure. From now on the wait polls as usual,
            // beginning at once: it has waited long enough.
            self.holding = None;
            self.plan_poll(now, now);
            return;
        }
        if polling.held.is_some() && self.schedule.hold == Hold::InPlaceOfDelays {
            // A proxy may refuse or cut what is held. The settings did not ask for it, so the wait
            // does without.
            self.holding = None;
        }
        // For how long failures are still forgiven, where zero ends the wait; and the how many-th
        // in a row it is, by which its delay grows.
        let (forgiven_for, nth) = match verdict {
            Verdict::Stop => (Duration::ZERO, 1),
            Verdict::Retry => self.spend_budget(now, failure.scope()),
            // Spends no budget: right after the start, "not found" is the normal answer of a
            // replica that lags. Its delay stays where failures before it have brought it.
            Verdict::RetryWithinGrace => {
                let nth = self.failing.as_ref().map_or(1, |failing| failing.spent.operation.failures.max(1));
                (duration(self.grace_ends.saturating_sub(now)), nth)
            }
        };
        if forgiven_for.is_zero() {
            let budgeted = matches!(verdict, Verdict::Retry);
            self.plan = Plan::Ended(if budgeted { End::BudgetSpent(failure) } else { End::Permanent(failure) });
            return;
        }
        // The computed delay is cut so that the last retry comes when the forgiveness ends, not
        // after it. With a nanosecond of it left the cut delay would be a hot loop, hence the lower
        // bound.
        //
        // A hint wins over the end of the forgiveness and is not cut by it. The server has said
        // when it can answer; an earlier poll would get the same refusal and end the wait for
        // nothing. What the service remembers cuts it: after that, the answer would come too late.
        let computed = || self.schedule.error_budget.delay_after(nth).min(forgiven_for).max(SHORTEST_DELAY);
        let delay = self.remembered(self.schedule.hinted(failure.hint(), || system_now).unwrap_or_else(computed));
        self.failing.get_or_insert_default().last = Some(failure);
        if let Some(holding) = &mut self.holding {
            // Computed before the failure, and perhaps earlier than the delay that the failure asks
            // for.
            holding.due_without = None;
        }
        self.plan_poll(now, add(now, delay));
    }

    /// Reports that the dialect or the service cannot hold polls. From now on the wait polls as
    /// usual.
    pub(crate) fn handle_no_hold(&mut self, time: Instant) {
        if self.take_polling().is_some() {
            let now = moment(self.began, time);
            let holding = self.holding.take();
            // Neither a failure nor a poll: it said nothing about the operation.
            self.attempts = self.attempts.saturating_sub(1);
            // When an ordinary poll would have been due. Polling at once would skip the delay after
            // the reply before.
            let due = holding.and_then(|holding| holding.due_without).unwrap_or(now);
            self.plan_poll(now, due);
        }
    }

    /// Counts one failure. Returns for how long failures in a row are still forgiven, which is zero
    /// if the budget is spent, and the how many-th of its share it is.
    fn spend_budget(&mut self, now: Moment, scope: FailureScope) -> (Duration, u32) {
        let budget = &self.schedule.error_budget;
        // Without a share of its own, the origin's failures are counted with all others.
        let (share, limits) = match (scope, budget.origin_limits(self.deadline.is_some())) {
            (FailureScope::Origin, Some(limits)) => (Share::Origin, limits),
            _ => (Share::Operation, budget.limits()),
        };
        self.failing.get_or_insert_default().spent.count(share, now).left_of(limits)
    }

    /// Updates the estimate of the round trip from one reply.
    ///
    /// The estimate rises to a slower reply at once, and moves only an eighth of the way to a
    /// faster one. A last poll that is sent too late is cut by the deadline; one that is sent too
    /// early only sees a little less.
    ///
    /// Two replies replace the estimate. The first one of a wait, because the start call says
    /// little about how long polls take. And the reply to a last poll: if one slow reply made the
    /// engine send it too early and it came back fast, there is time for another last poll.
    fn measure(&mut self, sample: i64, is_last_poll: bool) {
        // Divided first, so that nothing overflows.
        let fading = (self.round_trip / 8).saturating_mul(7).saturating_add(sample / 8);
        self.round_trip = if self.attempts <= 1 || is_last_poll { sample } else { sample.max(fading) };
    }

    /// Returns the delay after a good reply: the hint if the settings obey it, else the next
    /// computed delay.
    ///
    /// A hint uses up the computed delay that it replaces, so delays keep growing under hints. The
    /// initial delay is not part of the growth.
    fn delay_after_reply(&mut self, hint: Option<Hint>, answers_start: bool, system_now: SystemTime) -> Duration {
        let computed = if let Some(initial) = self.schedule.initial_delay.filter(|_| answers_start) {
            initial
        } else {
            let next = grown(self.delay, &self.schedule);
            std::mem::replace(&mut self.delay, next)
        };
        // Drawn also where a hint wins, so that a hint does not shift the random numbers of later
        // delays.
        let jittered = self.jittered(computed);
        if let Some(holding) = &mut self.holding {
            holding.delay = jittered;
        }
        self.remembered(self.schedule.hinted(hint, || system_now).unwrap_or(jittered))
    }

    /// Returns `delay`, cut to the longest after which the service still remembers the end.
    fn remembered(&self, delay: Duration) -> Duration {
        self.schedule.longest_delay.map_or(delay, |longest| delay.min(longest))
    }

    /// Applies the jitter to a delay.
    fn jittered(&mut self, delay: Duration) -> Duration {
        let drawn = match self.schedule.jitter {
            Jitter::None => delay,
            Jitter::Full => delay.mul_f64(self.rng.f64()),
            Jitter::Equal => (delay / 2).saturating_add((delay / 2).mul_f64(self.rng.f64())),
        };
        // Full jitter may draw zero, and half of the least delay is less than it: a hot loop. A
        // delay that is less itself (an initial one) stays so.
        drawn.max(SHORTEST_DELAY.min(delay))
    }
}

/// Returns `delay` times the multiplier, at most `max_delay`.
fn grown(delay: Duration, schedule: &Schedule) -> Duration {
    // Most delays of a long wait have grown as far as they may.
    if delay >= schedule.max_delay {
        return schedule.max_delay;
    }
    // In `f64`, and back by a conversion that cannot panic: `mul_f64` panics on overflow.
    // `max(delay)`, because rounding could shrink a delay whose multiplier is 1.
    let seconds = delay.as_secs_f64() * schedule.multiplier;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).max(delay).min(schedule.max_delay)
}
