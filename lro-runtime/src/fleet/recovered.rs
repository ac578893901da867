//! What a fleet has found in its store.

use std::{collections::BTreeMap, sync::Arc};

use super::ticket::Ticket;
use crate::operation::Token;

/// What a fleet has found in its store when it was built: made by
/// [`Fleet::recovered`](super::Fleet::recovered). All zero for a store that is new, and for a fleet
/// in memory.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Recovered {
    /// How many operations it goes on to wait for.
    pub waiting: usize,
    /// How many waits had ended whose completions were not acknowledged: they are handed out first.
    pub ended: usize,
    /// How many start calls it sends again, with the start id that they had.
    pub starting: usize,
    /// How many start calls may have been sent and cannot be repeated. Each is a completion with an
    /// error of kind [`Start`](crate::ErrorKind::Start) that says when it was begun.
    pub unknown: usize,
    /// The operations of services that the fleet does not have, by ticket. They stay in the store
    /// and are not polled. [`Fleet::remove`](super::Fleet::remove) forgets one of them.
    pub unbound: BTreeMap<Ticket, Unbound>,
}

/// An operation of a service that the fleet does not have.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unbound {
    /// The name of the service.
    pub service: String,
    /// The name of the method, if the service is there and does not have it; empty otherwise.
    pub method: String,
    /// The key that the operation was watched or started under.
    pub key: Option<Arc<str>>,
    /// The operation; `None` if its start call was not known to have succeeded.
    pub token: Option<Token>,
}

impl Recovered {
    /// Forgets an operation that nothing is done for. Returns its key.
    pub(super) fn forget(&mut self, ticket: Ticket) -> Option<Arc<str>> {
        self.unbound.remove(&ticket)?.key
    }
}
