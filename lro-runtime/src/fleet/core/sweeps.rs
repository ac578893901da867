//! What the members of a group are shown by: sweeps of a list, and batches.

use std::time::{Instant, SystemTime};

use super::{
    Core, Next, Place, Row, Shown,
    group::{REFUSED_FOR, Sweep},
};
use crate::{
    fleet::{
        ids::{GroupId, Slot},
        lanes::{Priority, Queued},
        moment::Moment,
        origin::Lesson,
        ticket::Ticket,
    },
    status::Failure,
};

/// What an entry shows of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fleet) enum Seen {
    /// It goes on.
    Running,
    /// It has ended, with all that a poll would give.
    Ended,
    /// It has ended, and a poll must fetch its result.
    EndedElsewhere,
}

/// How the request of a group has ended.
#[derive(Clone, Debug)]
pub(in crate::fleet) enum PageEnd {
    /// There is another page.
    More,
    /// The list has no further page. With `is_complete`, every part of the service has answered.
    Last { is_complete: bool },
    /// The service does not have such a list, or does not give it.
    Refused(Failure),
    /// It failed.
    Failed(Failure),
    /// It was given up before it was answered.
    GivenUp,
}

impl Core {
    /// Holds back a member that is due, until its group decides.
    pub(super) fn hold_back(&mut self, slot: Slot, id: GroupId) {
        let number = self.next_number();
        let Some(row) = self.rows.get_mut(slot) else { return };
        row.place = Place::Held(number);
        let Some(engine) = &row.engine else { return };
        let (due, delay) = (engine.due(), engine.delay());
        if engine.deadline().is_some() {
            self.wheel.insert(slot, &mut self.rows);
        }
        let Some(group) = self.groups.get_mut(id as usize) else { return };
        group.held.push_back((slot, number));
        group.waiting += 1;
        let until = group.held_until(due, delay);
        self.put_on_agenda(id, until);
    }

    /// Has a group decide at this time, unless it does so before.
    fn put_on_agenda(&mut self, id: GroupId, at: Moment) {
        let Some(group) = self.groups.get_mut(id as usize) else { return };
        if group.decides_at.is_some_and(|known| known <= at) {
            return;
        }
        if let Some(known) = group.decides_at.replace(at) {
            self.agenda.remove(&(known, id));
        }
        self.agenda.insert((at, id));
    }

    /// Has the groups decide whose time it is.
    pub(super) fn decide(&mut self, now: Moment) {
        while let Some((at, id)) = self.agenda.first().copied().filter(|(at, _)| *at <= now) {
            self.agenda.remove(&(at, id));
            let Some(group) = self.groups.get_mut(id as usize) else { continue };
            group.decides_at = None;
            match group.shown {
                // What the sweep does not show is decided about at its end.
                _ if group.sweep.is_some() || group.is_queued => {}
                Shown::Named { .. } if group.holds(now) && group.waiting > 1 => self.queue_group(id),
                Shown::Listed { .. } if group.holds(now) && group.is_sweep_cheaper(now) => {
                    group.sweep = Some(Sweep { began: now, pages: 0, seen: Vec::new(), going_on: 0 });
                    self.queue_group(id);
                }
                _ => self.let_go(id),
            }
        }
    }

    /// Puts the members that are held back in line for polls of their own.
    fn let_go(&mut self, id: GroupId) {
        while let Some((slot, number)) = self.groups.get_mut(id as usize).and_then(|group| group.held.pop_front()) {
            if self.rows.get(slot).is_some_and(|row| row.place == Place::Held(number)) {
                let priority = self.kind_of(slot).map_or(Priority::Normal, |kind| kind.priority);
                self.make_ready(slot, priority);
            }
        }
    }

    fn queue_group(&mut self, id: GroupId) {
        let Some(group) = self.groups.get_mut(id as usize) else { return };
        group.is_queued = true;
        let (origin, lane) = (group.origin, group.lane);
        self.queue(origin, lane, Priority::Normal, Queued::Group(id));
    }

    /// Begins the next request of a group. `None` if there is nothing to ask for any more.
    pub(super) fn begin_group(&mut self, id: GroupId, now: Moment) -> Option<Next> {
        let group = self.groups.get_mut(id as usize)?;
        group.is_queued = false;
        if let Some(sweep) = &mut group.sweep {
            let is_first = sweep.pages == 0;
            if is_first {
                // It shows what is as it is now, however long it stood in line.
                sweep.began = now;
            }
            group.in_flight += 1;
            return Some(Next::Page { group: id, is_first });
        }
        let Shown::Named { most } = group.shown else { return None };
        let mut members = Vec::new();
        while members.len() < most as usize {
            let Some((slot, number)) = group.held.pop_front() else { break };
            if let Some(row) = self.rows.get_mut(slot).filter(|row| row.place == Place::Held(number)) {
                row.place = Place::Asked;
                group.waiting = group.waiting.saturating_sub(1);
                members.push(Ticket { slot, generation: row.generation });
            }
        }
        group.in_flight += u32::from(!members.is_empty());
        if group.held.front().is_some() {
            self.queue_group(id);
        }
        (!members.is_empty()).then_some(Next::Batch { group: id, members })
    }

    /// Reports an entry of a list or a batch: the group has shown this operation. Returns whether
    /// the fleet waits for it.
    pub(in crate::fleet) fn show(&mut self, id: GroupId, ticket: Ticket, time: Instant, seen: Seen) -> bool {
        let now = self.moment(time);
        // A service speaks for its own operations only, and a ticket for the one it was given to.
        let is_member = self.kind_of(ticket.slot).is_some_and(|kind| kind.group == Some(id));
        if !is_member || self.row(ticket).is_none() {
            return false;
        }
        if let Some(sweep) = self.groups.get_mut(id as usize).and_then(|group| group.sweep.as_mut()) {
            sweep.seen.push(ticket.slot);
            sweep.going_on += u32::from(seen != Seen::Ended);
        }
        let Some(row) = self.row(ticket) else { return false };
        if !matches!(row.place, Place::Resting | Place::Held(_) | Place::Asked | Place::Ready(_)) {
            // Of a poll in flight the reply is as new.
            return row.is_live();
        }
        let is_last_poll = row.engine.as_ref().is_some_and(|engine| {
            engine.is_last_poll() || engine.expires() || engine.last_poll_at().is_some_and(|last| last <= now)
        });
        match seen {
            // The last look before the deadline is a poll: a list may lag.
            Seen::Running if is_last_poll => {}
            Seen::Running | Seen::Ended => {
                let Some(mut engine) = self.take(ticket.slot) else { return false };
                match seen {
                    Seen::Ended => engine.handle_completed(),
                    _ => engine.handle_seen(time.into()),
                }
                self.settle(ticket.slot, engine, time);
            }
            Seen::EndedElsewhere => self.poll_missed(ticket.slot, time),
        }
        true
    }

    /// Polls a member at once, because a list says that it has ended, or does not show it.
    fn poll_missed(&mut self, slot: Slot, time: Instant) {
        let Some(row) = self.rows.get(slot) else { return };
        let ticket = Ticket { slot, generation: row.generation };
        self.poll_soon(ticket, time);
    }

    /// Reports that the request of a group has ended. The entries were reported before, with
    /// [`show`](Self::show). `members` are those of the list, or those that the batch asked for.
    pub(in crate::fleet) fn end_page(
        &mut self,
        id: GroupId,
        time: Instant,
        system_now: SystemTime,
        end: &PageEnd,
        members: impl Iterator<Item = Ticket>,
    ) {
        let now = self.moment(time);
        let Some(group) = self.groups.get_mut(id as usize) else { return };
        group.in_flight = group.in_flight.saturating_sub(1);
        let origin = group.origin;
        let mut is_of_origin = false;
        match end {
            PageEnd::More | PageEnd::Last { .. } => {
                group.succeed();
                self.learn(origin, time, Lesson::Answered);
            }
            PageEnd::Refused(failure) | PageEnd::Failed(failure) => {
                is_of_origin = self.learn_failure(origin, time, system_now, failure) != Lesson::Answered;
            }
            PageEnd::GivenUp => self.learn(origin, time, Lesson::Nothing),
        }
        let Some(group) = self.groups.get_mut(id as usize) else { return };
        if let (Some(sweep), PageEnd::More | PageEnd::Last { .. }) = (&mut group.sweep, end) {
            sweep.pages += 1;
        }
        let is_batch = matches!(group.shown, Shown::Named { .. });
        match end {
            PageEnd::More | PageEnd::Last { .. } if is_batch => self.poll_unseen(members),
            PageEnd::GivenUp if is_batch => self.hold_again(id, members, now),
            // Behind that page are only foreign operations, and those that have long ended.
            PageEnd::More if group.has_shown_all() => {
                if let Some(sweep) = group.end_sweep() {
                    self.poll_unshown(id, sweep);
                }
            }
            PageEnd::More if group.is_too_long() => {
                // From now on its price is known.
                group.end_sweep();
                self.let_go(id);
            }
            PageEnd::Last { is_complete } => {
                let Some(sweep) = group.end_sweep() else { return };
                self.look_for_absent(id, sweep, *is_complete, members, time);
            }
            PageEnd::Refused(_) => {
                group.sweep = None;
                group.refused_until = now.saturating_add(REFUSED_FOR);
                self.poll_unseen(members);
                self.let_go(id);
            }
            PageEnd::Failed(_) if group.may_try_again() && is_of_origin => {
                if is_batch {
                    self.hold_again(id, members, now);
                } else {
                    self.queue_group(id);
                }
            }
            PageEnd::Failed(_) => {
                group.fail(now);
                self.poll_unseen(members);
                self.let_go(id);
            }
            PageEnd::More | PageEnd::GivenUp => self.queue_group(id),
        }
    }

    /// Holds those members of a batch back again that it has not shown, to ask for them at once.
    fn hold_again(&mut self, id: GroupId, members: impl Iterator<Item = Ticket>, now: Moment) {
        for ticket in members {
            let number = self.next_number();
            let Some(row) = self.row_mut(ticket).filter(|row| row.place == Place::Asked) else { continue };
            row.place = Place::Held(number);
            if let Some(group) = self.groups.get_mut(id as usize) {
                group.held.push_back((ticket.slot, number));
                group.waiting += 1;
            }
        }
        self.put_on_agenda(id, now);
    }

    /// Puts those members of a batch in line that it has not shown.
    fn poll_unseen(&mut self, members: impl Iterator<Item = Ticket>) {
        for ticket in members {
            if self.row(ticket).is_some_and(|row| row.place == Place::Asked) {
                let priority = self.kind_of(ticket.slot).map_or(Priority::Normal, |kind| kind.priority);
                self.make_ready(ticket.slot, priority);
            }
        }
    }

    /// Polls the members that a whole sweep did not show. That a list does not show an operation
    /// proves nothing: a poll does.
    fn look_for_absent(
        &mut self,
        id: GroupId,
        mut sweep: Sweep,
        is_complete: bool,
        members: impl Iterator<Item = Ticket>,
        time: Instant,
    ) {
        let Some(group) = self.groups.get_mut(id as usize) else { return };
        let Shown::Listed { has_ended, visible_after, .. } = group.shown else { return };
        let is_check_due = group.is_check_due();
        sweep.seen.sort_unstable();
        for ticket in members {
            if sweep.seen.binary_search(&ticket.slot).is_ok() {
                continue;
            }
            let Some(row) = self.row(ticket) else { continue };
            let Some(engine) = &row.engine else { continue };
            let is_held = matches!(row.place, Place::Held(_));
            // A list of those that run shows by its silence that an operation may have ended. Not
            // of one that is too young to be in it, and not where a part of the service is silent.
            let may_have_ended = is_complete
                && !has_ended
                && engine.began().saturating_add(visible_after) < sweep.began
                && matches!(row.place, Place::Resting | Place::Held(_))
                && !engine.expires();
            if may_have_ended {
                if let Some(row) = self.rows.get_mut(ticket.slot) {
                    row.is_missed = true;
                }
                self.poll_missed(ticket.slot, time);
            } else if is_held && engine.due() <= sweep.began {
                if let Some(row) = self.rows.get_mut(ticket.slot) {
                    row.is_missed = true;
                }
                self.make_ready(ticket.slot, Priority::Normal);
            }
        }
        if is_check_due {
            self.check_one(&sweep, time);
        }
        self.put_held_on_agenda(id);
    }

    /// Polls those that were due before a sweep that has not shown them, and was ended before its
    /// last page.
    fn poll_unshown(&mut self, id: GroupId, mut sweep: Sweep) {
        sweep.seen.sort_unstable();
        let held = self.groups.get(id as usize).map(|group| group.held.clone()).unwrap_or_default();
        for (slot, number) in held {
            let row = self.rows.get(slot).filter(|row| row.place == Place::Held(number));
            let was_due = row.and_then(|row| row.engine.as_ref()).is_some_and(|engine| engine.due() <= sweep.began);
            if was_due && sweep.seen.binary_search(&slot).is_err() {
                self.make_ready(slot, Priority::Normal);
            }
        }
        self.put_held_on_agenda(id);
    }

    /// Has a group decide in time about those that it holds back: they came due while a sweep went
    /// on, and wait for the next one.
    fn put_held_on_agenda(&mut self, id: GroupId) {
        self.drop_unheld(id);
        let Some(group) = self.groups.get(id as usize) else { return };
        let until = |(slot, _): &(Slot, u32)| {
            let engine = self.rows.get(*slot)?.engine.as_ref()?;
            Some(group.held_until(engine.due(), engine.delay()))
        };
        if let Some(until) = group.held.iter().filter_map(until).min() {
            self.put_on_agenda(id, until);
        }
    }

    /// Polls one of those that a sweep showed as running.
    fn check_one(&mut self, sweep: &Sweep, time: Instant) {
        // Another one each time: the number is that of whatever is queued last.
        let number = self.next_number() as usize;
        let Some(index) = number.checked_rem(sweep.seen.len()) else { return };
        let Some(slot) = sweep.seen.get(index).copied() else { return };
        if let Some(row) = self.rows.get_mut(slot).filter(|row| row.place == Place::Resting) {
            row.is_check = row.engine.as_ref().is_some_and(|engine| !engine.expires());
            if row.is_check {
                self.poll_missed(slot, time);
            }
        }
    }

    /// Forgets those that a group holds back no more.
    fn drop_unheld(&mut self, id: GroupId) {
        let (rows, group) = (&self.rows, self.groups.get_mut(id as usize));
        if let Some(group) = group {
            let is_held = |row: &Row, number| row.place == Place::Held(number);
            group.held.retain(|(slot, number)| rows.get(*slot).is_some_and(|row| is_held(row, *number)));
        }
    }
}
