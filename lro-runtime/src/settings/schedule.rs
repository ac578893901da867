//! The schedule: settings with every value set and checked, as the engine uses them.

use std::time::{Duration, SystemTime};

use super::{
    ErrorBudget, Expiration, HintPolicy, Jitter, LongPoll, Policy, PollSettings, SettingsError, UnknownStatus,
    failure_policy::Verdict,
};
use crate::{duration, hint::Hint, status::Failure};

/// Settings with every value set and legal. Made by `PollSettings::resolve`.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) initial_delay: Option<Duration>,
    pub(crate) delay: Duration,
    pub(crate) multiplier: f64,
    pub(crate) max_delay: Duration,
    pub(crate) jitter: Jitter,
    pub(crate) seed: Option<u64>,
    pub(crate) expiration: Expiration,
    pub(crate) poll_timeout: Duration,
    pub(crate) hint: HintPolicy,
    pub(crate) error_budget: ErrorBudget,
    pub(crate) not_found_grace: Duration,
    pub(crate) hold: Hold,
    /// The longest delay after which the service still remembers that an operation has ended.
    /// `None` if it remembers for longer than any delay.
    pub(crate) longest_delay: Option<Duration>,
    pub(crate) unknown_status: UnknownStatus,
    pub(super) policy: Option<Policy>,
}

/// Whether, and for how long, the server is asked to hold polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// No setting says. Not held, unless the dialect prefers it.
    Unset,
    /// Not held, whatever the dialect prefers.
    Never,
    /// Held for this long.
    For(Duration),
    /// Held for as long as the delay that each held poll takes the place of.
    InPlaceOfDelays,
}

/// The shortest delay that is not a hot loop: the least legal value of every delay that repeats,
/// and the least that the engine makes of jitter or of the rest of an error budget.
pub(crate) const SHORTEST_DELAY: Duration = Duration::from_millis(1);

impl Schedule {
    /// Returns what `failure` means for the wait, by the caller's policy if there is one.
    pub(crate) fn verdict(&self, failure: &Failure) -> Verdict {
        self.policy.as_ref().map_or_else(|| failure.verdict(), |policy| policy.0.verdict(failure))
    }

    /// Returns the delay that a hint asks for, within the bounds of the settings. `None` without a
    /// hint, or if the settings ignore hints.
    pub(crate) fn hinted(&self, hint: Option<Hint>, system_now: impl FnOnce() -> SystemTime) -> Option<Duration> {
        match (self.hint, hint) {
            (HintPolicy::Obey { floor, ceiling }, Some(hint)) => Some(hint.delay(system_now()).clamp(floor, ceiling)),
            _ => None,
        }
    }

    /// Fits the schedule to a service that remembers for `remembers_end` that an operation has
    /// ended, and whose dialect may prefer held polls.
    ///
    /// Half of that time is the longest delay: a poll takes time as well, and may fail once.
    pub(crate) fn for_service(mut self, remembers_end: Option<Duration>, prefers_held_polls: bool) -> Self {
        self.longest_delay = remembers_end.map(|remembered| (remembered / 2).max(SHORTEST_DELAY));
        if prefers_held_polls && self.hold == Hold::Unset {
            self.hold = Hold::InPlaceOfDelays;
        }
        self
    }

    /// Checks every value against its least legal value. `initial_delay` may be zero: it is waited
    /// for once, so it cannot become a hot loop.
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        let at_least = |field: &str, value: Duration, least: Duration| {
            // The message is a closure: every wait runs these checks, and formatting durations that
            // are legal would cost it time.
            check(value >= least, || {
                format!("{field} = {}: must be at least {}", duration::format(value), duration::format(least))
            })
        };
        at_least("delay", self.delay, SHORTEST_DELAY)?;
        at_least("max_delay", self.max_delay, self.delay)?;
        at_least("poll_timeout", self.poll_timeout, SHORTEST_DELAY)?;
        check(self.multiplier.is_finite() && self.multiplier >= 1.0, || {
            format!("multiplier = {}: must be at least 1", self.multiplier)
        })?;
        at_least("error_budget.delay", self.error_budget.delay, SHORTEST_DELAY)?;
        at_least("error_budget.max_delay", self.error_budget.max_delay, self.error_budget.delay)?;
        if let HintPolicy::Obey { floor, ceiling } = self.hint {
            at_least("hint_floor", floor, SHORTEST_DELAY)?;
            at_least("hint_ceiling", ceiling, floor)?;
        }
        match self.hold {
            Hold::For(hold) => at_least("long_poll", hold, SHORTEST_DELAY),
            Hold::Unset | Hold::Never | Hold::InPlaceOfDelays => Ok(()),
        }
    }
}

fn check(legal: bool, message: impl FnOnce() -> String) -> Result<(), SettingsError> {
    if legal { Ok(()) } else { Err(SettingsError(message())) }
}

impl PollSettings {
    /// Returns a schedule with every value set. The library supplies missing values. Fails if a
    /// value is illegal or two values conflict.
    pub(crate) fn resolve(self) -> Result<Schedule, SettingsError> {
        let explicit_max = self.max_delay;
        let explicit_delay = self.delay;
        let mut schedule = Schedule {
            initial_delay: self.initial_delay,
            delay: self.delay.unwrap_or(Duration::from_secs(1)),
            multiplier: self.multiplier.unwrap_or(1.5),
            max_delay: self.max_delay.unwrap_or(Duration::from_secs(20)),
            jitter: self.jitter.unwrap_or(Jitter::None),
            seed: self.seed,
            expiration: self.expiration.unwrap_or(Expiration::Timeout(Duration::from_secs(3600))),
            poll_timeout: self.poll_timeout.unwrap_or(Duration::from_secs(30)),
            hint: self
                .hint
                .unwrap_or(HintPolicy::Obey { floor: Duration::from_millis(100), ceiling: Duration::from_secs(600) }),
            error_budget: self.error_budget.unwrap_or_default(),
            not_found_grace: self.not_found_grace.unwrap_or(Duration::from_secs(10)),
            hold: self.long_poll.map_or(Hold::Unset, |long_poll| match long_poll {
                LongPoll::Never => Hold::Never,
                LongPoll::For(hold) => Hold::For(hold),
            }),
            longest_delay: None,
            unknown_status: self.unknown_status.unwrap_or(UnknownStatus::Running),
            policy: self.policy,
        };
        // The library's values cannot conflict with explicit ones either: a lone `delay` above the
        // library's `max_delay` raises it, and a lone `max_delay` below the library's `delay`
        // lowers it.
        match (explicit_delay, explicit_max) {
            (Some(delay), None) => schedule.max_delay = schedule.max_delay.max(delay),
            (None, Some(max)) => schedule.delay = schedule.delay.min(max),
            _ => {}
        }
        schedule.validate()?;
        Ok(schedule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_first_goes_before_what_does_not_fit_it() {
        let secs = Duration::from_secs;
        let method = PollSettings::default().with_delay(secs(30));
        let client = PollSettings::default().with_max_delay(secs(10)).with_delay(secs(2));
        let schedule = method.clone().or(client.clone()).resolve().unwrap();
        assert_eq!((schedule.delay, schedule.max_delay), (secs(30), secs(30)));
        let schedule = PollSettings::default().with_max_delay(secs(1)).or(client).resolve().unwrap();
        assert_eq!((schedule.delay, schedule.max_delay), (secs(1), secs(1)));
        assert!(method.with_max_delay(secs(10)).validate().is_err(), "said in one place, it is a mistake");
    }
}
