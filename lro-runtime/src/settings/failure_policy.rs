//! The policy that decides which failed polls are worth another, for services that the library's
//! rule does not fit.

use crate::status::{Cause, Code, Failure};

/// What a failed poll means for the wait: poll again or stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// Poll again, as long as the error budget lasts.
    Retry,
    /// Poll again only within `not_found_grace` after the start, and only until a poll has found
    /// the operation, because it may not have reached every replica yet. Spends no error budget.
    RetryWithinGrace,
    /// End the wait: another poll would fail in the same way.
    Stop,
}

impl Failure {
    /// Returns what the failure means for the wait, by the library's own rule.
    ///
    /// Worth another poll are [transient](crate::transport::TransportError::is_transient) transport
    /// errors, a missing reply, a failed credentials hook, HTTP 408, 429, 500, 502, 503 and 504,
    /// and gRPC `UNAVAILABLE`, `DEADLINE_EXCEEDED`, `RESOURCE_EXHAUSTED`, `INTERNAL`, `ABORTED` and
    /// `UNKNOWN`; further any error whose reason is a rate limit (`rateLimitExceeded`,
    /// `RATE_LIMIT_EXCEEDED`, `ThrottlingException` and their kin; `quotaExceeded` where the quota
    /// is one per minute), such as the 403 of Google's APIs. A quota per day is not. HTTP 404 and
    /// `NOT_FOUND` are worth another poll only for a while after the start. Everything else ends
    /// the wait.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let retry = match self.cause() {
            Cause::Transport(error) => error.is_transient(),
            // A credentials hook refreshes tokens over the network, so its failures are as
            // transient as a transport's.
            Cause::TimedOut(_) | Cause::Credentials(_) => true,
            Cause::Http(status, _) => matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504),
            Cause::Rpc(status) => matches!(
                status.code(),
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::ResourceExhausted
                    | Code::Internal
                    | Code::Aborted
                    | Code::Unknown
            ),
            Cause::Protocol(_) | Cause::Untrusted(_) | Cause::Unsupported(_) => false,
        };
        // A 404 is permanent by itself; the engine forgives it only while the operation may not
        // have reached every replica.
        match retry {
            true => Verdict::Retry,
            false if self.is_throttle_in_words() => Verdict::Retry,
            false if self.is_not_found() => Verdict::RetryWithinGrace,
            false => Verdict::Stop,
        }
    }
}

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
