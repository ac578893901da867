//! What metrics count.

use std::pin::pin;

use lro_runtime::{
    Code, PollSettings,
    testing::{Script, ScriptedTransport, VirtualClock},
};

use crate::{
    capture::Meters,
    support::{Stage, cat, poll_once, secs},
};

fn settings() -> PollSettings {
    PollSettings::default().with_delay(secs(2.0)).with_multiplier(1.0).with_timeout(secs(60.0))
}

#[test]
fn a_history_is_counted_exactly() {
    let ((), meters) = Meters::of(|| {
        let wait = |script: Script, settings: PollSettings| {
            let operation = Stage::new(script).export();
            let _ended = smol::block_on(operation.poll_until_completed(settings));
        };
        wait(Script::new().running(2).taking(secs(0.5)).unavailable().done(cat()), settings());
        wait(Script::new().running(1).error(Code::Internal, "a bug").failed(Code::Aborted, "stopped"), settings());
        wait(Script::new().running_forever(), settings().with_timeout(secs(3.0)));
        wait(Script::new().running(1).error(Code::PermissionDenied, "not yours"), settings());
        wait(Script::new().done(cat()), settings());
        let _refused = smol::block_on(Stage::new(Script::new().http(400, "")).client.export_image());
    });
    insta::assert_snapshot!("metrics", meters.table());
}

#[test]
fn a_wait_is_active_until_it_ends_or_is_dropped() {
    let ((), meters) = Meters::of(|| {
        let clock = VirtualClock::manual();
        let transport = ScriptedTransport::new(Script::new().running_forever());
        let operation = transport.operations(&clock).unwrap().resume("operations/1").unwrap();
        let mut waiting = Box::pin(operation.poll_until_completed(settings()));
        drop(operation.poll_until_completed(settings()));
        assert!(poll_once(waiting.as_mut()).is_pending());
    });
    let table = meters.table();
    assert!(table.contains("lro.waits.active{lro.method=unknown,lro.dialect=google} 0\n"), "{table}");
    // A wait that was never polled has not begun.
    assert!(table.contains("lro.waits{lro.method=unknown,lro.dialect=google,lro.outcome=dropped} 1\n"), "{table}");
    assert!(!table.contains("lro.wait.duration"), "{table}");
}

#[test]
fn a_poll_that_begins_late_says_by_how_much() {
    let ((), meters) = Meters::of(|| {
        let clock = VirtualClock::manual();
        let transport = ScriptedTransport::new(Script::new().running(1).running(1));
        let operations = transport.operations(&clock).unwrap();
        let operation = smol::block_on(operations.post("v1/x", &())).unwrap();
        let mut waiting = pin!(operation.poll_until_completed(settings()));
        assert!(poll_once(waiting.as_mut()).is_pending());
        clock.advance(secs(3.5));
        assert!(poll_once(waiting.as_mut()).is_pending());
    });
    let table = meters.table();
    assert!(table.contains("lro.poll.lateness{lro.method=unknown,lro.dialect=google} [1.5]\n"), "{table}");
}

#[test]
fn every_metric_has_a_unit_and_a_description() {
    let ((), meters) = Meters::of(|| drop(Stage::new(Script::new().running(1)).export()));
    insta::assert_snapshot!("descriptions", meters.descriptions());
}

#[test]
fn a_recorder_that_comes_after_the_first_operation_counts_the_next() {
    let operation = Stage::new(Script::new().running(1).done(cat())).export();
    let mut waiting = Box::pin(operation.poll_until_completed(settings()));
    let (_, meters) = Meters::of(|| smol::block_on(&mut waiting));
    let polls = "lro.polls{lro.method=ImageClient.export_image,lro.dialect=google} 1\n";
    assert!(meters.table().contains(polls), "{}", meters.table());
}
