//! Times of a fleet as numbers, and the ticks in which it counts them.

use std::time::Duration;

/// A time of the fleet, in nanoseconds since its epoch.
pub(super) type Moment = i64;

/// A time of the wheel, in ticks since the fleet's epoch.
pub(super) type Tick = u64;

/// How long a tick is. What is due within it falls out at its end, together.
pub(super) const TICK: Moment = 10_000_000;

/// Returns the tick at whose beginning this time has come.
pub(super) fn tick_after(moment: Moment) -> Tick {
    u64::try_from(moment.max(0)).unwrap_or_default().div_ceil(TICK.unsigned_abs())
}

/// Returns the tick that this time is in.
pub(super) fn tick_before(moment: Moment) -> Tick {
    u64::try_from(moment.max(0)).unwrap_or_default() / TICK.unsigned_abs()
}

pub(super) fn nanos(duration: Duration) -> Moment {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Returns a number of nanoseconds, or of anything else, for arithmetic.
#[expect(clippy::cast_precision_loss, reason = "a part in 10¹⁵ decides nothing")]
pub(super) fn approximately(number: u64) -> f64 {
    number as f64
}
