//! The settings of a wait: delays between polls, time limits, server hints, and how many failed
//! polls to forgive.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::duration;

mod error;
mod error_budget;
mod expiration;
mod failure_policy;
mod hint_policy;
mod jitter;
mod long_poll;
mod schedule;
mod unknown_status;

use self::long_poll::LongPoll;
pub(crate) use self::{
    error::SettingsError,
    error_budget::Limits,
    schedule::{Hold, SHORTEST_DELAY, Schedule},
};
pub use self::{
    error_budget::ErrorBudget,
    expiration::{Deadline, Expiration},
    failure_policy::{FailurePolicy, Verdict},
    hint_policy::HintPolicy,
    jitter::Jitter,
    unknown_status::UnknownStatus,
};

/// The settings of a wait: the delay between polls, the time limit of the wait, and how many failed
/// polls to forgive.
///
/// Every value is optional. A value that is not set here comes from the method (`poll(…)` in its
/// attribute), else from the client
/// ([`OperationsBuilder::poll_settings`](crate::OperationsBuilder::poll_settings)), else from the
/// library. `PollSettings::default()` sets nothing.
///
/// The library's values, and those of the two presets:
///
/// | setting | library | [`interactive`](Self::interactive) | [`batch`](Self::batch) |
/// |---|---|---|---|
/// | `delay` × `multiplier` up to `max_delay` | 1 s × 1.5 up to 20 s | 100 ms × 1.5 up to 5 s | 10 s × 1.5 up to 60 s |
/// | `expiration` | 1 h | 15 min | 24 h |
/// | `jitter` | none | none | equal |
/// | `poll_timeout` | 30 s | 10 s | 60 s |
/// | `error_budget`, of the operation's failures | 8 in a row, within 5 min | 8 in a row, within 1 min | 20 in a row, within 30 min |
/// | … of the origin's | until the expiration | the same | the same |
/// | delay after a failed poll, doubled | 1 s up to 20 s | 200 ms up to 5 s | 5 s up to 2 min |
/// | `not_found_grace` | 10 s | 10 s | 60 s |
/// | `hint` | obeyed from 100 ms to 10 min | the same | the same |
///
/// Published clients fall into two groups: some poll rarely and notice the end late, others poll
/// often and notice it soon. The table shows polls per operation, and seconds from the end of an
/// operation to the poll that sees it, over log-normal durations. `cargo run -p lro-docs` prints
/// all rows, and the book has them as a picture; the last three rows run the loop of this library:
///
/// | median duration | 5 s | 60 s | 600 s |
/// |---|---|---|---|
/// | AWS waiters | 3.7, 4.4 s | 7.7, 28.6 s | 22.7, 39.7 s |
/// | google-cloud-lro | 3.2, 4.0 s | 6.8, 22.5 s | 21.8, 30.1 s |
/// | api-core | 6.2, 2.6 s | 17.0, 6.3 s | 105.3, 6.7 s |
/// | the library's | 3.8, 2.3 s | 10.7, 8.6 s | 55.1, 10.1 s |
/// | `interactive` | 8.8, 1.4 s | 27.8, 2.5 s | 204.5, 2.5 s |
/// | `batch` | 1.5, 5.8 s | 5.1, 16.8 s | 25.1, 23.1 s |
///
/// The library's values lie between the two groups: they notice the end at most 3.4 s later than
/// api-core, whose full jitter halves delays on average, with at most two thirds of its polls. A
/// wait is finite by default; [`without_expiration`](Self::without_expiration) waits for as long as
/// it takes.
///
/// ```
/// use std::time::Duration;
/// use lro_runtime::PollSettings;
///
/// let settings = PollSettings::default().with_delay(Duration::from_secs(2)).with_timeout(Duration::from_secs(600));
/// let text = serde_json::to_string(&settings)?;
/// assert_eq!(text, r#"{"delay":"2s","expiration":{"timeout":"10m"}}"#);
/// assert_eq!(serde_json::from_str::<PollSettings>(&text)?, settings);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PollSettings {
    #[serde(with = "duration::serde_option", skip_serializing_if = "Option::is_none")]
    initial_delay: Option<Duration>,
    #[serde(with = "duration::serde_option", skip_serializing_if = "Option::is_none")]
    delay: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multiplier: Option<f64>,
    #[serde(with = "duration::serde_option", skip_serializing_if = "Option::is_none")]
    max_delay: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<Jitter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<Expiration>,
    #[serde(with = "duration::serde_option", skip_serializing_if = "Option::is_none")]
    poll_timeout: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<HintPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_budget: Option<ErrorBudget>,
    #[serde(with = "duration::serde_option", skip_serializing_if = "Option::is_none")]
    not_found_grace: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    long_poll: Option<LongPoll>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_status: Option<UnknownStatus>,
    #[serde(skip)]
    policy: Option<Policy>,
}

/// The caller's failure policy, shared by all clones of the settings.
#[derive(Clone)]
struct Policy(Arc<dyn FailurePolicy>);

// By hand: shows only what is set, and durations as `1m 30s`.
impl fmt::Debug for PollSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("PollSettings");
        let mut duration = |name, value: Option<Duration>| {
            if let Some(value) = value {
                out.field(name, &format_args!("{}", duration::format(value)));
            }
        };
        duration("initial_delay", self.initial_delay);
        duration("delay", self.delay);
        duration("max_delay", self.max_delay);
        duration("poll_timeout", self.poll_timeout);
        duration("not_found_grace", self.not_found_grace);
        let mut field = |name, value: Option<&dyn fmt::Debug>| {
            if let Some(value) = value {
                out.field(name, value);
            }
        };
        field("multiplier", self.multiplier.as_ref().map(|v| v as _));
        field("jitter", self.jitter.as_ref().map(|v| v as _));
        field("seed", self.seed.as_ref().map(|v| v as _));
        field("expiration", self.expiration.as_ref().map(|v| v as _));
        field("hint", self.hint.as_ref().map(|v| v as _));
        field("error_budget", self.error_budget.as_ref().map(|v| v as _));
        field("long_poll", self.long_poll.as_ref().map(|v| v as _));
        field("unknown_status", self.unknown_status.as_ref().map(|v| v as _));
        out.finish_non_exhaustive()
    }
}

impl PartialEq for PollSettings {
    fn eq(&self, other: &Self) -> bool {
        // Two closures cannot be compared: policies are equal only if they are clones of the same
        // one.
        let same_policy = match (&self.policy, &other.policy) {
            (Some(one), Some(two)) => Arc::ptr_eq(&one.0, &two.0),
            (None, None) => true,
            _ => false,
        };
        same_policy
            && self.initial_delay == other.initial_delay
            && self.delay == other.delay
            && self.multiplier == other.multiplier
            && self.max_delay == other.max_delay
            && self.jitter == other.jitter
            && self.seed == other.seed
            && self.expiration == other.expiration
            && self.poll_timeout == other.poll_timeout
            && self.hint == other.hint
            && self.error_budget == other.error_budget
            && self.not_found_grace == other.not_found_grace
            && self.long_poll == other.long_poll
            && self.unknown_status == other.unknown_status
    }
}

#[cfg(feature = "fleet")]
impl PollSettings {
    /// Returns the settings in the form in which another process can read them: with a deadline on
    /// the wall clock. The error says why there is none.
    pub(crate) fn stored(mut self, now: std::time::Instant, system_now: std::time::SystemTime) -> Result<Self, String> {
        if self.policy.is_some() {
            return Err("a `failure_policy` is code, which no store can keep: set it on the client".to_owned());
        }
        if let Some(Expiration::Deadline(Deadline::Monotonic(at))) = self.expiration {
            let left = at.saturating_duration_since(now);
            let deadline = system_now.checked_add(left);
            self.expiration = Some(deadline.map_or(Expiration::Never, |at| Expiration::Deadline(at.into())));
        }
        Ok(self)
    }
}

impl PollSettings {
    /// Settings for a person who waits: delays from 100 ms to 5 s, 15 min in all.
    #[must_use]
    pub fn interactive() -> Self {
        Self::default()
            .with_delay(Duration::from_millis(100))
            .with_multiplier(1.5)
            .with_max_delay(Duration::from_secs(5))
            .with_timeout(Duration::from_secs(15 * 60))
            .with_poll_timeout(Duration::from_secs(10))
            .with_error_budget(
                ErrorBudget::new(8)
                    .with_elapsed(Duration::from_secs(60))
                    .with_delay(Duration::from_millis(200))
                    .with_max_delay(Duration::from_secs(5)),
            )
    }

    /// Settings for a job that waits, perhaps one of many: delays from 10 s to 60 s with jitter, 24
    /// h in all, and a large error budget.
    #[must_use]
    pub fn batch() -> Self {
        Self::default()
            .with_delay(Duration::from_secs(10))
            .with_multiplier(1.5)
            .with_max_delay(Duration::from_secs(60))
            .with_jitter(Jitter::Equal)
            .with_timeout(Duration::from_secs(24 * 3600))
            .with_poll_timeout(Duration::from_secs(60))
            .with_not_found_grace(Duration::from_secs(60))
            .with_error_budget(
                ErrorBudget::new(20)
                    .with_elapsed(Duration::from_secs(1800))
                    .with_delay(Duration::from_secs(5))
                    .with_max_delay(Duration::from_secs(120)),
            )
    }

    /// Sets the delay between the reply to the start call and the first poll. Default: `delay`.
    /// Waits that begin with a later snapshot, or with a resumed operation, ignore it.
    #[must_use]
    pub fn with_initial_delay(mut self, initial_delay: Duration) -> Self {
        self.initial_delay = Some(initial_delay);
        self
    }

    /// Sets the first delay between two polls. At least 1 ms. Default: 1 s.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Sets the factor by which each delay is longer than the one before. At least 1. Default: 1.5.
    #[must_use]
    pub fn with_multiplier(mut self, multiplier: f64) -> Self {
        self.multiplier = Some(multiplier);
        self
    }

    /// Sets the longest delay between two polls. At least `delay`. Default: 20 s.
    #[must_use]
    pub fn with_max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = Some(max_delay);
        self
    }

    /// Sets how delays are spread. Default: [`Jitter::None`].
    #[must_use]
    pub fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = Some(jitter);
        self
    }

    /// Sets the seed of the jitter. Default: a different random seed for every wait.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Ends the wait this long after it began. Default: 1 h.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        self.with_expiration(Expiration::Timeout(timeout))
    }

    /// Ends the wait at this time, an [`Instant`](std::time::Instant) or a
    /// [`SystemTime`](std::time::SystemTime). Default: a timeout of 1 h.
    #[must_use]
    pub fn with_deadline(self, deadline: impl Into<Deadline>) -> Self {
        self.with_expiration(Expiration::Deadline(deadline.into()))
    }

    /// Removes the time limit: the wait goes on for as long as the operation takes. Default: 1 h.
    #[must_use]
    pub fn without_expiration(self) -> Self {
        self.with_expiration(Expiration::Never)
    }

    /// Sets when the wait ends although the operation has not. Default: [`Expiration::Timeout`] of
    /// 1 h.
    #[must_use]
    pub fn with_expiration(mut self, expiration: Expiration) -> Self {
        self.expiration = Some(expiration);
        self
    }

    /// Sets how long one poll may take, from the credentials hook to the end of the reply's body.
    /// At least 1 ms. Default: 30 s. The limit is cut to the time that remains of the wait.
    #[must_use]
    pub fn with_poll_timeout(mut self, poll_timeout: Duration) -> Self {
        self.poll_timeout = Some(poll_timeout);
        self
    }

    /// Sets what to do with server hints: a [`HintPolicy`], or the bounds within which hints are
    /// obeyed. Default: obeyed from 100 ms to 10 min.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<HintPolicy>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets how many failed polls in a row to forgive: an [`ErrorBudget`], a number, or a number
    /// and a time. Any number that are the origin's are forgiven besides, except by a budget of
    /// zero and one that says otherwise. Default: [`ErrorBudget::default`], which forgives 8 within
    /// 5 min.
    #[must_use]
    pub fn with_error_budget(mut self, error_budget: impl Into<ErrorBudget>) -> Self {
        self.error_budget = Some(error_budget.into());
        self
    }

    /// Sets for how long after the start a `404 Not Found` means that the operation has not reached
    /// every replica yet. Later, or once a poll has found the operation, it means that the
    /// operation is gone, and ends the wait. Default: 10 s.
    #[must_use]
    pub fn with_not_found_grace(mut self, grace: Duration) -> Self {
        self.not_found_grace = Some(grace);
        self
    }

    /// Asks the server to hold each poll for up to this long, where the dialect and the service can
    /// (`WaitOperation` and similar calls). Elsewhere the wait polls as usual. At least 1 ms.
    /// Default: no held polls, unless the dialect
    /// [prefers them](crate::Dialect::prefers_held_polls).
    #[must_use]
    pub fn with_long_poll(mut self, hold: Duration) -> Self {
        self.long_poll = Some(LongPoll::For(hold));
        self
    }

    /// Asks the server for ordinary polls only, which it answers at once. Default: so, unless the
    /// dialect [prefers held polls](crate::Dialect::prefers_held_polls).
    #[must_use]
    pub fn without_long_poll(mut self) -> Self {
        self.long_poll = Some(LongPoll::Never);
        self
    }

    /// Sets what a status word that the dialect does not know means. Default:
    /// [`UnknownStatus::Running`].
    #[must_use]
    pub fn with_unknown_status(mut self, unknown: UnknownStatus) -> Self {
        self.unknown_status = Some(unknown);
        self
    }

    /// Sets the policy that decides which failed polls are worth another. Default:
    /// [`Failure::verdict`](crate::Failure::verdict). Not serialized.
    #[must_use]
    pub fn with_failure_policy(mut self, policy: impl FailurePolicy) -> Self {
        self.policy = Some(Policy(Arc::new(policy)));
        self
    }

    /// Whether no other wait is likely to have the same settings: they have a point in time, or a
    /// failure policy, which is equal only to its own clones.
    pub(crate) fn is_of_one_wait(&self) -> bool {
        self.policy.is_some() || matches!(self.expiration, Some(Expiration::Deadline(_)))
    }

    /// Returns these settings, with the values that are not set here taken from `fallback`.
    #[must_use]
    pub fn or(self, fallback: Self) -> Self {
        Self {
            initial_delay: self.initial_delay.or(fallback.initial_delay),
            // A fallback value must not conflict with an explicit one. If a method sets `delay` to
            // 30 s and the client sets `max_delay` to 10 s, the method wins and `max_delay` becomes
            // 30 s, instead of an error that no single place has caused.
            delay: self.delay.or(fallback.delay.map(|delay| self.max_delay.map_or(delay, |max| delay.min(max)))),
            multiplier: self.multiplier.or(fallback.multiplier),
            max_delay: self.max_delay.or(fallback.max_delay.map(|max| self.delay.map_or(max, |delay| max.max(delay)))),
            jitter: self.jitter.or(fallback.jitter),
            seed: self.seed.or(fallback.seed),
            expiration: self.expiration.or(fallback.expiration),
            poll_timeout: self.poll_timeout.or(fallback.poll_timeout),
            hint: self.hint.or(fallback.hint),
            error_budget: self.error_budget.or(fallback.error_budget),
            not_found_grace: self.not_found_grace.or(fallback.not_found_grace),
            long_poll: self.long_poll.or(fallback.long_poll),
            unknown_status: self.unknown_status.or(fallback.unknown_status),
            policy: self.policy.or(fallback.policy),
        }
    }
}
