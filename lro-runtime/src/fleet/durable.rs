//! What a fleet with a store writes down of what happens, and when.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use super::{
    journal::{
        Journal, Keep, Number,
        note::Due,
        record::{self, Amendment, Call, Live, Outcome, Starting, Watched},
    },
    shared::{State, Stored},
    store::{StoreError, Table},
    ticket::Ticket,
};
use crate::{error::Result, operation::RawOperation};

/// How many generations of tickets are set aside at once. What a process did not use is skipped by
/// the next, so that no ticket is given twice.
const GENERATIONS: u32 = 1024;

/// The record of the fleet that has the version of the store.
pub(super) const SCHEMA: u64 = 0;
/// The record of the fleet that has the first generation that was not set aside.
pub(super) const GENERATION: u64 = 1;

impl State {
    /// Writes something down, if the fleet has a store.
    fn put(&self, table: Table, ticket: Ticket, value: impl FnOnce(&Journal) -> Result<Vec<u8>, StoreError>) {
        if let Some(journal) = &self.journal {
            journal.put(table, ticket.into(), Some(value(journal)));
        }
    }

    /// Sets the generation of this ticket aside. To be called before anything of it is written.
    pub(super) fn set_aside(&mut self, ticket: Ticket) {
        let Some(journal) = &self.journal else { return };
        if ticket.generation >= self.generations {
            self.generations = ticket.generation.saturating_add(GENERATIONS);
            let next = u64::from(self.generations).to_le_bytes().to_vec();
            journal.put(Table::Fleet, GENERATION, Some(Ok(next)));
        }
    }

    /// Writes down that an operation is about to be started under `key`, and which call is about to
    /// be sent, once that is known.
    pub(super) fn write_start(&self, ticket: Ticket, key: &str, began: SystemTime, call: Option<Call>) {
        let live = || Live::Starting(Box::new(Starting { key: key.to_owned(), at: record::millis(began), call }));
        self.put(Table::Live, ticket, |_| record::encode(&live(), &[]));
    }

    /// Writes down that an operation is watched.
    pub(super) fn write_watched(
        &self,
        ticket: Ticket,
        operation: &RawOperation,
        key: Option<&Arc<str>>,
        stored: Stored,
    ) {
        let Stored { service, lane, priority, settings, began } = stored;
        let live = || {
            Live::Watched(Box::new(Watched {
                service,
                token: operation.token().into_content(),
                began: record::millis(began),
                key: key.map(ToString::to_string),
                start_id: operation.start_id().map(str::to_owned),
                lane,
                priority,
                settings,
            }))
        };
        self.put(Table::Live, ticket, |_| record::encode(&live(), &[]));
    }

    /// Writes down where an operation is polled now, and whether its cancel is asked for.
    pub(super) fn write_amendment(&self, ticket: Ticket) {
        let amendment = || Amendment {
            token: self.known(ticket).map(|known| known.operation(self.epoch).token().into_content()),
            cancel: self.core.is_cancelling(ticket),
        };
        self.put(Table::Amendments, ticket, |_| record::encode(&amendment(), &[]));
    }

    /// Writes down how a wait has ended.
    pub(super) fn write_outcome(&self, ticket: Ticket, outcome: &Result<RawOperation>) {
        self.put(Table::Outcomes, ticket, |journal| {
            let keep = journal.keep;
            let (operation, error) = match outcome {
                Ok(operation) => (Some(operation), None),
                Err(error) => (error.snapshot(), Some(error)),
            };
            let mut bytes = Vec::new();
            let outcome = Outcome {
                token: operation.map(|operation| {
                    let mut token = operation.token().into_content();
                    if keep == Keep::Nothing {
                        (token.status, token.raw_status) = (None, None);
                    }
                    token
                }),
                reply: operation
                    .filter(|_| keep != Keep::Nothing)
                    .map(|operation| operation.snapshot.kept(keep == Keep::Body, &mut bytes)),
                error: error.map(|error| error.kept(keep != Keep::Nothing)),
            };
            record::encode(&outcome, &bytes)
        });
    }

    /// Deletes all that is written of an operation. First the record without which the others say
    /// nothing: what is left of them is deleted by the next process.
    pub(super) fn write_gone(&self, ticket: Ticket) {
        let Some(journal) = &self.journal else { return };
        for table in [Table::Live, Table::Amendments, Table::Outcomes] {
            journal.put(table, ticket.into(), None);
        }
    }

    /// Notes when the operations are due that were polled since the last call.
    pub(super) fn write_notes(&mut self, now: Instant, system_now: SystemTime) {
        let Some(journal) = &self.journal else { return };
        for (ticket, rests) in self.core.take_settled() {
            let in_future = rests.at.checked_duration_since(now);
            let at = match in_future {
                Some(left) => system_now.checked_add(left),
                None => system_now.checked_sub(now.saturating_duration_since(rests.at)),
            };
            // What only waits for its end was polled for the last time: it is due behind that.
            let behind = if rests.is_polled_no_more { Duration::from_millis(125) } else { Duration::ZERO };
            let at = at.and_then(|at| at.checked_add(behind)).unwrap_or(system_now);
            let due = Due { at, delay: rests.delay, polls: rests.polls };
            journal.note(ticket.slot, due.encode(ticket.generation));
        }
    }

    /// Returns the number of the last change; what waits for it is durable then. 0 without a store.
    pub(super) fn last_change(&self) -> Number {
        self.journal.as_ref().map_or(0, |journal| journal.last())
    }
}

#[cfg(test)]
mod tests;
