//! An engine between two polls, as a fleet keeps a million of them: without what they share, in one
//! cache line and a pointer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Engine, Failing, Holding, Plan,
    moment::{Moment, moment},
};
use crate::settings::Schedule;

/// An engine that waits for its next poll. Nothing is rounded: packing between any two calls
/// changes no action.
///
/// Not kept are the schedule, which many waits share, and what an engine holds only while a poll is
/// in flight or after the end.
#[derive(Clone)]
pub(crate) struct Packed {
    /// When the wait began, counted from the epoch of the fleet.
    began: Moment,
    /// When the next poll is due, or the wait expires: see `expires`.
    at: Moment,
    /// `Moment::MAX` if there is none.
    deadline: Moment,
    grace_ends: Moment,
    /// In nanoseconds; `u64::MAX` for what is longer than they can tell, which no clock outlives.
    delay: u64,
    rng: u64,
    round_trip: i64,
    attempts: u32,
    follows: u8,
    expires: bool,
    told_to_wait: bool,
    last_was_ordinary: bool,
    /// What few waits have. In one box, because both together are rarer still.
    rare: Option<Box<Rare>>,
}

#[derive(Clone)]
struct Rare {
    failing: Option<Box<Failing>>,
    holding: Option<Box<Holding>>,
}

impl Engine {
    /// Returns the engine packed, with times counted from `epoch`; `None` while a poll is in flight
    /// and after the end of the wait, when it has no time to wait for.
    pub(crate) fn pack(&self, epoch: Instant) -> Option<Packed> {
        let (at, expires) = match self.plan {
            Plan::PollAt(at) => (at, false),
            Plan::ExpireAt(at) => (at, true),
            Plan::Polling(_) | Plan::Ended(_) => return None,
        };
        let is_rare = self.failing.is_some() || self.holding.is_some();
        Some(Packed {
            began: moment(epoch, self.began),
            at,
            deadline: self.deadline.unwrap_or(Moment::MAX),
            grace_ends: self.grace_ends,
            delay: u64::try_from(self.delay.as_nanos()).unwrap_or(u64::MAX),
            rng: self.rng.get_seed(),
            round_trip: self.round_trip,
            attempts: self.attempts,
            // It is compared with a small number only.
            follows: u8::try_from(self.follows).unwrap_or(u8::MAX),
            expires,
            told_to_wait: self.told_to_wait,
            last_was_ordinary: self.last_was_ordinary,
            rare: is_rare.then(|| Box::new(Rare { failing: self.failing.clone(), holding: self.holding.clone() })),
        })
    }
}

impl Packed {
    /// Returns the engine that was packed, with the `schedule` and the `epoch` that it had then.
    pub(crate) fn unpack(self, schedule: Arc<Schedule>, epoch: Instant) -> Engine {
        let Rare { failing, holding } = self.rare.map_or(Rare { failing: None, holding: None }, |rare| *rare);
        let delay = if self.delay == u64::MAX { schedule.max_delay } else { Duration::from_nanos(self.delay) };
        Engine {
            schedule,
            began: instant(epoch, self.began),
            deadline: Some(self.deadline).filter(|deadline| *deadline < Moment::MAX),
            grace_ends: self.grace_ends,
            rng: fastrand::Rng::with_seed(self.rng),
            plan: if self.expires { Plan::ExpireAt(self.at) } else { Plan::PollAt(self.at) },
            told_to_wait: self.told_to_wait,
            attempts: self.attempts,
            failing,
            follows: self.follows.into(),
            delay,
            round_trip: self.round_trip,
            holding,
            last_was_ordinary: self.last_was_ordinary,
        }
    }

    /// Returns when the engine wants to be asked next, counted from the epoch of the fleet.
    pub(crate) fn due(&self) -> Moment {
        self.began.saturating_add(self.at)
    }

    /// Returns when the wait expires, counted from the epoch of the fleet; `None` if it never does.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        (self.deadline < Moment::MAX).then(|| self.began.saturating_add(self.deadline))
    }

    /// Whether there is no time for another poll: what the engine waits for is the deadline.
    pub(crate) fn expires(&self) -> bool {
        self.expires
    }

    /// Whether what is due is the last poll before the deadline.
    pub(crate) fn is_last_poll(&self) -> bool {
        self.last_poll().is_some_and(|last_poll| self.at >= last_poll)
    }

    /// Returns when the last poll before the deadline is due, counted from the epoch of the fleet;
    /// `None` if there is no deadline.
    pub(crate) fn last_poll_at(&self) -> Option<Moment> {
        self.last_poll().map(|last_poll| self.began.saturating_add(last_poll))
    }

    /// Returns when the last poll is due, counted from the beginning of the wait.
    fn last_poll(&self) -> Option<Moment> {
        let lead = self.round_trip.min(self.deadline.max(0) / 2);
        (self.deadline < Moment::MAX).then(|| self.deadline.saturating_sub(lead))
    }

    /// Whether the last reply has asked for the next poll at once.
    pub(crate) fn follows(&self) -> bool {
        self.follows > 0
    }

    /// Returns how many polls there were.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns when the wait began, counted from the epoch of the fleet.
    pub(crate) fn began(&self) -> Moment {
        self.began
    }

    /// Returns the delay after the next good reply, before jitter, in nanoseconds.
    pub(crate) fn delay(&self) -> Moment {
        i64::try_from(self.delay).unwrap_or(i64::MAX)
    }

    /// Makes the next poll due at `now`, counted from the epoch of the fleet, unless it is due
    /// before.
    pub(crate) fn hasten(&mut self, now: Moment) {
        if !self.expires {
            self.at = self.at.min(now.saturating_sub(self.began));
        }
    }
}

/// Returns the time so long after `epoch`, or before it. As near as the clock can tell: nothing
/// that began on it lies beyond it.
fn instant(epoch: Instant, moment: Moment) -> Instant {
    let distance = Duration::from_nanos(moment.unsigned_abs());
    if moment < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) }.unwrap_or(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_engine_is_a_cache_line_and_a_pointer() {
        assert_eq!(size_of::<Packed>(), 64 + 8);
        assert_eq!(size_of::<Option<Packed>>(), 64 + 8);
    }
}
