//! Counts the allocations of a poll.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use lro_runtime::{
    Operations, PollSettings, RawOperation, Result, Timer, Transport,
    timer::{BoxSleep, Sleep},
    transport::{BoxFuture, Reply, Request, TransportError},
};

/// A running operation, with metadata that is never read.
const RUNNING: &[u8] = br#"{"name":"projects/p/locations/l/operations/123","metadata":{"@type":"type.googleapis.com/example.Progress","percent":40,"step":"resizing"},"done":false}"#;

/// A transport with a constant reply, which allocates nothing but its future.
struct Memory(Arc<AtomicUsize>);

impl Transport for Memory {
    fn send<'a>(&'a self, _: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(Ok(Reply::new(Bytes::from_static(RUNNING)))))
    }
}

/// A clock that every sleep advances. It keeps no list of sleeps, so that it allocates nothing but
/// their futures.
struct Jumping {
    origin: Instant,
    elapsed: Arc<AtomicU64>,
}

impl Jumping {
    fn slept(&self, duration: Duration) -> Slept {
        let mut slept = Slept { elapsed: Arc::clone(&self.elapsed), is_over: false };
        Pin::new(&mut slept).set(duration);
        slept
    }
}

impl Timer for Jumping {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.slept(duration))
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(self.slept(duration)))
    }

    fn now(&self) -> Instant {
        self.origin + Duration::from_nanos(self.elapsed.load(Ordering::Relaxed))
    }
}

/// Pending once, so that one poll of the wait's future is one poll of the operation.
struct Slept {
    elapsed: Arc<AtomicU64>,
    is_over: bool,
}

impl Future for Slept {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.is_over, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Sleep for Slept {
    fn set(mut self: Pin<&mut Self>, duration: Duration) {
        self.elapsed.fetch_add(u64::try_from(duration.as_nanos()).unwrap(), Ordering::Relaxed);
        self.is_over = false;
    }
}

/// Returns the number of allocations in each of `steps` polls of one wait: a sleep, a request, a
/// reply, a new snapshot.
fn allocations(steps: usize) -> Vec<u64> {
    let sent = Arc::new(AtomicUsize::new(0));
    let operations = Operations::builder("http://memory.test")
        .transport(Memory(Arc::clone(&sent)))
        .timer(Jumping { origin: Instant::now(), elapsed: Arc::default() })
        .build()
        .unwrap();
    let settings = || PollSettings::default().without_expiration();
    let start = || smol::block_on(operations.post("v1/x", &())).unwrap();
    let step = |waiting: &mut BoxFuture<'static, Result<RawOperation>>| {
        let before = sent.load(Ordering::Relaxed);
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        sent.load(Ordering::Relaxed) - before
    };
    // What is made once for all operations of a client is made by the first of them.
    let mut first: BoxFuture<'_, _> = Box::pin(start().poll_until_completed(settings()));
    for _ in 0..3 {
        step(&mut first);
    }
    let operation = start();
    let mut waiting: BoxFuture<'_, _> = Box::pin(operation.poll_until_completed(settings()));
    step(&mut waiting);
    let mut counts = vec![];
    for _ in 0..steps {
        let info = allocation_counter::measure(|| assert_eq!(step(&mut waiting), 1));
        counts.push(info.count_total);
    }
    counts
}

/// The allocations of a step that are not ours: the boxed future of the transport.
const NOT_OURS: u64 = 1;

#[test]
fn a_poll_step_allocates_once_and_the_thousandth_no_more_than_the_first() {
    let counts = allocations(1000);
    println!("allocations of a poll step: {}, then {}; of these the transport's: {NOT_OURS}", counts[0], counts[1]);
    // In the first step the caller still has the snapshot, so that the wait cannot reuse its
    // memory.
    assert!(counts[0] <= 2 + NOT_OURS && counts[1] <= 1 + NOT_OURS, "{counts:?}");
    assert!(counts[1] <= counts[0] && counts[1..].iter().all(|count| *count == counts[1]), "{counts:?}");
}
