//! Mistakes of time: clocks that are read inside, and server hints.

use std::{pin::pin, time::Duration};

use lro_runtime::{
    Code, HintPolicy, PollSettings,
    testing::{Script, VirtualClock},
};
use serde_json::json;

use crate::support::{Server, Stage, cat, drive, json_reply, percent, poll_once, secs};

fn every_second() -> PollSettings {
    PollSettings::default().with_delay(secs(1.0)).with_multiplier(1.0)
}

/// Plays the script to its end and returns when each request was sent, in seconds.
fn waits(script: Script, settings: PollSettings) -> Vec<f64> {
    let stage = Stage::new(script);
    let done = smol::block_on(stage.export().poll_until_completed(settings)).unwrap();
    assert!(done.is_succeeded());
    stage.transport.assert_finished();
    stage.sent()
}

#[test]
fn time_is_what_the_timer_says_and_nothing_else() {
    let clock = VirtualClock::manual();
    let server = Server::new(&clock, |now, _| {
        let done = now >= secs(60_000.0);
        let body = if done { json!({ "done": true, "response": cat() }) } else { json!({ "name": "operations/1" }) };
        (Duration::ZERO, Ok(json_reply(&body)))
    });
    let operation = drive(&clock, server.client().export_image()).unwrap();
    let mut waiting = pin!(operation.poll_until_completed(PollSettings::default().with_timeout(secs(300.0))));
    for _ in 0..1000 {
        assert!(poll_once(waiting.as_mut()).is_pending(), "the clock stands still");
    }
    assert_eq!(server.requests().len(), 1);
    let error = drive(&clock, waiting).unwrap_err();
    assert_eq!(clock.elapsed(), secs(300.0), "{error}");
}

#[test]
fn a_hint_is_clamped_whatever_it_says() {
    // A number that fits into no integer type and is finite as a float.
    let huge = format!("1{}", "0".repeat(300));
    let cases = [
        ("retry-after", "-5", 0.1),
        ("retry-after", "0", 0.1),
        ("retry-after", "1.5", 1.5),
        ("retry-after", "2147484", 600.0),
        ("retry-after", huge.as_str(), 600.0),
        ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT", 0.1),
        ("retry-after", "Tue, 01 Jan 2030 00:00:31 GMT", 30.0),
        ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT", 600.0),
        ("retry-after-ms", "250", 0.25),
        ("x-ms-retry-after-ms", "2500", 2.5),
        ("openai-poll-after-ms", "-1", 0.1),
        ("retry-after", "soon", 1.0),
        ("retry-after", "NaN", 1.0),
        ("retry-after", "Thu, 99 Foo 2026", 1.0),
    ];
    for (name, value, wait) in cases {
        let script = Script::new().running_with(percent(1)).running(1).header(name, value).done(cat());
        let sent = waits(script, every_second());
        assert_eq!(sent, [0.0, 1.0, 1.0 + wait], "{name}: {value}");
    }
}

#[test]
fn a_hint_is_for_one_wait_and_the_first_one_counts() {
    let script = Script::new()
        .running_with(percent(1))
        .hint(secs(5.0))
        .running(2)
        .running(1)
        .hint(secs(4.0))
        .running(2)
        .done(cat());
    assert_eq!(waits(script, every_second()), [0.0, 5.0, 6.0, 7.0, 11.0, 12.0, 13.0]);
}

#[test]
fn the_hint_of_the_start_reply_is_honoured_and_a_404_after_it_forgiven() {
    let script = || Script::new().running_with(percent(1)).hint(secs(2.0)).error(Code::NotFound, "not yet").done(cat());
    assert_eq!(waits(script(), every_second()), [0.0, 2.0, 3.0]);
    let late = script().error(Code::NotFound, "gone");
    let stage = Stage::new(late);
    let settings = every_second().with_not_found_grace(secs(1.0));
    let error = smol::block_on(stage.export().poll_until_completed(settings)).unwrap_err();
    assert_eq!(error.kind(), lro_runtime::ErrorKind::Poll, "only so long after the start");
    assert_eq!(error.status().unwrap().code(), Code::NotFound);
    assert!(error.to_string().contains("the start call was accepted"), "{error}");
}

#[test]
fn the_caller_can_go_below_a_wrong_hint() {
    let script = || Script::new().running_with(percent(1)).hint(secs(3600.0)).done(cat());
    assert_eq!(waits(script(), every_second().with_hint(HintPolicy::Ignore)), [0.0, 1.0]);
    assert_eq!(waits(script(), every_second().with_hint(secs(0.5)..=secs(2.0))), [0.0, 2.0]);
}
