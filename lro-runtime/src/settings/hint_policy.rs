//! What a wait does with a server's hint about the next poll.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use crate::duration::serde_required;

/// What to do with a server's hint about the next poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum HintPolicy {
    /// Uses the hint, clamped to these bounds, in place of one delay. The bounds prevent hot loops
    /// (`Retry-After: 0`) and delays of weeks.
    Obey {
        /// The shortest delay that a hint can cause.
        #[serde(with = "serde_required")]
        floor: Duration,
        /// The longest delay that a hint can cause.
        #[serde(with = "serde_required")]
        ceiling: Duration,
    },
    /// Ignores hints and uses the computed delays.
    Ignore,
}

impl From<RangeInclusive<Duration>> for HintPolicy {
    fn from(range: RangeInclusive<Duration>) -> Self {
        Self::Obey { floor: *range.start(), ceiling: *range.end() }
    }
}
