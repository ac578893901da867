//! Completions that were not acknowledged, in the next process.

use futures_lite::future::poll_once;
use lro_runtime::{
    ErrorKind,
    fleet::{Keep, Table},
};

use super::{ExportImageOperation, Images, SECOND, World, every};

#[test]
fn what_was_not_acknowledged_comes_again_first_and_what_was_never() {
    let world = World::new();
    for name in ["operations/1", "operations/2"] {
        world.cloud.add(name, SECOND * 5);
    }
    let process = world.process();
    let tickets = [process.watch("operations/1", every(10)), process.watch("operations/2", every(10))];
    process.run(20);
    let mut taken = process.take();
    assert_eq!(taken.len(), 2);
    let acked = taken.pop().unwrap();
    let acked_ticket = acked.ticket();
    lro_runtime::block_on(acked.ack()).unwrap();
    for _ in 0..3 {
        // Acknowledged is durable when it returns: even after a crash.
        let world = world.after_a_crash();
        let process = world.process();
        assert_eq!(process.fleet.recovered().ended, 1);
        let again = process.fleet.completions().try_next().unwrap(); // at once, without a driver
        assert!(tickets.contains(&again.ticket()) && again.ticket() != acked_ticket);
        assert!(process.fleet.completions().try_next().is_none());
        assert!(process.fleet.snapshot(acked_ticket).is_none());
    }
    drop((process, taken));
    assert_eq!(world.process().take_and_ack(), 1);
    assert_eq!(world.process().take().len(), 0);
    assert_eq!(world.store.count(Table::Live) + world.store.count(Table::Outcomes), 0);
}

#[test]
fn a_completion_is_handed_out_only_when_it_is_durable() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 5);
    let process = world.process();
    process.watch("operations/1", every(10));
    world.store.hold(true);
    process.run(20);
    let mut completions = process.fleet.completions();
    assert!(completions.try_next().is_none() && process.fleet.health().store.unwrap().unwritten > 0);
    lro_runtime::block_on(async {
        let mut next = Box::pin(completions.next());
        assert!(poll_once(&mut next).await.is_none());
        world.store.hold(false);
        // Who waits is woken by the thread that writes: there is no driver.
        assert!(next.await.unwrap().outcome().unwrap().is_succeeded());
    });
    assert_eq!(process.fleet.health().store.unwrap().unwritten, 0);
}

#[test]
fn a_success_has_its_typed_response_if_bodies_are_kept() {
    for keep in [Keep::Body, Keep::Status, Keep::Nothing] {
        let world = World::new();
        let client = world.client(|client| client);
        let process = world.process_of(client.clone(), |fleet| fleet.outcomes(keep));
        let images = Images { operations: client };
        let operation = lro_runtime::block_on(images.export_image("cat")).unwrap();
        process.fleet.watch(&operation).key("order-17").try_now().unwrap();
        process.run(60);
        let before = process.take().pop().unwrap();
        drop(process);
        let process = world.process_of(world.client(|client| client), |fleet| fleet.outcomes(keep));
        let after = process.take().pop().unwrap();
        assert_eq!((after.ticket(), after.key(), after.name()), (before.ticket(), Some("order-17"), before.name()));
        let typed = after.operation::<ExportImageOperation>().unwrap().unwrap();
        let raw = after.outcome().unwrap();
        assert!(raw.is_succeeded(), "{keep:?}");
        match keep {
            Keep::Body => {
                assert_eq!(typed.result().unwrap().of, before.name());
                assert_eq!(raw.response().unwrap().bytes(), before.outcome().unwrap().response().unwrap().bytes());
            }
            _ => assert!(raw.response().is_none() && raw.metadata().is_none(), "{keep:?}"),
        }
    }
}

#[test]
fn a_failure_has_its_status_unless_nothing_is_kept() {
    for keep in [Keep::Body, Keep::Status, Keep::Nothing] {
        let world = World::new();
        world.cloud.add("operations/1", SECOND * 5000);
        let process = world.process_of(world.client(|client| client), |fleet| fleet.outcomes(keep));
        let ticket = process.watch("operations/1", every(10));
        process.fleet.cancel(ticket).unwrap();
        process.run(60);
        assert_eq!(process.take().len(), 1);
        drop(process);
        let process = world.process_of(world.client(|client| client), |fleet| fleet.outcomes(keep));
        let after = process.take().pop().unwrap();
        let operation = after.outcome().unwrap();
        assert!(operation.is_cancelled(), "{keep:?}");
        let message = operation.status().map(|status| status.message().to_owned());
        let words = (keep != Keep::Nothing).then(|| "as asked".to_owned());
        assert_eq!(message.filter(|message| !message.is_empty()), words, "{keep:?}");
        assert_eq!(world.store.has("as asked"), keep != Keep::Nothing);
    }
}

#[test]
fn a_wait_that_failed_has_its_error_and_its_token() {
    for keep in [Keep::Body, Keep::Status, Keep::Nothing] {
        let world = World::new();
        world.cloud.add("operations/late", SECOND * 5000);
        let process = world.process_of(world.client(|client| client), |fleet| fleet.outcomes(keep));
        process.watch("operations/late", every(10).with_timeout(SECOND * 30));
        let missing = every(10).with_not_found_grace(SECOND).with_timeout(SECOND * 5000);
        process.watch("operations/missing", missing);
        process.run(60);
        assert_eq!(process.take().len(), 2);
        drop(process);
        let process = world.process_of(world.client(|client| client), |fleet| fleet.outcomes(keep));
        for after in process.take() {
            let error = after.outcome().unwrap_err();
            let is_late = after.name() == "operations/late";
            assert_eq!(error.kind(), if is_late { ErrorKind::Timeout } else { ErrorKind::Poll }, "{error}");
            assert_eq!(error.token().unwrap().name(), after.name());
            assert!(error.attempts().unwrap() > 0 && !error.elapsed().unwrap().is_zero(), "{error}");
            assert_eq!(error.to_string().contains("no such operation"), !is_late && keep != Keep::Nothing, "{error}");
        }
        // The words of the service are those of nobody's store who wants to keep none.
        assert_eq!(world.store.has("no such operation"), keep != Keep::Nothing, "{keep:?}");
    }
}
