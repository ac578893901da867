//! Counts the memory that an operation holds: what a program pays for each one that it waits for.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use bytes::Bytes;
use lro_runtime::{
    Operations, PollSettings, RawOperation, Timer, Transport,
    transport::{BoxFuture, Reply, Request, TransportError},
};

/// A running operation, as long as Google's usually are.
const RUNNING: &[u8] = br#"{"name":"projects/p/locations/l/operations/123","metadata":{"@type":"type.googleapis.com/example.Progress","percent":40,"step":"resizing"},"done":false}"#;

/// A transport whose replies take no memory, and whose polls are never answered if `held`.
struct Memory {
    held: bool,
}

impl Transport for Memory {
    fn send<'a>(&'a self, request: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        if self.held && request.method() == http::Method::GET {
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

fn operation(held: bool) -> RawOperation {
    let operations =
        Operations::builder("http://memory.test").transport(Memory { held }).timer(Asleep).build().unwrap();
    smol::block_on(operations.post("v1/x", &())).unwrap()
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
    let first = operation(in_flight);
    let delay = if in_flight { Duration::ZERO } else { Duration::from_secs(1) };
    let settings = || PollSettings::default().with_initial_delay(delay);
    // What is made once for all operations of a client is made by the first of them.
    let mut before = Box::pin(first.poll_until_completed(settings()));
    polled(&mut before);
    let (next, operation) = held(|| smol::block_on(first.client().post("v1/x", &())).unwrap());
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
