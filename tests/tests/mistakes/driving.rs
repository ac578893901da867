//! Mistakes of drivers: observers, concurrent waits, sizes of futures, executors, blocking calls.

use std::{
    future::{Future, IntoFuture, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use futures_lite::StreamExt;
use lro_runtime::{
    Code, ErrorKind, FailedPoll, LongRunning, Operations, PollSettings, Status,
    testing::{Job, LroServer, Script, VirtualClock},
    transport::TransportErrorKind,
};
use serde_json::json;

use crate::support::{ImageClient, Server, Stage, cat, json_reply, percent, poll_once, secs};

#[test]
fn an_observer_of_completion_fires_once_on_the_terminal_snapshot() {
    let stage = Stage::new(Script::new().running_with(percent(1)).running(2).running_with(percent(50)).done(cat()));
    let (ends, changes, polls) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(vec![])), Arc::new(AtomicUsize::new(0)));
    let count = |counter: &Arc<AtomicUsize>| {
        let counter = Arc::clone(counter);
        move || counter.fetch_add(1, Ordering::Relaxed)
    };
    let (ended, polled, log) = (count(&ends), count(&polls), Arc::clone(&changes));
    let operation = stage.export();
    let mut observed = operation
        .on_completed(move |snapshot| {
            assert!(snapshot.is_succeeded());
            ended();
        })
        .on_progress(move |snapshot| log.lock().unwrap().push(snapshot.progress()));
    assert!(smol::block_on(observed.poll_until_completed(PollSettings::default())).unwrap().is_succeeded());
    assert_eq!(ends.load(Ordering::Relaxed), 1);
    assert_eq!(*changes.lock().unwrap(), [Some(0.01), Some(0.5), Some(1.0)], "changes only");

    let stage = Stage::new(Script::new().running_with(percent(1)).running(3).done(cat()));
    let mut observed = stage
        .export()
        .on_progress(move |_| {
            polled();
        })
        .every_poll();
    assert!(observed.poll_until_completed_blocking(PollSettings::default()).unwrap().is_succeeded());
    assert_eq!(polls.load(Ordering::Relaxed), 5, "the first snapshot and every poll");
}

#[test]
fn an_observed_operation_is_awaited_as_the_operation_itself_is() {
    let stage = Stage::new(Script::new().running_with(percent(1)).running_with(percent(50)).done(cat()));
    let (ends, changes) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (ended, seen) = (Arc::clone(&ends), Arc::clone(&changes));
    let observed = stage
        .export()
        .on_progress(move |_| {
            seen.fetch_add(1, Ordering::Relaxed);
        })
        .on_completed(move |_| {
            ended.fetch_add(1, Ordering::Relaxed);
        });
    assert_eq!(smol::block_on(observed.into_future()).unwrap().uri, "gs://pictures/cat.png");
    assert_eq!((changes.load(Ordering::Relaxed), ends.load(Ordering::Relaxed)), (3, 1));
    stage.transport.assert_finished();
}

#[test]
fn an_observer_of_completion_does_not_fire_on_a_timeout_and_fires_on_what_is_done_already() {
    let stage = Stage::new(Script::new().running_with(percent(1)).running(9));
    let mut observed = stage.export().on_completed(|_| panic!("it has not"));
    let error =
        smol::block_on(observed.poll_until_completed(PollSettings::default().with_timeout(secs(3.0)))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);

    let stage = Stage::new(Script::new().done(cat()));
    let fired = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&fired);
    let observed = stage.export().on_completed(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let all: Vec<_> = smol::block_on(observed.snapshots(PollSettings::default()).collect());
    assert_eq!((all.len(), fired.load(Ordering::Relaxed)), (1, 1));
}

#[test]
fn an_observed_operation_is_at_the_last_snapshot_of_a_wait_that_was_dropped() {
    let script = Script::new().running_with(percent(1)).running_with(percent(50)).cancel_accepted().cancelled();
    let stage = Stage::new(script);
    let half = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&half);
    let mut observed = stage.export().on_progress(move |snapshot| {
        seen.fetch_add(usize::from(snapshot.progress() == Some(0.5)), Ordering::Relaxed);
    });
    assert_eq!(observed.snapshot().progress(), Some(0.01), "what it was made with");
    let mut waiting = Box::pin(observed.poll_until_completed(PollSettings::default()));
    smol::block_on(poll_fn(|context| {
        assert!(waiting.as_mut().poll(context).is_pending());
        if half.load(Ordering::Relaxed) == 1 { Poll::Ready(()) } else { Poll::Pending }
    }));
    drop(waiting);
    let latest = observed.snapshot();
    assert_eq!((latest.name(), latest.progress()), ("operations/1", Some(0.5)));
    assert!(smol::block_on(latest.cancel_and_wait(PollSettings::default())).unwrap().is_cancelled());
    stage.transport.assert_finished();

    let stage = Stage::new(Script::new().running_with(percent(1)).done(cat()));
    let mut observed = stage.export().on_completed(|_| {});
    assert!(smol::block_on(observed.poll_until_completed(PollSettings::default())).is_ok());
    assert!(observed.snapshot().is_succeeded());
}

#[test]
fn observers_outlive_a_wait_that_times_out_and_one_that_is_dropped() {
    let script = Script::new().running_with(percent(1)).running_for(secs(8.0)).running_with(percent(50)).done(cat());
    let stage = Stage::new(script);
    let (ends, changes) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(vec![])));
    let (ended, log) = (Arc::clone(&ends), Arc::clone(&changes));
    let mut observed = stage
        .export()
        .on_progress(move |snapshot| log.lock().unwrap().push(snapshot.progress()))
        .on_completed(move |_| {
            ended.fetch_add(1, Ordering::Relaxed);
        });
    let briefly = PollSettings::default().with_timeout(secs(3.0));
    let error = smol::block_on(observed.poll_until_completed(briefly.clone())).unwrap_err();
    assert_eq!((error.kind(), ends.load(Ordering::Relaxed)), (ErrorKind::Timeout, 0));
    assert!(poll_once(pin!(observed.poll_until_completed(briefly.clone()))).is_pending());
    assert_eq!(observed.poll_until_completed_blocking(briefly).unwrap_err().kind(), ErrorKind::Timeout);
    assert!(smol::block_on(observed.poll_until_completed(PollSettings::default())).unwrap().is_succeeded());
    assert_eq!(ends.load(Ordering::Relaxed), 1);
    let begun = Some(0.01); // each wait begins with the snapshot that it has
    assert_eq!(*changes.lock().unwrap(), [begun, begun, begun, begun, Some(0.5), Some(1.0)]);
    let requests = stage.requests();
    assert!(smol::block_on(observed.poll_until_completed(PollSettings::default())).unwrap().is_succeeded());
    assert!(smol::block_on(observed.into_future()).is_ok());
    assert_eq!(ends.load(Ordering::Relaxed), 1, "once, however often it is waited for");
    assert_eq!(stage.requests(), requests, "the end is kept: no request finds it again");
}

#[test]
fn an_observer_of_failed_polls_gets_each_failure_and_which_poll_it_was() {
    let script = || {
        let start = Script::new().running_with(percent(40)).unavailable().running(1);
        start.transport_error(TransportErrorKind::Closed).unavailable().done(cat())
    };
    let failures = || {
        let seen = Arc::new(Mutex::new(vec![]));
        let log = Arc::clone(&seen);
        let record = move |poll: FailedPoll<'_>| {
            let code = poll.failure().status().map(Status::code);
            log.lock().unwrap().push((poll.attempt(), poll.operation().progress(), code));
        };
        (seen, record)
    };
    let expected =
        [(1, Some(0.4), Some(Code::Unavailable)), (3, Some(0.4), None), (4, Some(0.4), Some(Code::Unavailable))];
    let (seen, record) = failures();
    let stage = Stage::new(script());
    let mut observed = stage.export().on_failed_poll(record);
    assert!(smol::block_on(observed.poll_until_completed(PollSettings::default())).unwrap().is_succeeded());
    assert_eq!(*seen.lock().unwrap(), expected);
    let (seen, record) = failures();
    let snapshots = Stage::new(script()).export().untyped().on_failed_poll(record).snapshots(PollSettings::default());
    assert_eq!(smol::block_on(snapshots.count()), 3, "the first, and one for each poll that did not fail");
    assert_eq!(*seen.lock().unwrap(), expected);

    let (seen, record) = failures();
    let stage = Stage::new(Script::new().running_with(percent(40)).error(Code::PermissionDenied, "no longer yours"));
    let mut observed = stage.export().on_failed_poll(record);
    assert!(observed.poll_until_completed_blocking(PollSettings::default()).is_err());
    assert_eq!(
        *seen.lock().unwrap(),
        [(1, Some(0.4), Some(Code::PermissionDenied))],
        "also the one that ends the wait"
    );
}

#[test]
fn a_panic_of_an_observer_reaches_the_caller_of_the_wait() {
    let stage = Stage::new(Script::new().running_with(percent(1)).done(cat()));
    let operation = stage.export();
    let mut observed = operation.on_completed(|_| panic!("out of paper"));
    let caught =
        catch_unwind(AssertUnwindSafe(|| smol::block_on(observed.poll_until_completed(PollSettings::default()))));
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"out of paper"));
    assert!(!operation.is_completed(), "and the snapshot in hand is what it was");
}

/// Returns a client whose operation is done after this many polls, with its clock and its server.
fn long(polls: usize) -> (VirtualClock, Server, ImageClient) {
    let clock = VirtualClock::new();
    let count = AtomicUsize::new(0);
    let server = Server::new(&clock, move |_, _| {
        let n = count.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "name": "operations/1", "metadata": percent(1), "done": n >= polls, "response": cat() });
        (Duration::ZERO, Ok(json_reply(&body)))
    });
    let client = server.client();
    (clock, server, client)
}

#[test]
fn the_thousandth_request_is_as_large_as_the_first() {
    let (clock, server, _) = long(1001);
    let operations = Operations::builder("http://server.test")
        .transport(server.clone())
        .timer(clock)
        .header("x-tenant", "a")
        .credentials(|| async { Ok(lro_runtime::bearer("token")?) })
        .build()
        .unwrap();
    let client = ImageClient { operations };
    let operation = smol::block_on(client.export_image()).unwrap();
    let settings = PollSettings::default().without_expiration();
    assert!(smol::block_on(operation.poll_until_completed(settings)).unwrap().is_succeeded());
    let requests = server.requests();
    assert_eq!(requests.len(), 1002);
    // A client that appends its headers to the request of the poll before sends one more copy with
    // every poll.
    let shape = |n: usize| {
        let request = &requests[n].1;
        (request.uri().clone(), request.headers().clone(), request.headers().len(), request.body().clone())
    };
    assert_eq!(shape(1), shape(1000));
}

#[test]
fn a_second_waiter_is_independent_of_a_dropped_first_and_of_its_neighbours() {
    let (clock, server, client) = long(5);
    let operation = smol::block_on(client.export_image()).unwrap();
    {
        let mut first = pin!(operation.poll_until_completed(PollSettings::default()));
        assert!(poll_once(first.as_mut()).is_pending());
    }
    assert_eq!((server.requests().len(), clock.next_deadline()), (1, None));
    let (one, two) = smol::block_on(futures_lite::future::zip(
        operation.poll_until_completed(PollSettings::default()),
        operation.poll_until_completed(PollSettings::default()),
    ));
    assert!(one.unwrap().is_succeeded() && two.unwrap().is_succeeded());
}

/// Returns the size of a future, or of any other value, in bytes.
fn size<T>(name: &str, future: T) -> usize {
    drop(future);
    let size = size_of::<T>();
    println!("{name}: {size} bytes");
    size
}

#[test]
fn public_futures_are_small() {
    // The futures of one published client have 31 KB, which overflows small stacks.
    const MOST: usize = 1024;
    let stage = Stage::new(Script::new().running_with(percent(1)));
    let (client, operation) = (&stage.client, stage.export());
    let (raw, operations, settings) = (operation.untyped().clone(), &client.operations, PollSettings::default);
    let second = secs(1.0);
    let sizes = [
        size("annotated method", client.export_image()),
        size("annotated method of ()", client.purge()),
        size("poll_once", operation.poll_once()),
        size("poll_until_completed", operation.poll_until_completed(settings())),
        size("await", operation.clone().into_future()),
        size("snapshots", operation.snapshots(settings())),
        size("snapshots.next", operation.snapshots(settings()).next()),
        size("on_progress", operation.on_progress(|_| ()).poll_until_completed(settings())),
        size("on_progress.snapshots", operation.on_progress(|_| ()).snapshots(settings())),
        size("cancel", operation.cancel()),
        size("cancel_and_wait", operation.cancel_and_wait(settings())),
        size("delete", operation.delete()),
        size("wait", operation.wait(second)),
        size("raw poll_once", raw.poll_once()),
        size("raw poll_until_completed", raw.poll_until_completed(settings())),
        size("raw await", raw.clone().into_future()),
        size("raw cancel_and_wait", raw.cancel_and_wait(settings())),
        size("raw wait", raw.wait(second)),
        size("LongRunning::poll_until_completed", LongRunning::poll_until_completed(&operation, settings())),
        size("Operations::start", operations.start(http::Request::new(""))),
        size("Operations::post", operations.post("v1/x", &())),
        size("Operations::get", operations.get("operations/1")),
        size("Operations::cancel", operations.cancel("operations/1")),
        size("Operations::delete", operations.delete("operations/1")),
        size("Operations::wait", operations.wait("operations/1", second)),
        size("Operations::list", operations.list("")),
        size("Operation", operation.clone()),
    ];
    assert!(sizes.iter().all(|size| *size <= MOST), "{sizes:?}");
}

/// Returns a real server, and a client on real sockets and with a real timer.
fn real() -> (LroServer, ImageClient) {
    let job = |_: &serde_json::Value| Job::polls(3).metadata(|_| percent(5)).responds(cat());
    let server = LroServer::builder().on("v1/images:export", job).start().unwrap();
    let operations = Operations::builder(server.url()).poll_settings(fast()).build().unwrap();
    (server, ImageClient { operations })
}

fn fast() -> PollSettings {
    PollSettings::interactive().with_delay(secs(0.01)).with_hint(lro_runtime::HintPolicy::Ignore)
}

async fn export(client: &ImageClient) {
    let image = client.export_image().await.unwrap().await.unwrap();
    assert_eq!(image.uri, "gs://pictures/cat.png");
}

#[test]
fn it_runs_on_any_executor_and_on_none() {
    let (_server, client) = real();
    smol::block_on(export(&client));
    futures_lite::future::block_on(export(&client));
    async_io::block_on(export(&client));
    let local = smol::LocalExecutor::new();
    smol::block_on(local.run(export(&client)));
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime().block_on(export(&client)); // this runtime has neither timer nor reactor
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(export(&client));
}

#[test]
fn it_runs_on_tokio_with_its_timer() {
    let (server, _) = real();
    let operations = Operations::builder(server.url()).poll_settings(fast()).timer(lro_runtime::timer::TokioTimer);
    let client = ImageClient { operations: operations.build().unwrap() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        export(&client).await;
        // A blocking call on the runtime's only thread, whose timer cannot fire meanwhile.
        let operation = client.export_image().await.unwrap();
        assert!(operation.blocking().poll_until_completed(PollSettings::default()).unwrap().is_succeeded());
    });
}

#[test]
fn blocking_calls_need_no_executor_and_do_not_deadlock_inside_one() {
    let (_server, client) = real();
    let blocked = |client: &ImageClient| {
        let operation = futures_lite::future::block_on(client.export_image()).unwrap();
        let done = operation.blocking().poll_until_completed(PollSettings::default()).unwrap();
        assert!(done.is_succeeded());
        assert_eq!(
            operation.blocking().snapshots(PollSettings::default()).last().unwrap().unwrap().progress(),
            Some(1.0)
        );
    };
    blocked(&client);
    smol::block_on(async {
        let operation = client.export_image().await.unwrap();
        assert!(operation.blocking().poll_until_completed(PollSettings::default()).unwrap().is_succeeded());
    });
    let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tokio.block_on(async {
        let operation = client.export_image().await.unwrap();
        assert!(operation.blocking().poll_until_completed(PollSettings::default()).unwrap().is_succeeded());
    });
    let local = smol::LocalExecutor::new();
    smol::block_on(local.run(async { local.spawn(async { blocked(&client) }).await }));
}

#[test]
fn a_blocking_wait_sleeps_between_polls() {
    let (server, client) = real();
    let operation = futures_lite::future::block_on(client.export_image()).unwrap();
    let began = Instant::now();
    let settings = fast().with_delay(secs(0.1)).with_multiplier(1.0);
    assert!(operation.blocking().poll_until_completed(settings).unwrap().is_succeeded());
    assert!(began.elapsed() >= secs(0.2));
    assert_eq!(server.polls(operation.name()), 3);
}
