//! Start calls of processes that die.

use std::{sync::atomic::Ordering, time::Duration};

use lro_runtime::{ErrorKind, Result, Ticket, fleet::Table};

use super::{Images, Process, SECOND, World, dies_at, every};

/// Starts an operation under a key.
fn start(process: &Process) -> impl Future<Output = Result<Ticket>> {
    let images = Images { operations: process.client.clone() };
    process.fleet.start("order-17", || async move { images.export_image("a cat").await })
}

/// Has a process die that has sent a start call, and knows nothing of its reply.
fn interrupted(has_ids: bool) -> World {
    let world = World::new();
    let client = if has_ids { world.client_with_ids() } else { world.client(|client| client) };
    let process = world.process_of(client, |fleet| fleet);
    world.is_mute.store(true, Ordering::Relaxed);
    dies_at(&world, start(&process), || world.sent("POST") == 1)
}

#[test]
fn a_key_gives_its_ticket_in_the_next_process_and_starts_nothing() {
    let world = World::new();
    let process = world.process();
    let ticket = lro_runtime::block_on(start(&process)).unwrap();
    drop(process);
    let process = world.process();
    assert_eq!(lro_runtime::block_on(start(&process)).unwrap(), ticket);
    assert_eq!(world.sent("POST"), 1);
    process.run(60);
    assert_eq!(lro_runtime::block_on(start(&process)).unwrap(), ticket, "it has ended, and is not acknowledged");
    drop(process);
    let process = world.process();
    assert_eq!(lro_runtime::block_on(start(&process)).unwrap(), ticket);
    assert_eq!(process.take_and_ack(), 1);
    assert_ne!(lro_runtime::block_on(start(&process)).unwrap(), ticket);
    assert_eq!(world.sent("POST"), 2);
}

#[test]
fn a_start_call_with_an_id_is_sent_again_with_the_same_bytes() {
    let world = interrupted(true);
    let process = world.process_of(world.client_with_ids(), |fleet| fleet);
    assert_eq!(process.fleet.recovered().starting, 1);
    let ticket = process.fleet.ticket_of("order-17").unwrap();
    assert_eq!(lro_runtime::block_on(start(&process)).unwrap(), ticket, "it is being started");
    process.run(60);
    let requests = world.requests.lock().unwrap().clone();
    let starts: Vec<_> = requests.iter().filter(|request| request.method() == "POST").collect();
    assert_eq!(starts.len(), 2);
    assert_eq!(starts[0].uri(), starts[1].uri());
    assert_eq!(starts[0].headers(), starts[1].headers());
    assert_eq!(starts[0].body(), starts[1].body());
    assert!(starts[0].headers().contains_key("x-request-id"));
    let completion = process.take().pop().unwrap();
    assert_eq!((completion.ticket(), completion.key()), (ticket, Some("order-17")));
    let operation = completion.operation::<super::ExportImageOperation>().unwrap().unwrap();
    assert_eq!(operation.result().unwrap().of, completion.name());
}

#[test]
fn a_start_call_without_an_id_is_not_sent_again_and_a_completion_says_when_it_was_begun() {
    let world = interrupted(false);
    world.clock.advance(SECOND * 3600);
    let mut ago = ["1h", "1h 10s", "1h 20s"].into_iter();
    for _ in 0..3 {
        let process = world.process();
        let recovered = process.fleet.recovered();
        assert_eq!((recovered.unknown, recovered.starting, recovered.ended), (1, 0, 0));
        let completion = process.take().pop().unwrap();
        assert_eq!(completion.key(), Some("order-17"));
        let error = completion.outcome().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Start);
        assert_eq!(
            error.to_string(),
            format!(
                "unknown whether it was started: the process that began to start it at Tue, 01 Jan 2030 00:00:00 GMT \
                 ({} ago) ended before it knew, and its start call has no start id, so that to send it again could start a \
                 second operation; look for the operation before you start again",
                ago.next().unwrap()
            )
        );
        process.run(10);
    }
    assert_eq!(world.sent("POST"), 1);
    assert_eq!(world.process().take_and_ack(), 1);
    assert!(world.process().take().is_empty());
}

#[test]
fn an_intent_of_which_no_call_is_known_is_a_completion_too() {
    let world = World::new();
    let process = world.process();
    let stuck = process.fleet.start("order-17", std::future::pending::<Result<lro_runtime::RawOperation>>);
    let world = dies_at(&world, stuck, || world.store.count(Table::Live) == 1);
    let process = world.process();
    let completion = process.take().pop().unwrap();
    assert!(completion.outcome().unwrap_err().to_string().contains("no start call of it was written down"));
}

#[test]
fn nothing_is_sent_before_the_intent_and_the_call_are_durable() {
    let world = World::new();
    let process = world.process_of(world.client_with_ids(), |fleet| fleet);
    lro_runtime::block_on(process.fleet.flush()).unwrap();
    world.store.hold(true);
    let mut starting = Box::pin(start(&process));
    for _ in 0..100 {
        assert!(lro_runtime::block_on(futures_lite::future::poll_once(&mut starting)).is_none());
    }
    assert_eq!(world.sent("POST"), 0);
    world.store.hold(false);
    lro_runtime::block_on(starting).unwrap();
    assert_eq!(world.sent("POST"), 1);
}

#[test]
fn a_start_call_is_sent_again_until_the_service_is_up() {
    let world = interrupted(true);
    let from = world.clock.elapsed();
    world.cloud.lock().refuses = Some((Duration::ZERO, from + SECOND * 300, 503, None));
    let process = world.process_of(world.client_with_ids(), |fleet| fleet);
    process.run(290);
    assert!(process.take().is_empty());
    let tried = world.sent("POST");
    assert!((4..20).contains(&tried), "{tried} calls in 290 s");
    // Nor does it matter that the process is restarted meanwhile.
    drop(process);
    let process = world.process_of(world.client_with_ids(), |fleet| fleet);
    process.run(200);
    assert!(process.take().pop().unwrap().outcome().unwrap().is_succeeded());
}

#[test]
fn a_start_call_that_is_refused_when_it_is_sent_again_is_a_completion_of_kind_start() {
    let world = interrupted(true);
    world.cloud.lock().refuses = Some((Duration::ZERO, Duration::MAX, 400, None));
    let process = world.process_of(world.client_with_ids(), |fleet| fleet);
    process.run(10);
    assert_eq!(process.take().len(), 1);
    drop(process);
    let process = world.process_of(world.client_with_ids(), |fleet| fleet);
    let completion = process.take().pop().unwrap();
    let error = completion.outcome().unwrap_err();
    assert_eq!((error.kind(), completion.key()), (ErrorKind::Start, Some("order-17")), "{error}");
    process.run(10);
    assert_eq!(world.sent("POST"), 2, "once by each of the first two processes");
}

#[test]
fn a_start_call_that_was_removed_is_not_sent_again_and_its_key_is_free() {
    for is_in_flight in [false, true] {
        let world = interrupted(true);
        let process = world.process_of(world.client_with_ids(), |fleet| fleet);
        let ticket = process.fleet.ticket_of("order-17").unwrap();
        let mut run = Box::pin(process.fleet.run());
        if is_in_flight {
            world.is_mute.store(true, Ordering::Relaxed);
            lro_runtime::block_on(async {
                while world.sent("POST") < 2 {
                    assert!(futures_lite::future::poll_once(&mut run).await.is_none());
                    futures_lite::future::yield_now().await;
                }
            });
        }
        assert!(process.fleet.remove(ticket));
        drop(run);
        world.is_mute.store(false, Ordering::Relaxed);
        let sent = world.sent("POST");
        process.run(60);
        assert_eq!(world.sent("POST"), sent);
        assert!(process.take().is_empty());
        assert_eq!(process.fleet.ticket_of("order-17"), None, "is_in_flight: {is_in_flight}");
        assert_ne!(lro_runtime::block_on(start(&process)).unwrap(), ticket);
        assert_eq!(world.sent("POST"), sent + 1);
    }
}

#[test]
fn a_start_that_was_dropped_or_has_failed_leaves_nothing_in_the_store() {
    let world = World::new();
    let process = world.process_of(world.client_with_ids(), |fleet| fleet);
    drop(start(&process));
    assert!(lro_runtime::block_on(futures_lite::future::poll_once(Box::pin(start(&process)))).is_none());
    world.cloud.lock().refuses = Some((Duration::ZERO, Duration::MAX, 400, None));
    assert_eq!(lro_runtime::block_on(start(&process)).unwrap_err().kind(), ErrorKind::Start);
    // Whoever is told that it failed never sees it started, whatever happens next.
    assert_eq!(world.after_a_crash().process().fleet.recovered().starting, 0);
    assert_eq!(world.store.count(Table::Live), 0);
    assert_eq!(process.fleet.ticket_of("order-17"), None);
    process.watch("operations/1", every(10));
    assert_eq!(world.store.count(Table::Live), 1);
}
