//! Promises that no test held: each test here is red with one break of the library that all other
//! tests let pass. The breaks are named beside the tests.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures_lite::StreamExt;
use lro_runtime::{
    CancelOutcome, Code, ErrorBudget, ErrorKind, Jitter, Operations, OperationsBuilder, PollSettings, RawOperation,
    Result, StartIdIn, State, bearer,
    http::Method,
    long_running,
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::{Request, TransportErrorKind},
};
use serde::Deserialize;
use serde_json::json;

use crate::support::{Stage, cat, percent, poll_once, secs};

/// What a queue says of a film.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Reel {
    pub stage: String,
    #[serde(default)]
    pub fraction: String,
}

/// A client of films.
pub struct Films {
    operations: Operations,
}

#[long_running]
impl Films {
    /// Develops a film.
    #[long_running(
        response = serde_json::Value, metadata = Reel,
        pending = |reel| reel.stage == "QUEUED", progress = |reel| reel.fraction.parse().ok()
    )]
    pub async fn develop(&self) -> Result<RawOperation> {
        self.operations.post("v1/films", &json!({})).await
    }
}

/// Returns a client whose transport plays `script`.
fn client(
    script: Script,
    with: impl FnOnce(OperationsBuilder) -> OperationsBuilder,
) -> (Operations, ScriptedTransport, VirtualClock) {
    let (clock, transport) = (VirtualClock::new(), ScriptedTransport::new(script));
    let builder = Operations::builder("http://scripted.test").transport(transport.clone()).timer(clock.clone());
    (with(builder).build().unwrap(), transport, clock)
}

fn constant(seconds: f64) -> PollSettings {
    PollSettings::default().with_delay(secs(seconds)).with_multiplier(1.0)
}

/// Broken: `poll_once`, `wait` or `cancel` of the untyped operation without its look at the state.
#[test]
fn a_completed_operation_without_types_is_asked_nothing() {
    let stage = Stage::new(Script::new().done(cat()).delete_accepted().delete_accepted());
    let done = stage.export().untyped().clone();
    let same = |other: Result<RawOperation>| {
        let other = other.unwrap();
        assert_eq!((other.raw().as_ptr(), other.is_succeeded()), (done.raw().as_ptr(), true), "the same snapshot");
    };
    let settings = PollSettings::default;
    smol::block_on(async {
        same(done.poll_once().await);
        same(done.wait(secs(10.0)).await);
        same(done.poll_until_completed(settings()).await);
        same(done.cancel_and_wait(settings()).await);
        same(done.clone().await);
        same(done.shared(settings()).await);
        same(done.on_progress(|_| ()).poll_until_completed(settings()).await);
        assert_eq!(done.cancel().await.unwrap(), CancelOutcome::AlreadyCompleted);
        assert_eq!(done.snapshots(settings()).count().await, 1);
    });
    let blocking = done.blocking();
    same(blocking.poll_once());
    same(blocking.wait(secs(10.0)));
    same(blocking.poll_until_completed(settings()));
    same(blocking.cancel_and_wait(settings()));
    same(done.shared(settings()).wait_blocking());
    assert_eq!(blocking.cancel().unwrap(), CancelOutcome::AlreadyCompleted);
    assert_eq!(blocking.snapshots(settings()).count(), 1);
    assert_eq!(stage.requests(), 1, "the start call");
    blocking.delete().unwrap();
    smol::block_on(done.delete()).unwrap();
    assert_eq!(stage.requests(), 3, "what is no longer needed is deleted after its end");
}

/// Broken: a panic of an observer is caught where observers are called.
#[test]
fn a_panic_of_any_observer_reaches_whatever_waits() {
    type Panics = fn(&RawOperation) -> lro_runtime::Observed<RawOperation>;
    let observers: [Panics; 3] = [
        |operation| operation.on_progress(|snapshot| assert!(snapshot.progress() < Some(0.5), "out of paper")),
        |operation| operation.on_completed(|_| panic!("out of paper")),
        |operation| operation.on_failed_poll(|_| panic!("out of paper")),
    ];
    for observed in observers {
        let script = || Script::new().running_with(percent(1)).unavailable().running_with(percent(60)).done(cat());
        let caught = |wait: &dyn Fn(lro_runtime::Observed<RawOperation>)| {
            let observed = observed(Stage::new(script()).export().untyped());
            let caught = catch_unwind(AssertUnwindSafe(|| wait(observed)));
            assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"out of paper"));
        };
        let settings = PollSettings::default;
        caught(&|mut observed| _ = smol::block_on(observed.poll_until_completed(settings())));
        caught(&|mut observed| _ = observed.poll_until_completed_blocking(settings()));
        caught(&|observed| _ = smol::block_on(observed.snapshots(settings()).count()));
        caught(&|observed| _ = smol::block_on(observed.into_future()));
    }
}

/// Broken: the last waiter of a shared wait leaves the loop, and its request, where it is.
#[test]
fn a_shared_wait_that_nobody_waits_for_gives_up_its_request() {
    struct InFlight(Arc<AtomicBool>);

    impl Drop for InFlight {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let is_given_up = Arc::new(AtomicBool::new(false));
    let given_up = Arc::clone(&is_given_up);
    let operation = Stage::new(Script::new()).client.operations.resume("operations/1").unwrap();
    let silent = operation.with_transport(move |_: Request| {
        let in_flight = InFlight(Arc::clone(&given_up));
        async move {
            let _in_flight = in_flight;
            std::future::pending().await
        }
    });
    let shared = silent.shared(PollSettings::default());
    let mut waiters = [1, 2].map(|_| Some(Box::pin(shared.clone().into_future())));
    for waiter in waiters.iter_mut().flatten() {
        assert!(poll_once(waiter.as_mut()).is_pending());
    }
    waiters[0] = None;
    assert!(!is_given_up.load(Ordering::Relaxed), "the other waits");
    waiters[1] = None;
    assert!(is_given_up.load(Ordering::Relaxed));
}

/// Broken: a failure of the credentials is permanent, or is never counted.
#[test]
fn a_wait_forgives_failing_credentials_as_often_as_its_budget_says() {
    let forgiven = |failing: usize| {
        let asked = AtomicUsize::new(0);
        let script = Script::new().running_with(percent(1)).done(cat());
        let (operations, transport, _) = client(script, |builder| {
            builder.credentials(move || {
                let asked = asked.fetch_add(1, Ordering::Relaxed);
                async move { if (1..=failing).contains(&asked) { Err("vault sealed".into()) } else { Ok(bearer("t")?) } }
            })
        });
        let operation = smol::block_on(operations.post("v1/x", &())).unwrap();
        let settings = PollSettings::default().with_error_budget(ErrorBudget::new(3));
        let ended = smol::block_on(operation.poll_until_completed(settings));
        (ended, transport.requests().len())
    };
    let (done, requests) = forgiven(3);
    assert!(done.unwrap().is_succeeded());
    assert_eq!(requests, 2, "nothing is sent without credentials");
    let (spent, requests) = forgiven(4);
    let spent = spent.unwrap_err();
    assert_eq!((spent.kind(), spent.attempts(), requests), (ErrorKind::Poll, Some(4), 1));
    assert!(spent.to_string().contains("the error budget is spent") && spent.to_string().contains("vault sealed"));
}

/// Broken: credentials are asked for once, and kept.
#[test]
fn credentials_are_asked_for_at_every_request() {
    let asked = AtomicUsize::new(0);
    let script = Script::new().running_with(percent(1)).running(2).done(cat());
    let (operations, transport, _) = client(script, |builder| {
        builder.credentials(move || {
            let asked = asked.fetch_add(1, Ordering::Relaxed);
            async move { Ok(bearer(&format!("t{asked}"))?) }
        })
    });
    assert!(smol::block_on(async { operations.post("v1/x", &()).await?.await }).unwrap().is_succeeded());
    let sent: Vec<_> = transport.requests().iter().map(|sent| sent.headers()["authorization"].clone()).collect();
    assert_eq!(sent, ["Bearer t0", "Bearer t1", "Bearer t2", "Bearer t3"]);
}

/// Broken: the range of a fraction is asked for as `!(x < 0 || x > 1)`, or is clamped.
#[test]
fn progress_that_is_no_fraction_is_none() {
    for (fraction, progress) in [
        ("NaN", None),
        ("inf", None),
        ("-inf", None),
        ("-0.1", None),
        ("1.1", None),
        ("40", None),
        ("", None),
        ("0", Some(0.0)),
        ("0.4", Some(0.4)),
        ("1", Some(1.0)),
    ] {
        let script = Script::new().running_with(json!({ "stage": "BUSY", "fraction": fraction }));
        let films = Films { operations: client(script, |builder| builder).0 };
        let operation = smol::block_on(films.develop()).unwrap();
        assert_eq!((operation.progress(), operation.untyped().progress()), (progress, progress), "{fraction}");
    }
}

/// Broken: metadata that means "queued" makes a running operation pending, whose metadata is then
/// lost as that of a reply which goes backwards.
#[test]
fn a_running_operation_whose_metadata_says_queued_again_runs_and_has_that_metadata() {
    let reel = |stage: &str| json!({ "stage": stage });
    let script = Script::new()
        .running_with(reel("QUEUED"))
        .running_with(reel("QUEUED"))
        .running_with(reel("BUSY"))
        .running_with(reel("QUEUED"))
        .done(json!(1));
    let films = Films { operations: client(script, |builder| builder).0 };
    let seen: Vec<_> = smol::block_on(async {
        let snapshots = films.develop().await.unwrap().snapshots(PollSettings::default());
        let seen = |snapshot: Result<DevelopOperation>| {
            let snapshot = snapshot.unwrap();
            (snapshot.untyped().state(), snapshot.metadata().unwrap().unwrap().stage.clone())
        };
        snapshots.map(seen).collect().await
    });
    let seen: Vec<_> = seen.iter().map(|(state, stage)| (*state, stage.as_str())).collect();
    assert_eq!(
        seen,
        [
            (State::Pending, "QUEUED"),
            (State::Pending, "QUEUED"),
            (State::Running, "BUSY"),
            (State::Running, "QUEUED"),
            (State::Succeeded, "QUEUED"),
        ]
    );
}

/// Broken: the fresh id goes before the caller's, in the call or in what the call says of itself.
#[test]
fn the_start_id_of_the_caller_goes_before_a_fresh_one_wherever_either_place_is_set() {
    for place in [StartIdIn::Header("op-id"), StartIdIn::Query("id"), StartIdIn::Body("id")] {
        for of_client in [true, false] {
            let (operations, transport, _) =
                client(
                    Script::new().running_forever(),
                    |builder| {
                        if of_client { builder.start_id_in(place) } else { builder }
                    },
                );
            let call = || {
                let call = operations.call(Method::POST, "v1/x").json(&json!({ "a": 1 }));
                if of_client { call } else { call.start_id_in(place) }
            };
            let put = match place {
                StartIdIn::Header(name) => call().header(name, "own"),
                StartIdIn::Query(name) => call().query(name, "own"),
                _ => call().json(&json!({ "id": "own" })),
            };
            for call in [call().with_start_id("own"), put] {
                assert_eq!(call.start_id().as_deref(), Some("own"));
                let operation = smol::block_on(call.into_future()).unwrap();
                assert_eq!(operation.start_id(), Some("own"));
                let sent = transport.requests().pop().unwrap();
                let found = [
                    sent.headers().get_all("op-id").iter().filter(|id| **id == "own").count(),
                    sent.uri().query().unwrap_or_default().matches("id=own").count(),
                    String::from_utf8_lossy(sent.body()).matches(r#""id":"own""#).count(),
                ];
                assert_eq!(found.iter().sum::<usize>(), 1, "{place:?}: {sent:?}");
                assert!(!sent.uri().query().unwrap_or_default().contains('&'), "{sent:?}");
                assert!(sent.headers().get_all("op-id").iter().count() <= 1, "{sent:?}");
            }
        }
    }
}

/// Broken: the headers of a call are added to the client's of the same name.
#[test]
fn a_header_of_a_call_stands_in_place_of_the_clients() {
    let (operations, transport, _) = client(Script::new().running_with(percent(1)).done(cat()), |builder| {
        builder.header("x-team", "client").header("accept", "text/plain").header("content-type", "text/plain")
    });
    let call = operations.call(Method::POST, "v1/x").header("x-team", "call").json(&json!({}));
    assert!(smol::block_on(async { call.await?.await }).unwrap().is_succeeded());
    let sent = transport.requests();
    let values = |sent: &Request, name: &str| {
        let values = sent.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
        values.collect::<Vec<_>>()
    };
    assert_eq!(sent.iter().map(|sent| values(sent, "x-team")).collect::<Vec<_>>(), [["call"], ["client"]]);
    assert_eq!(values(&sent[0], "content-type"), ["application/json"]);
    assert!(sent.iter().all(|sent| values(sent, "accept") == ["text/plain"]), "{sent:?}");
}

/// Broken: a list call, a delete call, or any other without the time limit of a poll.
#[test]
fn every_call_about_operations_has_the_time_limit_of_a_poll() {
    type Call<'a> = (u64, &'a dyn Fn(&Operations) -> Option<lro_runtime::Error>);

    let silence = || Script::new().silence();
    let took = |limit: Option<f64>, call: &dyn Fn(&Operations) -> Option<lro_runtime::Error>| {
        let (operations, _, clock) = client(silence(), |builder| match limit {
            Some(limit) => builder.poll_settings(PollSettings::default().with_poll_timeout(secs(limit))),
            None => builder,
        });
        let error = call(&operations).expect("nothing answers");
        assert_eq!(error.kind(), ErrorKind::Poll);
        clock.elapsed().as_secs()
    };
    let resumed = |operations: &Operations| operations.resume("operations/1").unwrap();
    let calls: [Call<'_>; 8] = [
        (0, &|operations| smol::block_on(operations.list("").next())?.err()),
        (0, &|operations| operations.list("").blocking().next()?.err()),
        (0, &|operations| smol::block_on(operations.get("operations/1")).err()),
        (0, &|operations| smol::block_on(operations.cancel("operations/1")).err()),
        (0, &|operations| smol::block_on(operations.delete("operations/1")).err()),
        (0, &|operations| smol::block_on(resumed(operations).poll_once()).err()),
        (0, &|operations| resumed(operations).blocking().poll_once().err()),
        (20, &|operations| smol::block_on(resumed(operations).wait(secs(20.0))).err()),
    ];
    for (hold, call) in calls {
        assert_eq!((took(None, call), took(Some(5.0), call)), (30 + hold, 5 + hold));
    }
}

/// Broken: full jitter without its least delay.
#[test]
fn full_jitter_of_a_short_delay_is_never_a_hot_loop() {
    for seed in 0..20 {
        let stage = Stage::new(Script::new().running_with(percent(1)).running_forever());
        let operation = stage.export();
        let settings = PollSettings::default().with_delay(secs(0.002)).with_multiplier(1.0).with_jitter(Jitter::Full);
        let settings = settings.with_seed(seed).with_timeout(secs(0.05));
        smol::block_on(operation.poll_until_completed(settings)).unwrap_err();
        let times = stage.transport.request_times();
        // The last poll lands on the time limit, however short the rest is.
        let delays: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let (_, delays) = delays.split_last().unwrap();
        assert!(delays.iter().all(|delay| *delay >= secs(0.001)), "{delays:?}");
        assert!(delays.iter().any(|delay| *delay > secs(0.001)), "{delays:?}");
    }
}

/// Broken: a stream goes on after the error or the snapshot that ends its wait.
#[test]
fn a_stream_has_nothing_after_its_end_and_asks_nothing() {
    let done = Script::new().running_with(percent(1)).done(cat()).running_forever();
    let gone = Script::new().running_with(percent(1)).error(Code::PermissionDenied, "not yours").running_forever();
    for (script, is_ok) in [(done, true), (gone, false)] {
        let stage = Stage::new(script);
        let mut snapshots = stage.export().snapshots(PollSettings::default());
        smol::block_on(async {
            assert!(snapshots.next().await.unwrap().is_ok());
            assert_eq!(snapshots.next().await.unwrap().is_ok(), is_ok);
            for _ in 0..3 {
                assert!(snapshots.next().await.is_none());
            }
        });
        assert_eq!(stage.requests(), 2);
    }
}

/// Broken: an adopted message is one that a poll has found, or has no time of its start.
#[test]
fn an_adopted_message_is_a_start_reply_after_which_not_found_is_lag_for_the_grace() {
    let message = r#"{"name": "operations/1", "metadata": {}}"#;
    let lag = || Script::new().error(Code::NotFound, "not here");
    let (operations, transport, _) = client(lag().error(Code::NotFound, "not here").done(cat()), |builder| builder);
    let adopted = operations.adopt(message).unwrap();
    assert!(smol::block_on(adopted.poll_until_completed(constant(2.0))).unwrap().is_succeeded());
    assert_eq!(transport.requests().len(), 3);

    let script = (0..20).fold(Script::new(), |script, _| script.error(Code::NotFound, "not here"));
    let (operations, _, clock) = client(script, |builder| builder);
    let gone = smol::block_on(operations.adopt(message).unwrap().poll_until_completed(constant(2.0))).unwrap_err();
    assert!(gone.to_string().contains("the start call was accepted, and its operation is not found"), "{gone}");
    assert!((secs(8.0)..=secs(12.0)).contains(&clock.elapsed()), "the grace is 10 s: {:?}", clock.elapsed());

    let found = Script::new().running_with(percent(1)).error(Code::NotFound, "not here").done(cat());
    let (operations, _, _) = client(found, |builder| builder);
    let gone = smol::block_on(operations.adopt(message).unwrap().poll_until_completed(constant(2.0))).unwrap_err();
    assert!(gone.to_string().contains("found before and is gone now"), "{gone}");
}

/// Broken: the error of a later call forgets the id that the operation was started with.
#[test]
fn an_error_has_the_start_id_of_its_operation() {
    let refused = |script: Script| script.error(Code::PermissionDenied, "not yours");
    let script = refused(refused(Script::new().running_with(percent(1))));
    let (operations, _, _) = client(script, |builder| builder.start_id_in(StartIdIn::Header("op-id")));
    let call = operations.call(Method::POST, "v1/x").with_start_id("x7");
    let error = smol::block_on(async { call.await?.await }).unwrap_err();
    assert_eq!(error.start_id(), Some("x7"));
    assert!(smol::block_on(operations.get("operations/1")).is_err_and(|error| error.start_id().is_none()));
    let unsent = operations.call(Method::POST, "v1/x").with_start_id("x7").start_timeout(secs(0.0));
    assert_eq!(smol::block_on(unsent.into_future()).unwrap_err().start_id(), None, "it was not sent");
}

/// Broken: a budget that a success does not restore.
#[test]
fn every_good_poll_restores_the_budget() {
    let closed = |script: Script| script.transport_error(TransportErrorKind::Closed);
    let script = (0..5).fold(Script::new().running_with(percent(1)), |script, _| closed(closed(script)).running(1));
    let (operations, _, _) = client(script.done(cat()), |builder| builder);
    let operation = smol::block_on(operations.post("v1/x", &())).unwrap();
    let settings = PollSettings::default().with_error_budget(2);
    assert!(smol::block_on(operation.poll_until_completed(settings)).unwrap().is_succeeded());
}

/// Broken: a new wait begins the delay after the last reply anew.
#[test]
fn a_delay_that_was_dropped_is_waited_for_again_from_the_last_reply() {
    let stage = Stage::new(Script::new().running_with(percent(1)).done(cat()));
    let manual = VirtualClock::manual();
    let operations =
        Operations::builder("http://scripted.test").transport(stage.transport.clone()).timer(manual.clone());
    let operation = smol::block_on(operations.build().unwrap().post("v1/x", &())).unwrap();
    {
        let mut wait = pin!(operation.poll_until_completed(constant(4.0)));
        assert!(poll_once(wait.as_mut()).is_pending());
        manual.advance(secs(3.0));
    }
    let mut wait = pin!(operation.poll_until_completed(constant(4.0)));
    assert!(poll_once(wait.as_mut()).is_pending());
    assert_eq!(manual.next_deadline(), Some(secs(1.0)), "4 s after the reply to the start call");
}
