//! What a user asks of one operation: a poll ahead of its time, and cancel calls.

use std::time::{Duration, Instant, SystemTime};

use super::{Core, Next, Place};
use crate::{
    fleet::{
        ids::OriginId,
        lanes::{Priority, Queued},
        moment::{Moment, nanos},
        origin::Lesson,
        ticket::Ticket,
    },
    status::Failure,
};

/// The delay before a cancel call that has failed is sent again, and the longest.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// What a cancel call gave.
pub(in crate::fleet) enum Cancelled {
    /// The service has answered: there is nothing to send again.
    Answered,
    /// It failed, and is sent again.
    Failed(Failure),
    /// It was given up before it was answered.
    GivenUp,
}

impl Core {
    /// Makes an operation due now, ahead of others. Returns whether the fleet waits for it.
    pub(in crate::fleet) fn poll_soon(&mut self, ticket: Ticket, now: Instant) -> bool {
        let now = self.moment(now);
        let Some(row) = self.row_mut(ticket) else { return false };
        match (row.place, &mut row.engine) {
            (Place::InFlight(_), _) => return true, // its reply is as new as any
            (Place::Resting | Place::Held(_) | Place::Asked | Place::Ready(_), Some(engine)) if !engine.expires() => {
                engine.hasten(now);
            }
            _ => return row.is_live(),
        }
        if matches!(row.place, Place::Ready(_)) && row.is_urgent {
            return true; // and keeps its place in line
        }
        self.make_ready(ticket.slot, Priority::Urgent);
        true
    }

    /// Has the service asked to cancel an operation. Returns whether the fleet waits for it.
    pub(in crate::fleet) fn cancel(&mut self, ticket: Ticket) -> bool {
        let is_live = self.row(ticket).is_some_and(super::Row::is_live);
        // One call at a time: it is sent until the service answers.
        if is_live && !self.cancelling.contains_key(&ticket) {
            self.queue_cancel(ticket, 0);
        }
        is_live
    }

    /// Whether a cancel call of this operation was asked for that the service has not answered.
    pub(in crate::fleet) fn is_cancelling(&self, ticket: Ticket) -> bool {
        self.cancelling.contains_key(&ticket)
    }

    /// Begins a cancel call. `None` if the wait has ended meanwhile.
    pub(super) fn begin_cancel(&mut self, ticket: Ticket, failures: u8, origin: OriginId) -> Option<Next> {
        if !self.row(ticket).is_some_and(super::Row::is_live) {
            self.cancelling.remove(&ticket);
            return None;
        }
        if self.kind_of(ticket.slot).is_some_and(|kind| kind.origin != origin) {
            // It has moved to another one while the call stood in line.
            self.queue_cancel(ticket, failures);
            return None;
        }
        self.cancelling.insert(ticket, Some(origin));
        Some(Next::Cancel { ticket, failures })
    }

    /// Reports what the cancel call of an operation gave, of which so many had failed before. Each
    /// is reported, once, also of an operation that is gone.
    pub(in crate::fleet) fn report_cancel(
        &mut self,
        ticket: Ticket,
        failures: u8,
        time: Instant,
        system_now: SystemTime,
        gave: &Cancelled,
    ) {
        let now = self.moment(time);
        let Some(Some(origin)) = self.cancelling.get_mut(&ticket).map(Option::take) else { return };
        match gave {
            Cancelled::Answered => {
                self.cancelling.remove(&ticket);
                self.learn(origin, time, Lesson::Answered);
                self.poll_soon(ticket, time);
            }
            Cancelled::Failed(failure) => {
                self.learn_failure(origin, time, system_now, failure);
                let delay = FIRST_DELAY.saturating_mul(1 << failures.min(16)).min(LONGEST_DELAY);
                self.cancels.insert((now.saturating_add(nanos(delay)), ticket, failures.saturating_add(1)));
            }
            Cancelled::GivenUp => {
                self.learn(origin, time, Lesson::Nothing);
                self.queue_cancel(ticket, failures);
            }
        }
    }

    pub(super) fn send_cancels_again(&mut self, now: Moment) {
        while let Some(due) = self.cancels.first().copied().filter(|(at, ..)| *at <= now) {
            self.cancels.remove(&due);
            let (_, ticket, failures) = due;
            self.queue_cancel(ticket, failures);
        }
    }

    pub(super) fn queue_cancel(&mut self, ticket: Ticket, failures: u8) {
        let Some(kind) = self.row(ticket).filter(|row| row.is_live()).and_then(|_| self.kind_of(ticket.slot)) else {
            self.cancelling.remove(&ticket);
            return;
        };
        let (origin, lane) = (kind.origin, kind.lane);
        self.cancelling.insert(ticket, None);
        self.queue(origin, lane, Priority::Urgent, Queued::Cancel { ticket, failures });
    }
}
