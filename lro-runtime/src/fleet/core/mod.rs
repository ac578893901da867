//! The core of a fleet: which operation is polled when, and what is asked for together. It is pure,
//! as the engine is: the driver passes the time in, sends the requests that it is told to send, and
//! reports what each gave.
//!
//! Here is what goes in and out: operations, what to do [`next`](Core::next), and what a poll gave.
//! What happens in between is in files of its own:
//!
//! - `table`: the rows of the operations, and the places where one can be; `restored`: how the
//!   table of another process comes back, and what is noted for the next;
//! - `places`: how an operation gets from one place to the next;
//! - `turns`: which origin sends the next request, and which origins must not send now;
//! - `lessons`: what the end of a request teaches about its origin; `lost`: origins that are given
//!   up, because they are down for too long;
//! - `group`: what is known of operations that are shown together; `sweeps`: the lists and batches
//!   that show them;
//! - `asked`: what a user asks of one operation, as to cancel it; `health`: what an operator asks.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use super::{
    budget::Budget,
    ids::{self, GroupId, KindId, LaneId, OriginId, Slot},
    lanes::{Lanes, Priority},
    moment::{Moment, TICK, nanos},
    origin::{Lesson, Origin},
    ticket::Ticket,
    wheel::Wheel,
};
use crate::{
    engine::{End, Engine, Packed, PollSuccess},
    settings::Schedule,
    status::{Cause, Failure, FailureScope},
};

mod asked;
mod group;
mod health;
mod lessons;
mod lost;
mod places;
mod restored;
mod sweeps;
mod table;
#[cfg(test)]
mod tests;
mod turns;

pub(super) use self::{
    asked::Cancelled,
    group::Shown,
    sweeps::{PageEnd, Seen},
};
use self::{
    group::Group,
    table::{Flight, Place, Row, Rows},
};

/// What many operations of a fleet have in common.
pub(super) struct Kind {
    pub(super) schedule: Arc<Schedule>,
    pub(super) origin: OriginId,
    pub(super) lane: LaneId,
    pub(super) priority: Priority,
    pub(super) group: Option<GroupId>,
}

/// What the driver does next.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// Poll this operation now, and give up on the reply after `limit`.
    Poll { ticket: Ticket, limit: Duration, hold: Option<Duration> },
    /// Ask for the next page of this group's list; with `is_first` for the first one.
    Page { group: GroupId, is_first: bool },
    /// Ask for these members of a group in one call.
    Batch { group: GroupId, members: Vec<Ticket> },
    /// Ask the service to cancel this operation, of which so many calls have failed.
    Cancel { ticket: Ticket, failures: u8 },
    /// The wait for this operation has ended after so many polls and so long.
    Ended { ticket: Ticket, end: End, polls: u32, lasted: Duration },
    /// Ask again at this time, or when a request has ended; `None` if only that changes anything.
    Sleep(Option<Instant>),
}

/// What a poll gave.
#[derive(Clone, Debug)]
pub(super) enum Gave {
    Success(PollSuccess),
    Failure(Failure),
    /// The dialect or the service cannot hold polls.
    NoHold,
    /// Nothing: it was given up before it was answered, as when the driver is dropped.
    GivenUp,
}

/// An origin with the operations that are due.
struct Party {
    origin: Origin,
    lanes: Lanes,
    /// Until when nothing of it is permitted, if it stands among the blocked.
    blocked: Option<Moment>,
    is_listed: bool,
    /// The last failure that was this origin's.
    failure: Option<Box<Failure>>,
    /// How often its operations that wait would be polled, but for those in groups, in polls per
    /// 10⁶ seconds.
    demand: u64,
    /// How many requests it was sent.
    requests: u64,
}

/// See the module.
pub(super) struct Core {
    epoch: Instant,
    rows: Rows,
    free: Vec<Slot>,
    wheel: Wheel,
    kinds: Vec<Kind>,
    parties: Vec<Party>,
    groups: Vec<Group>,
    /// When groups decide about the members that they hold back.
    agenda: BTreeSet<(Moment, GroupId)>,
    /// Cancel calls that have failed and are sent again: when, of which operation, and how many
    /// have failed.
    cancels: BTreeSet<(Moment, Ticket, u8)>,
    /// The operations whose cancel call is on its way: in line, in flight at an origin, or waiting
    /// to be sent again.
    cancelling: BTreeMap<Ticket, Option<OriginId>>,
    /// The origins with operations that are due and may be asked, in the order of their turns.
    turns: VecDeque<OriginId>,
    /// The origins with operations that are due and that may not be asked before a time.
    blocked: BTreeSet<(Moment, OriginId)>,
    /// The engines of the polls in flight, and the origins that were asked. Meanwhile the operation
    /// may have moved to another one, and the kind of one that was removed may be reused.
    flights: Vec<Option<(Engine, OriginId)>>,
    free_flights: Vec<Flight>,
    ended: VecDeque<(Ticket, Engine)>,
    /// What has fallen out of the wheel: kept for its memory.
    fallen: Vec<Slot>,
    /// The number of the operation that was queued last.
    number: u32,
    live: usize,
    /// Whether nothing new is looked for: only deadlines go on.
    is_held: bool,
    /// For how long an origin may be down before its operations are given up.
    patience: Option<Duration>,
    /// The generation of the tickets of rows that are new: above those of other processes.
    first_generation: u32,
    /// The operations that were polled since somebody asked, if somebody does.
    settled: Option<Vec<Ticket>>,
}

/// The kind of a row that is kept for an operation.
const NO_KIND: KindId = KindId::MAX;

impl Core {
    /// Returns an empty core whose times are counted from `epoch`. It has room for as many
    /// operations as the wheel: [`MOST_ENTRIES`](super::wheel::MOST_ENTRIES).
    pub(super) fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            rows: Rows(Vec::new()),
            free: Vec::new(),
            wheel: Wheel::new(),
            kinds: Vec::new(),
            parties: Vec::new(),
            groups: Vec::new(),
            agenda: BTreeSet::new(),
            cancels: BTreeSet::new(),
            cancelling: BTreeMap::new(),
            turns: VecDeque::new(),
            blocked: BTreeSet::new(),
            flights: Vec::new(),
            free_flights: Vec::new(),
            ended: VecDeque::new(),
            fallen: Vec::new(),
            number: 0,
            live: 0,
            is_held: false,
            patience: None,
            first_generation: 0,
            settled: None,
        }
    }

    /// Sets for how long an origin may be down before its operations are given up, those that are
    /// due when it is asked in vain then. Default: for as long as it takes.
    pub(super) fn set_patience(&mut self, patience: Option<Duration>) {
        self.patience = patience;
    }

    /// Sets whether nothing new is looked for. Deadlines go on.
    pub(super) fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
    }

    pub(super) fn add_origin(&mut self, budget: Budget, now: Instant) -> OriginId {
        let origin = Origin::new(budget, self.moment(now));
        let (blocked, failure) = (None, None);
        let lanes = Lanes::default();
        self.parties.push(Party { origin, lanes, blocked, is_listed: false, failure, demand: 0, requests: 0 });
        ids::last(&self.parties)
    }

    pub(super) fn add_lane(&mut self, origin: OriginId) -> Option<LaneId> {
        Some(self.parties.get_mut(origin as usize)?.lanes.add())
    }

    /// Adds a group of operations of an origin. `None` if there is no such origin.
    pub(super) fn add_group(&mut self, origin: OriginId, shown: Shown) -> Option<GroupId> {
        let lane = self.add_lane(origin)?;
        self.groups.push(Group::new(shown, origin, lane));
        Some(ids::last(&self.groups))
    }

    /// Puts another group of the same origin in the place of one that is idle. Returns whether it
    /// was.
    pub(super) fn replace_group(&mut self, id: GroupId, shown: Shown, now: Instant) -> bool {
        let now = self.moment(now);
        let Some(group) = self.groups.get_mut(id as usize).filter(|group| group.is_idle(now)) else { return false };
        let old = std::mem::replace(group, Group::new(shown, group.origin, group.lane));
        if let Some(at) = old.decides_at {
            self.agenda.remove(&(at, id));
        }
        true
    }

    /// Adds a kind, in place of one that has no operations if `reused` says so.
    pub(super) fn add_kind(&mut self, kind: Kind, reused: Option<KindId>) -> KindId {
        if let Some((id, free)) = reused.and_then(|id| Some((id, self.kinds.get_mut(id as usize)?))) {
            *free = kind;
            return id;
        }
        self.kinds.push(kind);
        ids::last(&self.kinds)
    }

    /// Returns how many operations are in the fleet, with those that have ended and are not
    /// forgotten.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Returns how many polls of operations are in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.flights.len() - self.free_flights.len()
    }

    /// Takes an operation in, whose wait expires as its kind says. `None` if there is no such kind.
    #[cfg(test)]
    pub(super) fn add(&mut self, opening: &crate::engine::Opening, kind: KindId) -> Option<Ticket> {
        let own = Arc::clone(&self.kinds.get(kind as usize)?.schedule);
        let ticket = self.reserve();
        self.fill(ticket, Engine::new(own, opening), kind, opening.now.into()).then_some(ticket)
    }

    /// Keeps a row for an operation, which counts as one of the fleet from now on.
    pub(super) fn reserve(&mut self) -> Ticket {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.rows.0.push(Row::free(self.first_generation));
            ids::last(&self.rows.0)
        });
        self.live += 1;
        let Some(row) = self.rows.get_mut(slot) else { return Ticket { slot, generation: 0 } };
        (row.kind, row.place) = (NO_KIND, Place::Reserved);
        Ticket { slot, generation: row.generation }
    }

    /// Takes an operation in for which this row was kept. Returns whether it was.
    pub(super) fn fill(&mut self, ticket: Ticket, engine: Engine, kind: KindId, now: Instant) -> bool {
        let Some(row) = self.row_mut(ticket).filter(|row| row.place == Place::Reserved) else { return false };
        (row.kind, row.is_missed, row.is_check) = (kind, false, false);
        if let Some(group) = self.group_of(ticket.slot) {
            group.members += 1;
        }
        self.settle(ticket.slot, engine, now);
        if let Some(settled) = &mut self.settled {
            settled.pop(); // it was not polled yet
        }
        true
    }

    /// Forgets an operation, and returns its kind; `None` if the fleet does not have it.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<KindId> {
        let row = self.row(ticket)?;
        let (place, kind) = (row.place, row.kind);
        match place {
            Place::Free | Place::Leaving(_) => return None,
            // Passed over when its turn to be told comes.
            Place::Ended | Place::Reserved => {}
            Place::InFlight(flight) => {
                // Its poll is counted until it ends.
                self.row_mut(ticket)?.place = Place::Leaving(flight);
                self.leave_group(ticket.slot);
                return Some(kind);
            }
            Place::Resting | Place::Held(_) | Place::Asked | Place::Ready(_) => {
                self.take(ticket.slot);
                self.leave_group(ticket.slot);
            }
        }
        self.release(ticket.slot);
        Some(kind)
    }

    /// Moves an operation to another kind, because it is asked for elsewhere now.
    pub(super) fn move_to(&mut self, ticket: Ticket, kind: KindId) {
        let Some(row) = self.row(ticket).filter(|row| matches!(row.place, Place::InFlight(_))) else { return };
        if row.kind != kind {
            self.leave_group(ticket.slot);
            if let Some(row) = self.row_mut(ticket) {
                row.kind = kind;
            }
            if let Some(group) = self.group_of(ticket.slot) {
                group.members += 1;
            }
        }
    }

    /// Returns what to do at `time`.
    pub(super) fn next(&mut self, time: Instant) -> Next {
        let now = self.moment(time);
        self.fall_out(time, now);
        self.decide(now);
        self.send_cancels_again(now);
        self.unblock(now);
        loop {
            if let Some((ticket, engine)) = self.ended.pop_front() {
                if self.row(ticket).is_none() {
                    continue;
                }
                let (polls, lasted) = (engine.attempts(), engine.elapsed(time.into()));
                let Some(end) = engine.end().cloned() else { continue };
                return Next::Ended { ticket, end, polls, lasted };
            }
            if self.is_held {
                return Next::Sleep(self.wakes(now));
            }
            let Some(id) = self.turns.pop_front() else { return Next::Sleep(self.wakes(now)) };
            if let Some(next) = self.take_turn(id, time, now) {
                return next;
            }
        }
    }

    /// Returns when something is to be done: at `time` if something is already; `None` if only a
    /// request in flight, or nothing, changes anything.
    pub(super) fn due(&mut self, time: Instant) -> Option<Instant> {
        let now = self.moment(time);
        self.fall_out(time, now);
        self.decide(now);
        self.send_cancels_again(now);
        self.unblock(now);
        let has_some = !self.ended.is_empty() || (!self.is_held && !self.turns.is_empty());
        if has_some { Some(time) } else { self.wakes(now) }
    }

    /// Reports what the poll of an operation gave. Every poll is reported, once.
    pub(super) fn report(&mut self, ticket: Ticket, time: Instant, system_now: SystemTime, gave: Gave) {
        let Some(row) = self.row_mut(ticket) else { return };
        let (is_missed, is_check) = (std::mem::take(&mut row.is_missed), std::mem::take(&mut row.is_check));
        let place = row.place;
        let (Place::InFlight(flight) | Place::Leaving(flight)) = place else { return };
        let polled = self.flights.get_mut(flight as usize).and_then(Option::take);
        self.free_flights.push(flight);
        let Some((mut engine, origin)) = polled else { return };
        match &gave {
            Gave::Success(_) | Gave::NoHold => self.learn(origin, time, Lesson::Answered),
            Gave::GivenUp => self.learn(origin, time, Lesson::Nothing),
            Gave::Failure(failure) if matches!(failure.cause(), Cause::TimedOut(_)) && engine.may_be_cut() => {
                self.learn(origin, time, Lesson::Nothing);
            }
            Gave::Failure(failure) => {
                self.learn_failure(origin, time, system_now, failure);
            }
        }
        if matches!(place, Place::Leaving(_)) {
            return self.release(ticket.slot);
        }
        if let Gave::Failure(failure) = &gave
            && is_check
            && failure.scope() == FailureScope::Operation
        {
            // It does not run as the list says, or nobody can tell.
            let now = self.moment(time);
            if let Some(group) = self.group_of(ticket.slot) {
                group.check(true, now);
            }
        }
        match gave {
            Gave::Success(success) => {
                engine.handle_success(time.into(), system_now, success);
                let now = self.moment(time);
                match self.group_of(ticket.slot) {
                    Some(group) if is_check => group.check(success.completed, now),
                    Some(group) if is_missed && !success.completed => group.miss(),
                    _ => {}
                }
            }
            Gave::Failure(failure) if self.is_lost(origin, time) => engine.handle_origin_lost(&failure),
            Gave::Failure(failure) => engine.handle_failure(time.into(), system_now, failure),
            Gave::NoHold => engine.handle_no_hold(time.into()),
            Gave::GivenUp => engine.handle_given_up(time.into()),
        }
        self.settle(ticket.slot, engine, time);
    }

    /// Returns when there is something to do next.
    fn wakes(&self, now: Moment) -> Option<Instant> {
        let of_wheel = self.wheel.next().map(|tick| i64::try_from(tick).unwrap_or(i64::MAX).saturating_mul(TICK));
        let of_origins = self.blocked.first().map(|(until, _)| *until).filter(|until| *until < Moment::MAX);
        let of_groups = self.agenda.first().map(|(at, _)| *at);
        let of_cancels = self.cancels.first().map(|(at, ..)| *at);
        let others = of_origins.into_iter().chain(of_groups).chain(of_cancels);
        let at = of_wheel.into_iter().chain(others.filter(|_| !self.is_held)).min()?.max(now);
        self.epoch.checked_add(Duration::from_nanos(u64::try_from(at).unwrap_or_default()))
    }

    fn next_number(&mut self) -> u32 {
        self.number = self.number.wrapping_add(1);
        self.number
    }

    /// Returns the kind of an operation; `None` if the fleet does not have it.
    pub(super) fn kind(&self, ticket: Ticket) -> Option<KindId> {
        self.row(ticket).filter(|row| !matches!(row.place, Place::Free | Place::Leaving(_))).map(|row| row.kind)
    }

    /// Returns the ticket of the operation in this slot; `None` if there is none.
    pub(super) fn ticket(&self, slot: Slot) -> Option<Ticket> {
        let row = self.rows.get(slot)?;
        row.is_live().then_some(Ticket { slot, generation: row.generation })
    }

    /// Whether the fleet waits for this operation.
    pub(super) fn is_waiting(&self, ticket: Ticket) -> bool {
        self.row(ticket).is_some_and(Row::is_live)
    }

    /// Whether no other poll of this operation will be sent: its wait has ended, or is about to.
    pub(super) fn is_at_its_end(&self, ticket: Ticket) -> bool {
        self.row(ticket)
            .is_some_and(|row| row.place == Place::Ended || row.engine.as_ref().is_some_and(Packed::expires))
    }

    fn kind_of(&self, slot: Slot) -> Option<&Kind> {
        self.kinds.get(self.rows.get(slot)?.kind as usize)
    }

    fn group_of(&mut self, slot: Slot) -> Option<&mut Group> {
        let group = self.kind_of(slot)?.group?;
        self.groups.get_mut(group as usize)
    }

    fn row(&self, ticket: Ticket) -> Option<&Row> {
        self.rows.get(ticket.slot).filter(|row| row.generation == ticket.generation)
    }

    fn row_mut(&mut self, ticket: Ticket) -> Option<&mut Row> {
        self.rows.get_mut(ticket.slot).filter(|row| row.generation == ticket.generation)
    }

    fn moment(&self, time: Instant) -> Moment {
        nanos(time.saturating_duration_since(self.epoch))
    }
}
