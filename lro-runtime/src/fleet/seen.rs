//! What replies say of the operations of a fleet.

use std::{
    sync::Arc,
    task::Waker,
    time::{Duration, Instant},
};

use super::{
    core::Seen,
    endings::Wakers,
    groups::Group,
    ids::GroupId,
    kinds::Line,
    request::{Brief, GroupBrief},
    resting::{Common, Known},
    shared::State,
    ticket::Ticket,
};
use crate::{
    dialect::{Coverage, ListQuery, Listed, Named, Sweep},
    driver::{error_of, unknown_status},
    engine::End,
    operation::{
        RawOperation,
        snapshot::{ReplyTime, judge},
    },
    settings::UnknownStatus,
};

/// A wait that has ended.
pub(super) struct Ended {
    /// Whom to wake.
    pub(super) wakers: Wakers,
    pub(super) operation: RawOperation,
    /// Whether it ended because its status word is unknown.
    pub(super) is_refused: bool,
}

impl State {
    /// Whether nothing is polled until more completions are acknowledged.
    pub(super) fn is_held(&self) -> bool {
        self.endings.len() >= self.max_unacknowledged
    }

    /// Returns what is needed to make an operation again.
    pub(super) fn brief(&self, ticket: Ticket) -> Option<Brief> {
        let known = self.known(ticket)?;
        let (common, resting) = (Arc::clone(known.common), known.resting.clone());
        Some(Brief { common, resting, name: known.name(), epoch: self.epoch })
    }

    /// Returns what is needed for the next page of a group.
    pub(super) fn page(&mut self, id: GroupId, is_first: bool) -> Option<GroupBrief> {
        let query = self.groups.query(id, is_first)?;
        Some(GroupBrief::new(self.groups.get(id)?, query, Vec::new()))
    }

    /// Returns what is needed to ask for these members of a group. Those that are gone are left out
    /// of `members`.
    pub(super) fn batch(&self, id: GroupId, members: &mut Vec<Ticket>) -> Option<GroupBrief> {
        members.retain(|ticket| self.known(*ticket).is_some());
        let cursor = |ticket: &Ticket| self.known(*ticket).map(|known| known.cursor());
        let cursors = members.iter().filter_map(cursor).collect();
        Some(GroupBrief::new(self.groups.get(id)?, ListQuery::default(), cursors))
    }

    pub(super) fn members(&self, id: GroupId) -> Vec<Ticket> {
        self.groups.members(id, |slot| self.core.ticket(slot))
    }

    /// Takes over what a poll has seen. Returns whom to wake.
    pub(super) fn advance(
        &mut self,
        ticket: Ticket,
        operation: &RawOperation,
        has_moved: bool,
        now: Instant,
    ) -> Vec<Waker> {
        if !self.core.is_waiting(ticket) {
            return Vec::new(); // it was removed while its poll was in flight
        }
        if has_moved {
            self.follow(ticket, operation, now);
        }
        let is_watched = self.changed.has_readers();
        let Some(resting) = self.operations.get_mut(ticket.slot as usize).and_then(Option::as_mut) else {
            return Vec::new();
        };
        let snapshot = &operation.snapshot;
        let has_changed = resting.state != snapshot.state;
        (resting.state, resting.is_found) = (snapshot.state, snapshot.is_found);
        if !is_watched {
            return Vec::new();
        }
        self.tell_of(ticket, operation, has_changed)
    }

    /// Tells the readers of changes what an operation is now, if it `has_changed` or its metadata
    /// has. Returns whom to wake.
    fn tell_of(&mut self, ticket: Ticket, operation: &RawOperation, has_changed: bool) -> Vec<Waker> {
        let metadata = self.changed.hash(operation);
        let Some(resting) = self.operations.get_mut(ticket.slot as usize).and_then(Option::as_mut) else {
            return Vec::new();
        };
        let has_changed = std::mem::replace(&mut resting.metadata, metadata) != metadata || has_changed;
        if has_changed { self.changed.tell(ticket, operation) } else { Vec::new() }
    }

    /// Takes over that an operation is asked for elsewhere now.
    fn follow(&mut self, ticket: Ticket, operation: &RawOperation, now: Instant) {
        let Some(kind) = self.core.kind(ticket) else { return };
        let Some(mut common) = self.kinds.get(kind).map(|common| Common::clone(common)) else { return };
        let Some(mut resting) = self.operations.get_mut(ticket.slot as usize).and_then(Option::take) else { return };
        self.leave_group(ticket, &resting, kind);
        resting.moved(operation, &common);
        // It is of no group from now on: where it leads to, no list goes.
        common.group = None;
        common.origin = operation.client().origin_of(operation.snapshot.place());
        common.schedule = self.kinds.asked(kind).unwrap_or(common.schedule);
        let origin = self.origin(&common.origin, now);
        let lane = self.lane(origin, &common.lane);
        let moved = self.kinds.take(&mut self.core, Line { origin, lane }, common);
        self.core.move_to(ticket, moved);
        self.kinds.leave(kind);
        if let Some(place) = self.operations.get_mut(ticket.slot as usize) {
            *place = Some(resting);
        }
        self.write_amendment(ticket);
    }

    /// Whether the settings end the wait for an operation because its status word is unknown. Then
    /// it ends with that error.
    pub(super) fn refuses(&mut self, ticket: Ticket, operation: &RawOperation) -> bool {
        let Some(Known { common, .. }) = self.known(ticket) else { return false };
        let is_refused =
            common.schedule.unknown_status != UnknownStatus::Running && !operation.snapshot.is_known_status;
        if is_refused {
            self.refused.insert(ticket, unknown_status(operation));
        }
        is_refused
    }

    /// Keeps the last snapshot of an operation of which no other poll is sent.
    pub(super) fn keep_last(&mut self, ticket: Ticket, operation: RawOperation) {
        if self.core.is_at_its_end(ticket) {
            self.last.insert(ticket, operation);
        }
    }

    /// Takes over an entry of a list or a batch. Returns whom to wake.
    pub(super) fn show(&mut self, id: GroupId, listed: Listed<'_>, replied: ReplyTime) -> Vec<Waker> {
        let Listed { message, seen, .. } = listed;
        // Of an entry that cannot be read, a poll tells.
        let Ok(mut seen) = seen else { return Vec::new() };
        let name = seen.name.as_deref().unwrap_or_default();
        let key = seen.cursor.as_ref().map_or(name, |cursor| cursor.key());
        let is_it = |slot| {
            let known = self.core.ticket(slot).and_then(|ticket| self.known(ticket));
            known.is_some_and(|known| match &seen.cursor {
                _ if known.resting.is_where_its_name_says() && known.is_named(name) => true,
                Some(cursor) => known.cursor() == *cursor,
                None => false,
            })
        };
        let Some(ticket) = self.groups.find(id, key, is_it).and_then(|slot| self.core.ticket(slot)) else {
            return Vec::new();
        };
        let is_whole = match self.groups.get(id).map(Group::coverage) {
            Some(Coverage::Sweep(Sweep { whole, .. }) | Coverage::Named(Named { whole, .. })) => *whole,
            None => false,
        };
        let is_watched = self.changed.has_readers();
        let Some(known @ Known { common, resting, .. }) = self.known(ticket) else { return Vec::new() };
        let (state, _) = judge(resting.state, &seen, common.method);
        let is_refused = !seen.is_known_status && common.schedule.unknown_status != UnknownStatus::Running;
        let is_elsewhere = seen.follow || is_refused || state.is_terminal() && !is_whole;
        if is_elsewhere {
            self.core.show(id, ticket, replied.at.into(), Seen::EndedElsewhere);
            return Vec::new();
        }
        let operation = (state.is_terminal() || is_watched).then(|| {
            let mut operation = known.operation(self.epoch);
            let change = operation.snapshot.change(&mut seen, message, common.method, replied);
            Arc::make_mut(&mut operation.snapshot).apply(change, || bytes::Bytes::copy_from_slice(message));
            operation
        });
        let (can_become, has_changed) = (resting.state.can_become(state), resting.state != state);
        if let Some(resting) = self.operations.get_mut(ticket.slot as usize).and_then(Option::as_mut) {
            if can_become {
                resting.state = state;
            }
            resting.is_found = true;
        }
        let wakers = match &operation {
            Some(operation) if is_watched => self.tell_of(ticket, operation, can_become && has_changed),
            _ => Vec::new(),
        };
        let shown = if state.is_terminal() { Seen::Ended } else { Seen::Running };
        self.core.show(id, ticket, replied.at.into(), shown);
        if let Some(operation) = operation {
            self.keep_last(ticket, operation);
        }
        wakers
    }

    /// Ends the wait for an operation.
    pub(super) fn end(&mut self, ticket: Ticket, end: &End, polls: u32, lasted: Duration) -> Option<Ended> {
        let operation = self.last.remove(&ticket).or_else(|| self.operation(ticket))?;
        let refused = self.refused.remove(&ticket);
        let (last, is_refused) = (operation.clone(), refused.is_some());
        let error = refused.or_else(|| error_of(end, &operation));
        let outcome = error.map_or(Ok(operation), |error| Err(error.with_effort(polls, lasted)));
        let key = self.known(ticket).and_then(|known| known.resting.key().cloned());
        self.write_outcome(ticket, &outcome);
        let number = self.last_change();
        Some(Ended { wakers: self.endings.add(ticket, outcome, key, number), operation: last, is_refused })
    }
}
