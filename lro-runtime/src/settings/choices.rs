//! The values that a setting can have.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

/// How waits are spread, so that many clients do not poll at the same moment. The spread is seeded: same seed, same schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Jitter {
    /// Each wait as computed.
    None,
    /// Each wait uniformly between (nearly) nothing and what was computed.
    Full,
    /// Each wait uniformly between half of what was computed and all of it.
    Equal,
}

/// When to give up waiting. Giving up cancels nothing remotely.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Expiration {
    /// This long after the wait began.
    #[serde(with = "human_duration")]
    Timeout(Duration),
    /// At this time.
    Deadline(Deadline),
    /// Never: wait for as long as it takes.
    Never,
}

/// A point in time to give up at: from an [`Instant`] or a [`SystemTime`]. Exhaustive on purpose: there are two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// On the monotonic clock.
    Monotonic(Instant),
    /// On the wall clock: the form that can be stored.
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
    /// The deadline on the monotonic clock, seen at `now`; a wall-clock time is translated once, when the wait begins.
    #[must_use]
    pub(crate) fn monotonic(self, now: Instant, system_now: SystemTime) -> Option<Instant> {
        match self {
            Self::Monotonic(at) => Some(at),
            Self::System(at) => match at.duration_since(system_now) {
                Ok(remaining) => now.checked_add(remaining),
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

/// A plain duration in serde, human as the optional ones.
mod human_duration {
    use std::time::Duration;

    use serde::{Deserializer, Serializer, de::Error};

    use crate::duration::serde_option;

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serde_option::serialize(&Some(*value), serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        serde_option::deserialize(deserializer)?
            .ok_or_else(|| D::Error::custom("expected a duration such as \"1m 30s\""))
    }
}

/// What to do with a server's wish about the next poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum HintPolicy {
    /// Obey it within these bounds, for that one wait. The bounds end hot loops (`Retry-After: 0`) and week-long waits.
    Obey {
        /// The shortest wait.
        #[serde(with = "human_duration")]
        floor: Duration,
        /// The longest wait.
        #[serde(with = "human_duration")]
        ceiling: Duration,
    },
    /// Wait as computed, whatever the server says.
    Ignore,
}

impl From<RangeInclusive<Duration>> for HintPolicy {
    fn from(range: RangeInclusive<Duration>) -> Self {
        Self::Obey { floor: *range.start(), ceiling: *range.end() }
    }
}

/// How many failed polls in a row to forgive. A poll that succeeds restores it.
///
/// ```
/// use std::time::Duration;
/// use lro_runtime::{ErrorBudget, PollSettings};
///
/// let five_in_a_row = PollSettings::default().with_error_budget(5);
/// let within_a_minute = PollSettings::default().with_error_budget((5, Duration::from_secs(60)));
/// let own_delays = PollSettings::default()
///     .with_error_budget(ErrorBudget::new(5).with_delay(Duration::from_millis(200)).with_max_delay(Duration::from_secs(2)));
/// # let _ = (five_in_a_row, within_a_minute, own_delays);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErrorBudget {
    failures: u32,
    #[serde(with = "human_duration")]
    elapsed: Duration,
    #[serde(with = "human_duration")]
    pub(super) delay: Duration,
    #[serde(with = "human_duration")]
    pub(super) max_delay: Duration,
}

impl ErrorBudget {
    /// Forgives `failures` failed polls in a row; the next one ends the wait. Zero forgives none.
    #[must_use]
    pub const fn new(failures: u32) -> Self {
        Self {
            failures,
            elapsed: Duration::from_secs(300),
            delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(20),
        }
    }

    /// Forgives them for this long, counted from the first failure in the row; a failure after that ends the wait. 5 min if not said.
    #[must_use]
    pub const fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = elapsed;
        self
    }

    /// Waits this long after the first failure, twice as long after each further one. 1 s if not said. Raises the longest wait if that is shorter.
    #[must_use]
    pub const fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        if self.max_delay.as_nanos() < delay.as_nanos() {
            self.max_delay = delay;
        }
        self
    }

    /// Waits at most this long after a failure. 20 s if not said.
    #[must_use]
    pub const fn with_max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// How many failures in a row are forgiven.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// For how long failures in a row are forgiven.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The wait after the `n`-th failure in a row, counted from one.
    pub(crate) fn wait(&self, n: u32) -> Duration {
        let factor = 1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX);
        self.delay.saturating_mul(factor).min(self.max_delay)
    }
}

impl Default for ErrorBudget {
    fn default() -> Self {
        Self::new(8)
    }
}

impl From<u32> for ErrorBudget {
    fn from(failures: u32) -> Self {
        Self::new(failures)
    }
}

impl From<(u32, Duration)> for ErrorBudget {
    fn from((failures, elapsed): (u32, Duration)) -> Self {
        Self::new(failures).with_elapsed(elapsed)
    }
}

/// What a status word means that the dialect does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UnknownStatus {
    /// The operation is running; the word is [`raw_status()`](crate::RawOperation::raw_status).
    Running,
    /// The wait ends with an error of kind [`Protocol`](crate::ErrorKind::Protocol) that shows the word.
    Error,
}
