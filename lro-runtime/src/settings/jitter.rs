//! How delays are spread at random.

use serde::{Deserialize, Serialize};

/// How delays are spread at random, so that many clients do not poll at the same moment. The same
/// seed gives the same delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Jitter {
    /// Each delay is used as computed.
    None,
    /// Each delay is drawn uniformly between zero (in effect 1 ms) and the computed delay.
    Full,
    /// Each delay is drawn uniformly between half the computed delay (in effect at least 1 ms) and
    /// the computed delay.
    Equal,
}
