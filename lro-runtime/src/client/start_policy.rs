//! The start policy: where the id stands that makes a start call safe to repeat, which failed start
//! calls are sent again, and how long one may take.

use std::time::Duration;

use super::start_id::StartIdPlace;
use crate::{
    settings::Schedule,
    status::{Cause, Code, Failure, FailureScope, TransportErrorKind},
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
        failed < self.retries && is_retryable(failure, has_id)
    }
}

fn is_retryable(failure: &Failure, has_id: bool) -> bool {
    // A call that the service does not have stays so, though 501 is a `5xx`.
    if failure.is_unsupported() {
        return false;
    }
    // A throttle, whatever its code, and an outage refuse the call for now, and without a
    // connection nothing was sent: no operation was started.
    if failure.scope() == FailureScope::Origin || reached_nobody(failure) {
        return true;
    }
    // All else may have come after the service started one: no answer, one that says that time was
    // up, and one of a server or a gateway that broke on the way. Only the id keeps a second start
    // call from starting another.
    has_id
        && match failure.cause() {
            Cause::Transport(error) => error.is_transient(),
            Cause::TimedOut(_) => true,
            Cause::Http(status, _) => status.is_server_error(),
            Cause::Rpc(status) => matches!(status.code(), Code::Internal | Code::Unknown | Code::DeadlineExceeded),
            _ => false,
        }
}

/// Whether nothing can have been sent.
fn reached_nobody(failure: &Failure) -> bool {
    let kinds = [TransportErrorKind::Connect, TransportErrorKind::Certificate];
    matches!(failure.cause(), Cause::Transport(error) if kinds.contains(&error.kind()))
}

/// Returns the delay before the `n`-th retry: the service's hint within its bounds, else the delay
/// after the `n`-th failed poll in a row.
pub(crate) fn delay_before_retry(n: u32, failure: &Failure, schedule: &Schedule, timer: &dyn Timer) -> Duration {
    let hinted = schedule.hinted(failure.hint(), || timer.system_time());
    hinted.unwrap_or_else(|| schedule.error_budget.delay_after(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Status, TransportError};

    #[test]
    fn a_start_that_was_refused_for_now_is_sent_again_and_one_that_may_have_happened_only_with_an_id() {
        let policy = StartPolicy { place: None, retries: 1, timeout: StartPolicy::TIMEOUT };
        let http = |status: u16| {
            let status = http::StatusCode::from_u16(status).unwrap();
            Cause::Http(status, Status::new(Code::from_http_status(status.as_u16()), ""))
        };
        let rpc = |code| Cause::Rpc(Status::new(code, ""));
        let limited = Status::new(Code::PermissionDenied, "").with_reason("rateLimitExceeded");
        let refused = [
            http(429),
            http(503),
            Cause::Rpc(limited),
            rpc(Code::Unavailable),
            rpc(Code::ResourceExhausted),
            Cause::Transport(TransportError::message(TransportErrorKind::Connect, "")),
            Cause::Transport(TransportError::message(TransportErrorKind::Certificate, "")),
        ];
        let unknown = [
            http(500),
            http(502),
            http(504),
            rpc(Code::Internal),
            rpc(Code::Unknown),
            rpc(Code::DeadlineExceeded),
            Cause::TimedOut(Duration::ZERO),
            Cause::Transport(TransportError::message(TransportErrorKind::Closed, "")),
        ];
        let wrong = [
            http(400),
            http(403),
            http(404),
            http(409),
            http(501),
            rpc(Code::Unimplemented),
            rpc(Code::InvalidArgument),
            rpc(Code::PermissionDenied),
            rpc(Code::AlreadyExists),
            rpc(Code::Aborted),
            rpc(Code::DataLoss),
        ];
        let retries = |cause: &Cause, has_id| policy.try_again(0, &Failure::new(cause.clone()), has_id);
        for (causes, without, with) in [(&refused[..], true, true), (&unknown, false, true), (&wrong, false, false)] {
            for cause in causes {
                assert_eq!((retries(cause, false), retries(cause, true)), (without, with), "{cause:?}");
            }
        }
        assert!(!policy.try_again(1, &Failure::new(http(503)), true), "so many times and no more");
    }
}
