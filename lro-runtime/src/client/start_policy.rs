//! The start policy: the id that makes a start call safe to repeat, and which failed start calls
//! are sent again.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use http::{HeaderName, HeaderValue};

use crate::{
    message::Request,
    settings::{HintPolicy, Schedule},
    status::{Cause, Code, Failure, FailureScope, TransportErrorKind},
    timer::Timer,
};

/// How start calls are sent. The default sends each once, without an id.
#[derive(Clone, Debug, Default)]
pub(crate) struct StartPolicy {
    /// The header of the start id, if start calls have one.
    pub(crate) id: Option<HeaderName>,
    /// How many times a failed start call is sent again.
    pub(crate) retries: u32,
}

impl StartPolicy {
    /// Adds a fresh id to the start call, unless the caller has set one.
    pub(crate) fn identify(&self, request: &mut Request) {
        if let Some(header) = self.id.as_ref().filter(|header| !request.headers().contains_key(*header))
            && let Ok(id) = HeaderValue::try_from(uuid(random(), random()))
        {
            request.headers_mut().insert(header.clone(), id);
        }
    }

    /// Whether a start call that has failed is sent again, after `failed` earlier retries.
    pub(crate) fn try_again(&self, failed: u32, failure: &Failure) -> bool {
        failed < self.retries && self.is_retryable(failure)
    }

    fn is_retryable(&self, failure: &Failure) -> bool {
        // A call that the service does not have stays so, though 501 is a `5xx`.
        if failure.is_unsupported() {
            return false;
        }
        // A throttle, whatever its code, and an outage refuse the call for now, as do a `5xx` and
        // its like over gRPC. Without an answer, or with one that says that time was up, the
        // service may have started the operation, and only the id keeps a second start call from
        // starting another one.
        match failure.cause() {
            // Without a connection nothing was sent.
            Cause::Transport(error) if error.kind() == TransportErrorKind::Connect => true,
            Cause::Transport(error) => self.id.is_some() && error.is_transient(),
            Cause::TimedOut(_) => self.id.is_some(),
            Cause::Http(status, _) => status.is_server_error() || failure.scope() == FailureScope::Origin,
            Cause::Rpc(status) => match status.code() {
                Code::Internal | Code::Unknown => true,
                Code::DeadlineExceeded => self.id.is_some(),
                _ => failure.scope() == FailureScope::Origin,
            },
            _ => false,
        }
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

/// Returns 64 random bits that differ between processes. `fastrand` is seeded from a clock and a
/// thread id, which two processes may share, so its bits are hashed with the standard library's
/// hash keys, which come from the operating system.
fn random() -> u64 {
    RandomState::new().hash_one(fastrand::u64(..))
}

/// Formats these bits as a version 4 UUID ([RFC 9562,
/// 5.4](https://www.rfc-editor.org/rfc/rfc9562#section-5.4)).
fn uuid(high: u64, low: u64) -> String {
    // Four bits are the version, 4; two bits are the variant, 10.
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Status, TransportError};

    #[test]
    fn a_start_that_was_refused_for_now_is_sent_again_and_one_without_an_answer_only_with_an_id() {
        let plain = StartPolicy { id: None, retries: 1 };
        let with_id = StartPolicy { id: Some(http::header::ETAG), retries: 1 };
        let http = |status: u16| {
            let status = http::StatusCode::from_u16(status).unwrap();
            Cause::Http(status, Status::new(Code::from_http_status(status.as_u16()), ""))
        };
        let rpc = |code| Cause::Rpc(Status::new(code, ""));
        let limited = Status::new(Code::PermissionDenied, "").with_reason("rateLimitExceeded");
        let refused = [
            http(429),
            http(500),
            http(502),
            http(503),
            http(504),
            Cause::Rpc(limited),
            rpc(Code::Unavailable),
            rpc(Code::ResourceExhausted),
            rpc(Code::Internal),
            rpc(Code::Unknown),
            Cause::Transport(TransportError::message(TransportErrorKind::Connect, "")),
        ];
        let unanswered = [
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
        let retries = |policy: &StartPolicy, cause: &Cause| policy.try_again(0, &Failure::new(cause.clone()));
        for (causes, without, with) in [(&refused[..], true, true), (&unanswered, false, true), (&wrong, false, false)]
        {
            for cause in causes {
                assert_eq!((retries(&plain, cause), retries(&with_id, cause)), (without, with), "{cause:?}");
            }
        }
        assert!(!plain.try_again(1, &Failure::new(http(503))), "so many times and no more");
    }

    #[test]
    fn an_id_is_a_version_4_uuid_and_never_the_same() {
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| uuid(random(), random())).collect();
        assert_eq!(ids.len(), 1000);
    }
}
