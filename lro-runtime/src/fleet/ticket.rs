//! Tickets: which operation of a fleet.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::Slot;

/// An operation that a [`Fleet`](super::Fleet) watches: 8 bytes that are cheap to keep, to copy and
/// to store beside one's own record of the work.
///
/// A ticket is of the fleet that gave it, and valid until the operation is removed or its
/// completion acknowledged. After that every call answers that there is no such operation; a ticket
/// is never of another operation.
///
/// ```
/// # use lro_runtime::{Fleet, Operations};
/// # let operations = Operations::builder("https://images.example.com").build()?;
/// let fleet = Fleet::builder().build()?;
/// let ticket = fleet.try_watch(&operations.resume("operations/7")?)?;
/// assert_eq!(fleet.snapshot(ticket).unwrap().name(), "operations/7");
/// fleet.remove(ticket);
/// assert!(fleet.snapshot(ticket).is_none());
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub struct Ticket {
    pub(super) slot: Slot,
    /// How often the slot was taken before.
    pub(super) generation: u32,
}

impl From<u64> for Ticket {
    fn from(number: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        Self { slot: number as u32, generation: (number >> 32) as u32 }
    }
}

impl From<Ticket> for u64 {
    fn from(ticket: Ticket) -> Self {
        Self::from(ticket.generation) << 32 | Self::from(ticket.slot)
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({self})")
    }
}
