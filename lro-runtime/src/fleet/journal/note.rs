//! Notes: when an operation is polled next, in eight bytes that may be lost.
//!
//! | bits | |
//! |---|---|
//! | 36 | when it is due, in sixteenths of a second since 1970, rounded up |
//! | 12 | the delay, as a logarithm: to 1 % |
//! | 8 | how many polls there were; 255 is that many or more |
//! | 8 | the end of the generation of the ticket: of another operation a note says nothing |

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is noted of an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::fleet) struct Due {
    pub(in crate::fleet) at: SystemTime,
    pub(in crate::fleet) delay: Duration,
    pub(in crate::fleet) polls: u32,
}

const PER_SECOND: u32 = 16;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "bounded before, or rounded as the module says"
)]
impl Due {
    /// Encodes a note.
    pub(in crate::fleet) fn encode(self, generation: u32) -> u64 {
        let since = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = since.as_nanos().div_ceil(u128::from(1_000_000_000 / PER_SECOND)).min((1 << 36) - 1) as u64;
        let millis = (self.delay.as_micros() as f64 / 1000.0).max(1.0);
        let delay = ((millis.ln() * 100.0).round() as u64).min(4095);
        let polls = u64::from(self.polls.min(255));
        at << 28 | delay << 16 | polls << 8 | u64::from(generation & 0xff)
    }

    /// Decodes the note of an operation. Every number is one; `None` if it is none of this
    /// operation.
    pub(in crate::fleet) fn decode(note: u64, generation: u32) -> Option<Self> {
        if note == 0 || note & 0xff != u64::from(generation & 0xff) {
            return None;
        }
        let since = Duration::from_secs(1) / PER_SECOND;
        let at = Duration::from_nanos((note >> 28).saturating_mul(since.as_nanos() as u64));
        let millis = ((note >> 16 & 0xfff) as f64 / 100.0).exp();
        Some(Self {
            at: UNIX_EPOCH.checked_add(at)?,
            delay: Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(Duration::MAX),
            polls: (note >> 8 & 0xff) as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_note_is_no_earlier_than_what_was_noted_and_a_sixteenth_later_at_most(
            millis in 0_u64..4_000_000_000_000, delay in 1_u64..100_000_000_000, polls: u32, generation: u32,
        ) {
            let due = Due { at: UNIX_EPOCH + Duration::from_millis(millis), delay: Duration::from_millis(delay), polls };
            let read = Due::decode(due.encode(generation), generation).unwrap();
            prop_assert!(read.at >= due.at && read.at <= due.at + Duration::from_micros(62_500));
            let off = read.delay.as_secs_f64() / due.delay.as_secs_f64();
            prop_assert!((0.994..1.006).contains(&off), "{off}");
            prop_assert_eq!(read.polls, polls.min(255));
            prop_assert_eq!(Due::decode(due.encode(generation), generation.wrapping_add(1)), None);
        }

        #[test]
        fn every_number_is_a_note_or_none(note: u64, generation: u32) {
            if let Some(due) = Due::decode(note, generation) {
                prop_assert!(due.at < UNIX_EPOCH + Duration::from_secs(1 << 33));
            }
        }
    }
}
