//! What must hold after every event.

use std::{collections::BTreeMap, time::Duration};

use super::{
    super::{places::demand_of, *},
    world::{What, World},
};
use crate::fleet::{lanes::Queued, origin::Permit};

impl World {
    /// Recounts everything that the core counts.
    pub(super) fn check(&self) {
        let in_line = self.in_line();
        self.check_places();
        self.check_queues(&in_line);
        self.check_groups(&in_line);
        self.check_cancels(&in_line);
        let polls = self.flights.iter().filter(|flight| matches!(flight.what, What::Poll(..))).count();
        assert_eq!(self.core.in_flight(), polls, "what is in flight is what was sent");
        for (id, party) in (0..).zip(&self.core.parties) {
            let in_flight = self.flights.iter().filter(|flight| flight.origin == id).count();
            assert_eq!(party.origin.in_flight() as usize, in_flight, "origin {id} counts what is in flight");
            assert_eq!(party.requests, self.meters[id as usize].requests);
        }
    }

    /// Everything that stands in line, by origin.
    fn in_line(&self) -> Vec<Vec<(LaneId, Priority, Queued)>> {
        self.core.parties.iter().map(|party| party.lanes.iter().collect()).collect()
    }

    /// Each operation is in one place, and where it is, it is found.
    fn check_places(&self) {
        let core = &self.core;
        let taken = core.rows.0.iter().filter(|row| row.place != Place::Free).count();
        assert_eq!(taken, core.len());
        for (slot, row) in (0..).zip(&core.rows.0) {
            let ticket = Ticket { slot, generation: row.generation };
            let is_linked = !row.link.is_out();
            let has_deadline = row.engine.as_ref().is_some_and(|engine| engine.deadline().is_some());
            assert!(!row.is_live() || self.subjects.contains_key(&ticket));
            if row.place == Place::Asked {
                assert!(self.batches().any(|members| members.contains(&ticket)), "{ticket} is asked for");
            }
            match row.place {
                Place::Resting => assert!(is_linked, "what rests wakes up: {ticket}"),
                Place::Held(_) | Place::Asked | Place::Ready(_) => assert_eq!(is_linked, has_deadline, "{ticket}"),
                _ => assert!(!is_linked, "{ticket}"),
            }
            let has_engine = matches!(row.place, Place::Resting | Place::Held(_) | Place::Asked | Place::Ready(_));
            assert_eq!(row.engine.is_some(), has_engine, "{ticket}");
            if let Place::InFlight(flight) | Place::Leaving(flight) = row.place {
                assert!(core.flights[flight as usize].is_some());
                let is_it = |what: &What| matches!(what, What::Poll(other, _) if *other == ticket);
                assert_eq!(self.flights.iter().filter(|flight| is_it(&flight.what)).count(), 1, "{ticket}");
            }
        }
    }

    /// What is ready stands once in the line of its origin, and the line has a turn or a time.
    fn check_queues(&self, in_line: &[Vec<(LaneId, Priority, Queued)>]) {
        let core = &self.core;
        let mut ready = 0;
        for (id, party) in (0..).zip(&core.parties) {
            let is_known = party.is_listed || party.blocked.is_some() || party.lanes.is_empty();
            assert!(is_known, "an origin with something due has a turn, or a time");
            let waiting = &in_line[id as usize];
            for (lane, _, queued) in waiting {
                let Queued::Poll { slot, number } = queued else { continue };
                if core.rows.get(*slot).unwrap().place == Place::Ready(*number) {
                    ready += 1;
                    let kind = core.kind_of(*slot).unwrap();
                    assert_eq!((kind.origin, kind.lane), (id, *lane), "stands in its own line");
                }
            }
            let most = 4 * (core.rows.0.len() + core.groups.len() + 1);
            assert!(waiting.len() <= most, "a line does not grow for ever: {}", waiting.len());
        }
        assert_eq!(ready, core.rows.0.iter().filter(|row| matches!(row.place, Place::Ready(_))).count());
    }

    fn check_groups(&self, in_line: &[Vec<(LaneId, Priority, Queued)>]) {
        let core = &self.core;
        let in_kind = |row: &Row, group| core.kinds[row.kind as usize].group == Some(group);
        for (id, group) in (0..).zip(&core.groups) {
            let rows = || core.rows.0.iter().filter(|row| in_kind(row, id));
            let members = rows().filter(|row| row.is_live()).count();
            assert_eq!(group.members as usize, members, "group {id} counts its members");
            let held =
                || (0..).zip(&core.rows.0).filter(|(_, row)| in_kind(row, id) && matches!(row.place, Place::Held(_)));
            assert_eq!(group.waiting as usize, held().count(), "group {id} counts what it holds back");
            let demand: u64 = rows().filter_map(|row| row.engine.as_ref()).map(demand_of).sum();
            assert_eq!(group.demand, demand, "group {id} counts how often its members would be polled");
            // Everything that is held waits for a decision, or is asked for.
            for (slot, row) in held() {
                let Place::Held(number) = row.place else { continue };
                let ticket = Ticket { slot, generation: row.generation };
                let listed = group.held.iter().filter(|known| **known == (slot, number)).count();
                assert_eq!(listed, 1, "{ticket} is held once");
                let is_decided = group.sweep.is_some() || group.is_queued || group.decides_at.is_some();
                assert!(is_decided, "group {id} decides about what it holds back");
            }
            assert!(group.held.len() <= 4 * (core.rows.0.len() + 1), "what is held no more is not kept");
            assert!(group.decides_at.is_none_or(|at| core.agenda.contains(&(at, id))));
            let queued = in_line.iter().flatten().filter(|(.., queued)| *queued == Queued::Group(id)).count();
            assert_eq!(queued, usize::from(group.is_queued), "group {id} stands in line as it thinks");
            let is_page = |what: &What| matches!(what, What::Page { group, .. } if *group == id);
            let pages = self.flights.iter().filter(|flight| is_page(&flight.what)).count();
            assert!(pages <= 1, "one page at a time");
            if matches!(group.shown, Shown::Listed { .. }) {
                assert_eq!(group.sweep.is_some(), group.is_queued || pages > 0, "a sweep goes on");
            }
        }
        let agenda = core.groups.iter().filter(|group| group.decides_at.is_some()).count();
        assert_eq!(core.agenda.len(), agenda);
        for (id, party) in (0..).zip(&core.parties) {
            let alone = |row: &&Row| {
                core.kinds[row.kind as usize].group.is_none() && core.kinds[row.kind as usize].origin == id
            };
            let demand: u64 =
                core.rows.0.iter().filter(alone).filter_map(|row| row.engine.as_ref()).map(demand_of).sum();
            assert_eq!(party.demand, demand, "origin {id} counts how often its operations would be polled");
        }
    }

    fn batches(&self) -> impl Iterator<Item = &Vec<Ticket>> {
        self.flights.iter().filter_map(|flight| match &flight.what {
            What::Batch { members, .. } => Some(members),
            _ => None,
        })
    }

    /// A cancel call that was asked for is sent until the service answers, once at a time.
    fn check_cancels(&self, in_line: &[Vec<(LaneId, Priority, Queued)>]) {
        let mut calls = BTreeMap::<Ticket, usize>::new();
        for (.., queued) in in_line.iter().flatten() {
            if let Queued::Cancel { ticket, .. } = queued {
                *calls.entry(*ticket).or_default() += 1;
            }
        }
        self.core.cancels.iter().for_each(|(_, ticket, _)| *calls.entry(*ticket).or_default() += 1);
        for flight in &self.flights {
            if let What::Cancel { ticket, .. } = &flight.what {
                *calls.entry(*ticket).or_default() += 1;
            }
        }
        assert!(calls.keys().eq(self.core.cancelling.keys()), "what is on its way is known");
        for (ticket, subject) in &self.subjects {
            let is_ended = self.core.row(*ticket).is_some_and(|row| row.place == Place::Ended);
            let count = calls.get(ticket).copied().unwrap_or_default();
            assert!(is_ended || count == usize::from(subject.wants_cancel), "the cancel call of {ticket}: {count}");
        }
    }

    /// What must hold when the core has nothing more to do at this time, and sleeps until `wakes`.
    pub(super) fn check_idle(&self, wakes: Option<Duration>) {
        let (core, now) = (&self.core, self.core.moment(self.time()));
        let wakes = wakes.map_or(Moment::MAX, |wakes| i64::try_from(wakes.as_nanos()).unwrap());
        assert!(core.ended.is_empty());
        if self.is_held {
            return;
        }
        let in_line = self.in_line();
        let is_valid = |queued: Queued| match queued {
            Queued::Poll { slot, number } => core.rows.get(slot).unwrap().place == Place::Ready(number),
            Queued::Cancel { ticket, .. } => self.subjects.contains_key(&ticket),
            Queued::Group(_) => true,
        };
        for (id, party) in core.parties.iter().enumerate() {
            for is_urgent in [false, true] {
                let waits = in_line[id]
                    .iter()
                    .any(|(_, priority, queued)| (!is_urgent || *priority == Priority::Urgent) && is_valid(*queued));
                match party.origin.permit(now, is_urgent) {
                    _ if !waits => {}
                    // A rate that grows back is asked again when it would be time without that.
                    Permit::Now if party.blocked.is_some_and(|until| until < now + 500_000_000) => {}
                    Permit::Now => panic!("origin {id} may be asked, and something waits, urgent: {is_urgent}"),
                    Permit::At(at, why) => assert!(
                        wakes <= at + 500_000_000,
                        "origin {id} is asked late, at {wakes} and not at {at}: {why:?}, urgent: {is_urgent}"
                    ),
                    Permit::Later => assert!(party.origin.in_flight() > 0, "another one can end"),
                }
            }
        }
        for (slot, row) in (0..).zip(&core.rows.0) {
            let (Place::Held(_), Some(engine)) = (row.place, &row.engine) else { continue };
            let ticket = Ticket { slot, generation: row.generation };
            let id = core.kind_of(slot).unwrap().group.unwrap() as usize;
            let is_asked = core.groups[id].sweep.is_some() || core.groups[id].is_queued;
            if is_asked {
                continue;
            }
            let latest = engine.due() + engine.delay() / 2 + TICK;
            let late = i64::try_from(self.late_until.as_nanos()).unwrap();
            assert!(
                now <= latest.max(late),
                "a member is held back for half its delay at most: {ticket}, {:?}, due {} delay {}, decides at {:?}, now {now}, {:?}",
                core.groups[id].shown,
                engine.due(),
                engine.delay(),
                core.groups[id].decides_at,
                core.groups[id].waiting
            );
        }
    }
}
