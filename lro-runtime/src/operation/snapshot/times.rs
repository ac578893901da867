//! Times of a snapshot.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::stamp::{Stamp, duration};

/// When an operation was started. On the monotonic clock for the waits of this process, on the wall
/// clock for tokens.
#[derive(Clone, Copy)]
pub(crate) struct StartTime {
    pub(crate) at: Stamp,
    /// In milliseconds since 1970; zero for a time before it.
    pub(crate) unix_millis: u64,
}

impl StartTime {
    pub(crate) fn new(at: Stamp, system: SystemTime) -> Self {
        let since_1970 = system.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at, unix_millis: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// When a call was sent, when its reply was read, and whether it is the start call.
#[derive(Clone, Copy)]
pub(crate) struct ReplyTime {
    pub(crate) began: Stamp,
    pub(crate) at: Stamp,
    pub(crate) answers_start: bool,
}

impl ReplyTime {
    /// Returns the time of the reply to a poll that began at `began`.
    pub(crate) fn of_poll(began: Stamp, at: Stamp) -> Self {
        Self { began, at, answers_start: false }
    }
}

/// When the last reply was read, and how long it took.
#[derive(Clone, Copy)]
pub(crate) struct Replied {
    pub(crate) at: Stamp,
    /// In nanoseconds.
    round_trip: i64,
}

impl Replied {
    pub(super) fn new(time: ReplyTime) -> Self {
        Self { at: time.at, round_trip: time.at.nanos_since(time.began) }
    }

    pub(crate) fn round_trip(self) -> Duration {
        duration(self.round_trip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_take_half() {
        assert_eq!((size_of::<Option<StartTime>>(), size_of::<Option<Replied>>()), (16, 16));
    }
}
