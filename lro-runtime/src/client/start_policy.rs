//! The start call: what makes it safe to send again, and sending it again.

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

/// How start calls are sent: once and as they are, unless somebody asked for more.
#[derive(Clone, Debug, Default)]
pub(crate) struct StartPolicy {
    pub(crate) id: Option<HeaderName>,
    pub(crate) retries: u32,
}

impl StartPolicy {
    /// Gives the start call an id of its own, unless the caller has chosen one.
    pub(crate) fn identify(&self, request: &mut Request) {
        if let Some(header) = self.id.as_ref().filter(|header| !request.headers().contains_key(*header))
            && let Ok(id) = HeaderValue::try_from(uuid(random(), random()))
        {
            request.headers_mut().insert(header.clone(), id);
        }
    }

    /// Whether the service said "not now" and there is a retry left after `failed` of them. Without a reply nobody knows whether the service
    /// started something: then only a start call with an id is sent again.
    pub(crate) fn try_again(&self, failed: u32, failure: &Failure) -> bool {
        let refused = match failure.cause() {
            Cause::Http(status, _) => status.is_server_error() || status.as_u16() == 429,
            Cause::Transport(error) => self.id.is_some() && error.is_transient(),
            Cause::TimedOut(_) => self.id.is_some(),
            _ => false,
        };
        failed < self.retries && refused
    }
}

/// The wait before the `n`-th retry: what the service asks for, else that of failed polls.
pub(crate) fn pause(n: u32, failure: &Failure, schedule: &Schedule, timer: &dyn Timer) -> Duration {
    match (schedule.hint, failure.hint()) {
        (HintPolicy::Obey { floor, ceiling }, Some(hint)) => hint.wait(timer.system_time()).clamp(floor, ceiling),
        _ => schedule.error_budget.wait(n),
    }
}

/// 64 bits that no other process has: the standard library's hash keys are the system's randomness.
fn random() -> u64 {
    RandomState::new().hash_one(fastrand::u64(..))
}

/// A version 4 UUID of these bits ([RFC 9562, 5.4](https://www.rfc-editor.org/rfc/rfc9562#section-5.4)).
fn uuid(high: u64, low: u64) -> String {
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
