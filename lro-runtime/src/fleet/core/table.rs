//! The table of a fleet's operations: a row for each, in which the wheel has its links.

use crate::{
    engine::Packed,
    fleet::{
        ids::{KindId, Slot},
        moment::{Tick, tick_after, tick_before},
        wheel::{Entries, Link},
    },
};

/// Which poll in flight.
pub(super) type Flight = u32;

/// Where an operation is. It is in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The row has no operation.
    Free,
    /// Kept for an operation that is being started, or whose end another process has seen.
    Reserved,
    /// In the wheel, until its engine has something to do.
    Resting,
    /// Due, and waiting for what its group does: a request that shows it together with others. In
    /// the wheel for its last poll, if it has a deadline. With the number that it was held under.
    Held(u32),
    /// Asked for in a batch that is in flight; in the wheel as what is held.
    Asked,
    /// In a queue of its origin, and in the wheel for its deadline, if it has one. With the number
    /// that it was queued under.
    Ready(u32),
    /// A poll of it is in flight.
    InFlight(Flight),
    /// In flight, and removed: nobody is told what its poll gives.
    Leaving(Flight),
    /// Its wait has ended, and the fleet remembers it for those who ask.
    Ended,
}

/// One operation.
pub(super) struct Row {
    /// `None` where it is free, in flight or ended.
    pub(super) engine: Option<Packed>,
    pub(super) link: Link,
    pub(super) generation: u32,
    pub(super) kind: KindId,
    pub(super) place: Place,
    /// Whether its poll was sent because a list did not show it.
    pub(super) is_missed: bool,
    /// Whether its poll was sent to see whether the list that shows it as running is right.
    pub(super) is_check: bool,
    /// Whether it stands in line as urgent, if it does.
    pub(super) is_urgent: bool,
}

impl Row {
    pub(super) fn free(generation: u32) -> Self {
        Self {
            engine: None,
            link: Link::OUT,
            generation,
            kind: 0,
            place: Place::Free,
            is_missed: false,
            is_check: false,
            is_urgent: false,
        }
    }

    /// Whether the fleet waits for this operation.
    pub(super) fn is_live(&self) -> bool {
        !matches!(self.place, Place::Free | Place::Reserved | Place::Leaving(_) | Place::Ended)
    }
}

pub(super) struct Rows(pub(super) Vec<Row>);

impl Rows {
    pub(super) fn get(&self, slot: Slot) -> Option<&Row> {
        self.0.get(slot as usize)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Row> {
        self.0.get_mut(slot as usize)
    }
}

impl Entries for Rows {
    fn due(&self, slot: Slot) -> Tick {
        let Some(Row { engine: Some(engine), place, .. }) = self.get(slot) else { return Tick::MAX };
        match place {
            // A poll may begin at the deadline itself; behind it there is nothing to wait for.
            Place::Ready(_) => engine.deadline().map_or(Tick::MAX, |at| tick_before(at) + 1),
            Place::Held(_) | Place::Asked => engine.last_poll_at().map_or(Tick::MAX, tick_after),
            _ => tick_after(engine.due()),
        }
    }

    fn link(&self, slot: Slot) -> Link {
        self.get(slot).map_or(Link::OUT, |row| row.link)
    }

    fn link_mut(&mut self, slot: Slot) -> &mut Link {
        #[expect(clippy::indexing_slicing, reason = "the wheel has only slots that were put into it")]
        &mut self.0[slot as usize].link
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_104_bytes() {
        assert_eq!(size_of::<Row>(), 104);
    }
}
