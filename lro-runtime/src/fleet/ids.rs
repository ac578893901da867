//! The numbers by which the parts of a fleet are known inside.

/// The place of an operation in the table. Taken again when the operation is gone: a
/// [`Ticket`](super::Ticket) says of which one is spoken.
pub(super) type Slot = u32;

/// Which origin of a fleet.
pub(super) type OriginId = u32;

/// Which lane of an origin.
pub(super) type LaneId = u32;

/// Which group of a fleet.
pub(super) type GroupId = u32;

/// What operations have in common.
pub(super) type KindId = u32;

/// Returns the number of the last of these. No fleet has as many of anything as numbers can tell.
pub(super) fn last<T>(of: &[T]) -> u32 {
    u32::try_from(of.len().saturating_sub(1)).unwrap_or(u32::MAX)
}
