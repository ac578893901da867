//! The start policy: where the id stands that makes a start call safe to repeat, which failed start
//! calls are sent again, and how long one may take.

use std::time::Duration;

use super::start_id::StartIdPlace;
use crate::{
    settings::{HintPolicy, Schedule},
    status::{Cause, Failure},
    timer::Timer,
};

/// How start calls are sent.
#[derive(Clone, Debug)]
pub(crate) struct StartPolicy {
    /// Where start calls have their id, if they have one.
    pub(crate) place: Option<StartIdPlace>,
    /// How many times a failed start call is sent again.
    pub(crate) retries: u32,
    /// The time limit of one attempt.
    pub(crate) timeout: Duration,
}

impl StartPolicy {
    /// The default time limit of one attempt at a start call, the reply's body included. Longer
    /// than that of a poll, because the service does some of the work before it answers.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

    /// Whether a start call that has failed is sent again, after `failed` earlier retries. `has_id`
    /// says whether it has a start id.
    pub(crate) fn try_again(&self, failed: u32, failure: &Failure, has_id: bool) -> bool {
        // With `5xx` and `429` the service refuses the call for now. Without an answer it may have
        // started the operation, and only the id keeps a second start call from starting another
        // one.
        let is_retryable = match failure.cause() {
            Cause::Http(status, _) => status.is_server_error() || status.as_u16() == 429,
            Cause::Transport(error) => has_id && error.is_transient(),
            Cause::TimedOut(_) => has_id,
            _ => false,
        };
        failed < self.retries && is_retryable
    }
}

/// Returns the delay before the `n`-th retry: the service's hint within its bounds, else the delay
/// after the `n`-th failed poll in a row.
pub(crate) fn delay_before_retry(n: u32, failure: &Failure, schedule: &Schedule, timer: &dyn Timer) -> Duration {
    match (schedule.hint, failure.hint()) {
        (HintPolicy::Obey { floor, ceiling }, Some(hint)) => hint.delay(timer.system_time()).clamp(floor, ceiling),
        _ => schedule.error_budget.delay_after(n),
    }
}
