//! What a user and a machine do to a simulated fleet.

use std::{collections::VecDeque, time::Duration};

use fastrand::Rng;

use super::{
    super::*,
    world::{Subject, What, World},
};
use crate::engine::Opening;
use crate::fleet::core::asked::Cancelled;

const SECOND: Duration = Duration::from_secs(1);

/// What a user or a machine does.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Watch(u8),
    /// Of one whose poll is in flight, if there is one and it is asked for.
    Remove(bool),
    PollSoon,
    Cancel,
    /// The driver is dropped, and begun again so much later.
    Drop(Duration),
    /// The machine sleeps.
    Sleep(Duration),
    Hold(bool),
    /// An origin is not reached for so long.
    Outage(OriginId, Duration),
}

impl World {
    fn any(&mut self) -> Option<Ticket> {
        let index = self.user.u64(..);
        let count = self.subjects.len() as u64;
        self.subjects.keys().nth(index.checked_rem(count)? as usize).copied()
    }

    pub(super) fn act(&mut self, deed: &Deed) {
        self.tell(|| format!("{deed:?}"));
        let acknowledged = self.unacknowledged.len() / 2;
        for (ticket, subject) in self.unacknowledged.split_off(acknowledged) {
            self.forget(ticket, subject);
        }
        match deed {
            Deed::Watch(count) => (0..*count).for_each(|_| self.watch()),
            Deed::Remove(is_in_flight) => {
                let polled = self.flights.iter().find_map(|flight| match flight.what {
                    What::Poll(ticket, _) if self.subjects.contains_key(&ticket) => Some(ticket),
                    _ => None,
                });
                let Some(ticket) = polled.filter(|_| *is_in_flight).or_else(|| self.any()) else { return };
                let subject = self.subjects.remove(&ticket).unwrap();
                self.forget(ticket, subject);
                self.count("removed");
            }
            Deed::PollSoon => {
                let Some(ticket) = self.any() else { return };
                if self.core.poll_soon(ticket, self.time()) {
                    self.subjects.get_mut(&ticket).unwrap().due = Duration::ZERO;
                    self.count("hastened");
                }
            }
            Deed::Cancel => {
                let Some(ticket) = self.any() else { return };
                if self.core.cancel(ticket) {
                    self.subjects.get_mut(&ticket).unwrap().wants_cancel = true;
                }
            }
            Deed::Drop(pause) => {
                self.give_up_all();
                self.pass(*pause);
                self.count("drops");
            }
            Deed::Sleep(pause) => {
                self.pass(*pause);
                self.count("sleeps");
            }
            Deed::Hold(is_held) => {
                self.is_held = *is_held;
                self.core.hold(*is_held);
                self.count("holds");
            }
            Deed::Outage(origin, lasts) => {
                let until = if self.doomed == Some(*origin) { Duration::MAX } else { self.now + *lasts };
                self.outages[*origin as usize] = until;
                self.count("outages");
            }
        }
    }

    /// Lets time pass in which nobody asks the core.
    fn pass(&mut self, pause: Duration) {
        self.now += pause;
        self.late_until = self.now;
    }

    fn give_up_all(&mut self) {
        let mut flights = std::mem::take(&mut self.flights);
        self.weather.shuffle(&mut flights);
        while let Some(flight) = flights.pop() {
            match flight.what {
                What::Poll(ticket, _) => {
                    self.core.report(ticket, self.time(), self.system(), Gave::GivenUp);
                    self.counts.add("given up polls", 1);
                    if let Some(subject) = self.subjects.get_mut(&ticket) {
                        subject.due = Duration::ZERO;
                    }
                }
                What::Page { group, .. } => self.end_page(group, PageEnd::GivenUp, &[], &[]),
                What::Batch { group, members, .. } => self.end_page(group, PageEnd::GivenUp, &members, &[]),
                What::Cancel { ticket, failures, .. } => self.land_cancel(ticket, failures, &Cancelled::GivenUp),
            }
            // What is in flight still counts.
            std::mem::swap(&mut self.flights, &mut flights);
            self.check_sometimes();
            std::mem::swap(&mut self.flights, &mut flights);
        }
    }

    fn watch(&mut self) {
        let schedule = self.user.usize(0..3);
        let which = self.user.usize(..);
        let (origin, group, mut kind) = if self.services.len() > 0 && self.user.u8(..) < 180 {
            let group = which % self.services.len();
            let service = &self.services[group];
            (service.origin, Some(group as GroupId), service.kinds[schedule])
        } else {
            let origin = self.user.usize(0..self.kinds.len());
            let lanes = &self.kinds[origin];
            let of_priority = if self.user.u8(..) < 30 { 3 } else { 0 };
            (origin as OriginId, None, lanes[which % lanes.len()][schedule + of_priority])
        };
        let is_alone = group.is_none() && self.user.u8(..) < 60;
        if is_alone && !self.is_full() {
            let schedule = Arc::clone(&self.schedules[schedule]);
            let lane = self.core.kinds[kind as usize].lane;
            let own = Kind { schedule, origin, lane, priority: Priority::Normal, group };
            kind = self.core.add_kind(own, self.free_kinds.pop());
        }
        let opening = Opening {
            now: self.time().into(),
            system_now: self.system(),
            completed: false,
            last_reply: None,
            started: Some(self.time().into()),
            is_found: false,
            seed: self.user.u64(..),
        };
        let is_lost = group.is_some_and(|group| self.user.u8(..) < self.services[group as usize].loses);
        let subject = Subject {
            origin,
            group: group.filter(|_| self.core.kinds[kind as usize].group.is_some()),
            kind,
            schedule,
            is_alone,
            watched: self.now,
            ends: self.now + Duration::from_millis(self.user.u64(0..300_000)),
            expires: self.timeouts[schedule].map(|timeout| self.now + timeout),
            is_broken: self.user.u8(..) < 20,
            is_lost,
            share: self.user.f64(),
            due: self.now,
            was_seen_ended: false,
            wants_cancel: false,
        };
        if self.is_full() {
            self.count("refused because full");
            return;
        }
        let ticket = self.core.add(&opening, kind).unwrap();
        assert!(self.subjects.insert(ticket, subject).is_none(), "a ticket is given out once");
    }
}

/// Draws how the operations of a group are shown.
pub(super) fn shown(rng: &mut Rng) -> Shown {
    if rng.u8(..) < 80 {
        return Shown::Named { most: rng.u32(1..12) };
    }
    let visible_after = if rng.bool() { 0 } else { rng.i64(0..20) * 1_000_000_000 };
    Shown::Listed { page: rng.u32(1..25), has_ended: rng.bool(), has_results: rng.bool(), visible_after }
}

/// Draws what the user and the machine do, and when.
pub(super) fn plan(rng: &mut Rng, origins: u32, has_patience: bool) -> (VecDeque<(Duration, Deed)>, Option<OriginId>) {
    let mut at = SECOND;
    let mut plan = VecDeque::new();
    for _ in 0..rng.u32(4..40) {
        at += Duration::from_millis(if rng.bool() { rng.u64(0..2_000) } else { rng.u64(0..30_000) });
        let deed = match rng.u8(0..100) {
            0..36 => Deed::Watch(rng.u8(1..24)),
            36..48 => Deed::Remove(rng.bool()),
            48..60 => Deed::PollSoon,
            60..72 => Deed::Cancel,
            72..82 => Deed::Drop(Duration::from_millis(if rng.bool() { 0 } else { rng.u64(0..30_000) })),
            82..85 => Deed::Sleep(Duration::from_secs(rng.u64(0..4_000))),
            85..92 => Deed::Hold(rng.bool()),
            _ => Deed::Outage(rng.u32(0..origins), Duration::from_secs(rng.u64(1..120))),
        };
        // A cancel call is soon cut off as well.
        let is_cut = matches!(deed, Deed::Cancel) && rng.u8(..) < 60;
        plan.push_back((at, deed));
        if is_cut {
            plan.push_back((at + Duration::from_millis(100), Deed::Drop(Duration::ZERO)));
        }
    }
    plan.push_back((at, Deed::Hold(false)));
    let doomed = Some(rng.u32(0..origins)).filter(|_| has_patience && rng.bool());
    (plan, doomed)
}
