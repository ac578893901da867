//! What traces and metrics say of an operation.

use super::{Method, RawOperation, snapshot::Place};
use crate::{
    stamp::Stamp,
    telemetry::{Seen, Subject},
};

impl RawOperation {
    /// Returns what traces and metrics say of the operation.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            name: self.name(),
            method: self.method.map(Method::name),
            dialect: self.snapshot.dialect(),
            state: self.state(),
            uri: self.snapshot.place().and_then(Place::server),
        }
    }

    /// Returns what traces and metrics say after a reply that was read at `now`.
    pub(crate) fn seen(&self, now: Stamp) -> Seen<'_> {
        Seen {
            subject: self.subject(),
            unknown_word: self.raw_status().filter(|_| !self.snapshot.is_known_status),
            since_start: self.snapshot.started.filter(|_| self.is_completed()).map(|started| now.since(started.at)),
        }
    }
}
