//! How many failed polls a wait forgives, and whose.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration::{self, serde_required};

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
    #[serde(with = "serde_required")]
    elapsed: Duration,
    #[serde(with = "serde_required")]
    pub(super) delay: Duration,
    #[serde(with = "serde_required")]
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
    #[serde(with = "serde_required")]
    elapsed: Duration,
    #[serde(with = "serde_required")]
    delay: Duration,
    #[serde(with = "serde_required")]
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
