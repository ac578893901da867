//! Times of the monotonic clock as numbers: a program keeps several for each operation, and every
//! reply is compared with them. Arithmetic on an [`Instant`] costs much more than on these.

use std::{
    num::NonZeroU64,
    ops::Add,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// An [`Instant`] in eight bytes: nanoseconds since the first that this process has stored,
/// negative before. It reaches 292 years, and what lies beyond is the last or the first time.
///
/// Counted from the least number on, which is left out: so an `Option` is told apart without a
/// place of its own, and times are in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(NonZeroU64);

/// The number of the epoch.
const EPOCH: u64 = 1 << 63;

fn epoch() -> Instant {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    *FIRST.get_or_init(Instant::now)
}

/// Returns a duration in nanoseconds: `i64::MAX` for one that is longer than they can tell, which
/// no clock outlives.
pub(crate) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Returns so many nanoseconds as a duration; zero if they are negative.
pub(crate) fn duration(nanos: i64) -> Duration {
    Duration::from_nanos(nanos.try_into().unwrap_or_default())
}

impl Stamp {
    /// The time of all that lies beyond the numbers.
    const LAST: Self = Self(NonZeroU64::MAX);

    /// Returns the time so many nanoseconds after the epoch.
    fn of(since_epoch: i64) -> Self {
        Self(NonZeroU64::new(since_epoch.cast_unsigned() ^ EPOCH).unwrap_or(NonZeroU64::MIN))
    }

    /// Returns the nanoseconds since the epoch.
    fn since_epoch(self) -> i64 {
        (self.0.get() ^ EPOCH).cast_signed()
    }

    /// Returns the nanoseconds from `earlier` to this time; negative if it is later. From any other
    /// time to the last one it is `i64::MAX`, so that whatever is due is due by then.
    pub(crate) fn nanos_since(self, earlier: Self) -> i64 {
        match self {
            Self::LAST if earlier < self => i64::MAX,
            _ => self.since_epoch().saturating_sub(earlier.since_epoch()),
        }
    }

    /// Returns the time from `earlier` to this one; zero if it is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        duration(self.nanos_since(earlier))
    }

    /// Returns the first time from this one on that is so many whole steps from the epoch.
    #[cfg(any(feature = "smol", test))]
    pub(crate) fn rounded_up(self, step: Duration) -> Self {
        let beyond = self.since_epoch().rem_euclid(nanos(step).max(1));
        if beyond == 0 { self } else { self.after(nanos(step) - beyond) }
    }

    /// Returns the time so many nanoseconds later.
    pub(crate) fn after(self, nanos: i64) -> Self {
        Self::of(self.since_epoch().saturating_add(nanos))
    }
}

impl From<Instant> for Stamp {
    fn from(time: Instant) -> Self {
        let epoch = epoch();
        Self::of(match time.checked_duration_since(epoch) {
            Some(since) => nanos(since),
            None => -nanos(epoch.saturating_duration_since(time)),
        })
    }
}

impl From<Stamp> for Instant {
    fn from(stamp: Stamp) -> Self {
        let distance = Duration::from_nanos(stamp.since_epoch().unsigned_abs());
        let epoch = epoch();
        let time = if stamp.since_epoch() < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
        // Nothing that was stored lies beyond the clock.
        time.unwrap_or(epoch)
    }
}

impl Add<Duration> for Stamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        self.after(nanos(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_the_very_instant() {
        let now = Instant::now();
        for nanos in [0, 1, 2, 999_999_999, 1_000_000_001, u64::MAX / 4] {
            let distance = Duration::from_nanos(nanos);
            for base in [now, epoch()] {
                for time in [base.checked_add(distance), base.checked_sub(distance)].into_iter().flatten() {
                    assert_eq!(Instant::from(Stamp::from(time)), time);
                }
            }
        }
        let far = now.checked_add(Duration::from_secs(86_400 * 365 * 400)).unwrap();
        assert!(Instant::from(Stamp::from(far)) > now + Duration::from_secs(86_400 * 365 * 292));
    }

    #[test]
    fn arithmetic_is_that_of_instants() {
        let now = Instant::now();
        for nanos in [0, 1, 999_999_999, 1_000_000_001, i64::MAX / 4] {
            let (stamp, distance) = (Stamp::from(now), duration(nanos));
            let later = stamp + distance;
            assert_eq!((Instant::from(later), later.nanos_since(stamp)), (now + distance, nanos));
            assert_eq!((later.since(stamp), stamp.since(later)), (distance, Duration::ZERO));
            assert_eq!((stamp.nanos_since(later), later.after(-nanos)), (-nanos, stamp));
            assert_eq!(later > stamp, nanos > 0);
        }
    }

    #[test]
    fn times_are_rounded_up_to_whole_steps() {
        let step = Duration::from_nanos(10);
        for (time, rounded) in [(0, 0), (1, 10), (9, 10), (10, 10), (11, 20), (-1, 0), (-10, -10), (-11, -10)] {
            assert_eq!(Stamp::of(time).rounded_up(step), Stamp::of(rounded), "{time}");
        }
        assert_eq!(Stamp::of(i64::MAX - 1).rounded_up(step), Stamp::LAST);
        assert_eq!(Stamp::of(7).rounded_up(Duration::ZERO), Stamp::of(7));
    }

    #[test]
    fn arithmetic_saturates() {
        let (first, now, last) = (Stamp::of(i64::MIN), Stamp::of(1), Stamp::of(i64::MAX));
        assert!(first < last && last.nanos_since(first) == i64::MAX && first.nanos_since(last) == i64::MIN);
        assert_eq!((last + Duration::MAX, last.after(i64::MAX)), (last, last));
        assert_eq!((first.after(i64::MIN), first + Duration::ZERO), (first, first));
        assert_eq!((last.nanos_since(now), last.nanos_since(last)), (i64::MAX, 0), "whatever is due is due");
    }
}
