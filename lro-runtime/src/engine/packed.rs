//! An engine between two polls, as a fleet keeps a million of them: without what they share, in one
//! cache line and a pointer.

use std::sync::Arc;

use super::{
    Engine, Stage,
    course::Course,
    moment::{Moment, moment},
};
use crate::{settings::Schedule, stamp::Stamp};

/// An engine that waits for its next poll. Nothing is rounded: packing between any two calls
/// changes no action.
///
/// Not kept are the schedule, which many waits share, and what an engine holds only while a poll is
/// in flight or after the end.
#[derive(Clone)]
pub(crate) struct Packed {
    /// When the wait began, counted from the epoch of the fleet.
    began: Moment,
    course: Course,
}

impl Engine {
    /// Returns the engine packed, with the beginning of the wait counted from `epoch`.
    ///
    /// # Errors
    ///
    /// The engine itself, while a poll is in flight and after the end of the wait: it has no time
    /// to wait for.
    pub(crate) fn pack(self, epoch: Stamp) -> Result<Packed, Self> {
        match self.stage {
            Stage::Waiting => Ok(Packed { began: moment(epoch, self.began), course: self.course }),
            Stage::Polling(_) | Stage::Ended(_) => Err(self),
        }
    }
}

impl Packed {
    /// Returns the engine that was packed, with the `schedule` and the `epoch` that it had then.
    pub(crate) fn unpack(self, schedule: Arc<Schedule>, epoch: Stamp) -> Engine {
        Engine { schedule, began: epoch.after(self.began), course: self.course, stage: Stage::Waiting }
    }

    /// Returns when the engine wants to be asked next, counted from the epoch of the fleet.
    pub(crate) fn due(&self) -> Moment {
        self.began.saturating_add(self.course.at)
    }

    /// Returns when the wait expires, counted from the epoch of the fleet; `None` if it never does.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.course.deadline().map(|deadline| self.began.saturating_add(deadline))
    }

    /// Whether there is no time for another poll: what the engine waits for is the deadline.
    pub(crate) fn expires(&self) -> bool {
        self.course.expires
    }

    /// Whether what is due is the last poll before the deadline.
    pub(crate) fn is_last_poll(&self) -> bool {
        self.course.is_last_poll(self.course.at)
    }

    /// Returns when the last poll before the deadline is due, counted from the epoch of the fleet;
    /// `None` if there is no deadline.
    pub(crate) fn last_poll_at(&self) -> Option<Moment> {
        self.course.last_poll().map(|last_poll| self.began.saturating_add(last_poll))
    }

    /// Whether the last reply has asked for the next poll at once.
    pub(crate) fn follows(&self) -> bool {
        self.course.follows > 0
    }

    /// Returns how many polls there were.
    pub(crate) fn attempts(&self) -> u32 {
        self.course.attempts
    }

    /// Returns when the wait began, counted from the epoch of the fleet.
    pub(crate) fn began(&self) -> Moment {
        self.began
    }

    /// Returns the delay after the next good reply, before jitter, in nanoseconds.
    pub(crate) fn delay(&self) -> Moment {
        self.course.delay
    }

    /// Makes the next poll due at `now`, counted from the epoch of the fleet, unless it is due
    /// before.
    pub(crate) fn hasten(&mut self, now: Moment) {
        if !self.course.expires {
            self.course.at = self.course.at.min(now.saturating_sub(self.began));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_engine_is_a_cache_line_and_a_pointer() {
        assert_eq!(size_of::<Course>(), 64);
        assert_eq!(size_of::<Packed>(), 64 + 8);
        assert_eq!(size_of::<Option<Packed>>(), 64 + 8);
    }

    #[test]
    fn an_engine_adds_little_to_what_it_keeps_between_two_polls() {
        assert!(size_of::<Engine>() <= size_of::<Course>() + 40, "{}", size_of::<Engine>());
    }
}
