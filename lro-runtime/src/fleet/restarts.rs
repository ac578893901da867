//! Start calls of a process that died before it knew what came of them, and when each is sent
//! again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use super::ticket::Ticket;
use crate::{
    client::{Operations, start_record::StartRecord},
    operation::Method,
};

/// A start call that is sent again.
#[derive(Clone)]
pub(super) struct Restart {
    pub(super) key: Arc<str>,
    pub(super) client: Operations,
    pub(super) method: Option<&'static Method>,
    pub(super) record: Arc<StartRecord>,
    pub(super) failures: u8,
    /// Not before this time.
    pub(super) not_before: Option<Instant>,
}

impl Restart {
    pub(super) fn new(
        key: Arc<str>,
        client: &Operations,
        method: Option<&'static Method>,
        record: StartRecord,
    ) -> Self {
        Self { key, client: client.clone(), method, record: Arc::new(record), failures: 0, not_before: None }
    }
}

/// The start calls that are sent again.
#[derive(Default)]
pub(super) struct Restarts {
    /// All of them, those on their way included.
    all: BTreeMap<Ticket, Restart>,
    /// Those that nobody sends now, and not before when.
    due: BTreeSet<(Option<Instant>, Ticket)>,
}

impl Restarts {
    pub(super) fn insert(&mut self, ticket: Ticket, restart: Restart) {
        self.due.insert((restart.not_before, ticket));
        self.all.insert(ticket, restart);
    }

    /// Has one sent by another driver, unless it was forgotten.
    pub(super) fn give_back(&mut self, ticket: Ticket) {
        self.due.extend(self.all.get(&ticket).map(|restart| (restart.not_before, ticket)));
    }

    /// Forgets one, and returns its key.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Arc<str>> {
        let restart = self.all.remove(&ticket)?;
        self.due.remove(&(restart.not_before, ticket));
        Some(restart.key)
    }

    /// Returns when the first may be sent; `now` if one may already.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.due.first().map(|(at, _)| at.unwrap_or(now).max(now))
    }

    /// Takes the first that may be sent now. Else returns when one may.
    pub(super) fn take(&mut self, now: Instant) -> Result<(Ticket, Restart), Option<Instant>> {
        let (at, ticket) = self.due.first().copied().ok_or(None)?;
        if at.is_some_and(|at| at > now) {
            return Err(at);
        }
        self.due.remove(&(at, ticket));
        let restart = self.all.get(&ticket).cloned().ok_or(None)?;
        Ok((ticket, restart))
    }
}
