//! Times and durations of a wait as numbers: every reply is compared with several, and arithmetic
//! on an [`Instant`] or a [`Duration`] costs much more.

use std::time::{Duration, Instant};

/// A time of a wait, in nanoseconds since it began; negative before. It reaches 292 years.
pub(super) type Moment = i64;

/// Returns `time` as a moment of the wait that began at `began`.
pub(super) fn moment(began: Instant, time: Instant) -> Moment {
    match time.checked_duration_since(began) {
        Some(since) => nanos(since),
        None => -nanos(began.saturating_duration_since(time)),
    }
}

/// Returns the time of `moment`, counted from `began`. As near as the clock can tell: no moment
/// that it has told lies beyond it.
pub(super) fn instant(began: Instant, moment: Moment) -> Instant {
    let distance = Duration::from_nanos(moment.unsigned_abs());
    if moment < 0 { began.checked_sub(distance) } else { began.checked_add(distance) }.unwrap_or(began)
}

/// Returns a duration in nanoseconds: `i64::MAX` for one that is longer than they can tell, which
/// no clock outlives.
pub(super) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Returns so many nanoseconds as a duration; zero if they are negative.
pub(super) fn duration(nanos: i64) -> Duration {
    Duration::from_nanos(nanos.try_into().unwrap_or_default())
}
