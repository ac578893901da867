//! What the handles of a fleet, its drivers and its consumers share.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
    thread::JoinHandle,
    time::SystemTime,
};

use super::{
    budget::Budget,
    changes::Changed,
    core::Core,
    endings::{Endings, Wakers},
    groups::Groups,
    ids::{KindId, LaneId, OriginId},
    journal::{Journal, Number, start_writer},
    kinds::{Kinds, Line},
    lanes::Priority,
    recovered::Recovered,
    restarts::Restarts,
    resting::{Common, Epoch, Known, Resting},
    services::Services,
    tails::Tails,
    ticket::Ticket,
    wheel::MOST_ENTRIES,
};
use crate::{
    dialect::Coverage,
    engine::{Engine, Opening, Past},
    error::{Error, ErrorKind, Result},
    operation::RawOperation,
    settings::{PollSettings, Schedule},
    timer::Timer,
    url::Origin,
};

pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) services: Services,
    /// What has happened is written down here; `None` for a fleet in memory.
    pub(super) journal: Option<Arc<Journal>>,
    /// The thread that writes, if there is one.
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// See the module.
pub(super) struct State {
    pub(super) core: Core,
    /// By slot.
    pub(super) operations: Vec<Option<Resting>>,
    tails: Tails,
    pub(super) kinds: Kinds,
    pub(super) groups: Groups,
    pub(super) endings: Endings,
    pub(super) changed: Changed,
    /// The last snapshot of operations of which no other poll is sent.
    pub(super) last: HashMap<Ticket, RawOperation>,
    /// Why the settings end waits that the core takes for completed.
    pub(super) refused: HashMap<Ticket, Error>,
    pub(super) keys: HashMap<Arc<str>, Keyed>,
    pub(super) epoch: Epoch,
    origins: HashMap<Origin, OriginId>,
    lanes: HashMap<(OriginId, Arc<str>), LaneId>,
    budgets: HashMap<Origin, Budget>,
    budget: Budget,
    drivers: Vec<Driver>,
    pub(super) room: Wakers,
    pub(super) journal: Option<Arc<Journal>>,
    /// The first generation of tickets that was not set aside.
    pub(super) generations: u32,
    /// The start calls of another process that are sent again.
    pub(super) restarts: Restarts,
    pub(super) recovered: Recovered,
    /// Operations that several calls have asked for before they were durable, under one key.
    pub(super) asked_again: BTreeSet<Ticket>,
    pub(super) max_operations: usize,
    pub(super) max_unacknowledged: usize,
    pub(super) is_closed: bool,
}

/// What is under a key.
pub(super) enum Keyed {
    /// Its start call is on its way. With those who wait for it.
    Starting(Wakers),
    Watched(Ticket),
}

/// A driver that runs.
struct Driver {
    id: u64,
    /// Wakes it; `None` if it is awake.
    asleep: Option<Waker>,
}

/// What a builder has settled.
pub(super) struct Config {
    pub(super) timer: Arc<dyn Timer>,
    pub(super) budget: Budget,
    pub(super) budgets: HashMap<Origin, Budget>,
    pub(super) max_operations: usize,
    pub(super) max_unacknowledged: usize,
    pub(super) redeliver_after: std::time::Duration,
    pub(super) origin_patience: Option<std::time::Duration>,
    pub(super) services: Services,
    pub(super) journal: Option<Journal>,
}

/// What is stored of an operation beside its token.
pub(super) struct Stored {
    pub(super) service: String,
    pub(super) lane: Option<String>,
    pub(super) priority: Priority,
    pub(super) settings: PollSettings,
    pub(super) began: SystemTime,
}

/// An operation that a fleet is about to take in: all that needs code of others is done.
pub(super) struct Entrant {
    pub(super) operation: RawOperation,
    pub(super) opening: Opening,
    /// The schedule of this wait, which may differ from that of its kind in when it expires.
    pub(super) own: Arc<Schedule>,
    pub(super) common: Common,
    pub(super) coverage: Option<Coverage>,
    pub(super) key: Option<Arc<str>>,
    /// What is written down of it; `None` if that was done before, or is not.
    pub(super) stored: Option<Stored>,
    /// What another process knew of the wait.
    pub(super) past: Option<Past>,
}

impl Shared {
    pub(super) fn new(config: Config) -> Self {
        let Config {
            timer,
            budget,
            budgets,
            max_operations,
            max_unacknowledged,
            redeliver_after,
            origin_patience,
            services,
            journal,
        } = config;
        let journal = journal.map(Arc::new);
        let epoch = Epoch { at: timer.now(), system: timer.system_time() };
        let mut core = Core::new(epoch.at);
        core.set_patience(origin_patience);
        let state = State {
            core,
            operations: Vec::new(),
            tails: Tails::default(),
            kinds: Kinds::default(),
            groups: Groups::default(),
            endings: Endings::new(redeliver_after),
            changed: Changed::default(),
            last: HashMap::new(),
            refused: HashMap::new(),
            keys: HashMap::new(),
            epoch,
            origins: HashMap::new(),
            lanes: HashMap::new(),
            budgets,
            budget,
            drivers: Vec::new(),
            room: Wakers::default(),
            journal: journal.clone(),
            generations: 0,
            restarts: Restarts::default(),
            recovered: Recovered::default(),
            asked_again: BTreeSet::new(),
            max_operations: max_operations.min(MOST_ENTRIES),
            max_unacknowledged,
            is_closed: false,
        };
        Self { state: Mutex::new(state), timer, services, journal, writer: Mutex::default() }
    }

    /// Starts the thread that writes.
    ///
    /// # Errors
    ///
    /// When the system has no thread to give.
    pub(super) fn start_writer(&self, journal: &Arc<Journal>) -> std::io::Result<()> {
        let writer = start_writer(journal)?;
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
        Ok(())
    }

    /// Waits until all is durable that has changed so far.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store) when it never will be.
    pub(super) async fn durable(&self, number: Number) -> Result<()> {
        match &self.journal {
            Some(journal) => journal.durable(number).await,
            None => Ok(()),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the drivers that sleep: there may be something to do.
    pub(super) fn wake_drivers(&self) {
        let wakers: Vec<Waker> = self.lock().drivers.iter_mut().filter_map(|driver| driver.asleep.take()).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Forgets an operation, whether it goes on or has ended. Returns whether the fleet had it.
    pub(super) fn forget(&self, ticket: Ticket) -> bool {
        let forgotten = self.lock().forget(ticket);
        let Some(wakers) = forgotten else { return false };
        // What held the fleet back may be gone.
        self.wake_drivers();
        wakers.into_iter().for_each(Wakers::wake);
        true
    }
}

impl State {
    /// Whether nothing is left to do, and nothing will be.
    pub(super) fn is_over(&self) -> bool {
        self.is_closed && self.len() == 0
    }

    /// Returns how many operations there are, with those that are being started.
    pub(super) fn len(&self) -> usize {
        // Nothing is done for those of services that the fleet does not have.
        self.core.len() - self.recovered.unbound.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.max_operations
    }

    /// Takes an operation in.
    ///
    /// # Errors
    ///
    /// When the fleet is closed or full.
    pub(super) fn admit(&mut self, entrant: Entrant) -> Result<Ticket> {
        if self.is_closed {
            return Err(Error::new(ErrorKind::Closed, "the fleet is closed: it takes no more operations")
                .with_operation(&entrant.operation));
        }
        if self.is_full() {
            let most = self.max_operations;
            return Err(Error::new(ErrorKind::Full, format!("the fleet is full: it has room for {most} operations"))
                .with_operation(&entrant.operation));
        }
        let ticket = self.core.reserve();
        self.set_aside(ticket);
        self.fill(ticket, entrant)
    }

    /// Takes an operation in for which a place was kept.
    ///
    /// # Errors
    ///
    /// None that can be: they are returned, so that nothing panics. The place is free then.
    pub(super) fn fill(&mut self, ticket: Ticket, entrant: Entrant) -> Result<Ticket> {
        let operation = entrant.operation.clone();
        self.try_fill(ticket, entrant).ok_or_else(|| {
            self.core.remove(ticket);
            unreachable_state(&operation)
        })
    }

    fn try_fill(&mut self, ticket: Ticket, entrant: Entrant) -> Option<Ticket> {
        let Entrant { operation, opening, own, mut common, coverage, key, stored, past } = entrant;
        let now = opening.now.into();
        let origin = self.origin(&common.origin, now);
        let lane = self.lane(origin, &common.lane);
        common.group = coverage.and_then(|coverage| self.groups.of(&mut self.core, &common, origin, coverage, now));
        let group = common.group;
        common.stem = self.kinds.stem_of(operation.name());
        let kind = self.kinds.take(&mut self.core, Line { origin, lane }, common);
        let common = self.kinds.get(kind)?;
        let name = operation.name();
        let tail = name.strip_prefix(&*common.stem).unwrap_or(name);
        // A name that is too long was refused before.
        let tail = self.tails.add(tail)?;
        let resting = Resting::of(&operation, tail, common, key.clone(), self.epoch);
        let cursor_key = group.map(|_| Known { common, resting: &resting, tails: &self.tails }.cursor());
        let engine = match &past {
            Some(past) => Engine::resumed(own, &opening, past),
            None => Engine::new(own, &opening),
        };
        if !self.core.fill(ticket, engine, kind, now) {
            return None;
        }
        let slot = ticket.slot as usize;
        if self.operations.len() <= slot {
            self.operations.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.operations.get_mut(slot) {
            *place = Some(resting);
        }
        if let (Some(group), Some(cursor)) = (group, cursor_key) {
            self.groups.insert(group, cursor.key(), ticket.slot);
        }
        if let Some(stored) = stored {
            self.write_watched(ticket, &operation, key.as_ref(), stored);
        }
        if let Some(key) = key {
            self.keys.insert(key, Keyed::Watched(ticket));
        }
        if operation.is_completed() {
            self.last.insert(ticket, operation);
        }
        Some(ticket)
    }

    /// Forgets an operation, whether it goes on or has ended. Returns whom to wake, beside the
    /// drivers; `None` if the fleet does not have it.
    pub(super) fn forget(&mut self, ticket: Ticket) -> Option<[Wakers; 3]> {
        let key = self.endings.get(ticket).and_then(|ending| ending.key.clone());
        let key = key.or_else(|| self.restarts.remove(ticket)).or_else(|| self.recovered.forget(ticket));
        let kind = self.core.remove(ticket)?;
        if let Some(key) = key {
            self.keys.remove(&key);
        }
        if let Some(resting) = self.operations.get_mut(ticket.slot as usize).and_then(Option::take) {
            self.leave_group(ticket, &resting, kind);
            self.tails.remove(resting.tail);
            if let Some(key) = resting.key() {
                self.keys.remove(key);
            }
        }
        self.kinds.leave(kind);
        self.last.remove(&ticket);
        self.write_gone(ticket);
        let (waiters, room) = (self.endings.remove(ticket), self.room.take());
        // It may have been the last of a closed fleet.
        let consumers = if self.is_over() { self.endings.consumers.take() } else { Wakers::default() };
        Some([waiters, room, consumers])
    }

    /// Returns what an operation shares with others, and what it has of its own.
    pub(super) fn known(&self, ticket: Ticket) -> Option<Known<'_>> {
        let common = self.kinds.get(self.core.kind(ticket)?)?;
        let resting = self.operations.get(ticket.slot as usize)?.as_ref()?;
        Some(Known { common, resting, tails: &self.tails })
    }

    /// Makes an operation again, as it is known.
    pub(super) fn operation(&self, ticket: Ticket) -> Option<RawOperation> {
        if let Some(ending) = self.endings.get(ticket) {
            return match &ending.outcome {
                Ok(operation) => Some(operation.clone()),
                Err(error) => error.snapshot().cloned(),
            };
        }
        if let Some(operation) = self.last.get(&ticket) {
            return Some(operation.clone());
        }
        Some(self.known(ticket)?.operation(self.epoch))
    }

    /// Takes an operation out of the index of its group.
    pub(super) fn leave_group(&mut self, ticket: Ticket, resting: &Resting, kind: KindId) {
        let Some(common) = self.kinds.get(kind) else { return };
        if let Some(group) = common.group {
            let cursor = Known { common, resting, tails: &self.tails }.cursor();
            self.groups.remove(group, cursor.key(), ticket.slot);
        }
    }

    /// Returns the origin of this address, which is new or not.
    pub(super) fn origin(&mut self, origin: &Origin, now: std::time::Instant) -> OriginId {
        if let Some(id) = self.origins.get(origin) {
            return *id;
        }
        let budget = self.budgets.get(origin).copied().unwrap_or(self.budget);
        let id = self.core.add_origin(budget, now);
        self.origins.insert(origin.clone(), id);
        id
    }

    /// Returns the lane of this name.
    pub(super) fn lane(&mut self, origin: OriginId, name: &Arc<str>) -> LaneId {
        /// How many lanes an origin has at most. Names beyond share one.
        const MOST: usize = 256;
        if let Some(lane) = self.lanes.get(&(origin, Arc::clone(name))) {
            return *lane;
        }
        let of_origin = self.lanes.keys().filter(|(of, _)| *of == origin).count();
        if of_origin >= MOST {
            return 0;
        }
        let lane = self.core.add_lane(origin).unwrap_or_default();
        self.lanes.insert((origin, Arc::clone(name)), lane);
        lane
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = (&Origin, OriginId)> {
        self.origins.iter().map(|(origin, id)| (origin, *id))
    }

    pub(super) fn drivers(&self) -> usize {
        self.drivers.len()
    }

    /// Has a driver woken when there is something to do.
    pub(super) fn sleep(&mut self, id: u64, waker: &Waker) {
        match self.drivers.iter_mut().find(|driver| driver.id == id) {
            Some(driver) => driver.asleep = Some(waker.clone()),
            None => self.drivers.push(Driver { id, asleep: Some(waker.clone()) }),
        }
    }

    pub(super) fn remove_driver(&mut self, id: u64) {
        self.drivers.retain(|driver| driver.id != id);
    }
}

impl Drop for Shared {
    /// Waits until what has changed is written, so that whoever drops a fleet can open its store
    /// again.
    fn drop(&mut self) {
        let Some(journal) = &self.journal else { return };
        journal.close();
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // The last owner may be the thread that writes itself, while it wakes those who wait.
        if let Some(writer) = writer.filter(|writer| writer.thread().id() != std::thread::current().id()) {
            drop(writer.join());
        }
    }
}

/// The error of what cannot be: it is returned, so that nothing panics.
fn unreachable_state(operation: &RawOperation) -> Error {
    Error::new(ErrorKind::Full, "the fleet has no place for the operation").with_operation(operation)
}
