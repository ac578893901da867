//! Which failed polls are worth another, where the library's rule does not fit.

use crate::status::{Failure, Verdict};

/// Decides which failed polls are worth another. Set it with [`PollSettings::with_failure_policy`](crate::PollSettings::with_failure_policy).
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
    /// What `failure` means. [`Failure::verdict`] is the library's answer.
    fn verdict(&self, failure: &Failure) -> Verdict;
}

impl<F: Fn(&Failure) -> Verdict + Send + Sync + 'static> FailurePolicy for F {
    fn verdict(&self, failure: &Failure) -> Verdict {
        self(failure)
    }
}
