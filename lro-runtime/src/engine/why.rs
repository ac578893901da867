//! Why a wait does what it does: for traces and metrics. Found out only when it is asked for, so
//! that a wait that nobody observes keeps no reasons.

use std::time::{Duration, SystemTime};

use super::{Engine, Stage, duration};
use crate::hint::Hint;

/// What a delay comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The settings: the delay, as it has grown and with its jitter.
    Computed,
    /// The server has asked for it.
    Hint,
    /// The last poll failed: the error budget says for how long.
    Failure,
    /// The deadline is near: the next poll is the last, and its reply is to arrive there.
    Deadline,
    /// No poll fits before the deadline, and a wait does not expire early.
    Expiry,
}

impl Engine {
    /// Returns what the delay comes from that [`next`](Self::next) has asked for last. `hint` is
    /// that of the last good reply.
    pub(crate) fn why(&self, hint: Option<Hint>) -> Why {
        match self.stage {
            Stage::Waiting if self.course.expires => return Why::Expiry,
            Stage::Waiting => {}
            Stage::Polling(_) | Stage::Ended(_) => return Why::Computed,
        }
        if self.course.last_poll() == Some(self.course.at) {
            return Why::Deadline;
        }
        // Whether a hint is obeyed does not depend on the time.
        let is_obeyed = |hint| self.schedule.hinted(hint, || SystemTime::UNIX_EPOCH).is_some();
        match self.course.last_failure() {
            Some(failure) if is_obeyed(failure.hint()) => Why::Hint,
            Some(_) => Why::Failure,
            None if is_obeyed(hint) => Why::Hint,
            None => Why::Computed,
        }
    }

    /// Returns how much later than planned the poll in flight began: by how much the timer
    /// overslept, or by how long nobody polled the wait's future.
    pub(crate) fn lateness(&self) -> Duration {
        self.polling().map_or(Duration::ZERO, |polling| duration(polling.began.saturating_sub(polling.planned)))
    }
}
