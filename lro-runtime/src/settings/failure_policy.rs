//! The policy that decides which failed polls are worth another, for services that the library's
//! rule does not fit.

use crate::status::{Failure, Verdict};

/// Decides which failed polls are worth another. Any `Fn(&Failure) -> Verdict` is a policy.
///
/// Set it with [`PollSettings::with_failure_policy`](crate::PollSettings::with_failure_policy).
///
/// ```
/// use lro_runtime::{Failure, PollSettings, Verdict};
///
/// // This service answers 404 for a minute after every deployment.
/// let patient = PollSettings::default().with_failure_policy(|failure: &Failure| match failure.verdict() {
///     Verdict::RetryWithinGrace => Verdict::Retry,
///     verdict => verdict,
/// });
/// # let _ = patient;
/// ```
pub trait FailurePolicy: Send + Sync + 'static {
    /// Returns what `failure` means for the wait. [`Failure::verdict`] is the library's own rule,
    /// to fall back on.
    fn verdict(&self, failure: &Failure) -> Verdict;
}

impl<F: Fn(&Failure) -> Verdict + Send + Sync + 'static> FailurePolicy for F {
    fn verdict(&self, failure: &Failure) -> Verdict {
        self(failure)
    }
}
