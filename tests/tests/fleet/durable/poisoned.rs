//! A store that fails: nothing is acknowledged any more, and everything says so.

use lro_runtime::{
    Error, ErrorKind,
    fleet::{Seal, StoreError, StoreErrorKind, Table},
};

use super::{Images, Process, SECOND, Trouble, World, every, within};

/// Checks that everything says that the store has failed.
fn check(world: &World, process: &Process, why: &str) {
    let is_told = |error: &Error, name: &str| {
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        let words = error.to_string();
        assert!(words.contains(why) && words.contains(name), "{words}");
    };
    let live = world.store.count(Table::Live);
    for _ in 0..2 {
        let error = process.fleet.try_watch(&process.operation("operations/new")).unwrap_err();
        is_told(&error, "operations/new");
        let watch = process.fleet.watch(&process.operation("operations/new")).key("order-new");
        is_told(&lro_runtime::block_on(watch.into_future()).unwrap_err(), "operations/new");
        assert_eq!(process.fleet.ticket_of("order-new"), None, "it is not watched");
        is_told(&lro_runtime::block_on(process.fleet.flush()).unwrap_err(), "");
        let images = Images { operations: process.client.clone() };
        let start = process.fleet.start("order-new", || async move { images.export_image("cat").await });
        is_told(&lro_runtime::block_on(start).unwrap_err(), "");
    }
    assert_eq!(world.sent("POST"), 0, "nothing is started");
    let health = process.fleet.health();
    assert!(health.store.unwrap().failure.unwrap().to_string().contains(why));
    assert_eq!(health.waiting, 1);
    // What was watched before goes on, and its end is told; it cannot be acknowledged.
    process.run(60);
    let completion = process.take().pop().unwrap();
    assert!(completion.outcome().unwrap().is_succeeded());
    is_told(&lro_runtime::block_on(completion.ack()).unwrap_err(), "operations/1");
    process.run(200);
    assert!(process.take().is_empty(), "this process does not hand it out again");
    assert_eq!(world.store.count(Table::Live), live);
}

#[test]
fn when_a_commit_fails_or_panics_nothing_is_acknowledged_any_more() {
    for (trouble, why) in [(Trouble::Fails, "the disk is full"), (Trouble::Panics, "out of disks")] {
        within(move || {
            let world = World::new();
            world.cloud.add("operations/1", SECOND * 30);
            let process = world.process();
            process.watch("operations/1", every(10));
            lro_runtime::block_on(process.fleet.flush()).unwrap();
            world.store.fail_after(0, trouble);
            check(&world, &process, why);
            drop(process);
            // The next process has it again.
            let next = world.after_a_crash().process();
            assert_eq!(next.fleet.recovered().waiting, 1);
        });
    }
}

/// A seal that panics at a word.
struct Squeamish;

impl Seal for Squeamish {
    fn seal(&self, _: Table, _: u64, plain: Vec<u8>) -> Vec<u8> {
        assert!(!plain.windows(3).any(|part| part == b"bad"), "it has a bad word");
        plain
    }

    fn open(&self, _: Table, _: u64, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(sealed.to_vec())
    }
}

#[test]
fn when_a_seal_panics_nothing_is_acknowledged_any_more() {
    within(|| {
        let world = World::new();
        world.cloud.add("operations/1", SECOND * 30);
        let process = world.process_of(world.client(|client| client), |fleet| fleet.seal(Squeamish));
        process.watch("operations/1", every(10));
        let error = process.fleet.try_watch(&process.operation("operations/bad")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        check(&world, &process, "it has a bad word");
    });
}

#[test]
fn when_a_seal_panics_consumers_are_told_what_waits_to_be_durable() {
    within(|| {
        let world = World::new();
        world.cloud.add("operations/1", SECOND * 5);
        let process = world.process_of(world.client(|client| client), |fleet| fleet.seal(Squeamish));
        process.watch("operations/1", every(10));
        let other = process.watch("operations/2", every(10));
        world.store.hold(true);
        process.run(20);
        // One change is on its way to the disk, and the end is among those behind it.
        process.fleet.remove(other);
        let mut completions = process.fleet.completions();
        let mut next = Box::pin(completions.next());
        lro_runtime::block_on(async {
            assert!(futures_lite::future::poll_once(&mut next).await.is_none());
        });
        let bad = process.operation("operations/bad");
        assert!(lro_runtime::block_on(process.fleet.watch(&bad).into_future()).is_err());
        world.store.hold(false);
        assert!(lro_runtime::block_on(next).unwrap().outcome().unwrap().is_succeeded());
    });
}

#[test]
fn a_store_that_fails_at_any_commit_has_all_that_was_acknowledged() {
    for commits in 0..12 {
        within(move || {
            let world = World::new();
            let names = ["operations/1", "operations/2", "operations/3"];
            for name in names {
                world.cloud.add(name, SECOND * 5);
            }
            world.store.fail_after(commits, Trouble::Fails);
            let process = world.process();
            let (mut kept, mut acked) = (Vec::new(), Vec::new());
            for name in names {
                let watched = process.fleet.watch(&process.operation(name)).poll_settings(every(10)).try_now();
                kept.extend(watched.map(|ticket| (ticket, name)));
            }
            process.run(30);
            for completion in process.take() {
                let ticket = completion.ticket();
                // Of one that fails nobody knows whether it was written.
                kept.retain(|(of, _)| *of != ticket);
                if lro_runtime::block_on(completion.ack()).is_ok() {
                    acked.push(ticket);
                }
            }
            drop(process);
            let world = world.after_a_crash();
            let process = world.process();
            let has = |ticket| process.fleet.snapshot(ticket).map(|operation| operation.name().to_owned());
            for (ticket, name) in &kept {
                assert_eq!(has(*ticket).as_deref(), Some(*name), "{commits} commits");
            }
            assert!(acked.into_iter().all(|ticket| has(ticket).is_none()), "{commits} commits");
        });
    }
}

#[test]
fn a_fleet_whose_store_is_slow_ends_when_it_has_written_all() {
    within(|| {
        let world = World::new();
        let process = world.process();
        lro_runtime::block_on(process.fleet.flush()).unwrap();
        world.store.hold(true);
        let mut watches = Vec::new();
        for number in 0..3000 {
            let watch = process.fleet.watch(&process.operation(&format!("operations/{number}")));
            let mut watch = watch.into_future();
            lro_runtime::block_on(async {
                assert!(futures_lite::future::poll_once(&mut watch).await.is_none());
            });
            watches.push(watch);
        }
        assert!(process.fleet.health().store.unwrap().unwritten >= 3000);
        let store = world.store.clone();
        let freed = std::thread::spawn(move || store.hold(false));
        for watch in watches {
            lro_runtime::block_on(watch).unwrap();
        }
        drop(process);
        freed.join().unwrap();
        assert_eq!(world.process().fleet.recovered().waiting, 3000);
    });
}

#[test]
fn the_store_is_free_when_the_fleet_was_dropped() {
    for _ in 0..200 {
        let world = World::new();
        let process = world.process();
        for number in 0..3 {
            let watch = process.fleet.watch(&process.operation(&format!("operations/{number}"))).into_future();
            let mut watch = watch;
            drop(lro_runtime::block_on(futures_lite::future::poll_once(&mut watch)));
        }
        let (fleet, store) = (process.fleet, world.store.clone());
        drop(fleet);
        // Only this test and the service hold it.
        assert_eq!(store.holders(), 2);
    }
}

/// A waker that panics.
struct Rude;

impl std::task::Wake for Rude {
    fn wake(self: std::sync::Arc<Self>) {
        panic!("not now");
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_waiting() {
    within(|| {
        let world = World::new();
        let process = world.process();
        lro_runtime::block_on(process.fleet.flush()).unwrap();
        world.store.hold(true);
        let mut rude = process.fleet.watch(&process.operation("operations/1")).into_future();
        let waker = std::sync::Arc::new(Rude).into();
        assert!(rude.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
        world.store.hold(false);
        process.watch("operations/2", every(10));
        assert!(lro_runtime::block_on(rude).is_ok());
        // Nor is anything else not written from now on.
        process.watch("operations/3", every(10));
    });
}

#[test]
fn the_error_of_the_store_is_the_source() {
    let world = World::new();
    let process = world.process();
    world.store.fail_after(0, Trouble::Fails);
    let error = process.fleet.try_watch(&process.operation("operations/1")).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<StoreError>().unwrap();
    assert_eq!(source.kind(), StoreErrorKind::Unwritable);
    assert_eq!(
        error.to_string(),
        "operation `operations/1`: the store failed: the disk is full; keep the token, and build the fleet anew on a \
         store that works"
    );
}
