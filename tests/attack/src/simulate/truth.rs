//! What is true of an operation, whatever a client is told about it.

use std::time::Duration;

/// How an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Failed,
    Cancelled,
}

/// How an operation stands at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Pending,
    /// Has the per cent done.
    Running(u32),
    Ended(End),
}

/// One operation of the service. Times count from the beginning of the history.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    /// The start call that made it.
    pub(super) start: usize,
    /// The start id of that call.
    pub(super) id: Option<String>,
    pub(super) created: Duration,
    /// From when on it can be polled.
    pub(super) visible: Duration,
    pub(super) runs: Duration,
    pub(super) ends: Duration,
    pub(super) end: End,
    /// When the service forgets it.
    pub(super) expires: Option<Duration>,
}

impl Truth {
    /// Returns how the operation stands at this time.
    pub(super) fn stage(&self, at: Duration) -> Stage {
        if at >= self.ends {
            return Stage::Ended(self.end);
        }
        if at < self.runs {
            return Stage::Pending;
        }
        let whole = self.ends.saturating_sub(self.runs).as_millis().max(1);
        let done = at.saturating_sub(self.runs).as_millis() * 100 / whole;
        Stage::Running(u32::try_from(done).unwrap_or(100))
    }

    /// Whether it can be found at this time.
    pub(super) fn is_known(&self, at: Duration) -> bool {
        at >= self.visible && self.expires.is_none_or(|expires| at < expires)
    }

    /// Cancels it, so that it ends `takes` from now. What has ended, or ends before, stays so.
    pub(super) fn cancel(&mut self, now: Duration, takes: Duration) {
        let ends = now.saturating_add(takes);
        if ends < self.ends {
            let kept = self.expires.map(|expires| expires.saturating_sub(self.ends));
            (self.ends, self.end) = (ends, End::Cancelled);
            self.runs = self.runs.min(ends);
            self.expires = kept.map(|kept| ends.saturating_add(kept));
        }
    }
}
