//! The groups of a fleet: which operations one request shows together, and how an entry of its
//! reply is found among them.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use hashbrown::HashTable;

use super::{
    core::{Core, Shown},
    ids::{GroupId, OriginId, Slot},
    resting::Common,
    ticket::Ticket,
};
use crate::{
    client::{Operations, Position},
    dialect::{Coverage, Dialect, ListQuery, Named, Shows, Sweep},
    operation::Method,
    settings::PollSettings,
    status::Failure,
};

/// How many entries a page is taken to have if neither the dialect nor a sweep has told.
const USUAL_PAGE: u32 = 100;

/// What makes a group.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    client: usize,
    /// Only of a method with a dialect of its own: all others are read by the client's.
    method: Option<usize>,
    origin: OriginId,
    coverage: Coverage,
}

/// A group of operations, as those who send its requests know it.
pub(super) struct Group {
    key: Key,
    pub(super) client: Operations,
    pub(super) dialect: Arc<dyn Dialect>,
    pub(super) method: Option<&'static Method>,
    /// How long one request may take.
    pub(super) limit: Duration,
    /// Where the sweep that is on its way is.
    position: Position,
    /// The slots of the members, by the hash of the key of their cursor.
    members: HashTable<(u32, Slot)>,
    /// Whether it stands among those that may be replaced.
    is_spare: bool,
}

impl Group {
    pub(super) fn coverage(&self) -> &Coverage {
        &self.key.coverage
    }
}

#[derive(Default)]
pub(super) struct Groups {
    all: Vec<Group>,
    by_key: HashMap<Key, GroupId>,
    /// The groups of an origin that had no members when they were put here. A new group takes the
    /// place of one: a service may have a collection for every operation.
    spare: HashMap<OriginId, VecDeque<GroupId>>,
    hasher: RandomState,
}

impl Groups {
    /// Returns the group of operations like these that have this coverage; `None` if one request
    /// shows them no cheaper than polls do.
    pub(super) fn of(
        &mut self,
        core: &mut Core,
        common: &Common,
        origin: OriginId,
        coverage: Coverage,
        now: Instant,
    ) -> Option<GroupId> {
        let shown = match &coverage {
            Coverage::Sweep(Sweep { query, shows, whole, visible_after, .. }) => Shown::Listed {
                page: query.page_size.unwrap_or(USUAL_PAGE),
                has_ended: *shows == Shows::All,
                has_results: *whole,
                visible_after: visible_after.as_nanos().try_into().unwrap_or(i64::MAX),
            },
            Coverage::Named(Named { most, .. }) => Shown::Named { most: *most },
        };
        let Common { client, method, dialect, .. } = common;
        let own = method.filter(|method| method.dialect.is_some());
        let method_address = own.map(|method| std::ptr::from_ref(method).addr());
        let key = Key { client: client.address(), method: method_address, origin, coverage };
        if let Some(id) = self.by_key.get(&key) {
            return Some(*id);
        }
        // Settings that are illegal were found to be so by the operation's own wait.
        let schedule = client.schedule(PollSettings::default(), own, Some(&**dialect)).ok()?;
        let group = Group {
            key: key.clone(),
            limit: schedule.poll_timeout,
            client: client.clone(),
            dialect: Arc::clone(dialect),
            method: own,
            position: Position::new(ListQuery::default()),
            members: HashTable::new(),
            is_spare: false,
        };
        let id = if let Some((id, place)) = self.replaced(core, origin, shown, now) {
            let old = std::mem::replace(place, group);
            self.by_key.remove(&old.key);
            id
        } else {
            let id = core.add_group(origin, shown)?;
            self.all.push(group);
            id
        };
        self.by_key.insert(key, id);
        Some(id)
    }

    /// Returns the place of a group of this origin that the core has replaced by a new one, if one
    /// is idle.
    fn replaced(
        &mut self,
        core: &mut Core,
        origin: OriginId,
        shown: Shown,
        now: Instant,
    ) -> Option<(GroupId, &mut Group)> {
        /// How many are asked. What one cannot be replaced for passes; others may stand behind it.
        const ASKED: usize = 2;
        let spare = self.spare.get_mut(&origin)?;
        for _ in 0..ASKED {
            let id = spare.pop_front()?;
            let group = self.all.get_mut(id as usize)?;
            if !group.members.is_empty() {
                group.is_spare = false;
            } else if core.replace_group(id, shown, now) {
                return self.all.get_mut(id as usize).map(|group| (id, group));
            } else {
                spare.push_back(id);
            }
        }
        None
    }

    pub(super) fn get(&self, id: GroupId) -> Option<&Group> {
        self.all.get(id as usize)
    }

    /// Returns the query of the page that is asked for next.
    pub(super) fn query(&mut self, id: GroupId, is_first: bool) -> Option<ListQuery> {
        let group = self.all.get_mut(id as usize)?;
        let Coverage::Sweep(sweep) = &group.key.coverage else { return None };
        if is_first {
            group.position = Position::new(sweep.query.clone());
        }
        Some(group.position.query.clone())
    }

    /// Moves on to the page of `token`. Returns whether there is one.
    ///
    /// # Errors
    ///
    /// When the token came before.
    pub(super) fn turn_to(&mut self, id: GroupId, token: String) -> Result<bool, Failure> {
        self.all.get_mut(id as usize).map_or(Ok(false), |group| group.position.turn_to(token))
    }

    pub(super) fn insert(&mut self, id: GroupId, key: &str, slot: Slot) {
        let hash = self.hash(key);
        if let Some(group) = self.all.get_mut(id as usize) {
            group.members.insert_unique(spread(hash), (hash, slot), |(hash, _)| spread(*hash));
        }
    }

    pub(super) fn remove(&mut self, id: GroupId, key: &str, slot: Slot) {
        let hash = self.hash(key);
        let Some(group) = self.all.get_mut(id as usize) else { return };
        if let Ok(found) = group.members.find_entry(spread(hash), |(_, member)| *member == slot) {
            found.remove();
        }
        if group.members.is_empty() && !std::mem::replace(&mut group.is_spare, true) {
            self.spare.entry(group.key.origin).or_default().push_back(id);
        }
    }

    /// Returns the member whose cursor has this key and that `is_it` knows.
    pub(super) fn find(&self, id: GroupId, key: &str, is_it: impl Fn(Slot) -> bool) -> Option<Slot> {
        let hash = self.hash(key);
        let is_member = |(known, slot): &(u32, Slot)| *known == hash && is_it(*slot);
        self.get(id)?.members.find(spread(hash), is_member).map(|(_, slot)| *slot)
    }

    /// Returns the members of a group.
    pub(super) fn members(&self, id: GroupId, ticket: impl Fn(Slot) -> Option<Ticket>) -> Vec<Ticket> {
        let members = self.get(id).map(|group| group.members.iter());
        members.into_iter().flatten().filter_map(|(_, slot)| ticket(*slot)).collect()
    }

    /// The half of the hash that is kept, so that a table that grows need not read the names.
    fn hash(&self, key: &str) -> u32 {
        (self.hasher.hash_one(key) >> 32) as u32
    }
}

/// Makes a hash of the width that the table wants, of which it uses both ends.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dialect::Google,
        fleet::{budget::Budget, lanes::Priority},
        message::Request,
        transport::{TransportError, TransportErrorKind},
    };

    fn common() -> Common {
        let refuse = |_: Request| std::future::ready(Err(TransportError::new(TransportErrorKind::Other, "no")));
        let client = Operations::builder("http://localhost").transport(refuse).build().unwrap();
        let dialect: Arc<dyn Dialect> = Arc::new(Google::default());
        let schedule = client.schedule(PollSettings::default(), None, Some(&*dialect)).unwrap();
        Common {
            origin: client.origin_of(None),
            dialect,
            method: None,
            stem: Arc::from(""),
            group: None,
            priority: Priority::Normal,
            lane: Arc::from(""),
            schedule,
            client,
        }
    }

    fn coverage_of(common: &Common, name: &str) -> Coverage {
        let options = Method::options_of(None);
        common.dialect.coverage(&common.dialect.locate(name, options).unwrap(), options).unwrap()
    }

    #[test]
    fn a_collection_for_every_operation_keeps_no_group_for_each() {
        let (common, now) = (common(), Instant::now());
        let (mut core, mut groups) = (Core::new(now), Groups::default());
        let origin = core.add_origin(Budget::per_origin(1.0), now);
        let mut of = |groups: &mut Groups, name: &str| {
            groups.of(&mut core, &common, origin, coverage_of(&common, name), now).unwrap()
        };
        let kept = of(&mut groups, "databases/kept/operations/1");
        groups.insert(kept, "1", 0);
        for number in 0..5_000 {
            let id = of(&mut groups, &format!("databases/{number}/operations/1"));
            groups.insert(id, "1", 1);
            assert_eq!(groups.find(id, "1", |slot| slot == 1), Some(1));
            groups.remove(id, "1", 1);
        }
        assert_eq!((groups.all.len(), groups.by_key.len()), (2, 2));
        assert_eq!(of(&mut groups, "databases/kept/operations/2"), kept, "one that has members stays");
        assert_eq!(groups.find(kept, "1", |_| true), Some(0));
        // One that comes back while it is idle is the same, and is replaced no more.
        let last = of(&mut groups, "databases/4999/operations/2");
        groups.insert(last, "2", 2);
        assert_ne!(of(&mut groups, "databases/other/operations/1"), last);
    }
}
