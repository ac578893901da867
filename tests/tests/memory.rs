//! Counts the memory that an operation holds: what a program pays for each one that it waits for.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use lro_runtime::{
    Operations, PollSettings, Result, Timer, Transport,
    transport::{BoxFuture, Reply, Request, TransportError},
};

/// A running operation, as long as Google's usually are.
const RUNNING: &[u8] = br#"{"name":"projects/p/locations/l/operations/123","metadata":{"@type":"type.googleapis.com/example.Progress","percent":40,"step":"resizing"},"done":false}"#;

/// A transport whose replies take no memory, and which never answers requests of the method that is
/// `held`.
struct Memory {
    held: Option<Method>,
}

impl Transport for Memory {
    fn send<'a>(&'a self, request: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        if self.held.as_ref() == Some(request.method()) {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Ok(Reply::new(Bytes::from_static(RUNNING)))))
    }
}

/// A timer whose sleeps take no memory of their own and do not end.
struct Asleep;

impl Timer for Asleep {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

fn operations(held: Option<Method>) -> Operations {
    Operations::builder("http://memory.test").transport(Memory { held }).timer(Asleep).build().unwrap()
}

/// Returns what `make` makes, and the bytes that it holds.
fn held<T>(make: impl FnOnce() -> T) -> (T, i64) {
    let mut out = None;
    let info = allocation_counter::measure(|| out = Some(make()));
    (out.unwrap(), info.bytes_current)
}

/// Polls a future once, and returns the bytes that it holds from then on.
fn polled<T>(future: &mut Pin<Box<impl Future<Output = T>>>) -> i64 {
    let mut context = Context::from_waker(Waker::noop());
    allocation_counter::measure(|| assert!(future.as_mut().poll(&mut context).is_pending())).bytes_current
}

/// The bytes that each part of an operation holds.
struct Figures {
    /// The snapshot, where it is polled, and the request of its polls.
    operation: i64,
    /// The future of a wait that has not begun.
    wait: i64,
    /// What is added while the wait sleeps or polls; what the timer or the transport hold is not
    /// in it.
    once_polled: i64,
    /// The future of one poll.
    poll: i64,
}

fn figures(in_flight: bool) -> Figures {
    let operations = operations(in_flight.then_some(Method::GET));
    let first = smol::block_on(operations.post("v1/x", &())).unwrap();
    let delay = if in_flight { Duration::ZERO } else { Duration::from_secs(1) };
    let settings = || PollSettings::default().with_initial_delay(delay);
    // What is made once for all operations of a client is made by the first of them.
    let mut before = Box::pin(first.poll_until_completed(settings()));
    polled(&mut before);
    let (next, operation) = held(|| smol::block_on(operations.post("v1/x", &())).unwrap());
    let (waiting, wait) = held(|| Box::pin(next.poll_until_completed(settings())));
    let mut waiting = waiting;
    let once_polled = polled(&mut waiting);
    let (_poll, poll) = held(|| next.poll_once());
    Figures { operation, wait, once_polled, poll }
}

/// What the features `tracing` and `metrics` add to a wait while there is no subscriber: a pointer
/// each. A call lends one of them to the request in it. The features are on here, because other
/// tests of this workspace need them; that nothing is added without them is checked where
/// `lro_runtime` is compiled.
const REPORTS: i64 = 16;
const LENT: i64 = 8;

#[test]
fn a_wait_holds_little_more_than_its_state() {
    for in_flight in [false, true] {
        let Figures { operation, wait, once_polled, poll } = figures(in_flight);
        let doing = if in_flight { "polls" } else { "sleeps" };
        println!("operation {operation} B, wait {wait} B and {once_polled} B while it {doing}, poll_once {poll} B");
        assert!(operation <= 208, "{operation}");
        assert!(wait <= 208 + REPORTS, "{wait}");
        // The timer here cannot set a sleep anew, so the wait keeps the timer beside the sleep.
        assert!(once_polled <= if in_flight { 657 } else { 32 }, "{once_polled}");
        assert!(poll <= 288 + REPORTS + LENT, "{poll}");
    }
}

#[test]
fn a_start_call_holds_little_more_than_what_it_sends() {
    let operations = operations(Some(Method::POST));
    let post = || Box::pin(operations.post("v1/images:export", &"a body"));
    let mut before = post();
    polled(&mut before);
    let (mut starting, made) = held(post);
    let sending = made + polled(&mut starting);
    println!("start call {made} B, and {sending} B while it is sent");
    // The parts of the call are gone then, and the request is there. The rest is mostly its future,
    // which is larger for the traces and metrics that are on here.
    assert!(made <= 1_904, "{made}");
    assert!(sending <= 1_925, "{sending}");
}
