//! Measures a thousand waiters for one operation: one shared loop beside a loop for each.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    future::{Future, IntoFuture, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use lro_runtime::{Operations, PollSettings, RawOperation, Result, Timer, transport::BoxFuture};

use crate::{
    count::allocated,
    report::Subject,
    service::Service,
    virtual_time::{Clock, run as run_future},
};

const WAITERS: usize = 1000;
/// How long the operation takes, in seconds.
const DURATION: f64 = 60.0;

type Waiter = Pin<Box<dyn Future<Output = Result<RawOperation>>>>;

/// Prints all figures.
pub fn run() {
    measure("ours-shared", |operation| {
        let shared = operation.shared(PollSettings::default());
        (0..WAITERS).map(|_| Box::pin(shared.clone().into_future()) as Waiter).collect()
    });
    measure("ours-a-loop-each", |operation| {
        let wait = || Box::pin(operation.poll_until_completed(PollSettings::default())) as Waiter;
        (0..WAITERS).map(|_| wait()).collect()
    });
}

/// Prints memory per waiter and requests per operation.
fn measure(variant: &str, waiters: impl FnOnce(&RawOperation) -> Vec<Waiter>) {
    let subject = Subject { bench: "shared", variant };
    let service = Service::new();
    let timer = Patient::new(service.clock.clone());
    let client = Operations::builder("http://localhost").transport(service.clone()).timer(timer.clone());
    let client = client.build().unwrap();
    service.will_take(DURATION);
    let operation = run_future(client.post("v1/jobs", &())).unwrap();
    let (mut waiters, memory) = allocated(|| {
        let mut waiters = waiters(&operation);
        waiters.retain_mut(|waiter| poll(waiter).is_pending());
        waiters
    });
    subject.print("memory", memory.live as f64 / WAITERS as f64, "bytes/waiter");
    while !waiters.is_empty() {
        timer.advance();
        waiters.retain_mut(|waiter| match poll(waiter) {
            Poll::Ready(done) => !done.unwrap().is_succeeded(),
            Poll::Pending => true,
        });
    }
    subject.print("requests", service.requests() as f64, "requests/operation");
}

fn poll(waiter: &mut Waiter) -> Poll<Result<RawOperation>> {
    waiter.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// A timer whose sleeps stay pending until `advance` moves its clock to the end of the next sleep.
#[derive(Clone)]
struct Patient {
    clock: Clock,
    sleepers: Arc<Mutex<BinaryHeap<Reverse<Duration>>>>,
    wakers: Arc<Mutex<Vec<Waker>>>,
}

impl Patient {
    fn new(clock: Clock) -> Self {
        // With room for the wakers of all waiters, so that they do not count as their memory.
        let wakers = Arc::new(Mutex::new(Vec::with_capacity(2 * WAITERS)));
        Self { clock, sleepers: Arc::default(), wakers }
    }

    /// Moves the clock to the end of the next sleep and wakes all sleeps.
    fn advance(&self) {
        let next = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(Reverse(next)) = next {
            self.clock.advance(next.saturating_sub(self.clock.elapsed()));
        }
        let wakers: Vec<_> = self.wakers.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Timer for Patient {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (clock, until) = (self.clock.clone(), self.clock.elapsed() + duration);
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner).push(Reverse(until));
        let wakers = Arc::clone(&self.wakers);
        Box::pin(poll_fn(move |context| {
            if clock.elapsed() >= until {
                return Poll::Ready(());
            }
            wakers.lock().unwrap_or_else(PoisonError::into_inner).push(context.waker().clone());
            Poll::Pending
        }))
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
