//! The state that the threads of a server share.

use std::{
    collections::{BTreeMap, HashMap},
    net::TcpStream,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{job::Job, store::Store};
use crate::client::StartIdIn;

/// Returns the job that the request of a start call asks for.
pub(super) type Route = Box<dyn Fn(&Value) -> Job + Send + Sync>;

/// The state that the threads of a server share: its configuration, and a locked part that changes.
pub(super) struct Shared {
    pub(super) routes: BTreeMap<String, Route>,
    pub(super) bearer: Option<String>,
    pub(super) start_id: Option<StartIdIn>,
    inner: Mutex<Inner>,
    /// Signals that the server is stopping or that an operation has changed.
    pub(super) changed: Condvar,
}

/// The part of the state that changes while a server runs.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) stopping: bool,
    pub(super) next_connection: u64,
    pub(super) connections: HashMap<u64, TcpStream>,
    pub(super) threads: Vec<JoinHandle<()>>,
}

impl Shared {
    pub(super) fn new(routes: BTreeMap<String, Route>, bearer: Option<String>, start_id: Option<StartIdIn>) -> Self {
        Self { routes, bearer, start_id, inner: Mutex::default(), changed: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for as long as `longest`, or until `done` returns true. Returns false if the server is
    /// stopping.
    pub(super) fn wait_for(&self, longest: Duration, done: impl Fn(&Inner) -> bool) -> bool {
        let began = Instant::now();
        let mut inner = self.lock();
        loop {
            // Not from a deadline: `Instant + Duration` panics on overflow.
            let left = longest.saturating_sub(began.elapsed());
            if inner.stopping || left.is_zero() || done(&inner) {
                return !inner.stopping;
            }
            // A job with a duration ends without a request that could signal it, so the wait checks
            // again every 10 ms.
            let nap = left.min(Duration::from_millis(10));
            inner = self.changed.wait_timeout(inner, nap).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
