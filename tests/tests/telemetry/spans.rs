//! What spans and events say.

use std::time::Duration;

use lro_runtime::{
    Code, Operations, PollSettings, UnknownStatus,
    dialect::{GoogleGrpc, Jobs},
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::json;
use tracing::Level;

use crate::{
    capture::Spans,
    support::{Server, Stage, cat, json_reply, percent, reply, secs},
};

/// Starts an operation and waits for it, and returns what a subscriber of `level` has seen.
fn seen(level: Level, script: Script, settings: PollSettings) -> Spans {
    let ((), spans) = Spans::of(level, || {
        let stage = Stage::new(script);
        let operation = stage.export();
        let _ended = smol::block_on(operation.poll_until_completed(settings));
    });
    assert_eq!(spans.open(), 0, "{}", spans.tree());
    spans
}

fn settings() -> PollSettings {
    PollSettings::default().with_delay(secs(2.0)).with_multiplier(2.0).with_timeout(secs(60.0))
}

#[test]
fn the_spans_of_a_wait_are_its_starts_delays_and_polls_with_their_reasons() {
    let script = Script::new()
        .pending()
        .running_with(percent(10))
        .taking(secs(0.5))
        .running_with(percent(20))
        .hint(secs(7.0))
        .error(Code::Internal, "a bug")
        .unavailable()
        .hint(secs(3.0))
        .done(cat());
    insta::assert_snapshot!("a_wait", seen(Level::TRACE, script, settings()).tree());
}

#[test]
fn the_last_poll_says_that_the_deadline_has_cut_its_delay() {
    let script = Script::new().running(3).silence();
    let settings = settings().with_timeout(secs(5.0));
    insta::assert_snapshot!("a_timeout", seen(Level::TRACE, script, settings).tree());
}

#[test]
fn a_poll_that_is_held_says_so_and_a_refusal_to_hold_is_no_failure() {
    let script = Script::new().running(2).taking(secs(8.0)).http(404, "").running(1).done(cat());
    let settings = settings().with_long_poll(secs(10.0));
    insta::assert_snapshot!("held_polls", seen(Level::TRACE, script, settings).tree());
}

#[test]
fn at_info_there_are_the_start_and_the_end_and_nothing_between() {
    let script = Script::new().pending().running(3).unavailable().failed(Code::Internal, "out of\npaper");
    insta::assert_snapshot!("at_info", seen(Level::INFO, script, settings()).tree());
}

#[test]
fn a_warning_is_what_an_operator_has_to_act_on() {
    let warnings = |script: Script, settings: PollSettings| seen(Level::WARN, script, settings).tree();
    // The operation ended, or the wait expired as the program asked for.
    assert_eq!(warnings(Script::new().running(1).failed(Code::Internal, "a bug"), settings()), "");
    assert_eq!(warnings(Script::new().running_forever(), settings()), "");
    assert_eq!(warnings(Script::new().running(1).unavailable().done(cat()), settings()), "");
    let forbidden = warnings(Script::new().running(1).error(Code::PermissionDenied, "not yours"), settings());
    assert!(forbidden.starts_with("- WARN: the wait has ended, the operation may go on"), "{forbidden}");
    assert!(forbidden.contains("error.type=403") && forbidden.contains("not yours"), "{forbidden}");
    assert_eq!(forbidden.lines().count(), 1, "{forbidden}");
}

#[test]
fn a_start_that_was_accepted_with_an_unreadable_reply_is_a_warning() {
    let ((), spans) = Spans::of(Level::WARN, || {
        let stage = Stage::new(Script::new().garbage("<html>"));
        smol::block_on(stage.client.export_image()).unwrap_err();
    });
    assert!(spans.tree().starts_with("- WARN: the service has accepted the start"), "{}", spans.tree());
}

#[test]
fn a_start_that_was_refused_over_grpc_is_no_warning() {
    let ((), spans) = Spans::of(Level::INFO, || {
        // Over gRPC a refusal is HTTP 200 as well.
        let script = Script::new().http(200, "").header("grpc-status", "7").header("grpc-message", "not yours");
        let transport = ScriptedTransport::new(script);
        let operations = Operations::builder("http://h.test").dialect(GoogleGrpc::new()).transport(transport);
        smol::block_on(operations.build().unwrap().post("google.x.v1.Service/Start", &())).unwrap_err();
    });
    let tree = spans.tree_of(|field| field == "error.type");
    let expected =
        "INFO lro.start error.type=PERMISSION_DENIED\n    - INFO: the start call failed error.type=PERMISSION_DENIED\n";
    assert_eq!(tree, expected);
}

/// A service of the dialect of jobs, whose status word is `word`.
fn word(word: &'static str) -> (Operations, VirtualClock) {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, move |now, _| {
        let word = if now < secs(60.0) { word } else { "JOB_STATE_SUCCEEDED" };
        (Duration::ZERO, Ok(json_reply(&json!({ "name": "jobs/1", "state": word }))))
    });
    let operations =
        Operations::builder("http://server.test").dialect(Jobs::new()).transport(server).timer(clock.clone());
    (operations.build().unwrap(), clock)
}

#[test]
fn an_unknown_status_word_is_one_warning_and_not_one_per_poll() {
    let (done, spans) = Spans::of(Level::WARN, || {
        let (operations, _) = word("pondering\u{1b}[31m");
        smol::block_on(operations.resume("jobs/1").unwrap().poll_until_completed(settings().with_timeout(secs(600.0))))
    });
    assert!(done.unwrap().is_succeeded());
    let expected = "- WARN: the status is unknown, and taken for running lro.status=pondering\\u{1b}[31m\n";
    assert_eq!(spans.tree(), expected);
}

#[test]
fn a_wait_that_an_unknown_word_ends_says_so() {
    let ((), spans) = Spans::of(Level::INFO, || {
        let (operations, _) = word("pondering");
        let settings = settings().with_unknown_status(UnknownStatus::Error);
        smol::block_on(operations.resume("jobs/1").unwrap().poll_until_completed(settings)).unwrap_err();
    });
    let tree = spans.tree_of(|field| field == "lro.outcome" || field == "error.type");
    assert!(tree.starts_with("INFO lro.wait lro.outcome=unknown_status error.type=unknown_status\n"), "{tree}");
}

#[test]
fn what_a_server_writes_is_escaped_and_cut() {
    let ((), spans) = Spans::of(Level::TRACE, || {
        let clock = VirtualClock::new();
        let name = format!("operations/\u{1b}[2J\n{}", "x".repeat(100_000));
        let server = Server::new(&clock, move |_, request| {
            let error = json!({ "error": { "code": 500, "message": "\u{7}\n".repeat(100_000) } });
            match *request.method() {
                http::Method::POST => (Duration::ZERO, Ok(json_reply(&json!({ "name": name })))),
                _ => (Duration::ZERO, Ok(reply(500, error.to_string()))),
            }
        });
        let operation = smol::block_on(server.client().export_image()).unwrap();
        let _error = smol::block_on(operation.poll_until_completed(settings()));
        let _error = smol::block_on(operation.poll_once());
    });
    let tree = spans.tree();
    assert!(tree.lines().count() > 3 && tree.lines().all(|line| line.len() < 4000), "{}", tree.len());
    assert!(tree.chars().all(|c| c == '\n' || !c.is_control()), "{tree}");
}

#[test]
fn single_calls_have_spans_of_their_own() {
    let script = Script::new()
        .running(3)
        .http(404, "")
        .json(json!({}))
        .to("POST", "/v1/operations/1:cancel")
        .json(json!({ "operations": [{ "name": "operations/2", "done": false }] }))
        .to("GET", "/v1/operations")
        .json(json!({}))
        .to("DELETE", "/v1/operations/1");
    let ((), spans) = Spans::of(Level::TRACE, || {
        smol::block_on(async {
            let stage = Stage::new(script);
            let operation = stage.client.export_image().await.unwrap();
            drop(operation.poll_once().await.unwrap());
            drop(operation.wait(secs(9.0)).await.unwrap());
            operation.poll_once().await.unwrap_err();
            operation.cancel().await.unwrap();
            drop(stage.client.operations.list("").next().await.unwrap().unwrap());
            operation.delete().await.unwrap();
        });
    });
    insta::assert_snapshot!("single_calls", spans.tree());
}

#[test]
fn a_start_that_is_sent_again_is_one_span() {
    let ((), spans) = Spans::of(Level::TRACE, || {
        let clock = VirtualClock::new();
        let transport = ScriptedTransport::new(Script::new().unavailable().running(1));
        let operations = Operations::builder("http://scripted.test")
            .transport(transport.with_clock(&clock))
            .timer(clock.clone())
            .start_retries(2)
            .build()
            .unwrap();
        drop(smol::block_on(operations.post("v1/x", &())).unwrap());
    });
    insta::assert_snapshot!("start_again", spans.tree());
}
