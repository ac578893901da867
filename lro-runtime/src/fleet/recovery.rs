//! What a fleet takes over from its store when it is built.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;

use super::{
    durable::{GENERATION, SCHEMA},
    journal::{
        Journal, failed,
        note::Due,
        record::{self, Amendment, Call, Live, Outcome, Request, Starting, VERSION, Watched, check_version},
    },
    recovered::Unbound,
    restart,
    restarts::Restart,
    services::Service,
    shared::{Keyed, Shared, State},
    store::{Note, StoreError, StoreErrorKind, Table},
    ticket::Ticket,
    watch::{self, How},
};
use crate::{
    engine::{Left, Noted, Past},
    error::Result,
    operation::{RawOperation, Token},
    settings::{Expiration, Schedule},
};

/// The largest slot that is taken for one. A table with more rows would not fit into memory.
const MOST_SLOTS: u32 = 1 << 26;

/// What belongs to the operations, by ticket.
#[derive(Default)]
struct Beside {
    amendments: HashMap<u64, Amendment>,
    outcomes: HashMap<u64, (Outcome, Bytes)>,
    /// By slot.
    notes: Vec<u64>,
}

/// Takes over what the store has.
///
/// # Errors
///
/// Of kind [`Store`](crate::ErrorKind::Store) when it cannot be read, is damaged, or was written by
/// a newer version.
pub(super) fn recover(shared: &Shared, journal: &Journal) -> Result<()> {
    let fleet = read_fleet(journal).map_err(|error| failed(&error))?;
    let mut state = shared.lock();
    let generation = fleet.unwrap_or_default();
    state.generations = generation;
    state.core.give_from(generation);
    state.core.remember_settled();
    if fleet.is_none() {
        journal.put(Table::Fleet, SCHEMA, Some(Ok(vec![VERSION])));
        return Ok(());
    }
    let mut beside = Beside::default();
    let recovery = Recovery { shared, now: shared.timer.now(), system_now: shared.timer.system_time() };
    let outcome = beside.read(journal).and_then(|()| {
        journal.read(Table::Live, &mut |key, value| {
            let ticket = Ticket::from(key);
            let damaged = || StoreError::new(StoreErrorKind::Damaged, format!("there is no ticket {key}"));
            let is_legal = ticket.slot < MOST_SLOTS && ticket.generation < generation;
            if !is_legal || !state.core.reserve_again(ticket) {
                return Err(damaged());
            }
            let (live, _) = record::decode(Table::Live, key, value)?;
            recovery.take(&mut state, ticket, live, &mut beside);
            Ok(())
        })
    });
    outcome.map_err(|error| failed(&error))?;
    state.core.free_the_others();
    drop(state);
    // A process died while it deleted all that there was of an operation.
    for key in beside.amendments.keys() {
        journal.put(Table::Amendments, *key, None);
    }
    for key in beside.outcomes.keys() {
        journal.put(Table::Outcomes, *key, None);
    }
    Ok(())
}

/// Returns the first generation that was not set aside; `None` for a store that is new.
fn read_fleet(journal: &Journal) -> Result<Option<u32>, StoreError> {
    let (mut schema, mut generation) = (None, 0);
    journal.read(Table::Fleet, &mut |key, value| {
        match key {
            // It is the first, so that of a newer store nothing else is read.
            SCHEMA => {
                let version = value.first().copied().unwrap_or_default();
                check_version(version.into(), || "the store".to_owned())?;
                schema = Some(version);
            }
            GENERATION => {
                let bytes: [u8; 8] = value
                    .try_into()
                    .map_err(|_| StoreError::new(StoreErrorKind::Damaged, "the record of generations is damaged"))?;
                generation = u32::try_from(u64::from_le_bytes(bytes)).unwrap_or(u32::MAX);
            }
            // Of a later version that older ones need not know.
            _ => {}
        }
        Ok(())
    })?;
    if schema.is_none() {
        // Without a schema nothing may be there: it is the first that is written.
        for table in Table::ALL {
            journal.read(table, &mut |key, _| {
                let message = format!("the table `{}` has the record {key}, and no fleet has begun it", table.name());
                Err(StoreError::new(StoreErrorKind::Damaged, message))
            })?;
        }
        return Ok(None);
    }
    Ok(Some(generation))
}

impl Beside {
    fn read(&mut self, journal: &Journal) -> Result<(), StoreError> {
        journal.read(Table::Amendments, &mut |key, value| {
            self.amendments.insert(key, record::decode(Table::Amendments, key, value)?.0);
            Ok(())
        })?;
        journal.read(Table::Outcomes, &mut |key, value| {
            self.outcomes.insert(key, record::decode(Table::Outcomes, key, value)?);
            Ok(())
        })?;
        journal.read_notes(&mut |Note { place, value }| {
            if place < MOST_SLOTS {
                let place = place as usize;
                if self.notes.len() <= place {
                    self.notes.resize(place + 1, 0);
                }
                if let Some(note) = self.notes.get_mut(place) {
                    *note = value;
                }
            }
        });
        Ok(())
    }

    fn note(&self, ticket: Ticket) -> Option<Due> {
        Due::decode(*self.notes.get(ticket.slot as usize)?, ticket.generation)
    }
}

struct Recovery<'a> {
    shared: &'a Shared,
    now: Instant,
    system_now: SystemTime,
}

impl Recovery<'_> {
    /// Takes an operation over for which its place is kept.
    fn take(&self, state: &mut State, ticket: Ticket, live: Live, beside: &mut Beside) {
        let outcome = beside.outcomes.remove(&ticket.into());
        let taken = match live {
            Live::Watched(watched) => {
                let amendment = beside.amendments.remove(&ticket.into()).unwrap_or_default();
                self.take_watched(state, ticket, &watched, (amendment, beside.note(ticket)), outcome)
            }
            Live::Starting(starting) => self.take_starting(state, ticket, *starting, outcome),
        };
        if let Err(unbound) = taken {
            if let Some(key) = &unbound.key {
                state.keys.insert(Arc::clone(key), Keyed::Watched(ticket));
            }
            state.recovered.unbound.insert(ticket, *unbound);
        }
    }

    /// Returns the service and the method of an operation, if the fleet has both.
    fn service(&self, service: &str, method: &str) -> Option<&Service> {
        self.shared.services.get(service).filter(|service| service.has(method))
    }

    fn take_watched(
        &self,
        state: &mut State,
        ticket: Ticket,
        watched: &Watched,
        since: (Amendment, Option<Due>),
        outcome: Option<(Outcome, Bytes)>,
    ) -> Result<(), Box<Unbound>> {
        let key: Option<Arc<str>> = watched.key.as_deref().map(Arc::from);
        let (amendment, noted) = since;
        let unbound = || {
            let is_known = self.shared.services.get(&watched.service).is_some();
            Box::new(Unbound {
                service: watched.service.clone(),
                method: if is_known { watched.token.method.clone() } else { String::new() },
                key: key.clone(),
                token: Some(Token::from_content(watched.token.clone())),
            })
        };
        let Some(service) = self.service(&watched.service, &watched.token.method) else {
            return Err(unbound());
        };
        let resume = |content: &record::Content| {
            let operation = service.resume(Token::from_content(content.clone()))?;
            Ok(operation.with_start_id(watched.start_id.as_deref().map(Arc::from)))
        };
        if let Some((outcome, bytes)) = outcome {
            let outcome = ended(outcome, &bytes, resume);
            end(state, ticket, key, outcome);
            return Ok(());
        }
        let operation = match resume(amendment.token.as_ref().unwrap_or(&watched.token)) {
            Ok(operation) => operation,
            // The client is another one now: in a dialect that cannot read the token, or at an
            // origin that is not trusted. Whoever takes the completion learns why.
            Err(error) => {
                end(state, ticket, key, Err(error));
                return Ok(());
            }
        };
        let how = How {
            key: key.clone(),
            priority: watched.priority,
            lane: watched.lane.as_deref().map(Arc::from),
            settings: watched.settings.clone(),
        };
        let entrant = watch::unstored(&operation, how, self.shared).map(|mut entrant| {
            let began = record::system_time(watched.began);
            entrant.past = Some(self.past(began, &entrant.own, noted));
            entrant
        });
        match entrant.and_then(|entrant| state.fill(ticket, entrant)) {
            Ok(_) => {
                state.recovered.waiting += 1;
                if amendment.cancel {
                    state.core.cancel(ticket);
                }
            }
            // The settings of the client do not fit those of the wait any more.
            Err(error) => end(state, ticket, key, Err(error)),
        }
        Ok(())
    }

    /// Returns what is known of a wait that began then.
    fn past(&self, began: SystemTime, schedule: &Schedule, noted: Option<Due>) -> Past {
        // A clock that was set back makes it young, and no older than it is.
        let age = self.system_now.duration_since(began).unwrap_or_default();
        let expires = match schedule.expiration {
            Expiration::Timeout(timeout) => began.checked_add(timeout),
            Expiration::Deadline(deadline) => {
                let at = deadline.monotonic(self.now, self.system_now);
                at.and_then(|at| match at.checked_duration_since(self.now) {
                    Some(left) => self.system_now.checked_add(left),
                    None => self.system_now.checked_sub(self.now.saturating_duration_since(at)),
                })
            }
            Expiration::Never => None,
        };
        let left = match expires {
            None => Left::Never,
            Some(at) => match at.duration_since(self.system_now) {
                // No longer than the whole wait, if the clock was set back.
                Ok(left) => Left::For(left.min(at.duration_since(began).unwrap_or(Duration::MAX))),
                Err(_) => Left::Expired { was_looked_at: noted.is_some_and(|noted| noted.at > at) },
            },
        };
        let noted = noted.map(|noted| Noted {
            due_in: noted.at.duration_since(self.system_now).unwrap_or_default(),
            delay: noted.delay,
            polls: noted.polls,
        });
        Past { age, left, noted }
    }

    fn take_starting(
        &self,
        state: &mut State,
        ticket: Ticket,
        starting: Starting,
        outcome: Option<(Outcome, Bytes)>,
    ) -> Result<(), Box<Unbound>> {
        let Starting { key, at, call } = starting;
        let (key, began): (Arc<str>, _) = (Arc::from(key), record::system_time(at));
        if let Some((outcome, bytes)) = outcome {
            let none =
                |_: &record::Content| Err(restart::unknown("nothing more is known", None, began, self.system_now));
            end(state, ticket, Some(key), ended(outcome, &bytes, none));
            return Ok(());
        }
        let unknown = |why: &str, start_id| restart::unknown(why, start_id, began, self.system_now);
        let error = match call {
            None => unknown("no start call of it was written down", None),
            Some(Call { request: Request::NotKept { why, start_id }, .. }) => {
                unknown(&format!("its start call is not kept: {why}"), start_id)
            }
            Some(Call { request: Request::Kept(record), .. }) if record.start_id().is_none() => {
                unknown("its start call has no start id, so that to send it again could start a second operation", None)
            }
            Some(Call { service, request: Request::Kept(record) }) => {
                let method = record.method().unwrap_or_default();
                let Some(bound) = self.service(&service, method) else {
                    let is_known = self.shared.services.get(&service).is_some();
                    let method = if is_known { method.to_owned() } else { String::new() };
                    return Err(Box::new(Unbound { service, method, key: Some(key), token: None }));
                };
                let restart = Restart::new(Arc::clone(&key), bound.client(), bound.method(method), *record);
                state.keys.insert(key, Keyed::Watched(ticket));
                state.restarts.insert(ticket, restart);
                state.recovered.starting += 1;
                return Ok(());
            }
        };
        end(state, ticket, Some(key), Err(error));
        state.recovered.ended -= 1;
        state.recovered.unknown += 1;
        Ok(())
    }
}

/// Hands out how a wait has ended.
fn end(state: &mut State, ticket: Ticket, key: Option<Arc<str>>, outcome: Result<RawOperation>) {
    if let Some(key) = &key {
        state.keys.insert(Arc::clone(key), Keyed::Watched(ticket));
    }
    // A row that was given up by a failure to fill it.
    state.core.reserve_again(ticket);
    state.recovered.ended += 1;
    // Nobody waits yet.
    drop(state.endings.add(ticket, outcome, key, 0));
}

/// Makes again how a wait has ended.
fn ended(
    outcome: Outcome,
    bytes: &Bytes,
    resume: impl FnOnce(&record::Content) -> Result<RawOperation>,
) -> Result<RawOperation> {
    let Outcome { token, reply, error } = outcome;
    let operation = token.map(|token| {
        resume(&token).map(|mut operation| {
            let snapshot = Arc::make_mut(&mut operation.snapshot);
            // A resumed operation that has succeeded is running until its response is fetched.
            snapshot.state = token.state;
            if let Some(reply) = reply {
                snapshot.restore(reply, bytes);
            }
            operation
        })
    });
    match (operation, error) {
        (Some(Ok(operation)), Some(error)) => Err(error.error(Some(&operation))),
        (Some(Err(_)) | None, Some(error)) => Err(error.error(None)),
        (Some(operation), None) => operation,
        (None, None) => Err(failed(&StoreError::new(StoreErrorKind::Damaged, "an outcome says nothing"))),
    }
}
