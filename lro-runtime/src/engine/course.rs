//! The course of a wait: what its engine keeps between two polls. In numbers and in one cache line,
//! because a program may have a hundred thousand waits, and a fleet a million.

use super::{moment::Moment, spending::Spending};
use crate::status::Failure;

/// What an engine keeps between two polls. Times and durations are in nanoseconds, times since the
/// wait began.
#[derive(Clone)]
pub(super) struct Course {
    /// When the next poll is due, or the wait expires: see `expires`. While a poll is in flight,
    /// when it was planned for: earlier than it began if the timer overslept.
    pub(super) at: Moment,
    /// When the wait expires. [`Moment::MAX`] if it never does, or at a time that the clock cannot
    /// hold.
    pub(super) deadline: Moment,
    /// Until when a `404 Not Found` is forgiven. Long ago if the start is unknown, or the operation
    /// was found where it is polled: then it is not forgiven.
    pub(super) grace_ends: Moment,
    /// The delay after the next good reply, before jitter.
    pub(super) delay: i64,
    /// The seed of the next random number.
    pub(super) seed: u64,
    /// An estimate of how long a poll takes, including the time that the timer oversleeps. Rises at
    /// once with a slow reply and falls slowly.
    pub(super) round_trip: i64,
    /// How many polls were asked for.
    pub(super) attempts: u32,
    /// How many replies in a row asked for the next poll at once.
    pub(super) follows: u8,
    /// Whether there is no time left for another poll: what the engine waits for is the deadline.
    pub(super) expires: bool,
    /// Whether the driver was told to sleep until `at`. If so, a poll that begins later than
    /// planned shows by how much the timer overslept.
    pub(super) told_to_wait: bool,
    /// Whether the poll that ended last was an ordinary one. A held poll does not count as a last
    /// poll: the engine cuts its hold so that an ordinary poll still fits before the deadline, and
    /// that poll would never be sent if the held one counted.
    pub(super) last_was_ordinary: bool,
    /// What few waits have. In one box, because both together are rarer still.
    pub(super) rare: Option<Box<Rare>>,
}

/// What few waits have.
#[derive(Clone, Default)]
pub(super) struct Rare {
    /// The failures since the last success.
    pub(super) failing: Failing,
    /// What holds need; `None` if the server is not asked to hold polls.
    pub(super) holding: Option<Holding>,
}

/// Failures in a row.
#[derive(Clone, Default)]
pub(super) struct Failing {
    /// What they have spent of the error budget.
    pub(super) spent: Spending,
    /// The last of them, which was the last poll: the cause that a timeout reports.
    pub(super) last: Option<Box<Failure>>,
}

/// What the engine knows of a server that it asks to hold polls.
#[derive(Clone, Default)]
pub(super) struct Holding {
    /// The delay that the next held poll takes the place of, where holds are in place of delays.
    pub(super) delay: i64,
    /// When the next poll is due if the server turns out not to hold polls.
    pub(super) due_without: Option<Moment>,
}

impl Course {
    /// Returns when the wait expires; `None` if it never does.
    pub(super) fn deadline(&self) -> Option<Moment> {
        (self.deadline < Moment::MAX).then_some(self.deadline)
    }

    /// Returns when the last poll must be sent so that its reply arrives at the deadline. Before
    /// any round trip is known, that is the deadline itself. `None` if there is no deadline.
    pub(super) fn last_poll(&self) -> Option<Moment> {
        self.deadline().map(|deadline| deadline.saturating_sub(self.lead()))
    }

    /// Returns by how much the last poll is sent before the deadline: one round trip, but at most
    /// half the wait.
    ///
    /// The first estimate is the round trip of the start call, which may be longer than the whole
    /// wait. Without the cap, the time for the last poll would then lie before the beginning of the
    /// wait: the first poll would be sent at once, and if it failed there would not be another.
    pub(super) fn lead(&self) -> i64 {
        self.round_trip.min(self.deadline.max(0) / 2)
    }

    /// Whether a poll at `moment` is the last one before the deadline.
    pub(super) fn is_last_poll(&self, moment: Moment) -> bool {
        self.last_poll().is_some_and(|last_poll| moment >= last_poll)
    }

    /// Returns the failures since the last success, to which one is added.
    pub(super) fn failing_mut(&mut self) -> &mut Failing {
        &mut self.rare.get_or_insert_default().failing
    }

    /// Forgets all failures: a poll has succeeded.
    pub(super) fn forget_failures(&mut self) {
        match self.rare.as_deref_mut() {
            None => {}
            Some(Rare { failing, holding: Some(_) }) => *failing = Failing::default(),
            Some(Rare { holding: None, .. }) => self.rare = None,
        }
    }

    /// Returns the last failure, if it was the last poll.
    pub(super) fn last_failure(&self) -> Option<&Failure> {
        self.rare.as_ref()?.failing.last.as_deref()
    }

    pub(super) fn holding(&self) -> Option<&Holding> {
        self.rare.as_ref()?.holding.as_ref()
    }

    pub(super) fn holding_mut(&mut self) -> Option<&mut Holding> {
        self.rare.as_mut()?.holding.as_mut()
    }

    /// Has the server no longer hold polls, and returns what holds needed.
    pub(super) fn stop_holding(&mut self) -> Option<Holding> {
        self.rare.as_mut()?.holding.take()
    }

    /// Forgets when a poll would be due if the server held none: something else has changed that.
    pub(super) fn forget_due_without(&mut self) {
        if let Some(holding) = self.holding_mut() {
            holding.due_without = None;
        }
    }
}
