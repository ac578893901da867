//! Start calls of a process that died before it knew what came of them, while nobody sends them.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

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
    pub(super) record: StartRecord,
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
        Self { key, client: client.clone(), method, record, failures: 0, not_before: None }
    }
}

/// The start calls that are sent again.
#[derive(Default)]
pub(super) struct Restarts {
    /// Those that nobody sends now.
    waiting: BTreeMap<Ticket, Restart>,
    /// The keys of those that a driver has taken to send.
    taken: BTreeMap<Ticket, Arc<str>>,
}

impl Restarts {
    pub(super) fn insert(&mut self, ticket: Ticket, restart: Restart) {
        self.taken.remove(&ticket);
        self.waiting.insert(ticket, restart);
    }

    /// Notes that one was answered that a driver had taken.
    pub(super) fn answered(&mut self, ticket: Ticket) {
        self.taken.remove(&ticket);
    }

    /// Forgets one, and returns its key.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Arc<str>> {
        let waiting = self.waiting.remove(&ticket).map(|restart| restart.key);
        waiting.or_else(|| self.taken.remove(&ticket))
    }

    /// Takes the first that may be sent now. Else returns when one may.
    pub(super) fn take(&mut self, now: Instant) -> Result<(Ticket, Restart), Option<Instant>> {
        let is_due = |restart: &Restart| restart.not_before.is_none_or(|at| at <= now);
        let due = self.waiting.iter().find(|(_, restart)| is_due(restart)).map(|(ticket, _)| *ticket);
        let Some((ticket, restart)) = due.and_then(|ticket| self.waiting.remove_entry(&ticket)) else {
            return Err(self.waiting.values().filter_map(|restart| restart.not_before).min());
        };
        self.taken.insert(ticket, Arc::clone(&restart.key));
        Ok((ticket, restart))
    }
}
