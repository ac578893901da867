//! The engine of a wait: decides whether to poll now, to sleep until a time, or to stop.
//!
//! It is pure: it has no clock, no I/O, no executor and no randomness of its own. The driver passes
//! the time in, polls, sleeps, and reports what each poll gave.
//!
//! The engine turns everything it learns (the opening, a reply, a failure) into the time of the
//! next poll at once. [`Engine::next`] then only compares that with the time, so the driver may
//! call it as often as it likes.
//!
//! Time arithmetic saturates throughout. Settings, server hints and clock jumps may give any
//! duration, and `Instant + Duration` panics on overflow.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    hint::Hint,
    settings::{Expiration, Hold, Jitter, SHORTEST_DELAY, Schedule, UnknownStatus, Verdict},
    stamp::Stamp,
    status::{Cause, Failure, FailureScope},
};

mod course;
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
    course::{Course, Failing, Holding, Rare},
    moment::{Moment, duration, moment, nanos},
    spending::Share,
};

/// How many replies in a row may ask for the next poll at once (a redirect, or a finished monitor
/// whose result is elsewhere). After that, the engine delays the next poll as after any other
/// reply.
///
/// Replies that follow one another for ever, such as redirects in a circle, would otherwise be a
/// hot loop. An honest chain is much shorter: one step to the result, and one for each redirect.
/// The exact number matters little, because a longer chain is only slowed down, not cut.
const MOST_FOLLOWS: u8 = 8;

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
    pub(crate) now: Stamp,
    /// The current time on the wall clock.
    pub(crate) system_now: SystemTime,
    /// Whether the operation is terminal already.
    pub(crate) completed: bool,
    /// The last reply about the operation. `None` if it was resumed and not polled yet: then the
    /// first poll is at once.
    pub(crate) last_reply: Option<LastReply>,
    /// When the operation was started, if that is known. The grace for `404 Not Found` counts from
    /// here, until a poll has found the operation.
    pub(crate) started: Option<Stamp>,
    /// Whether a poll has found the operation before.
    pub(crate) is_found: bool,
    /// The seed of the jitter, unless the settings have one.
    pub(crate) seed: u64,
}

/// The reply that gave the snapshot with which a wait begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastReply {
    /// When the reply was read. Time that has passed since then counts towards the first delay.
    pub(crate) at: Stamp,
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

/// What an engine is doing.
#[derive(Clone)]
enum Stage {
    /// It waits for the time of its course.
    Waiting,
    /// It waits for the driver to report what the poll gave that began then.
    Polling(Moment),
    /// The wait has ended.
    Ended(End),
}

/// A poll that the driver was asked for. All of it follows from when it began: until the driver
/// reports, nothing changes that it depends on.
#[derive(Clone, Copy)]
struct Polling {
    began: Moment,
    /// When the poll was planned for. Earlier than `began` if the timer overslept.
    planned: Moment,
    /// For how long the server was asked to hold the poll. Zero if it was not.
    held: i64,
}

impl Polling {
    fn is_held(self) -> bool {
        self.held > 0
    }
}

/// What a driver must know of the poll that it was asked for.
#[derive(Clone, Copy)]
pub(crate) struct InFlight {
    pub(crate) began: Stamp,
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
    began: Stamp,
    course: Course,
    stage: Stage,
}

impl Engine {
    /// Begins a wait.
    pub(crate) fn new(schedule: Arc<Schedule>, opening: &Opening) -> Self {
        let since = |time: Stamp| moment(opening.now, time);
        let deadline = match schedule.expiration {
            Expiration::Timeout(timeout) => nanos(timeout),
            Expiration::Deadline(deadline) => {
                let at = deadline.monotonic(opening.now.into(), opening.system_now);
                at.map_or(Moment::MAX, |at| since(at.into()))
            }
            Expiration::Never => Moment::MAX,
        };
        let started = opening.started.filter(|_| !opening.is_found);
        let grace = nanos(schedule.not_found_grace);
        let is_held = matches!(schedule.hold, Hold::For(_) | Hold::InPlaceOfDelays);
        // Before a first poll there is no delay: a held one takes the place of the first.
        let holding = Holding { delay: nanos(schedule.delay), due_without: None };
        let course = Course {
            // Stays if there is no reply yet, or if the last reply asks for the next poll at once.
            at: 0,
            deadline,
            grace_ends: started.map_or(Moment::MIN, |started| since(started).saturating_add(grace)),
            delay: nanos(schedule.delay),
            seed: schedule.seed.unwrap_or(opening.seed),
            round_trip: opening.last_reply.map(|reply| nanos(reply.round_trip)).unwrap_or_default(),
            attempts: 0,
            follows: 0,
            expires: false,
            told_to_wait: false,
            last_was_ordinary: false,
            rare: is_held.then(|| Box::new(Rare { failing: Failing::default(), holding: Some(holding) })),
        };
        let mut engine = Self { schedule, began: opening.now, course, stage: Stage::Waiting };
        if opening.completed {
            engine.stage = Stage::Ended(End::Completed);
        } else if let Some(reply) = opening.last_reply.filter(|reply| !reply.follow) {
            let delay = engine.delay_after_reply(reply.hint, reply.answers_start, opening.system_now);
            let due = since(reply.at).saturating_add(delay);
            // A poll that the server holds takes the place of the delay, so it is sent at once. A
            // hint is still obeyed first, because the server has asked not to be polled before.
            match engine.course.holding_mut().filter(|_| reply.hint.is_none()) {
                Some(holding) => {
                    holding.due_without = Some(due);
                    engine.plan_poll(0, 0);
                }
                None => engine.plan_poll(0, due),
            }
        }
        engine
    }

    /// Returns what a status word that the dialect does not know means for this wait.
    pub(crate) fn unknown_status(&self) -> UnknownStatus {
        self.schedule.unknown_status
    }

    /// Returns how many polls this engine has asked for.
    pub(crate) fn attempts(&self) -> u32 {
        self.course.attempts
    }

    /// Returns how long this wait has lasted.
    pub(crate) fn elapsed(&self, now: Stamp) -> Duration {
        now.since(self.began)
    }

    /// Returns how the wait ended, once it has.
    pub(crate) fn end(&self) -> Option<&End> {
        match &self.stage {
            Stage::Ended(end) => Some(end),
            Stage::Waiting | Stage::Polling(_) => None,
        }
    }

    /// Whether [`next`](Self::next) has told the driver to wait, and to nothing else since.
    pub(crate) fn is_asleep(&self) -> bool {
        matches!(self.stage, Stage::Waiting) && self.course.told_to_wait
    }

    /// Returns the poll that the driver has not reported yet; `None` if there is none.
    pub(crate) fn in_flight(&self) -> Option<InFlight> {
        let polling = self.polling()?;
        Some(InFlight { began: self.began.after(polling.began), is_held: polling.is_held() })
    }

    /// Returns how long the poll in flight may take, and until when that is; `None` if there is no
    /// poll, or no limit that the clock can hold.
    pub(crate) fn poll_limit(&self) -> Option<(Duration, Stamp)> {
        let polling = self.polling()?;
        let limit = self.limit(polling);
        let until = polling.began.checked_add(limit).filter(|_| limit < i64::MAX)?;
        Some((duration(limit), self.began.after(until)))
    }

    /// Returns what to do at `time`.
    pub(crate) fn next(&mut self, time: Stamp) -> Action {
        match self.stage {
            Stage::Ended(_) => return Action::Finished,
            Stage::Polling(began) => return self.action(began),
            Stage::Waiting => {}
        }
        let now = moment(self.began, time);
        let Course { at, deadline, expires, .. } = self.course;
        if now < at {
            self.course.told_to_wait = true;
            return Action::Wait(duration(at.saturating_sub(now)));
        }
        // The driver came too late: a poll sent now would end after the deadline. At the deadline
        // itself one poll is still sent, so that a timeout of zero polls once.
        if expires || now > deadline { self.time_out() } else { self.poll(now) }
    }

    /// Asks the driver for a poll that begins now.
    fn poll(&mut self, now: Moment) -> Action {
        let course = &mut self.course;
        course.attempts = course.attempts.saturating_add(1);
        if !course.told_to_wait {
            course.at = now;
        }
        self.stage = Stage::Polling(now);
        self.action(now)
    }

    /// Returns the action that [`next`](Self::next) repeats until the driver reports the poll that
    /// began then.
    fn action(&self, began: Moment) -> Action {
        let polling = self.polling_since(began);
        let limit = self.limit(polling);
        Action::Poll {
            // One that is longer than nanoseconds can tell is none.
            limit: if limit == i64::MAX { Duration::MAX } else { duration(limit) },
            hold: polling.is_held().then(|| duration(polling.held)),
        }
    }

    /// Returns the poll in flight.
    fn polling(&self) -> Option<Polling> {
        match self.stage {
            Stage::Polling(began) => Some(self.polling_since(began)),
            Stage::Waiting | Stage::Ended(_) => None,
        }
    }

    /// Returns the poll in flight, which began then.
    fn polling_since(&self, began: Moment) -> Polling {
        let held = match self.course.holding() {
            Some(holding) if !self.course.is_last_poll(began) => {
                let asked = match self.schedule.hold {
                    Hold::For(hold) => nanos(hold),
                    _ => holding.delay,
                };
                // The hold ends two round trips before the deadline: one for the reply of this
                // poll, one for a last ordinary poll.
                let round_trips = self.course.round_trip.saturating_mul(2);
                asked.min(self.remaining(began).saturating_sub(round_trips)).max(0)
            }
            _ => 0,
        };
        Polling { began, planned: self.course.at, held }
    }

    /// Returns how long a poll may take: as long as the server holds it and as it may take to
    /// answer, but never beyond the deadline, where a poll in flight is cut.
    fn limit(&self, polling: Polling) -> i64 {
        nanos(self.schedule.poll_timeout).saturating_add(polling.held).min(self.remaining(polling.began))
    }

    /// Returns how much time is left at `now`.
    fn remaining(&self, now: Moment) -> i64 {
        self.course.deadline().map_or(i64::MAX, |deadline| deadline.saturating_sub(now))
    }

    /// Ends the wait because the deadline has passed.
    fn time_out(&mut self) -> Action {
        let last = self.course.rare.take().and_then(|rare| rare.failing.last);
        self.stage = Stage::Ended(End::TimedOut(last));
        Action::Finished
    }

    /// Plans the next poll: at `due`, or as the last poll of the wait, or not at all if there is no
    /// time for one.
    fn plan_poll(&mut self, now: Moment, due: Moment) {
        let course = &mut self.course;
        course.told_to_wait = false;
        (course.at, course.expires) = match (course.deadline(), course.last_poll()) {
            (Some(deadline), Some(last_poll)) => {
                // The reply to a poll at `due` would come after the time for the last poll. Only
                // one of the two fits, and the last poll sees more: its reply arrives at the
                // deadline.
                let would_be_last = due.saturating_add(course.lead()) >= last_poll;
                // Also for a held poll: it ended at the deadline, and a further poll could not be
                // answered in time.
                let polled_on_it = course.attempts > 0 && now >= deadline;
                match () {
                    // Waits for the deadline instead of ending now, so that a timeout is never
                    // early.
                    () if polled_on_it || course.last_was_ordinary && now >= last_poll => (deadline, true),
                    () if due <= now => (now, false),
                    () if would_be_last => (last_poll, false),
                    () => (due, false),
                }
            }
            _ => (due.max(now), false),
        };
        self.stage = Stage::Waiting;
    }

    /// Returns the poll that has ended, or `None` if no poll was in flight. A report without a poll
    /// changes nothing.
    fn take_polling(&mut self) -> Option<Polling> {
        let polling = self.polling()?;
        self.course.last_was_ordinary = !polling.is_held();
        Some(polling)
    }

    /// Reports that the poll succeeded.
    pub(crate) fn handle_success(&mut self, time: Stamp, system_now: SystemTime, success: PollSuccess) {
        let Some(polling) = self.take_polling() else { return };
        let now = moment(self.began, time);
        // A held poll takes as long as the server holds it, which says nothing about round trips.
        // The time counts from `planned`, so that a timer that oversleeps makes the last poll
        // earlier as a slow network does.
        if !polling.is_held() {
            let is_last_poll = self.course.is_last_poll(polling.began);
            self.measure(now.saturating_sub(polling.planned).max(0), is_last_poll);
        }
        let course = &mut self.course;
        course.forget_failures();
        course.follows = if success.follow { course.follows.saturating_add(1) } else { 0 };
        // What was found and is not found any more is gone: it expired or was deleted. A reply that
        // leads elsewhere says nothing of that place.
        if !success.follow {
            course.grace_ends = Moment::MIN;
        }
        if success.completed {
            self.stage = Stage::Ended(End::Completed);
        } else if success.follow && course.follows <= MOST_FOLLOWS {
            self.plan_poll(now, now);
        } else {
            let delay = self.delay_after_reply(success.hint, false, system_now);
            let after_reply = now.saturating_add(delay);
            // The delay after a held poll counts from its beginning, because the server has waited
            // already. If the server did not hold it, the delay is still ahead, and the wait polls
            // as usual. A hint counts from the reply, as everywhere.
            let counts_from_beginning = polling.is_held() && success.hint.is_none();
            if let Some(holding) = self.course.holding_mut() {
                holding.due_without = counts_from_beginning.then_some(after_reply);
            }
            // A server that has held the poll for as long as it was asked is polled again at once,
            // although the next delay is longer.
            let after_hold = || polling.began.saturating_add(delay.min(polling.held));
            self.plan_poll(now, if counts_from_beginning { after_hold() } else { after_reply });
        }
    }

    /// Reports that the poll failed.
    pub(crate) fn handle_failure(&mut self, time: Stamp, system_now: SystemTime, failure: Failure) {
        let Some(polling) = self.take_polling() else { return };
        let now = moment(self.began, time);
        // Boxed: few waits ever have one, and every wait has the place for it.
        let failure = Box::new(failure);
        let verdict = self.schedule.verdict(&failure);
        let is_cut = matches!(failure.cause(), Cause::TimedOut(_));
        // What the deadline cuts is a timeout, whatever the error budget and the policy say: the
        // poll itself did not fail. Neither is a failure at the deadline that would be retried if
        // there were time. A permanent failure is still reported as such.
        if self.course.deadline().is_some_and(|deadline| now >= deadline) && (is_cut || verdict == Verdict::Retry) {
            self.stage = Stage::Ended(End::TimedOut(Some(failure)));
            return;
        }
        if is_cut && polling.is_held() {
            // The server holds polls for longer than it is asked to, as Compute's wait does, which
            // takes no time limit. That is not a failure. From now on the wait polls as usual,
            // beginning at once: it has waited long enough.
            self.course.stop_holding();
            self.plan_poll(now, now);
            return;
        }
        if polling.is_held() && self.schedule.hold == Hold::InPlaceOfDelays {
            // A proxy may refuse or cut what is held. The settings did not ask for it, so the wait
            // does without.
            self.course.stop_holding();
        }
        // For how long failures are still forgiven, where zero ends the wait; and the how many-th
        // in a row it is, by which its delay grows.
        let (forgiven_for, nth) = match verdict {
            Verdict::Stop => (Duration::ZERO, 1),
            Verdict::Retry => self.spend_budget(now, failure.scope()),
            // Spends no budget: right after the start, "not found" is the normal answer of a
            // replica that lags. Its delay stays where failures before it have brought it.
            Verdict::RetryWithinGrace => {
                let nth = self.course.rare.as_ref().map_or(1, |rare| rare.failing.spent.operation.failures.max(1));
                (duration(self.course.grace_ends.saturating_sub(now)), nth)
            }
        };
        if forgiven_for.is_zero() {
            let budgeted = matches!(verdict, Verdict::Retry);
            self.stage = Stage::Ended(if budgeted { End::BudgetSpent(failure) } else { End::Permanent(failure) });
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
        let delay = self.schedule.hinted(failure.hint(), || system_now).unwrap_or_else(computed);
        let delay = self.remembered(nanos(delay));
        self.course.failing_mut().last = Some(failure);
        // Computed before the failure, and perhaps earlier than the delay that the failure asks
        // for.
        self.course.forget_due_without();
        self.plan_poll(now, now.saturating_add(delay));
    }

    /// Reports that the dialect or the service cannot hold polls. From now on the wait polls as
    /// usual.
    pub(crate) fn handle_no_hold(&mut self, time: Stamp) {
        if self.take_polling().is_some() {
            let now = moment(self.began, time);
            let holding = self.course.stop_holding();
            // Neither a failure nor a poll: it said nothing about the operation.
            self.course.attempts = self.course.attempts.saturating_sub(1);
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
        let (share, limits) = match (scope, budget.origin_limits(self.course.deadline().is_some())) {
            (FailureScope::Origin, Some(limits)) => (Share::Origin, limits),
            _ => (Share::Operation, budget.limits()),
        };
        self.course.failing_mut().spent.count(share, now).left_of(limits)
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
        let course = &mut self.course;
        let fading = (course.round_trip / 8).saturating_mul(7).saturating_add(sample / 8);
        course.round_trip = if course.attempts <= 1 || is_last_poll { sample } else { sample.max(fading) };
    }

    /// Returns the delay after a good reply: the hint if the settings obey it, else the next
    /// computed delay.
    ///
    /// A hint uses up the computed delay that it replaces, so delays keep growing under hints. The
    /// initial delay is not part of the growth.
    fn delay_after_reply(&mut self, hint: Option<Hint>, answers_start: bool, system_now: SystemTime) -> i64 {
        let computed = if let Some(initial) = self.schedule.initial_delay.filter(|_| answers_start) {
            nanos(initial)
        } else {
            let next = grown(self.course.delay, &self.schedule);
            std::mem::replace(&mut self.course.delay, next)
        };
        // Drawn also where a hint wins, so that a hint does not shift the random numbers of later
        // delays.
        let jittered = self.jittered(computed);
        if let Some(holding) = self.course.holding_mut() {
            holding.delay = jittered;
        }
        self.remembered(self.schedule.hinted(hint, || system_now).map_or(jittered, nanos))
    }

    /// Returns `delay`, cut to the longest after which the service still remembers the end.
    fn remembered(&self, delay: i64) -> i64 {
        self.schedule.longest_delay.map_or(delay, |longest| delay.min(nanos(longest)))
    }

    /// Applies the jitter to a delay.
    fn jittered(&mut self, delay: i64) -> i64 {
        let (fixed, drawn) = match self.schedule.jitter {
            Jitter::None => return delay,
            Jitter::Full => (0, delay),
            Jitter::Equal => (delay / 2, delay / 2),
        };
        let mut rng = fastrand::Rng::with_seed(self.course.seed);
        let drawn = nanos(duration(drawn).mul_f64(rng.f64()));
        self.course.seed = rng.get_seed();
        // Full jitter may draw zero, and half of the least delay is less than it: a hot loop. A
        // delay that is less itself (an initial one) stays so.
        fixed.saturating_add(drawn).max(nanos(SHORTEST_DELAY).min(delay))
    }
}

/// Returns `delay` times the multiplier, at most `max_delay`.
fn grown(delay: i64, schedule: &Schedule) -> i64 {
    // Most delays of a long wait have grown as far as they may.
    let longest = nanos(schedule.max_delay);
    if delay >= longest {
        return longest;
    }
    // In `f64`, and back by a conversion that cannot panic: `mul_f64` panics on overflow.
    // `max(delay)`, because rounding could shrink a delay whose multiplier is 1.
    let seconds = duration(delay).as_secs_f64() * schedule.multiplier;
    nanos(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)).max(delay).min(longest)
}
