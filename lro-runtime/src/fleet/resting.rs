//! An operation between two polls: what cannot be made again from what it shares with others.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use super::{
    guard::guarded,
    ids::GroupId,
    lanes::Priority,
    tails::{Tail, Tails},
};
use crate::{
    client::Operations,
    dialect::{Cursor, Dialect},
    operation::{
        Method, RawOperation,
        snapshot::{PollTarget, Provenance, Snapshot, StartTime},
    },
    settings::Schedule,
    stamp::Stamp,
    status::State,
    url::Origin,
};

/// When a fleet was made, on both clocks. Its times are counted from here.
#[derive(Clone, Copy)]
pub(super) struct Epoch {
    pub(super) at: Instant,
    pub(super) system: SystemTime,
}

/// What operations of one kind share.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) client: Operations,
    /// Who is asked.
    pub(super) origin: Origin,
    pub(super) method: Option<&'static Method>,
    pub(super) dialect: Arc<dyn Dialect>,
    /// What their names begin with.
    pub(super) stem: Arc<str>,
    pub(super) group: Option<GroupId>,
    pub(super) priority: Priority,
    pub(super) lane: Arc<str>,
    pub(super) schedule: Arc<Schedule>,
}

/// See the module.
#[derive(Clone)]
pub(super) struct Resting {
    /// The name, without what it shares with others.
    pub(super) tail: Tail,
    pub(super) state: State,
    pub(super) is_found: bool,
    /// The hash of the metadata that a poll has seen last, if anybody is told of changes.
    pub(super) metadata: u32,
    /// When the operation was started, in milliseconds since the epoch; `i64::MIN` if that is not
    /// known.
    started: i64,
    rare: Option<Box<Rare>>,
}

/// What most operations do not have.
#[derive(Clone, Default)]
struct Rare {
    /// Where it is polled, if its name does not tell.
    cursor: Option<Cursor>,
    provenance: Option<Arc<Provenance>>,
    key: Option<Arc<str>>,
    name_is_own: bool,
}

const UNKNOWN: i64 = i64::MIN;

impl Resting {
    /// Makes the record of an operation, the end of whose name is kept at `tail`.
    pub(super) fn of(
        operation: &RawOperation,
        tail: Tail,
        common: &Common,
        key: Option<Arc<str>>,
        epoch: Epoch,
    ) -> Self {
        let snapshot = &*operation.snapshot;
        let mut resting = Self {
            tail,
            state: snapshot.state,
            is_found: snapshot.is_found,
            metadata: 0,
            started: snapshot.started.map_or(UNKNOWN, |started| millis(started.at, epoch.at)),
            rare: None,
        };
        let rare = Rare {
            cursor: told_apart(operation, common),
            provenance: snapshot.provenance.clone(),
            key,
            name_is_own: snapshot.name_is_own,
        };
        let Rare { cursor, provenance, key, name_is_own } = &rare;
        if cursor.is_some() || provenance.is_some() || key.is_some() || *name_is_own {
            resting.rare = Some(Box::new(rare));
        }
        resting
    }

    /// Takes over that the operation is asked for elsewhere now.
    pub(super) fn moved(&mut self, next: &RawOperation, common: &Common) {
        let cursor = told_apart(next, common);
        if cursor.is_some() || self.rare.is_some() {
            self.rare.get_or_insert_default().cursor = cursor;
        }
    }

    pub(super) fn key(&self) -> Option<&Arc<str>> {
        self.rare.as_ref()?.key.as_ref()
    }

    /// Whether the operation is polled where its name says.
    pub(super) fn is_where_its_name_says(&self) -> bool {
        self.rare.as_ref().is_none_or(|rare| rare.cursor.is_none())
    }

    /// Returns where the operation of this name is polled.
    fn cursor(&self, name: &str, common: &Common) -> Cursor {
        match self.rare.as_ref().and_then(|rare| rare.cursor.clone()) {
            Some(cursor) => cursor,
            // It was found to be the same when the operation came to rest.
            None => guarded(|| common.dialect.locate(name, Method::options_of(common.method)))
                .unwrap_or_else(Err)
                .unwrap_or_else(|failure| Cursor::new(name).refused(&failure)),
        }
    }

    /// Makes the operation of this name again, as it is known: without what polls said of it.
    pub(super) fn operation(&self, name: &str, common: &Common, epoch: Epoch) -> RawOperation {
        let cursor = self.cursor(name, common);
        let target = guarded(|| common.client.target(Arc::clone(&common.dialect), cursor)).unwrap_or_else(|failure| {
            let (dialect, cursor) = (Arc::clone(&common.dialect), self.cursor(name, common));
            PollTarget { dialect, cursor, request: Err(Box::new(failure)) }
        });
        let started = (self.started != UNKNOWN).then(|| epoch.start_time(self.started));
        let mut snapshot = Snapshot::unpolled(name, common.dialect.id(), Some(target), started);
        (snapshot.state, snapshot.is_found) = (self.state, self.is_found);
        if let Some(rare) = &self.rare {
            (snapshot.provenance, snapshot.name_is_own) = (rare.provenance.clone(), rare.name_is_own);
        }
        RawOperation::new(snapshot, common.client.clone(), common.method)
    }
}

/// Returns the cursor of an operation whose name does not tell it.
fn told_apart(operation: &RawOperation, common: &Common) -> Option<Cursor> {
    let cursor = operation.snapshot.place()?.cursor();
    let by_name = common.dialect.locate(operation.name(), Method::options_of(common.method)).ok();
    (by_name.as_ref() != Some(&*cursor)).then(|| cursor.into_owned())
}

/// All that is known of an operation between two polls.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) common: &'a Arc<Common>,
    pub(super) resting: &'a Resting,
    pub(super) tails: &'a Tails,
}

impl Known<'_> {
    pub(super) fn name(&self) -> String {
        [&*self.common.stem, self.tails.get(self.resting.tail)].concat()
    }

    /// Whether this is the operation's name.
    pub(super) fn is_named(&self, name: &str) -> bool {
        name.strip_prefix(&*self.common.stem) == Some(self.tails.get(self.resting.tail))
    }

    /// Returns where the operation is polled.
    pub(super) fn cursor(&self) -> Cursor {
        self.resting.cursor(&self.name(), self.common)
    }

    /// Makes the operation again.
    pub(super) fn operation(&self, epoch: Epoch) -> RawOperation {
        self.resting.operation(&self.name(), self.common, epoch)
    }
}

impl Epoch {
    /// Returns the time so many milliseconds after the epoch, or before it.
    fn start_time(self, millis: i64) -> StartTime {
        let distance = Duration::from_millis(millis.unsigned_abs());
        let (at, system) = if millis < 0 {
            (self.at.checked_sub(distance), self.system.checked_sub(distance))
        } else {
            (self.at.checked_add(distance), self.system.checked_add(distance))
        };
        StartTime::new(at.unwrap_or(self.at).into(), system.unwrap_or(self.system))
    }
}

/// Returns how many milliseconds `time` is after `epoch`; negative if it is before.
fn millis(time: Stamp, epoch: Instant) -> i64 {
    time.nanos_since(epoch.into()) / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_at_rest_is_32_bytes_and_the_end_of_its_name() {
        assert_eq!(size_of::<Resting>(), 32);
        assert_eq!(size_of::<Option<Resting>>(), 32);
    }
}
