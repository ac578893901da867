//! The kinds of a fleet's operations: what they share is kept once.

use std::{collections::HashMap, sync::Arc};

use super::{
    core::{Core, Kind},
    ids::{GroupId, KindId, LaneId, OriginId},
    lanes::Priority,
    resting::Common,
};
use crate::{
    operation::Method,
    settings::{Hold, Schedule},
};

/// How many beginnings of names are told apart. A service whose every name begins otherwise would
/// have as many kinds as operations.
const MOST_STEMS: usize = 4096;

/// What makes a kind. The addresses are of what the kind keeps alive.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    client: usize,
    method: Option<usize>,
    stem: Arc<str>,
    schedule: usize,
    priority: Priority,
    origin: OriginId,
    lane: LaneId,
    group: Option<GroupId>,
}

struct Entry {
    key: Key,
    common: Arc<Common>,
    /// The schedule of the settings, by which the kind is known. The one that is used differs in
    /// what a fleet does otherwise.
    asked: Arc<Schedule>,
    /// How many operations are of this kind.
    count: usize,
}

#[derive(Default)]
pub(super) struct Kinds {
    entries: Vec<Option<Entry>>,
    by_key: HashMap<Key, KindId>,
    free: Vec<KindId>,
    /// The schedules that are in use, as asked for and as used.
    schedules: HashMap<usize, (Arc<Schedule>, Arc<Schedule>, usize)>,
}

/// Where operations of a kind stand in line.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) origin: OriginId,
    pub(super) lane: LaneId,
}

impl Kinds {
    /// Returns the kind of an operation, which counts as one more of it.
    pub(super) fn take(&mut self, core: &mut Core, line: Line, mut common: Common) -> KindId {
        let asked = common.schedule;
        let key = Key {
            client: common.client.address(),
            method: common.method.map(|method: &Method| std::ptr::from_ref(method).addr()),
            stem: Arc::clone(&common.stem),
            schedule: Arc::as_ptr(&asked).addr(),
            priority: common.priority,
            origin: line.origin,
            lane: line.lane,
            group: common.group,
        };
        if let Some(id) = self.by_key.get(&key).copied()
            && let Some(Some(entry)) = self.entries.get_mut(id as usize)
        {
            entry.count += 1;
            return id;
        }
        let (_, used, users) =
            self.schedules.entry(key.schedule).or_insert_with(|| (Arc::clone(&asked), in_fleet(&asked), 0));
        *users += 1;
        common.schedule = Arc::clone(used);
        let kind = Kind {
            schedule: Arc::clone(used),
            origin: line.origin,
            lane: line.lane,
            priority: common.priority,
            group: common.group,
        };
        let id = core.add_kind(kind, self.free.pop());
        let entry = Entry { key: key.clone(), common: Arc::new(common), asked, count: 1 };
        self.by_key.insert(key, id);
        match self.entries.get_mut(id as usize) {
            Some(place) => *place = Some(entry),
            None => self.entries.push(Some(entry)),
        }
        id
    }

    /// Counts one operation of a kind less.
    pub(super) fn leave(&mut self, id: KindId) {
        let Some(place) = self.entries.get_mut(id as usize) else { return };
        let Some(entry) = place else { return };
        entry.count -= 1;
        if entry.count > 0 {
            return;
        }
        let schedule = entry.key.schedule;
        if let Some(entry) = place.take() {
            self.by_key.remove(&entry.key);
        }
        self.free.push(id);
        if let Some((.., users)) = self.schedules.get_mut(&schedule) {
            *users -= 1;
            if *users == 0 {
                self.schedules.remove(&schedule);
            }
        }
    }

    pub(super) fn get(&self, id: KindId) -> Option<&Arc<Common>> {
        self.entries.get(id as usize)?.as_ref().map(|entry| &entry.common)
    }

    /// Returns the schedule that operations of a kind were asked to have.
    pub(super) fn asked(&self, id: KindId) -> Option<Arc<Schedule>> {
        self.entries.get(id as usize)?.as_ref().map(|entry| Arc::clone(&entry.asked))
    }

    /// Returns what a name begins with: up to its last slash.
    pub(super) fn stem_of(&self, name: &str) -> Arc<str> {
        let end = name.rfind('/').map_or(0, |slash| slash + 1);
        let stem = name.get(..end).unwrap_or_default();
        if self.entries.len() < MOST_STEMS { stem.into() } else { "".into() }
    }
}

/// Returns a schedule with what a fleet does otherwise than a wait: failures of the origin are the
/// origin's, and no poll is held by default, because a held poll takes a place that others need.
fn in_fleet(asked: &Arc<Schedule>) -> Arc<Schedule> {
    // A budget of zero forgives nothing, as the user has said.
    let forgiving = asked.error_budget.with_origin_forgiven();
    let is_forgiving = asked.error_budget == forgiving || asked.error_budget.limits().failures == 0;
    let is_held = asked.hold == Hold::InPlaceOfDelays;
    if is_forgiving && !is_held {
        return Arc::clone(asked);
    }
    let mut schedule = Schedule::clone(asked);
    if !is_forgiving {
        schedule.error_budget = forgiving;
    }
    if is_held {
        schedule.hold = Hold::Never;
    }
    Arc::new(schedule)
}
