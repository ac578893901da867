//! The table of another process, and what is noted for the next.

use std::time::{Duration, Instant};

use super::{Core, NO_KIND, Place, Row, Ticket};
use crate::fleet::ids::Slot;

/// When an operation that rests is polled next, and what is known for that.
pub(in crate::fleet) struct Rests {
    pub(in crate::fleet) at: Instant,
    pub(in crate::fleet) delay: Duration,
    pub(in crate::fleet) polls: u32,
    /// Whether only the end of the wait is waited for.
    pub(in crate::fleet) is_polled_no_more: bool,
}

impl Core {
    /// Has what was polled remembered, for [`take_settled`](Self::take_settled).
    pub(in crate::fleet) fn remember_settled(&mut self) {
        self.settled = Some(Vec::new());
    }

    /// Returns the operations that were polled since the last call, and when they are due.
    pub(in crate::fleet) fn take_settled(&mut self) -> Vec<(Ticket, Rests)> {
        let Some(settled) = &mut self.settled else { return Vec::new() };
        let settled = std::mem::take(settled);
        let rests = |ticket: Ticket| {
            let engine = self.row(ticket)?.engine.as_ref()?;
            let due = Duration::from_nanos(u64::try_from(engine.due()).unwrap_or_default());
            let delay = Duration::from_nanos(u64::try_from(engine.delay()).unwrap_or_default());
            let (polls, is_polled_no_more) = (engine.attempts(), engine.expires());
            Some((ticket, Rests { at: self.epoch.checked_add(due)?, delay, polls, is_polled_no_more }))
        };
        settled.into_iter().filter_map(rests).collect()
    }

    /// Sets the generation from which on tickets are given. Those of other processes are below it.
    pub(in crate::fleet) fn give_from(&mut self, generation: u32) {
        self.first_generation = generation;
    }

    /// Keeps the row that an operation had in another process, whether there is room or not.
    /// Returns whether it is free.
    pub(in crate::fleet) fn reserve_again(&mut self, ticket: Ticket) -> bool {
        let place = ticket.slot as usize;
        if self.rows.0.len() <= place {
            let generation = self.first_generation;
            self.rows.0.resize_with(place + 1, || Row::free(generation));
        }
        let Some(row) = self.rows.get_mut(ticket.slot).filter(|row| row.place == Place::Free) else { return false };
        (row.place, row.kind, row.generation) = (Place::Reserved, NO_KIND, ticket.generation);
        self.live += 1;
        true
    }

    /// To be called when all rows of another process were kept: the others are free.
    pub(in crate::fleet) fn free_the_others(&mut self) {
        let free = (0..).zip(&self.rows.0).filter(|(_, row)| row.place == Place::Free).map(|(slot, _): (Slot, _)| slot);
        self.free = free.collect();
        self.free.reverse();
    }
}
