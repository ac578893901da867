//! The background thread on which every connection of every
//! [`HyperChannel`](super::HyperChannel) runs.

use std::{
    future::{Future, pending},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};

use async_executor::Executor;
use async_io::{Timer, block_on};

use crate::transport::{TransportError, TransportErrorKind, not_started};

const NAME: &str = "lro-connections";

static CONNECTIONS: Executor<'static> = Executor::new();

/// Starts the thread at the first call. It lives as long as the process, like async-io's own
/// thread.
fn start() -> Result<(), TransportError> {
    // Not a `Once`: if the thread cannot be started now, a later request tries again.
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        let spawned = thread::Builder::new().name(NAME.to_owned()).spawn(run);
        spawned.map_err(|error| not_started(NAME, &error))?;
        *started = true;
    }
    Ok(())
}

/// Runs `future` on the thread of the connections, and drops it there when the returned future is
/// dropped.
///
/// Requests are handed to connections on their own thread. Handed over by another thread, at the
/// moment at which the connection ends, about one request in two thousand was neither sent nor
/// refused: it never ended. Where in hyper that happens is not known; on one thread it does not.
pub(super) async fn beside_connections<T, F>(future: F) -> Result<T, TransportError>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    // Not when a transport is built: a program may make one that it never uses.
    start()?;
    let done = CONNECTIONS.spawn(future).fallible().await;
    done.ok_or_else(|| TransportError::message(TransportErrorKind::Other, "hyper panicked"))
}

/// Runs all connections. A connection that panics ends alone: the loop goes on running the others.
fn run() {
    loop {
        // `run` passes on the panic of a task. That task is gone by then, and the next `run` goes
        // on with the others.
        let _ = catch_unwind(AssertUnwindSafe(|| block_on(CONNECTIONS.run(pending::<()>()))));
    }
}

/// The executor that hyper spawns its connections on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Background;

impl<F> hyper::rt::Executor<F> for Background
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, connection: F) {
        // Dropping the task's handle instead would cancel the connection.
        CONNECTIONS.spawn(connection).detach();
    }
}

/// The timers of async-io, for hyper.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers;

impl hyper::rt::Timer for Timers {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep(Timer::after(duration)))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep(Timer::at(deadline)))
    }
}

struct Sleep(Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(drop)
    }
}

impl hyper::rt::Sleep for Sleep {}
