//! A process that dies between any two effects: what it was told is durable is there in the next,
//! and what it was told is over does not come again.

mod disk;
mod world;

use std::{
    cell::Cell,
    collections::BTreeSet,
    future::IntoFuture,
    sync::{Arc, Condvar, Mutex},
};

use futures_lite::future::{block_on, poll_once};

use self::world::{Death, World};
use crate::{
    Fleet, Operations,
    fleet::{Keep, Service, Store, StoreError, Table, Write},
};

/// How many effects a process has until everything is over, if it does not die.
fn effects(keep: Keep, has_ids: bool) -> (usize, usize) {
    let mut world = World::new(keep, has_ids);
    let process = world.run(None);
    assert!(process.is_over, "without a death one process is enough");
    world.check();
    (process.effects.len(), world.polls())
}

#[test]
fn whatever_a_process_dies_at_nothing_is_lost_and_nothing_comes_again() {
    let mut kinds = BTreeSet::new();
    let mut hit = BTreeSet::new();
    let mut deaths = 0;
    for keep in [Keep::Nothing, Keep::Status, Keep::Body] {
        for has_ids in [true, false] {
            let (count, polls) = effects(keep, has_ids);
            for at in 0..count {
                for death in [Death::Before(at), Death::After(at)] {
                    let mut world = World::new(keep, has_ids);
                    let died = world.run(Some(death));
                    kinds.extend(died.effects.iter().cloned());
                    assert!(!died.is_over, "{death:?} of {count}");
                    hit.extend(died.effects.last().cloned());
                    let in_flight = died.in_flight;
                    for _ in 0..3 {
                        if world.run(None).is_over {
                            break;
                        }
                    }
                    world.check();
                    // What was in flight is asked again, and what was not noted; and an operation
                    // whose wait has expired has one last look.
                    let most = polls + in_flight + world::OPERATIONS;
                    assert!(world.polls() <= most, "{death:?}: {} polls, {polls} without a death", world.polls());
                    deaths += 1;
                }
            }
        }
    }
    assert_eq!(kinds, hit, "a process has died at an effect of each kind");
    println!("{deaths} deaths at effects of {} kinds: {kinds:?}", kinds.len());
    for table in Table::ALL {
        assert!(kinds.iter().any(|kind| kind.contains(table.name())), "{table:?} is written to");
    }
}

#[test]
fn processes_that_die_one_after_the_other_lose_nothing_either() {
    let (count, _) = effects(Keep::Body, true);
    for seed in 0..300 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut world = World::new(Keep::Body, rng.bool());
        for _ in 0..rng.u8(2..8) {
            let at = rng.usize(..count / 3);
            world.run(Some(if rng.bool() { Death::Before(at) } else { Death::After(at) }));
        }
        for _ in 0..3 {
            if world.run(None).is_over {
                break;
            }
        }
        world.check();
    }
}

#[test]
fn what_is_over_leaves_nothing_in_the_store() {
    let mut world = World::new(Keep::Body, true);
    world.run(None);
    assert_eq!(world.disk.count(&[Table::Live, Table::Amendments, Table::Outcomes]), 0);
    assert_eq!(world.disk.count(&[Table::Fleet]), 2);
}

/// A store whose commits wait until they are let through.
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Store for Gate {
    fn read(&self, _: Table, _: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&self, _: &[Write]) -> Result<(), StoreError> {
        let (is_open, opened) = &*self.0;
        drop(opened.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
        Ok(())
    }
}

/// Opens a gate, at the latest when it is dropped: a fleet waits for its store.
struct Opener(Arc<(Mutex<bool>, Condvar)>);

impl Opener {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        self.open();
    }
}

/// A fleet whose store commits nothing before the gate is opened.
struct Gated {
    gate: Opener,
    client: Operations,
    fleet: Fleet,
}

fn gated() -> Gated {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let client = Operations::builder("https://api.example.com").build().unwrap();
    let service = Service::new("cloud", &client);
    let fleet = Fleet::builder().service(service).store(Gate(Arc::clone(&gate))).build().unwrap();
    Gated { gate: Opener(gate), client, fleet }
}

#[test]
fn nothing_is_begun_before_its_intent_is_durable() {
    let world = gated();
    let is_begun = Cell::new(false);
    let mut start = Box::pin(world.fleet.start("order-17", || {
        is_begun.set(true);
        std::future::ready(world.client.resume("operations/7"))
    }));
    assert!(block_on(poll_once(&mut start)).is_none() && !is_begun.get());
    world.gate.open();
    block_on(start).unwrap();
    assert!(is_begun.get());
}

#[test]
fn a_watch_that_is_dropped_before_it_is_durable_watches_nothing_unless_another_has_its_ticket() {
    let world = gated();
    let fleet = &world.fleet;
    let operation = world.client.resume("operations/7").unwrap();
    let watch = |key: &str| fleet.watch(&operation).key(key).into_future();
    let (mut alone, mut first, mut second) = (watch("alone"), watch("shared"), watch("shared"));
    assert!(block_on(poll_once(&mut alone)).is_none() && fleet.ticket_of("alone").is_some());
    drop(alone);
    assert_eq!(fleet.ticket_of("alone"), None);
    assert!(block_on(poll_once(&mut first)).is_none() && block_on(poll_once(&mut second)).is_none());
    world.gate.open();
    let ticket = block_on(second).unwrap();
    drop(first);
    assert_eq!(fleet.ticket_of("shared"), Some(ticket));
    assert!(fleet.snapshot(ticket).is_some());
}
