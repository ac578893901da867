//! The object `LroBudget`: what the groups of one service may ask of its origin, together.

use restate_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{groups::Groups, turn::now};

/// A virtual object for each service: it leases requests to groups. What was leased and not sent
/// comes back; if it does not, because a process died, it is lost, and never sent twice.
pub(crate) struct LroBudget {
    groups: Groups,
}

/// What a group may send.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lease {
    pub(crate) requests: u64,
    /// After how many milliseconds to ask again, if there are none.
    pub(crate) wait: u64,
}

/// The state of the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Bucket {
    tokens: f64,
    /// When that was so, in milliseconds since 1970; 0 for a bucket that is new, which is full.
    at: u64,
    /// Until when nobody may send.
    paused: u64,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "numbers of requests and of milliseconds, which are small"
)]
impl Bucket {
    /// How many requests there may be at once after a quiet time: those of one second.
    fn burst(rate: f64) -> f64 {
        rate.max(1.0)
    }

    /// Leases up to `want` requests.
    fn lease(&mut self, want: u64, rate: f64, now: u64) -> Lease {
        // A clock that was set back refills nothing.
        let elapsed = if self.at == 0 { u64::MAX } else { now.saturating_sub(self.at) };
        self.tokens = (self.tokens + elapsed as f64 / 1000.0 * rate).min(Self::burst(rate));
        self.at = now.max(self.at).max(1);
        if now < self.paused {
            return Lease { requests: 0, wait: self.paused - now };
        }
        let requests = (self.tokens.max(0.0) as u64).min(want);
        self.tokens -= requests as f64;
        let missing = ((1.0 - self.tokens) / rate * 1000.0).ceil().max(1.0);
        Lease { requests, wait: if requests == 0 { missing as u64 } else { 0 } }
    }

    /// Takes back what was leased and not sent.
    fn give_back(&mut self, requests: u64, rate: f64) {
        self.tokens = (self.tokens + requests as f64).min(Self::burst(rate));
    }
}

const BUCKET: &str = "bucket";

impl LroBudget {
    pub(crate) fn new(groups: Groups) -> Self {
        Self { groups }
    }
}

#[restate_sdk::object(name = "LroBudget", client_visibility = "pub(crate)", ingress_private, journal_retention = "0s")]
impl LroBudget {
    #[handler]
    async fn lease(&self, ctx: ObjectContext<'_>, want: u64) -> HandlerResult<Json<Lease>> {
        let mut bucket = ctx.get::<Json<Bucket>>(BUCKET).await?.unwrap_or_default().into_inner();
        let now = ctx.run(|| async { Ok(now()) }).name("now").await?;
        let lease = bucket.lease(want, self.groups.inner.rate(ctx.key()), now);
        ctx.set(BUCKET, Json(bucket));
        Ok(Json(lease))
    }

    #[handler]
    async fn give_back(&self, ctx: ObjectContext<'_>, requests: u64) -> HandlerResult<()> {
        let mut bucket = ctx.get::<Json<Bucket>>(BUCKET).await?.unwrap_or_default().into_inner();
        bucket.give_back(requests, self.groups.inner.rate(ctx.key()));
        ctx.set(BUCKET, Json(bucket));
        Ok(())
    }

    /// Has nobody send before this time, in milliseconds since 1970.
    #[handler]
    async fn pause(&self, ctx: ObjectContext<'_>, until: u64) -> HandlerResult<()> {
        let mut bucket = ctx.get::<Json<Bucket>>(BUCKET).await?.unwrap_or_default().into_inner();
        bucket.paused = bucket.paused.max(until);
        ctx.set(BUCKET, Json(bucket));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_leased_in_any_time_is_no_more_than_the_rate_and_one_burst() {
        let mut rng = fastrand::Rng::with_seed(1);
        for rate in [0.5, 1.0, 7.3, 20.0, 1000.0] {
            let (mut bucket, mut now, mut leased, mut out) = (Bucket::default(), 1_000_000, 0, 0_u64);
            let began = now;
            for _ in 0..10_000 {
                now += rng.u64(0..200);
                let lease = bucket.lease(rng.u64(1..50), rate, now);
                assert!(lease.requests > 0 || lease.wait > 0);
                (leased, out) = (leased + lease.requests, out + lease.requests);
                if rng.bool() {
                    let back = rng.u64(0..=out);
                    bucket.give_back(back, rate);
                    (leased, out) = (leased - back, 0);
                }
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let most = (now - began) as f64 / 1000.0 * rate + Bucket::burst(rate);
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let sent = leased as f64;
                assert!(sent <= most + 1e-6, "{sent} of {most} at {rate}/s");
            }
        }
    }

    #[test]
    fn after_the_time_that_it_names_there_is_a_request() {
        for rate in [0.3, 1.0, 19.7, 500.0] {
            let mut bucket = Bucket::default();
            let mut now = 5_000;
            while bucket.lease(10, rate, now).requests > 0 {}
            for _ in 0..100 {
                let Lease { requests, wait } = bucket.lease(1, rate, now);
                assert_eq!(requests, 0);
                now += wait;
                assert_eq!(bucket.lease(1, rate, now).requests, 1, "{rate}/s, {wait} ms");
                while bucket.lease(10, rate, now).requests > 0 {}
            }
        }
    }

    #[test]
    fn a_pause_holds_for_all_and_a_clock_that_is_set_back_refills_nothing() {
        let mut bucket = Bucket { paused: 10_000, ..Bucket::default() };
        assert_eq!(bucket.lease(5, 20.0, 4_000).wait, 6_000);
        assert_eq!(bucket.lease(20, 20.0, 10_000).requests, 20);
        assert_eq!(bucket.lease(1, 20.0, 3_000).requests, 0);
        assert_eq!(bucket.lease(1, 20.0, 10_040).requests, 0);
        assert_eq!(bucket.lease(1, 20.0, 10_050).requests, 1);
    }
}
