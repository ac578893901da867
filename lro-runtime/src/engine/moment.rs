//! Times of a wait as numbers.

use crate::stamp::Stamp;
pub(super) use crate::stamp::{duration, nanos};

/// A time of a wait, in nanoseconds since it began; negative before. It reaches 292 years.
pub(super) type Moment = i64;

/// Returns `time` as a moment of the wait that began at `began`.
pub(super) fn moment(began: Stamp, time: Stamp) -> Moment {
    time.nanos_since(began)
}
