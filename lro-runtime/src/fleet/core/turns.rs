//! The turns of origins: what is due stands in the lanes of its origin, and each origin with
//! something due has its turn, unless it may not be asked for now.

use std::time::Instant;

use super::{Core, Next, Place};
use crate::{
    engine::Action,
    fleet::{
        ids::{self, LaneId, OriginId, Slot},
        lanes::{Of, Priority, Queued},
        moment::Moment,
        origin::Permit,
        ticket::Ticket,
    },
};

/// What an origin does with its turn.
enum Turn {
    Send(Queued),
    Blocked(Permit),
}

impl Core {
    /// Puts a request in line at its origin.
    pub(super) fn queue(&mut self, origin: OriginId, lane: LaneId, priority: Priority, queued: Queued) {
        let Some(party) = self.parties.get_mut(origin as usize) else { return };
        party.lanes.push(lane, priority, queued);
        // What is urgent may be permitted where the rest is not.
        if priority == Priority::Urgent || party.blocked.is_none() {
            self.list(origin);
        }
    }

    /// Gives an origin its turn.
    pub(super) fn list(&mut self, id: OriginId) {
        let Some(party) = self.parties.get_mut(id as usize) else { return };
        if let Some(until) = party.blocked.take() {
            self.blocked.remove(&(until, id));
        }
        if !std::mem::replace(&mut party.is_listed, true) {
            self.turns.push_back(id);
        }
    }

    /// Keeps an origin from its turn until then.
    fn block(&mut self, id: OriginId, until: Moment) {
        if let Some(party) = self.parties.get_mut(id as usize) {
            party.blocked = Some(until);
            self.blocked.insert((until, id));
        }
    }

    /// Gives their turn to the origins that may be asked again.
    pub(super) fn unblock(&mut self, now: Moment) {
        while let Some((until, id)) = self.blocked.first().copied().filter(|(until, _)| *until <= now) {
            self.blocked.remove(&(until, id));
            self.list(id);
        }
    }

    /// Has an origin take its turn, and returns the request that it sends. `None` if it sends none.
    pub(super) fn take_turn(&mut self, id: OriginId, time: Instant, now: Moment) -> Option<Next> {
        match self.permitted(id, now)? {
            Turn::Send(queued) => return self.begin(queued, id, time),
            Turn::Blocked(Permit::At(at, _)) => self.block(id, at),
            // Nothing happens here before another request to this origin has ended.
            Turn::Blocked(_) => self.block(id, Moment::MAX),
        }
        None
    }

    /// Takes what has its turn at an origin out of its line, if the origin may be asked; else says
    /// when. `None` if nothing is due there.
    fn permitted(&mut self, id: OriginId, now: Moment) -> Option<Turn> {
        let party = self.parties.get_mut(id as usize)?;
        party.is_listed = false;
        let rows = &self.rows;
        let is_queued = |queued: Queued| match queued {
            Queued::Poll { slot, number } => rows.get(slot).is_some_and(|row| row.place == Place::Ready(number)),
            Queued::Cancel { .. } | Queued::Group(_) => true,
        };
        let (permit, has_urgent) = (party.origin.permit(now, false), party.lanes.has_urgent());
        let popped = match permit {
            Permit::Now => party.lanes.pop(Of::All, is_queued),
            // What is urgent may be permitted sooner.
            blocked => match if has_urgent { party.origin.permit(now, true) } else { blocked } {
                Permit::Now => party.lanes.pop_urgent(is_queued),
                blocked => return (!party.lanes.is_empty()).then_some(Turn::Blocked(blocked)),
            },
        };
        if !party.lanes.is_empty() {
            self.list(id);
        }
        popped.map(Turn::Send)
    }

    /// Begins the request whose turn it is. `None` if there is nothing to ask for any more.
    fn begin(&mut self, queued: Queued, origin: OriginId, time: Instant) -> Option<Next> {
        let next = match queued {
            Queued::Poll { slot, .. } => self.begin_poll(slot, origin, time)?,
            Queued::Cancel { ticket, failures } => self.begin_cancel(ticket, failures, origin)?,
            Queued::Group(group) => self.begin_group(group, self.moment(time))?,
        };
        let now = self.moment(time);
        let party = self.parties.get_mut(origin as usize)?;
        party.origin.sent(now);
        party.requests += 1;
        Some(next)
    }

    /// Begins the poll of an operation. `None` if its deadline has passed.
    fn begin_poll(&mut self, slot: Slot, origin: OriginId, time: Instant) -> Option<Next> {
        let mut engine = self.take(slot)?;
        let Action::Poll { limit, hold } = engine.next(time.into()) else {
            self.settle(slot, engine, time);
            return None;
        };
        let flight = self.free_flights.pop().unwrap_or_else(|| {
            self.flights.push(None);
            ids::last(&self.flights)
        });
        *self.flights.get_mut(flight as usize)? = Some((engine, origin));
        let row = self.rows.get_mut(slot)?;
        row.place = Place::InFlight(flight);
        Some(Next::Poll { ticket: Ticket { slot, generation: row.generation }, limit, hold })
    }
}
