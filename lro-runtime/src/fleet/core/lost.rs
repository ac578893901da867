//! Origins that are down for longer than the fleet has patience.

use std::time::Instant;

use super::{Core, Place};
use crate::fleet::{
    ids::{OriginId, Slot},
    lanes::Queued,
    moment::nanos,
};

impl Core {
    /// Whether an origin is down for longer than the fleet has patience.
    pub(super) fn is_lost(&self, id: OriginId, time: Instant) -> bool {
        let down_since = self.parties.get(id as usize).and_then(|party| party.origin.down_since());
        match (down_since, self.patience) {
            (Some(since), Some(patience)) => self.moment(time).saturating_sub(since) >= nanos(patience),
            _ => false,
        }
    }

    /// Gives up the operations that are due at an origin that was just now asked in vain.
    ///
    /// Those that come due later wait for the next probe: the origin may be back by then.
    pub(super) fn give_up_origin(&mut self, id: OriginId, time: Instant) {
        let Some(party) = self.parties.get_mut(id as usize) else { return };
        let Some(failure) = party.failure.clone() else { return };
        let mut due = Vec::<Slot>::new();
        let mut cancels = Vec::new();
        for queued in party.lanes.drain() {
            match queued {
                Queued::Poll { slot, number } => {
                    due.extend(self.rows.get(slot).filter(|row| row.place == Place::Ready(number)).map(|_| slot));
                }
                Queued::Cancel { ticket, failures } => cancels.push((ticket, failures)),
                Queued::Group(group) => {
                    if let Some(group) = self.groups.get_mut(group as usize) {
                        (group.is_queued, group.sweep) = (false, None);
                    }
                }
            }
        }
        for group in self.groups.iter_mut().filter(|group| group.origin == id) {
            let rows = &self.rows;
            let is_held =
                |(slot, number): &(Slot, u32)| rows.get(*slot).is_some_and(|row| row.place == Place::Held(*number));
            due.extend(group.held.drain(..).filter(is_held).map(|(slot, _)| slot));
        }
        for slot in due {
            if let Some(mut engine) = self.take(slot) {
                engine.handle_origin_lost(&failure);
                self.settle(slot, engine, time);
            }
        }
        // Of those that are not due, and are not given up.
        for (ticket, failures) in cancels {
            self.queue_cancel(ticket, failures);
        }
    }
}
