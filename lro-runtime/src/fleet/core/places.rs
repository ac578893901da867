//! Where an operation is, and what moves it: it rests until it is due, waits for its group or
//! stands in line, and leaves when its wait ends.

use std::{sync::Arc, time::Instant};

use super::{Core, Place, Row};
use crate::{
    engine::{End, Engine, Packed},
    fleet::{
        ids::Slot,
        lanes::{Priority, Queued},
        moment::{Moment, tick_before},
        ticket::Ticket,
    },
};

impl Core {
    /// Puts an operation where its engine says.
    pub(super) fn settle(&mut self, slot: Slot, engine: Engine, time: Instant) {
        let now = self.moment(time);
        let Some(row) = self.rows.get_mut(slot) else { return };
        let ticket = Ticket { slot, generation: row.generation };
        let packed = match engine.pack(self.epoch.into()) {
            Ok(packed) => packed,
            Err(engine) => {
                (row.engine, row.place) = (None, Place::Ended);
                if let (Some(End::Completed), Some(group)) = (engine.end(), self.group_of(slot)) {
                    group.outlive(i64::try_from(engine.elapsed(time.into()).as_nanos()).unwrap_or(i64::MAX));
                }
                self.leave_group(slot);
                self.ended.push_back((ticket, engine));
                return;
            }
        };
        if let Some(settled) = &mut self.settled {
            settled.push(ticket);
        }
        let is_due = packed.due() <= now && !packed.expires();
        let demand = demand_of(&packed);
        (row.engine, row.place) = (Some(packed), Place::Resting);
        (row.is_missed, row.is_check) = (false, false);
        self.count_demand(slot, |known| known.saturating_add(demand));
        if is_due {
            self.come_due(slot, now);
        } else {
            self.wheel.insert(slot, &mut self.rows);
        }
    }

    /// Takes an operation out of where it waits, and its engine out of its row.
    pub(super) fn take(&mut self, slot: Slot) -> Option<Engine> {
        self.wheel.remove(slot, &mut self.rows);
        let row = self.rows.get_mut(slot)?;
        let packed = row.engine.take()?;
        let was_held = matches!(row.place, Place::Held(_));
        let demand = demand_of(&packed);
        self.count_demand(slot, |known| known.saturating_sub(demand));
        if let Some(group) = self.group_of(slot).filter(|_| was_held) {
            group.waiting = group.waiting.saturating_sub(1);
        }
        let schedule = Arc::clone(&self.kind_of(slot)?.schedule);
        Some(packed.unpack(schedule, self.epoch.into()))
    }

    /// Changes how often the operations like this one are asked for, where that is counted.
    fn count_demand(&mut self, slot: Slot, change: impl FnOnce(u64) -> u64) {
        let Some(kind) = self.kind_of(slot) else { return };
        let (group, origin) = (kind.group, kind.origin);
        let demand = match group {
            Some(group) => self.groups.get_mut(group as usize).map(|group| &mut group.demand),
            None => self.parties.get_mut(origin as usize).map(|party| &mut party.demand),
        };
        if let Some(demand) = demand {
            *demand = change(*demand);
        }
    }

    /// Takes what is due out of the wheel.
    pub(super) fn fall_out(&mut self, time: Instant, now: Moment) {
        let mut fallen = std::mem::take(&mut self.fallen);
        self.wheel.advance(tick_before(now), &mut self.rows, |_, slot| fallen.push(slot));
        for slot in fallen.drain(..) {
            let Some(Row { engine: Some(engine), place, .. }) = self.rows.get(slot) else { continue };
            let has_time = engine.deadline().is_none_or(|deadline| now <= deadline);
            match place {
                Place::Resting if has_time && !engine.expires() => self.come_due(slot, now),
                // There is no time to wait for others any more.
                Place::Held(_) | Place::Asked if has_time => self.make_ready(slot, Priority::Urgent),
                // The deadline has passed: while nothing could be seen any more, or while the
                // operation waited for its turn.
                _ => {
                    if let Some(mut engine) = self.take(slot) {
                        engine.next(time.into());
                        self.settle(slot, engine, time);
                    }
                }
            }
        }
        self.fallen = fallen;
    }

    /// Puts an operation that is due in line, or holds it back to be shown together with others.
    fn come_due(&mut self, slot: Slot, now: Moment) {
        let Some(Row { engine: Some(engine), .. }) = self.rows.get(slot) else { return };
        if engine.is_last_poll() || engine.last_poll_at().is_some_and(|last_poll| last_poll <= now) {
            return self.make_ready(slot, Priority::Urgent);
        }
        // What leads elsewhere at once is in no list there.
        let is_alone = engine.follows();
        let Some(kind) = self.kind_of(slot) else { return };
        let (priority, group) = (kind.priority, kind.group);
        match group.filter(|_| !is_alone).and_then(|id| Some((id, self.groups.get(id as usize)?))) {
            Some((id, group)) if group.holds(now) => self.hold_back(slot, id),
            _ => self.make_ready(slot, priority),
        }
    }

    /// Puts an operation in line for a poll of its own.
    pub(super) fn make_ready(&mut self, slot: Slot, priority: Priority) {
        let number = self.next_number();
        self.wheel.remove(slot, &mut self.rows);
        let Some(row) = self.rows.get_mut(slot) else { return };
        let was_held = matches!(std::mem::replace(&mut row.place, Place::Ready(number)), Place::Held(_));
        row.is_urgent = priority == Priority::Urgent;
        let has_deadline = row.engine.as_ref().is_some_and(|engine| engine.deadline().is_some());
        if let Some(group) = self.group_of(slot).filter(|_| was_held) {
            group.waiting = group.waiting.saturating_sub(1);
        }
        if has_deadline {
            self.wheel.insert(slot, &mut self.rows);
        }
        let Some(kind) = self.kind_of(slot) else { return };
        let (origin, lane) = (kind.origin, kind.lane);
        self.queue(origin, lane, priority, Queued::Poll { slot, number });
    }

    /// Counts an operation as no member of its group any more.
    pub(super) fn leave_group(&mut self, slot: Slot) {
        if let Some(group) = self.group_of(slot) {
            group.members = group.members.saturating_sub(1);
        }
    }

    /// Frees the row of an operation, which is nowhere any more.
    pub(super) fn release(&mut self, slot: Slot) {
        let Some(row) = self.rows.get_mut(slot) else { return };
        (row.engine, row.place) = (None, Place::Free);
        // Never one that another process may have given.
        row.generation = row.generation.wrapping_add(1).max(self.first_generation);
        self.free.push(slot);
        self.live -= 1;
    }
}

/// How often an operation with this engine is polled, in polls per 10⁶ seconds.
pub(super) fn demand_of(engine: &Packed) -> u64 {
    1_000_000_000_000_000 / engine.delay().max(1_000_000).unsigned_abs()
}
