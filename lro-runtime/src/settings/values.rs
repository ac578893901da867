//! The types of the single settings: jitter, expiration, server hints, error budget, unknown status
//! words.

use std::{
    fmt,
    ops::RangeInclusive,
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::duration;

/// How delays are spread at random, so that many clients do not poll at the same moment. The same
/// seed gives the same delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Jitter {
    /// Each delay is used as computed.
    None,
    /// Each delay is drawn uniformly between zero (in effect 1 ms) and the computed delay.
    Full,
    /// Each delay is drawn uniformly between half the computed delay and the computed delay.
    Equal,
}

/// When a wait ends although the operation has not. Nothing is cancelled remotely.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Expiration {
    /// Ends the wait this long after it began.
    #[serde(with = "human_duration")]
    Timeout(Duration),
    /// Ends the wait at this time.
    Deadline(Deadline),
    /// Never ends the wait before the operation has ended.
    Never,
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

/// The serde form of a duration that is not optional, the same text as for the optional ones.
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

/// What to do with a server's hint about the next poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum HintPolicy {
    /// Uses the hint, clamped to these bounds, in place of one delay. The bounds prevent hot loops
    /// (`Retry-After: 0`) and delays of weeks.
    Obey {
        /// The shortest delay that a hint can cause.
        #[serde(with = "human_duration")]
        floor: Duration,
        /// The longest delay that a hint can cause.
        #[serde(with = "human_duration")]
        ceiling: Duration,
    },
    /// Ignores hints and uses the computed delays.
    Ignore,
}

impl From<RangeInclusive<Duration>> for HintPolicy {
    fn from(range: RangeInclusive<Duration>) -> Self {
        Self::Obey { floor: *range.start(), ceiling: *range.end() }
    }
}

/// How many failed polls in a row a wait forgives, for how long, and with which delays between
/// them. A successful poll restores the whole budget.
///
/// A throttle or an outage of the [origin](crate::FailureScope::Origin) says nothing about the
/// operation. A budget therefore counts the failures of the operation alone, by default 8 in a row
/// within 5 min, and forgives those of the origin until the wait expires, unless it limits them or
/// counts them with all others. A budget of zero forgives nothing, and so neither theirs.
///
/// ```
/// use std::time::Duration;
/// use lro_runtime::{ErrorBudget, PollSettings};
///
/// let five_in_a_row = PollSettings::default().with_error_budget(5);
/// let within_a_minute = PollSettings::default().with_error_budget((5, Duration::from_secs(60)));
/// let own_delays = PollSettings::default()
///     .with_error_budget(ErrorBudget::new(5).with_delay(Duration::from_millis(200)).with_max_delay(Duration::from_secs(2)));
/// let outages_of_ten_minutes = PollSettings::default()
///     .with_error_budget(ErrorBudget::new(5).with_origin_elapsed(Duration::from_secs(600)));
/// let five_of_any_kind = PollSettings::default().with_error_budget(ErrorBudget::new(5).with_origin_counted());
/// # let _ = (five_in_a_row, within_a_minute, own_delays, outages_of_ten_minutes, five_of_any_kind);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredBudget")]
pub struct ErrorBudget {
    failures: u32,
    #[serde(with = "human_duration")]
    elapsed: Duration,
    #[serde(with = "human_duration")]
    pub(super) delay: Duration,
    #[serde(with = "human_duration")]
    pub(super) max_delay: Duration,
    /// The share of the origin's failures; `None` if they count as all others do.
    #[serde(serialize_with = "StoredOrigin::serialize")]
    origin: Option<OriginShare>,
}

/// What the origin's failures in a row may cost, where they are counted apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OriginShare {
    /// How many are forgiven; `None` for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u32>,
    /// For how long; `None` until the wait expires.
    #[serde(with = "duration::serde_option", skip_serializing_if = "Option::is_none")]
    elapsed: Option<Duration>,
}

impl OriginShare {
    const FORGIVEN: Self = Self { failures: None, elapsed: None };
}

/// An error budget as it is read: what is absent has its default.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StoredBudget {
    failures: u32,
    #[serde(with = "human_duration")]
    elapsed: Duration,
    #[serde(with = "human_duration")]
    delay: Duration,
    #[serde(with = "human_duration")]
    max_delay: Duration,
    /// Absent, what a budget of so many failures has.
    origin: Option<StoredOrigin>,
}

impl Default for StoredBudget {
    fn default() -> Self {
        let ErrorBudget { failures, elapsed, delay, max_delay, origin: _ } = ErrorBudget::default();
        Self { failures, elapsed, delay, max_delay, origin: None }
    }
}

impl From<StoredBudget> for ErrorBudget {
    fn from(stored: StoredBudget) -> Self {
        let StoredBudget { failures, elapsed, delay, max_delay, origin } = stored;
        let origin = match origin {
            Some(StoredOrigin::Word(OriginWord::Forgiven)) => Some(OriginShare::FORGIVEN),
            Some(StoredOrigin::Word(OriginWord::Counted)) => None,
            Some(StoredOrigin::Share(share)) => Some(share),
            None => Self::new(failures).origin,
        };
        Self { failures, elapsed, delay, max_delay, origin }
    }
}

/// The share of the origin's failures in text: a word, or its limits.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "`forgiven`, `counted`, or limits such as {\"failures\": 20, \"elapsed\": \"10m\"}")]
enum StoredOrigin {
    Word(OriginWord),
    Share(OriginShare),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OriginWord {
    Forgiven,
    Counted,
}

impl StoredOrigin {
    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    fn serialize<S: serde::Serializer>(
        share: &Option<OriginShare>,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        let stored = match *share {
            None => Self::Word(OriginWord::Counted),
            Some(OriginShare::FORGIVEN) => Self::Word(OriginWord::Forgiven),
            Some(limits) => Self::Share(limits),
        };
        Serialize::serialize(&stored, serializer)
    }
}

/// For how long the origin's failures in a row are forgiven where nothing else ends the wait: no
/// [`with_origin_elapsed`](ErrorBudget::with_origin_elapsed), and no expiration. Longer than any
/// outage that ends by itself.
const LONGEST_OUTAGE: Duration = Duration::from_secs(24 * 3600);

/// How many failures in a row a budget forgives, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub(crate) failures: u32,
    pub(crate) elapsed: Duration,
}

impl ErrorBudget {
    /// Creates a budget that forgives `failures` failed polls in a row and all those that are the
    /// [origin's](crate::FailureScope::Origin); the next failure of the operation ends the wait.
    /// With zero, the first failure of any kind ends it.
    #[must_use]
    pub const fn new(failures: u32) -> Self {
        Self {
            failures,
            elapsed: Duration::from_secs(300),
            delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(20),
            // Zero means that nothing is to be forgiven.
            origin: if failures == 0 { None } else { Some(OriginShare::FORGIVEN) },
        }
    }

    /// Sets for how long failures in a row are forgiven, counted from the first of them. A failure
    /// after that ends the wait. Default: 5 min. Says nothing about those of the origin, unless
    /// they are [counted](Self::with_origin_counted) with all others.
    #[must_use]
    pub const fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = elapsed;
        self
    }

    /// Sets the delay after the first failure in a row; it doubles with each further failure.
    /// Default: 1 s. Raises the longest delay if that is shorter.
    #[must_use]
    pub const fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        // `as_nanos`, because durations cannot be compared in a `const fn`.
        if self.max_delay.as_nanos() < delay.as_nanos() {
            self.max_delay = delay;
        }
        self
    }

    /// Sets the longest delay after a failure. Default: 20 s.
    #[must_use]
    pub const fn with_max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// Forgives all failures of the origin ([`FailureScope`](crate::FailureScope)) until the wait
    /// expires, or for 24 h in a row where it never does. They spend nothing of the operation's
    /// share; neither does the time that they take. Default: so, except in a budget of zero.
    #[must_use]
    pub const fn with_origin_forgiven(mut self) -> Self {
        self.origin = Some(OriginShare::FORGIVEN);
        self
    }

    /// Counts failures of the origin as all others: they spend the same budget, in number and time.
    /// Default: only in a budget of zero.
    #[must_use]
    pub const fn with_origin_counted(mut self) -> Self {
        self.origin = None;
        self
    }

    /// Forgives so many failures of the origin in a row, and counts them apart from those of the
    /// operation. Default: any number.
    #[must_use]
    pub const fn with_origin_failures(mut self, failures: u32) -> Self {
        self.origin = Some(OriginShare { failures: Some(failures), ..self.origin_share() });
        self
    }

    /// Forgives failures of the origin in a row for so long, and counts them apart from those of
    /// the operation. Default: until the wait expires, or for 24 h where it never does.
    #[must_use]
    pub const fn with_origin_elapsed(mut self, elapsed: Duration) -> Self {
        self.origin = Some(OriginShare { elapsed: Some(elapsed), ..self.origin_share() });
        self
    }

    const fn origin_share(&self) -> OriginShare {
        match self.origin {
            Some(share) => share,
            None => OriginShare::FORGIVEN,
        }
    }

    /// Returns how many failures in a row are forgiven.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns for how long failures in a row are forgiven.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns what all failures that are not counted apart may cost.
    pub(crate) fn limits(&self) -> Limits {
        Limits { failures: self.failures, elapsed: self.elapsed }
    }

    /// Returns what the origin's failures may cost; `None` if they are not counted apart.
    pub(crate) fn origin_limits(&self, expires: bool) -> Option<Limits> {
        self.origin.map(|share| Limits {
            failures: share.failures.unwrap_or(u32::MAX),
            elapsed: share.elapsed.unwrap_or(if expires { Duration::MAX } else { LONGEST_OUTAGE }),
        })
    }

    /// Returns the delay after the `n`-th failure in a row, counted from one.
    pub(crate) fn delay_after(&self, n: u32) -> Duration {
        // From the 33rd failure on, 2^(n-1) does not fit; `max_delay` caps the result anyway.
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

/// Whether a wait asks the server to hold its polls, as settings say it. In text, `"never"` or a
/// duration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LongPoll {
    Never,
    For(Duration),
}

impl fmt::Debug for LongPoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::For(hold) => f.write_str(&duration::format(*hold)),
        }
    }
}

impl Serialize for LongPoll {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_str("never"),
            Self::For(hold) => human_duration::serialize(hold, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for LongPoll {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "\"never\", a duration such as \"1m 30s\", or a number of seconds")]
        enum Written {
            Text(String),
            Seconds(f64),
        }
        let hold = match Written::deserialize(deserializer)? {
            Written::Text(text) if text == "never" => return Ok(Self::Never),
            Written::Text(text) => duration::parse(&text),
            Written::Seconds(seconds) => {
                Duration::try_from_secs_f64(seconds).map_err(|error| format!("{seconds} seconds: {error}"))
            }
        };
        hold.map(Self::For).map_err(serde::de::Error::custom)
    }
}

/// What a status word that the dialect does not know means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum UnknownStatus {
    /// The operation counts as running. The word is
    /// [`raw_status()`](crate::RawOperation::raw_status).
    Running,
    /// The wait ends with an error of kind [`Protocol`](crate::ErrorKind::Protocol) that names the
    /// word.
    Error,
}
