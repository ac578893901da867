//! What failures in a row spend of the error budget: the operation's share and its origin's.

use std::time::Duration;

use super::moment::{Moment, duration};
use crate::settings::Limits;

/// What failures in a row have spent of the error budget, by share. A success restores all of it.
#[derive(Clone, Copy, Default)]
pub(super) struct Spending {
    pub(super) operation: Spent,
    origin: Spent,
    /// The last failure: when it was, and whose share the time since then is.
    last: Option<(Share, Moment)>,
}

/// The part of the error budget that a failure spends.
#[derive(Clone, Copy)]
pub(super) enum Share {
    Operation,
    Origin,
}

/// What is spent of one share.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) failures: u32,
    elapsed: Duration,
}

impl Spending {
    /// Counts a failure and the time since the one before, and returns what its share has spent.
    ///
    /// The time between two failures belongs to the first of them, whose delay it mostly is. An
    /// outage of the origin between two failures of the operation therefore costs the operation
    /// nothing.
    pub(super) fn count(&mut self, share: Share, now: Moment) -> Spent {
        if let Some((share, since)) = self.last.replace((share, now)) {
            let spent = self.share(share);
            spent.elapsed = spent.elapsed.saturating_add(duration(now.saturating_sub(since)));
        }
        let spent = self.share(share);
        spent.failures = spent.failures.saturating_add(1);
        *spent
    }

    fn share(&mut self, share: Share) -> &mut Spent {
        match share {
            Share::Operation => &mut self.operation,
            Share::Origin => &mut self.origin,
        }
    }
}

impl Spent {
    /// Returns how much time is left of `limits`, zero if they are spent, and the number of
    /// failures.
    pub(super) fn left_of(self, limits: Limits) -> (Duration, u32) {
        let left = limits.elapsed.saturating_sub(self.elapsed);
        (if self.failures > limits.failures { Duration::ZERO } else { left }, self.failures)
    }
}
