//! When a wait ends although the operation has not.

use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::duration::serde_required;

/// When a wait ends although the operation has not. Nothing is cancelled remotely.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Expiration {
    /// Ends the wait this long after it began.
    #[serde(with = "serde_required")]
    Timeout(Duration),
    /// Ends the wait at this time.
    Deadline(Deadline),
    /// Never ends the wait before the operation has ended.
    Never,
}

impl Expiration {
    /// Returns how much time a wait has that begins at `now`. `None` without a limit, or if the
    /// deadline is too far away for the monotonic clock.
    pub(crate) fn left(self, now: Instant, system_now: impl FnOnce() -> SystemTime) -> Option<Duration> {
        match self {
            Self::Timeout(timeout) => Some(timeout),
            Self::Deadline(deadline) => {
                deadline.monotonic(now, system_now()).map(|at| at.saturating_duration_since(now))
            }
            Self::Never => None,
        }
    }
}

/// The time at which a wait ends, on one of two clocks. Made from an [`Instant`] or a
/// [`SystemTime`].
///
/// Exhaustive on purpose: there are only these two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// A time on the monotonic clock. Cannot be serialised.
    Monotonic(Instant),
    /// A time on the wall clock. Can be serialised.
    System(SystemTime),
}

impl From<Instant> for Deadline {
    fn from(at: Instant) -> Self {
        Self::Monotonic(at)
    }
}

impl From<SystemTime> for Deadline {
    fn from(at: SystemTime) -> Self {
        Self::System(at)
    }
}

impl Deadline {
    /// Returns the deadline on the monotonic clock, seen at `now`, or `None` if it is too far away
    /// for that clock.
    ///
    /// The engine calls this once, when the wait begins, so that a later change of the wall clock
    /// moves no deadline.
    #[must_use]
    pub(crate) fn monotonic(self, now: Instant, system_now: SystemTime) -> Option<Instant> {
        match self {
            Self::Monotonic(at) => Some(at),
            Self::System(at) => match at.duration_since(system_now) {
                Ok(remaining) => now.checked_add(remaining),
                // A deadline in the past stays in the past, so that the wait ends without a poll.
                // `now` if the clock does not reach back that far.
                Err(past) => Some(now.checked_sub(past.duration()).unwrap_or(now)),
            },
        }
    }
}

impl Serialize for Deadline {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::System(at) => at.serialize(serializer),
            Self::Monotonic(_) => Err(serde::ser::Error::custom(
                "a deadline on the monotonic clock means nothing in another process: use a `SystemTime`",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Deadline {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        SystemTime::deserialize(deserializer).map(Self::System)
    }
}
