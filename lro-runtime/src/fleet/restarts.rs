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

/// The start calls that are sent again, and nobody sends now.
#[derive(Default)]
pub(super) struct Restarts(BTreeMap<Ticket, Restart>);

impl Restarts {
    pub(super) fn insert(&mut self, ticket: Ticket, restart: Restart) {
        self.0.insert(ticket, restart);
    }

    /// Forgets one, and returns its key.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Arc<str>> {
        Some(self.0.remove(&ticket)?.key)
    }

    /// Takes the first that may be sent now. Else returns when one may.
    pub(super) fn take(&mut self, now: Instant) -> Result<(Ticket, Restart), Option<Instant>> {
        let is_due = |restart: &Restart| restart.not_before.is_none_or(|at| at <= now);
        let due = self.0.iter().find(|(_, restart)| is_due(restart)).map(|(ticket, _)| *ticket);
        let taken = due.and_then(|ticket| self.0.remove_entry(&ticket));
        taken.ok_or_else(|| self.0.values().filter_map(|restart| restart.not_before).min())
    }
}
