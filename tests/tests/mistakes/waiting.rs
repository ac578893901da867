//! Mistakes of waiting: drops, failed polls, time limits.

use std::{pin::pin, time::Duration};

use futures_lite::StreamExt;
use lro_runtime::{
    CancelOutcome, Code, Error, ErrorKind, PollSettings, Result, State,
    testing::{Script, VirtualClock},
    transport::TransportErrorKind,
};
use serde_json::json;

use crate::support::{
    ExportImageOperation, ExportImageState, ImageClient, Server, Stage, cat, drive, json_reply, percent, poll_once,
    secs,
};

/// Returns a client whose operation takes ten seconds, on a server that needs 0.7 s for each reply.
fn ten_seconds() -> (VirtualClock, Server, ImageClient) {
    let clock = VirtualClock::manual();
    let server = Server::new(&clock, |now, request| {
        let name = "operations/1";
        let body = match now {
            _ if request.uri().path().ends_with(":cancel") => json!({}),
            now if now < secs(10.0) => json!({ "name": name, "metadata": percent(50) }),
            _ => json!({ "name": name, "metadata": percent(100), "done": true, "response": cat() }),
        };
        (secs(0.7), Ok(json_reply(&body)))
    });
    let client = server.client();
    (clock, server, client)
}

/// Drops the future of `call` at every point at which it can be dropped, and continues with the
/// snapshot in hand.
///
/// It polls the future once, twice and so on before it drops it. Returns the number of polls until
/// the future is ready.
fn dropped_everywhere<F: Future>(call: impl Fn(&ExportImageOperation) -> F) -> usize {
    for polls in 0.. {
        let (clock, server, client) = ten_seconds();
        let operation = drive(&clock, client.export_image()).unwrap();
        let mut is_ready = false;
        {
            let mut future = pin!(call(&operation));
            for _ in 0..polls {
                is_ready = poll_once(future.as_mut()).is_ready();
                if is_ready {
                    break;
                }
                clock.advance(clock.next_deadline().unwrap());
            }
        }
        let sent = server.requests().len();
        assert_eq!(clock.next_deadline(), None, "nothing is left behind");
        assert!(matches!(operation.state(), ExportImageState::Running { .. }), "the snapshot is what it was");
        let later = drive(&clock, operation.poll_once()).unwrap();
        assert_eq!(server.requests().len(), sent + 1, "exactly what was asked for was sent");
        let done = drive(&clock, later.poll_until_completed(PollSettings::default())).unwrap();
        assert_eq!(done.into_result().unwrap().uri, "gs://pictures/cat.png");
        if is_ready {
            return polls;
        }
    }
    unreachable!()
}

#[test]
fn a_future_dropped_at_any_await_point_loses_nothing() {
    let points = dropped_everywhere(|operation| operation.poll_until_completed(PollSettings::default()));
    assert!(points >= 9, "{points}");
    dropped_everywhere(ExportImageOperation::poll_once);
    dropped_everywhere(ExportImageOperation::cancel);
    dropped_everywhere(|operation| operation.clone().into_future());
    dropped_everywhere(|operation| {
        let mut snapshots = operation.snapshots(PollSettings::default());
        async move { while snapshots.next().await.is_some() {} }
    });
    let points = dropped_everywhere(|operation| operation.cancel_and_wait(PollSettings::default()));
    assert!(points >= 10, "{points}");
}

// Dropping the future cannot take back a request that is sent. But nothing panics, and the next
// start call is independent.
#[test]
fn a_start_call_dropped_at_any_await_point_disturbs_no_other() {
    for polls in 0..3 {
        let (clock, _, client) = ten_seconds();
        {
            let mut future = pin!(client.export_image());
            for _ in 0..polls {
                if poll_once(future.as_mut()).is_pending() {
                    clock.advance(clock.next_deadline().unwrap());
                }
            }
        }
        assert_eq!(drive(&clock, client.export_image()).unwrap().name(), "operations/1");
    }
}

#[test]
fn a_completed_operation_is_itself_without_a_request() {
    let stage = Stage::new(Script::new().done(cat()));
    let done = stage.export();
    let same = |other: Result<ExportImageOperation>| {
        let other = other.unwrap();
        assert_eq!(other.raw().as_ptr(), done.raw().as_ptr(), "the same snapshot");
        assert!(other.is_succeeded());
    };
    smol::block_on(async {
        same(done.poll_once().await);
        same(done.poll_until_completed(PollSettings::default()).await);
        same(done.wait(secs(10.0)).await);
        same(done.cancel_and_wait(PollSettings::default()).await);
        assert_eq!(done.cancel().await.unwrap(), CancelOutcome::AlreadyCompleted);
        let all: Vec<_> = done.snapshots(PollSettings::default()).collect().await;
        assert_eq!(all.len(), 1);
        assert_eq!(done.clone().await.unwrap().uri, "gs://pictures/cat.png");
    });
    same(done.blocking().poll_once());
    same(done.blocking().poll_until_completed(PollSettings::default()));
    assert_eq!(done.blocking().snapshots(PollSettings::default()).count(), 1);
    assert_eq!(done.blocking().cancel().unwrap(), CancelOutcome::AlreadyCompleted);
    same(done.blocking().cancel_and_wait(PollSettings::default()));
    assert_eq!(stage.requests(), 1, "the start call");
    assert_eq!(stage.clock.elapsed(), Duration::ZERO);
}

#[test]
fn a_failed_poll_is_not_a_failed_operation() {
    let stage = Stage::new(Script::new().running_with(percent(40)).unavailable().unavailable().done(cat()));
    let operation = stage.export();
    let error = smol::block_on(operation.poll_once()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Poll);
    assert_eq!(error.snapshot().unwrap().state(), State::Running);
    assert!(matches!(operation.state(), ExportImageState::Running { .. }));
    let done = smol::block_on(operation.poll_until_completed(PollSettings::default())).unwrap();
    assert!(done.is_succeeded());
    stage.transport.assert_finished();
}

#[test]
fn after_a_transport_error_it_polls_again() {
    use TransportErrorKind::{Certificate, Closed, Connect, InvalidReply, Other, Timeout};
    for kind in [Connect, Certificate, Closed, InvalidReply, Timeout, Other] {
        let stage =
            Stage::new(Script::new().running_with(percent(1)).transport_error(kind).transport_error(kind).done(cat()));
        let done = smol::block_on(stage.export().poll_until_completed(PollSettings::default())).unwrap();
        assert!(done.is_succeeded(), "{kind:?}");
    }
}

#[test]
fn the_start_reply_is_a_snapshot() {
    let stage = Stage::new(Script::new().running_with(percent(40)).done(cat()));
    let operation = stage.export();
    assert_eq!(operation.metadata().unwrap(), Some(&crate::support::Progress { percent: 40 }));
    assert_eq!(operation.progress(), Some(0.4));
    assert_eq!((stage.requests(), stage.clock.elapsed()), (1, Duration::ZERO));
    let first = smol::block_on(operation.snapshots(PollSettings::default()).next()).unwrap().unwrap();
    assert_eq!(first.progress(), Some(0.4));
    assert_eq!(stage.requests(), 1);
}

#[test]
fn a_stream_waits_as_long_as_a_wait_does() {
    let script = || Script::new().running_with(percent(1)).running(6).unavailable().running(2).done(cat());
    let settings = || PollSettings::default().with_delay(secs(1.0)).with_multiplier(2.0);
    let waited = Stage::new(script());
    assert!(smol::block_on(waited.export().poll_until_completed(settings())).unwrap().is_succeeded());
    let streamed = Stage::new(script());
    let snapshots: Vec<_> = smol::block_on(streamed.export().snapshots(settings()).collect());
    let blocked = Stage::new(script());
    assert_eq!(blocked.export().blocking().snapshots(settings()).count(), snapshots.len());
    assert_eq!(snapshots.len(), 10, "one for each good reply, the first at once");
    assert!(snapshots.last().unwrap().as_ref().unwrap().is_succeeded());
    assert_eq!(waited.sent(), streamed.sent());
    assert_eq!(waited.sent(), blocked.sent());
    assert_eq!(&waited.sent()[..5], [0.0, 1.0, 3.0, 7.0, 15.0]);
}

#[test]
fn a_time_limit_is_exact_and_a_sleep_is_cut_to_what_remains() {
    for (limit, delay) in [(0.1, 1.0), (2.0, 1.0), (2.0, 1.5), (3.0, 60.0)] {
        let stage = Stage::new(Script::new().running_with(percent(1)).running(10));
        let settings = PollSettings::default().with_delay(secs(delay)).with_timeout(secs(limit));
        let error = smol::block_on(stage.export().poll_until_completed(settings)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(stage.clock.elapsed(), secs(limit), "neither early nor late");
        assert_eq!(error.elapsed(), Some(secs(limit)));
        assert_eq!(stage.sent().last(), Some(&limit), "the last poll lands on the deadline");
    }
}

#[test]
fn the_last_reply_lands_on_the_deadline() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| {
        (secs(0.25), Ok(json_reply(&json!({ "name": "operations/1", "metadata": percent(1) }))))
    });
    let operation = smol::block_on(server.client().export_image()).unwrap();
    let began = clock.elapsed();
    let settings = PollSettings::default().with_timeout(secs(10.0));
    let error = smol::block_on(operation.poll_until_completed(settings)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(clock.elapsed(), began + secs(10.0));
    assert_eq!(server.requests().last().unwrap().0, began + secs(9.75));
}

#[test]
fn failures_in_a_row_end_the_wait_and_say_so() {
    let stage = Stage::new(
        (0..6).fold(Script::new().running_with(percent(40)), |script, _| script.error(Code::Internal, "broke")),
    );
    let settings = PollSettings::default().with_error_budget(5);
    let error = smol::block_on(stage.export().poll_until_completed(settings)).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Poll, Some(6)));
    assert_eq!(error.snapshot().unwrap().state(), State::Running);
    assert_eq!(error.token().unwrap().name(), "operations/1");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("500"), "the last cause");
    stage.transport.assert_finished();
}

/// Returns the error of a wait of five seconds over this script.
fn timed_out(script: Script) -> Error {
    let stage = Stage::new(script);
    let settings = PollSettings::default().with_timeout(secs(5.0));
    smol::block_on(stage.export().poll_until_completed(settings)).unwrap_err()
}

#[test]
fn a_time_limit_is_a_timeout_with_snapshot_and_token_and_cancels_nothing() {
    let error = timed_out(Script::new().running_with(percent(40)).running(20));
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!error.snapshot().unwrap().is_completed());
    let word = error.token().unwrap().to_string();
    let stage = Stage::new(Script::new().done(cat()));
    let resumed = stage.client.resume_export_image(word).unwrap();
    assert!(smol::block_on(resumed.poll_once()).unwrap().is_succeeded());
}

#[test]
fn a_timeout_never_gives_the_intermediate_body_as_the_result() {
    // `purge` has the response `()`, for which the metadata `{}` would pass as the result.
    let stage = Stage::new((0..9).fold(Script::new().running_with(json!({})), |script, _| script.running(1)));
    let operation = smol::block_on(stage.client.purge()).unwrap();
    let error = smol::block_on(operation.into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(stage.clock.elapsed(), secs(20.0), "the method's limit");
}

#[test]
fn a_wait_is_finite_by_default() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |now, _| {
        let done = now >= Duration::from_secs(86_400 * 400);
        let body = if done { json!({ "done": true, "response": cat() }) } else { json!({ "name": "operations/1" }) };
        (Duration::ZERO, Ok(json_reply(&body)))
    });
    let operation = smol::block_on(server.client().export_image()).unwrap();
    let error = smol::block_on(operation.poll_until_completed(PollSettings::default())).unwrap_err();
    assert_eq!((error.kind(), clock.elapsed()), (ErrorKind::Timeout, Duration::from_secs(3600)));
    let rarely = PollSettings::batch().with_delay(secs(86_400.0)).with_max_delay(secs(86_400.0)).without_expiration();
    assert!(smol::block_on(operation.poll_until_completed(rarely)).unwrap().is_succeeded());
}
