//! Tests of the test kit itself: the virtual clock, the scripted transport and the server.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::{Duration, SystemTime},
};

use futures_lite::future;
use lro_runtime::{
    Code, ErrorKind, Operations, PollSettings, RawOperation, State, Timer,
    http::Method,
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::TransportErrorKind,
};
use serde_json::json;

mod operation;
mod server;

const SECOND: Duration = Duration::from_secs(1);

fn seconds(n: u64) -> Duration {
    SECOND * u32::try_from(n).unwrap()
}

/// Sends a start call.
fn start(operations: &Operations) -> RawOperation {
    smol::block_on(operations.post("v1/images:export", &json!({}))).unwrap()
}

/// Starts an operation with the first reply of a script.
fn begin(script: Script) -> (RawOperation, ScriptedTransport, VirtualClock) {
    let clock = VirtualClock::new();
    let transport = ScriptedTransport::new(script);
    let operations = transport.operations(&clock).unwrap();
    (start(&operations), transport, clock)
}

/// Returns the message with which `action` panics.
fn panic_of<T>(action: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(action)).err().unwrap();
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

mod virtual_clock {
    use super::*;

    #[test]
    fn of_two_sleeps_the_shorter_ends_first_whichever_is_polled_first() {
        for (first, second) in [(30, 60), (60, 30)] {
            let clock = VirtualClock::new();
            let winner = smol::block_on(future::or(
                async {
                    clock.sleep(seconds(first)).await;
                    first
                },
                async {
                    clock.sleep(seconds(second)).await;
                    second
                },
            ));
            assert_eq!((winner, clock.elapsed()), (30, seconds(30)));
            assert_eq!(clock.next_deadline(), None, "the other sleep is gone");
        }
    }

    #[test]
    fn tasks_of_one_executor_wake_in_the_order_of_their_deadlines() {
        let clock = VirtualClock::new();
        let order = Rc::new(RefCell::new(vec![]));
        let executor = smol::LocalExecutor::new();
        let tasks: Vec<_> = [50, 10, 40, 20, 30]
            .map(|n| {
                let (clock, order) = (clock.clone(), Rc::clone(&order));
                executor.spawn(async move {
                    for round in 0..3 {
                        clock.sleep(seconds(n)).await;
                        order.borrow_mut().push((clock.elapsed().as_secs(), n, round));
                    }
                })
            })
            .into_iter()
            .collect();
        smol::block_on(executor.run(async {
            for task in tasks {
                task.await;
            }
        }));
        let order = order.borrow();
        assert!(order.is_sorted_by_key(|(at, ..)| *at), "{order:?}");
        assert!(order.iter().all(|(at, n, round)| *at == n * (round + 1)), "{order:?}");
    }

    #[test]
    fn a_message_between_tasks_is_delivered_before_time_passes() {
        let clock = VirtualClock::new();
        let (sender, receiver) = smol::channel::unbounded();
        let executor = smol::LocalExecutor::new();
        let early = {
            let clock = clock.clone();
            executor.spawn(async move {
                let wait: u64 = receiver.recv().await.unwrap();
                clock.sleep(seconds(wait)).await;
                clock.elapsed()
            })
        };
        let late = {
            let clock = clock.clone();
            executor.spawn(async move {
                sender.send(1).await.unwrap();
                clock.sleep(seconds(100)).await;
            })
        };
        let at = smol::block_on(executor.run(async {
            late.await;
            early.await
        }));
        assert_eq!((at, clock.elapsed()), (SECOND, seconds(100)));
    }

    #[test]
    fn a_sleep_that_is_not_polled_does_not_hold_up_the_others() {
        let clock = VirtualClock::new();
        smol::block_on(async {
            let mut forgotten = clock.sleep(SECOND);
            assert!(future::poll_once(&mut forgotten).await.is_none());
            clock.sleep(seconds(10)).await;
            forgotten.await;
        });
        assert_eq!(clock.elapsed(), seconds(10));
    }

    #[test]
    fn by_hand_it_moves_only_when_told_to() {
        let clock = VirtualClock::manual();
        let mut sleep = clock.sleep(seconds(10));
        let mut poll = || smol::block_on(future::poll_once(&mut sleep)).is_some();
        assert!((0..100).all(|_| !poll()));
        clock.advance(seconds(9));
        assert!(!poll());
        assert_eq!(clock.next_deadline(), Some(SECOND));
        clock.advance(SECOND);
        assert!(poll());
    }

    #[test]
    fn the_wall_clock_moves_along_and_can_be_set() {
        let clock = VirtualClock::new();
        let new_year = SystemTime::UNIX_EPOCH + seconds(1_893_456_000);
        assert_eq!(clock.system_time(), new_year);
        clock.advance(seconds(5));
        assert_eq!(clock.system_time(), new_year + seconds(5));
        clock.set_system_time(SystemTime::UNIX_EPOCH + seconds(7));
        clock.advance(SECOND);
        assert_eq!(clock.system_time(), SystemTime::UNIX_EPOCH + seconds(8));
        assert_eq!(clock.elapsed(), seconds(6));
    }

    #[test]
    fn the_longest_sleep_there_is_ends() {
        let clock = VirtualClock::new();
        smol::block_on(clock.sleep(Duration::MAX));
        assert!(clock.now() >= std::time::Instant::now());
    }

    #[test]
    #[should_panic(expected = "something waits for ever")]
    fn a_sleep_after_the_longest_one_fails_instead_of_hanging() {
        let clock = VirtualClock::new();
        smol::block_on(clock.sleep(Duration::MAX));
        smol::block_on(clock.sleep(seconds(1)));
    }

    #[test]
    fn the_time_limit_of_a_poll_ends_it_where_a_real_clock_would() {
        let patient = PollSettings::default().with_poll_timeout(seconds(5)).with_error_budget(0);
        let (operation, _transport, clock) = begin(Script::new().pending().pending().taking(seconds(6)));
        let error = operation.blocking().poll_until_completed(patient.clone()).unwrap_err();
        assert_eq!((error.kind(), clock.elapsed()), (ErrorKind::Poll, seconds(6)), "1 s of delay, 5 s of limit");

        let (operation, transport, clock) = begin(Script::new().pending().done(json!({})).taking(seconds(4)));
        assert!(operation.blocking().poll_until_completed(patient).unwrap().is_succeeded());
        assert_eq!(clock.elapsed(), seconds(5), "1 s of delay, 4 s of latency");
        transport.assert_finished();
    }

    #[test]
    fn it_runs_on_tokio_as_well() {
        let clock = VirtualClock::new();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        // All of them are made first: a worker may run one to its end, and so move the clock,
        // before the next one is spawned.
        let sleeps = (1..=20).map(|n| clock.sleep(seconds(n))).collect::<Vec<_>>();
        let tasks = sleeps.into_iter().map(|sleep| runtime.spawn(sleep)).collect::<Vec<_>>();
        for task in tasks {
            runtime.block_on(task).unwrap();
        }
        assert_eq!(clock.elapsed(), seconds(20));
    }
}

mod scripted_transport {
    use super::*;

    #[test]
    fn an_hour_passes_in_a_moment_async_and_blocking() {
        let script = Script::new().pending().running_for(seconds(3600)).done(json!({}));
        let settings = PollSettings::default().with_timeout(seconds(7200));
        let began = std::time::Instant::now();
        let (operation, transport, clock) = begin(script.clone());
        assert!(smol::block_on(operation.poll_until_completed(settings.clone())).unwrap().is_succeeded());
        transport.assert_finished();
        let (blocking, _, blocking_clock) = begin(script);
        assert!(blocking.blocking().poll_until_completed(settings).unwrap().is_succeeded());
        assert_eq!(clock.elapsed(), blocking_clock.elapsed());
        assert!(clock.elapsed() >= seconds(3600) && clock.elapsed() < seconds(3600 + 21));
        assert!(began.elapsed() < seconds(30), "{:?}", began.elapsed());
    }

    #[test]
    fn every_reply_of_the_script_is_given_in_its_turn() {
        let script = Script::named("operations/7")
            .pending()
            .running_with(json!({ "percent": 30 }))
            .unavailable()
            .transport_error(TransportErrorKind::Closed)
            .running(2)
            .failed(Code::FailedPrecondition, "no such bucket");
        let (operation, transport, _clock) = begin(script);
        let mut seen = vec![];
        for snapshot in operation.blocking().snapshots(PollSettings::default()) {
            let snapshot = snapshot.unwrap();
            let metadata = snapshot.metadata().map(|m| String::from_utf8_lossy(m.bytes()).into_owned());
            seen.push((snapshot.state(), metadata.unwrap_or_default()));
        }
        let percent = r#"{"percent":30}"#.to_owned();
        assert_eq!(seen[0], (State::Pending, String::new()));
        assert!(seen[1..4].iter().all(|seen| *seen == (State::Running, percent.clone())), "{seen:?}");
        assert_eq!(seen[4..], [(State::Failed, percent)]);
        assert_eq!(transport.requests().len(), 7);
        transport.assert_finished();
    }

    #[test]
    fn a_cancellation_is_foreseen_or_it_fails_the_test() {
        let (operation, transport, _clock) = begin(Script::new().pending().cancel_accepted().running(1).cancelled());
        let end = smol::block_on(operation.cancel_and_wait(PollSettings::default())).unwrap();
        assert!(end.is_cancelled());
        transport.assert_finished();

        let (operation, transport, _clock) = begin(Script::new().pending().running(2).done(json!({})));
        let message = panic_of(|| operation.blocking().cancel());
        assert_eq!(message, "unexpected request: POST /v1/operations/1:cancel; expected running ×2, done");
        assert!(panic_of(|| transport.assert_finished()).starts_with(&message), "it is said again");
    }

    #[test]
    fn a_deletion_is_foreseen_or_it_fails_the_test() {
        let (operation, transport, _clock) = begin(Script::new().done(json!({})).delete_accepted());
        operation.blocking().delete().unwrap();
        assert_eq!(transport.requests()[1].method(), http::Method::DELETE);
        transport.assert_finished();

        let (operation, _transport, _clock) = begin(Script::new().pending().done(json!({})));
        let message = panic_of(|| operation.blocking().delete());
        assert_eq!(message, "unexpected request: DELETE /v1/operations/1; expected done");
    }

    #[test]
    fn every_verb_that_starts_is_sent_as_it_is_called() {
        let clock = VirtualClock::new();
        let script = || Script::new().done(json!({}));
        let transport = ScriptedTransport::new(script()).and(script()).and(script());
        let operations = transport.operations(&clock).unwrap();
        let body = json!({ "name": "cat" });
        smol::block_on(async {
            let _ = operations.post("v1/images", &body).await.unwrap();
            let _ = operations.put("v1/images/cat", &body).await.unwrap();
            let _ = operations.patch("v1/images/cat", &body).await.unwrap();
        });
        let sent: Vec<_> =
            transport.requests().iter().map(|sent| (sent.method().to_string(), sent.body().clone())).collect();
        assert_eq!(sent, ["POST", "PUT", "PATCH"].map(|verb| (verb.to_owned(), body.to_string().into())));
    }

    #[test]
    fn a_start_call_may_be_a_delete_and_a_delete_of_the_operation_is_none() {
        let script = || ScriptedTransport::new(Script::named("operations/1").running(2));
        let operations = script().operations(&VirtualClock::new()).unwrap();
        let started = smol::block_on(operations.call(Method::DELETE, "v1/images/7").into_future()).unwrap();
        assert_eq!(started.state(), State::Running);
        let operations = script().operations(&VirtualClock::new()).unwrap();
        let complaint = panic_of(|| smol::block_on(operations.delete("operations/1")));
        assert!(complaint.contains("unexpected request: DELETE /v1/operations/1"), "{complaint}");
    }

    #[test]
    fn a_request_too_many_fails_the_test_and_no_error_budget_hides_it() {
        let (operation, _transport, _clock) = begin(Script::new().pending().running(1));
        let message = panic_of(|| operation.blocking().poll_until_completed(PollSettings::default()));
        assert_eq!(message, "unexpected request: GET /v1/operations/1; the script has nothing more");
    }

    #[test]
    fn an_operation_may_run_until_something_else_is_asked() {
        let script = || Script::new().pending().running_forever();
        let (operation, transport, _clock) = begin(script().cancel_accepted().cancelled());
        for _ in 0..5 {
            assert!(!operation.blocking().poll_once().unwrap().is_completed());
        }
        assert!(panic_of(|| transport.assert_finished()).contains("cancel accepted"));
        assert!(smol::block_on(operation.cancel_and_wait(PollSettings::default())).unwrap().is_cancelled());
        transport.assert_finished();

        let (operation, transport, _clock) = begin(script());
        assert_eq!(
            operation.blocking().poll_until_completed(PollSettings::default()).unwrap_err().kind(),
            ErrorKind::Timeout
        );
        transport.assert_finished();
        let message = panic_of(|| operation.blocking().delete());
        assert_eq!(message, "unexpected request: DELETE /v1/operations/1; the script has nothing more");
    }

    #[test]
    fn an_unused_reply_is_left_over() {
        let (operation, transport, _clock) = begin(Script::new().pending().running(3).done(json!({})));
        let _ = operation.blocking().poll_once().unwrap();
        let message = panic_of(|| transport.assert_finished());
        assert_eq!(message, "left over: Script(operations/1: running ×2, done)");
    }

    #[test]
    fn several_operations_share_a_transport_each_with_its_script() {
        let clock = VirtualClock::new();
        let transport = ScriptedTransport::new(Script::named("operations/a").pending().done(json!({ "of": "a" })))
            .and(Script::named("operations/aa").running(2).done(json!({ "of": "aa" })));
        let operations = transport.operations(&clock).unwrap();
        let (a, aa) = (start(&operations), start(&operations));
        assert_eq!((a.name(), aa.name()), ("operations/a", "operations/aa"));
        for operation in [aa, a] {
            let done = operation.blocking().poll_until_completed(PollSettings::default()).unwrap();
            let response = String::from_utf8_lossy(done.response().unwrap().bytes()).into_owned();
            assert_eq!(response, format!(r#"{{"of":"{}"}}"#, done.name().trim_start_matches("operations/")));
        }
        transport.assert_finished();
        assert!(panic_of(|| start(&operations)).contains("every scripted operation has already started"));
    }

    #[test]
    fn a_reply_may_be_bound_to_one_request() {
        let script =
            || Script::new().pending().to("POST", "/v1/images:export").done(json!({})).to("GET", "/v1/operations/1");
        let (operation, transport, _clock) = begin(script());
        let _ = operation.blocking().poll_once().unwrap();
        transport.assert_finished();

        let clock = VirtualClock::new();
        let operations = ScriptedTransport::new(script()).operations(&clock).unwrap();
        let message = panic_of(|| smol::block_on(operations.post("v1/images:import?x=1", &json!({}))));
        assert!(
            message.starts_with("unexpected request: POST /v1/images:import?x=…; expected pending to POST"),
            "{message}"
        );
    }

    #[test]
    fn hints_and_latencies_move_the_clock_and_requests_say_when() {
        let script = Script::new()
            .pending()
            .hint(seconds(30))
            .running(1)
            .taking(seconds(2))
            .header("retry-after", "7")
            .done(json!({}));
        let (operation, transport, clock) = begin(script);
        let _ = operation.blocking().poll_until_completed(PollSettings::default()).unwrap();
        assert_eq!(transport.request_times(), [0, 30, 39].map(seconds));
        assert_eq!(clock.elapsed(), seconds(39));
    }

    #[test]
    fn garbage_silence_and_http_errors_are_what_they_are_called() {
        let settings = || PollSettings::default().with_error_budget(0).with_poll_timeout(SECOND);
        let end = |script: Script| {
            let (operation, transport, _clock) = begin(script);
            let error = operation.blocking().poll_until_completed(settings()).unwrap_err();
            transport.assert_finished();
            error
        };
        assert_eq!(end(Script::new().pending().garbage(&b"\xff<html>"[..])).kind(), ErrorKind::Protocol);
        assert_eq!(end(Script::new().pending().silence()).kind(), ErrorKind::Poll);
        let denied = end(Script::new().pending().error(Code::PermissionDenied, "no"));
        assert_eq!(
            denied.status().map(|status| (status.code(), status.http_status())),
            Some((Code::PermissionDenied, Some(403)))
        );
        let teapot = end(Script::new().pending().http(418, "short and stout"));
        assert!(teapot.to_string().contains("418"), "{teapot}");
    }

    #[test]
    fn a_script_that_cannot_be_fails_where_it_is_written() {
        assert_eq!(
            panic_of(|| Script::new().taking(SECOND)),
            "wrong script: the script has no reply yet for this call to change"
        );
        assert!(panic_of(|| Script::new().http(7, "")).starts_with("wrong script: expected an HTTP status"));
        assert!(panic_of(|| Script::new().silence().hint(SECOND)).starts_with("wrong script"));
        let operations = Operations::builder("http://a.test")
            .transport(ScriptedTransport::new(Script::new().pending().taking(SECOND)))
            .build()
            .unwrap();
        assert!(panic_of(|| start(&operations)).contains("needs a clock"));
    }
}
