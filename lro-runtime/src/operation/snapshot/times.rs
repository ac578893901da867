//! Times of a snapshot, in half of the bytes that the standard library's take.

use std::{
    num::NonZeroI64,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// An [`Instant`] in eight bytes: nanoseconds since the first that this process has stored,
/// negative before. It reaches 146 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp(NonZeroI64);

fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    *EPOCH.get_or_init(Instant::now)
}

impl From<Instant> for Stamp {
    fn from(time: Instant) -> Self {
        /// What is left of the numbers: see below.
        const MOST: i64 = i64::MAX / 2;
        let epoch = epoch();
        let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(MOST).min(MOST);
        let since_epoch = match time.checked_duration_since(epoch) {
            Some(since) => nanos(since),
            None => -nanos(epoch.saturating_duration_since(time)),
        };
        // Odd and so never zero, by which an `Option` is told apart without a place of its own.
        Self(NonZeroI64::new(2 * since_epoch + 1).unwrap_or(NonZeroI64::MAX))
    }
}

impl From<Stamp> for Instant {
    fn from(stamp: Stamp) -> Self {
        // The lowest bit says nothing.
        let since_epoch = stamp.0.get() >> 1;
        let distance = Duration::from_nanos(since_epoch.unsigned_abs());
        let time = if since_epoch < 0 { epoch().checked_sub(distance) } else { epoch().checked_add(distance) };
        // Nothing that was stored lies beyond the clock.
        time.unwrap_or_else(epoch)
    }
}

/// When an operation was started. On the monotonic clock for the waits of this process, on the wall
/// clock for tokens.
#[derive(Clone, Copy)]
pub(crate) struct StartTime {
    at: Stamp,
    /// In milliseconds since 1970; zero for a time before it.
    pub(crate) unix_millis: u64,
}

impl StartTime {
    pub(crate) fn new(at: Instant, system: SystemTime) -> Self {
        let since_1970 = system.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::at_millis(at, u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn at_millis(at: Instant, unix_millis: u64) -> Self {
        Self { at: at.into(), unix_millis }
    }

    pub(crate) fn at(self) -> Instant {
        self.at.into()
    }
}

/// When a call was sent, when its reply was read, and whether it is the start call.
#[derive(Clone, Copy)]
pub(crate) struct ReplyTime {
    pub(crate) began: Instant,
    pub(crate) at: Instant,
    pub(crate) answers_start: bool,
}

impl ReplyTime {
    /// Returns the time of the reply to a poll that began at `began`.
    pub(crate) fn of_poll(began: Instant, at: Instant) -> Self {
        Self { began, at, answers_start: false }
    }
}

/// When the last reply was read, and how long it took.
#[derive(Clone, Copy)]
pub(crate) struct Replied {
    at: Stamp,
    /// In nanoseconds.
    round_trip: u64,
}

impl Replied {
    pub(super) fn new(time: ReplyTime) -> Self {
        let round_trip = time.at.saturating_duration_since(time.began).as_nanos();
        Self { at: time.at.into(), round_trip: u64::try_from(round_trip).unwrap_or(u64::MAX) }
    }

    pub(crate) fn at(self) -> Instant {
        self.at.into()
    }

    pub(crate) fn round_trip(self) -> Duration {
        Duration::from_nanos(self.round_trip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_the_very_instant() {
        let now = Instant::now();
        for nanos in [0, 1, 2, 999_999_999, 1_000_000_001, u64::MAX / 8] {
            let distance = Duration::from_nanos(nanos);
            for base in [now, epoch()] {
                for time in [base.checked_add(distance), base.checked_sub(distance)].into_iter().flatten() {
                    assert_eq!(Instant::from(Stamp::from(time)), time);
                }
            }
        }
        let far = now.checked_add(Duration::from_secs(86_400 * 365 * 200)).unwrap();
        assert!(Instant::from(Stamp::from(far)) > now + Duration::from_secs(86_400 * 365 * 145));
    }

    #[test]
    fn times_take_half() {
        assert_eq!((size_of::<Option<StartTime>>(), size_of::<Option<Replied>>()), (16, 16));
    }
}
