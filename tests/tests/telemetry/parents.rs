//! Whose child a span is, whoever polls the wait, and how it ends when nobody does.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    thread,
};

use lro_runtime::{
    Operations, PollSettings, Transport,
    testing::{Script, VirtualClock},
    transport::{BoxFuture, Reply, Request, TransportError},
};
use tracing::{Instrument, Level, info_span};

use crate::{
    capture::Spans,
    support::{Stage, cat, drive, secs},
};

/// Only what tells the spans apart.
fn is_shown(field: &str) -> bool {
    matches!(field, "lro.outcome" | "lro.poll.attempt")
}

fn settings() -> PollSettings {
    PollSettings::default().with_delay(secs(2.0)).with_multiplier(1.0)
}

fn stage(script: Script, is_manual: bool) -> Stage {
    let mut stage = Stage::new(script);
    if is_manual {
        stage.clock = VirtualClock::manual();
        stage.client.operations = stage.transport.operations(&stage.clock).unwrap();
    }
    stage
}

/// A transport that says when it is polled.
struct Talking;

impl Transport for Talking {
    fn send<'a>(&'a self, request: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let is_poll = request.method() == http::Method::GET;
        let body = format!(r#"{{"name": "operations/1", "done": {is_poll}, "response": {{}}}}"#);
        let connected = async { tracing::info!("connected") }.instrument(info_span!("connect"));
        Box::pin(async move {
            connected.await;
            Ok(Reply::new(body.into()))
        })
    }
}

#[test]
fn what_the_transport_logs_is_in_the_span_of_the_call() {
    let ((), spans) = Spans::of(Level::DEBUG, || {
        smol::block_on(async {
            let client = Operations::builder("http://h.test").transport(Talking).timer(VirtualClock::new());
            let operation = client.build().unwrap().post("x", &()).await.unwrap();
            drop(operation.poll_until_completed(settings()).await.unwrap());
            drop(operation.poll_once().await.unwrap());
        });
    });
    let connect = |depth: usize| {
        let (outer, inner) = ("    ".repeat(depth), "    ".repeat(depth + 1));
        format!("{outer}INFO connect\n{inner}- INFO: connected\n")
    };
    let expected = format!(
        "INFO lro.start\n{}    - INFO: the operation has started\n\
         INFO lro.wait lro.outcome=succeeded\n    DEBUG lro.poll lro.poll.attempt=1\n{}        - DEBUG: the state has changed\n    - INFO: the operation has ended lro.outcome=succeeded\n\
         DEBUG lro.poll\n{}    - DEBUG: the state has changed\n",
        connect(1),
        connect(2),
        connect(1),
    );
    assert_eq!(spans.tree_of(is_shown), expected);
}

#[test]
fn a_wait_is_the_child_of_the_span_in_which_it_is_first_polled_on_whatever_thread_it_goes_on() {
    let spans = Spans::default();
    let subscriber = tracing::Dispatch::new(spans.subscriber(Level::DEBUG));
    tracing::dispatcher::with_default(&subscriber, || {
        let stage = stage(Script::new().running(2).done(cat()), true);
        let operation = smol::block_on(stage.client.export_image()).unwrap();
        let made = info_span!("where it is made").in_scope(|| operation.poll_until_completed(settings()));
        let mut waiting = Box::pin(made);
        let mut context = Context::from_waker(Waker::noop());
        let first = info_span!("where it is first polled");
        assert!(first.in_scope(|| waiting.as_mut().poll(&mut context)).is_pending());
        let elsewhere = subscriber.clone();
        let goes_on = move || {
            let _span = info_span!("elsewhere").entered();
            drop(drive(&stage.clock, waiting).unwrap());
        };
        thread::spawn(move || tracing::dispatcher::with_default(&elsewhere, goes_on)).join().unwrap();
    });
    let tree = spans.tree_of(is_shown);
    let (_, after) = tree.split_once("INFO where it is first polled\n").unwrap();
    let polls = "        DEBUG lro.poll lro.poll.attempt=1\n        DEBUG lro.poll lro.poll.attempt=2\n";
    assert!(after.starts_with(&format!("    INFO lro.wait lro.outcome=succeeded\n{polls}")), "{tree}");
    assert!(after.ends_with("\nINFO elsewhere\n"), "{tree}");
    assert_eq!(spans.open(), 0, "{tree}");
}

#[test]
fn a_wait_that_is_dropped_says_so_and_so_does_the_poll_in_flight() {
    let ((), spans) = Spans::of(Level::DEBUG, || {
        let stage = stage(Script::new().running(1).running(1).taking(secs(9.0)), true);
        smol::block_on(async {
            let operation = stage.client.export_image().await.unwrap();
            let mut waiting = pin!(operation.poll_until_completed(settings()));
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..2 {
                assert!(waiting.as_mut().poll(&mut context).is_pending());
                stage.clock.advance(secs(2.0));
            }
        });
    });
    let tree = spans.tree_of(is_shown);
    let expected = "INFO lro.wait lro.outcome=dropped\n    DEBUG lro.poll lro.poll.attempt=1 lro.outcome=dropped\n    - DEBUG: nobody waits any longer, the operation goes on\n";
    assert!(tree.ends_with(expected), "{tree}");
    assert_eq!(spans.open(), 0, "{tree}");
}

#[test]
fn a_branch_of_a_select_that_loses_is_dropped_in_its_span() {
    let ((), spans) = Spans::of(Level::DEBUG, || {
        let stage = stage(Script::new().running(1).running_forever(), true);
        smol::block_on(async {
            let operation = stage.client.export_image().await.unwrap();
            let waiting = Box::pin(operation.poll_until_completed(settings()));
            let polls = async {
                for _ in 0..3 {
                    stage.clock.advance(secs(2.0));
                    smol::future::yield_now().await;
                }
            };
            let lost = async { drop(waiting.await.unwrap()) };
            smol::future::or(lost, polls).instrument(info_span!("select")).await;
        });
    });
    let tree = spans.tree_of(is_shown);
    assert!(tree.contains("INFO select\n    INFO lro.wait lro.outcome=dropped\n        DEBUG lro.poll"), "{tree}");
    assert_eq!(spans.open(), 0, "{tree}");
}

#[test]
fn a_single_call_that_is_dropped_says_so() {
    let ((), spans) = Spans::of(Level::DEBUG, || {
        let stage = stage(Script::new().running(1).running(1).taking(secs(9.0)), true);
        let operation = smol::block_on(stage.client.export_image()).unwrap();
        let mut poll = Box::pin(operation.poll_once());
        assert!(poll.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    });
    let tree = spans.tree_of(is_shown);
    assert!(tree.ends_with("DEBUG lro.poll lro.outcome=dropped\n"), "{tree}");
}

#[test]
fn a_shared_wait_is_one_span_in_that_of_its_first_waiter() {
    let ((), spans) = Spans::of(Level::DEBUG, || {
        let stage = stage(Script::new().running(2).done(cat()), true);
        let shared = smol::block_on(stage.client.export_image()).unwrap().shared(settings());
        let mut first = Box::pin(async { shared.clone().await }.instrument(info_span!("first")));
        let mut second = Box::pin(async { shared.clone().await }.instrument(info_span!("second")));
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        // The first goes: the second drives the loop from here.
        drop(first);
        drop(drive(&stage.clock, Unpinned(second)).unwrap());
    });
    let tree = spans.tree_of(is_shown);
    let (_, waits) = tree.split_once("INFO first\n").unwrap();
    let polls = "        DEBUG lro.poll lro.poll.attempt=1\n        DEBUG lro.poll lro.poll.attempt=2\n";
    assert!(waits.starts_with(&format!("    INFO lro.wait lro.outcome=succeeded\n{polls}")), "{tree}");
    assert!(waits.ends_with("\nINFO second\n"), "{tree}");
}

/// A boxed future as one that can be moved.
struct Unpinned<F>(Pin<Box<F>>);

impl<F: Future> Future for Unpinned<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(context)
    }
}

#[test]
fn a_blocking_wait_is_in_the_span_of_its_thread() {
    let spans = Spans::default();
    let subscriber = tracing::Dispatch::new(spans.subscriber(Level::DEBUG));
    let request = tracing::dispatcher::with_default(&subscriber, || info_span!("request"));
    let elsewhere = subscriber.clone();
    let waits = move || {
        tracing::dispatcher::with_default(&elsewhere, || {
            let _request = request.entered();
            let stage = stage(Script::new().running(2).done(cat()), false);
            let operation = smol::block_on(stage.client.export_image()).unwrap();
            drop(operation.blocking().poll_until_completed(settings()).unwrap());
        });
    };
    thread::spawn(waits).join().unwrap();
    let tree = spans.tree_of(is_shown);
    assert!(tree.starts_with("INFO request\n    INFO lro.start\n"), "{tree}");
    assert!(
        tree.contains("\n    INFO lro.wait lro.outcome=succeeded\n        DEBUG lro.poll lro.poll.attempt=1\n"),
        "{tree}"
    );
}

#[test]
fn a_stream_of_snapshots_is_one_wait() {
    let ((), spans) = Spans::of(Level::DEBUG, || {
        let stage = stage(Script::new().running(2).done(cat()), false);
        let operation = smol::block_on(stage.client.export_image()).unwrap();
        assert_eq!(operation.blocking().snapshots(settings()).count(), 3);
    });
    let tree = spans.tree_of(is_shown);
    assert_eq!(tree.matches("lro.wait").count(), 1, "{tree}");
    assert_eq!(tree.matches("\n    DEBUG lro.poll").count(), 2, "{tree}");
}

#[test]
fn an_observer_is_called_in_the_span_of_the_wait() {
    let ((), spans) = Spans::of(Level::INFO, || {
        let stage = stage(Script::new().running(2).done(cat()), false);
        let operation = smol::block_on(stage.client.export_image()).unwrap();
        let observed = operation.on_completed(|_| tracing::info!("told"));
        smol::block_on(async { observed.await }).unwrap();
    });
    let tree = spans.tree_of(is_shown);
    assert!(tree.contains("INFO lro.wait lro.outcome=succeeded\n    - INFO: told\n"), "{tree}");
}
