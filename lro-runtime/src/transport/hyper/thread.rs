//! The one thread on which every connection of every [`HyperTransport`](super::HyperTransport) runs.

use std::{
    future::{Future, pending},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
    thread,
};

use async_executor::Executor;
use async_io::block_on;

static CONNECTIONS: Executor<'static> = Executor::new();

/// Makes sure that the thread is there. It lives as long as the process, as the one of async-io does.
pub(super) fn start() -> io::Result<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        thread::Builder::new().name("lro-connections".to_owned()).spawn(run)?;
        *started = true;
    }
    Ok(())
}

/// A connection that panics ends, and takes no other with it.
fn run() {
    loop {
        let _ = catch_unwind(AssertUnwindSafe(|| block_on(CONNECTIONS.run(pending::<()>()))));
    }
}

/// Where hyper spawns its connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Background;

impl<F> hyper::rt::Executor<F> for Background
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, connection: F) {
        CONNECTIONS.spawn(connection).detach();
    }
}
