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
    status::{Cause, Failure},
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
        // With `5xx` and `429` the service refuses the call for now. Without an answer it may have
        // started the operation, and only the id keeps a second start call from starting another
        // one.
        let is_retryable = match failure.cause() {
            Cause::Http(status, _) => status.is_server_error() || status.as_u16() == 429,
            Cause::Transport(error) => self.id.is_some() && error.is_transient(),
            Cause::TimedOut(_) => self.id.is_some(),
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

    #[test]
    fn an_id_is_a_version_4_uuid_and_never_the_same() {
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(u64::MAX, u64::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let ids: std::collections::HashSet<_> = (0..1000).map(|_| uuid(random(), random())).collect();
        assert_eq!(ids.len(), 1000);
    }
}
