//! An HTTP server on loopback that runs long-running operations for tests.

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;

mod connection;
mod http1;
mod job;
mod service;
mod shared;
mod store;

pub use self::job::{Fault, Job};
use self::shared::{Route, Shared};
use crate::{
    client::{Operations, StartIdIn},
    error::Result,
};

/// A service in this process that speaks `google.longrunning` over REST on its own loopback port,
/// with real sockets and in real time.
///
/// It has the calls of the Operations service (get, list with filter and pages, cancel, delete,
/// `:wait`) and one start call for each [`on`](LroServerBuilder::on). A [`Job`] says what an
/// operation does and what goes wrong with its replies. The server is strict: it refuses requests
/// that a real service would refuse. Dropping it ends the server and all its threads.
///
/// ```
/// use lro_runtime::{PollSettings, block_on, testing::{Job, LroServer}};
/// use serde_json::json;
///
/// let server = LroServer::builder()
///     .on("v1/images:export", |request| Job::polls(3).responds(json!({ "uri": format!("gs://pictures/{}.png", request["image"].as_str().unwrap_or("?")) })))
///     .start()?;
///
/// let operations = server.operations()?;
/// let operation = block_on(operations.post("v1/images:export", &json!({ "image": "cat" })))?;
/// let done = operation.blocking().poll_until_completed(PollSettings::interactive())?;
/// assert_eq!(done.response().unwrap().bytes(), br#"{"uri":"gs://pictures/cat.png"}"#);
/// assert_eq!(server.polls(operation.name()), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LroServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

/// Builds an [`LroServer`]: its start calls, where they have a start id, and its bearer token.
#[must_use = "a server builder does nothing until `start`"]
#[derive(Default)]
pub struct LroServerBuilder {
    routes: BTreeMap<String, Route>,
    bearer: Option<String>,
    start_id: Option<StartIdIn>,
}

impl LroServerBuilder {
    /// Adds a start call: a `POST` to `path` (such as `v1/images:export`) starts the job that `job`
    /// returns for the request's JSON.
    pub fn on(mut self, path: impl AsRef<str>, job: impl Fn(&Value) -> Job + Send + Sync + 'static) -> Self {
        self.routes.insert(format!("/{}", path.as_ref().trim_start_matches('/')), Box::new(job));
        self
    }

    /// Sets the bearer token that every request must have; others get `UNAUTHENTICATED`. Default:
    /// none is required.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// Sets where start calls have their start id: one that repeats the id of another is answered
    /// with the operation that it started, and starts none. The same id with another body, or at
    /// another path, is refused. A start call without an id starts an operation. Default: the
    /// server knows no start ids.
    ///
    /// ```
    /// use lro_runtime::{Operations, StartIdIn, block_on, http::Method, testing::{Job, LroServer}};
    ///
    /// let place = StartIdIn::Header("Idempotency-Key");
    /// let server = LroServer::builder().on("v1/images:export", |_| Job::polls(3)).start_id_in(place).start()?;
    /// let operations = Operations::builder(server.url()).start_id_in(place).build()?;
    /// let start = || operations.call(Method::POST, "v1/images:export").with_start_id("order-17").into_future();
    /// assert_eq!(block_on(start())?.name(), block_on(start())?.name());
    /// assert_eq!(server.started(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_id_in(mut self, place: StartIdIn) -> Self {
        self.start_id = Some(place);
        self
    }

    /// Starts the server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// Fails if there is no free port, or if no thread can be started.
    pub fn start(self) -> io::Result<LroServer> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let Self { routes, bearer, start_id } = self;
        let shared = Arc::new(Shared::new(routes, bearer, start_id));
        let accepting = thread::Builder::new().name("lro-server".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || connection::accept(&shared, &listener)
        })?;
        Ok(LroServer { shared, address, accepting: Some(accepting) })
    }
}

impl LroServer {
    /// Returns a builder for a server without start calls.
    pub fn builder() -> LroServerBuilder {
        LroServerBuilder::default()
    }

    /// Returns the server's base URL, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Builds a client of this server with the default transport and timer.
    ///
    /// # Errors
    ///
    /// Fails without a default transport or timer, which need the features `hyper` and `smol`.
    pub fn operations(&self) -> Result<Operations> {
        Operations::builder(self.url()).build()
    }

    /// Starts a job without a start call and returns the name of its operation.
    #[expect(clippy::must_use_candidate, reason = "a job that was given a name needs no other")]
    pub fn add(&self, job: Job) -> String {
        self.shared.lock().store.insert(job)
    }

    /// Returns how many operations the start calls have started. A start call that repeats a
    /// [start id](LroServerBuilder::start_id_in) does not count, nor does what was
    /// [added](Self::add).
    #[must_use]
    pub fn started(&self) -> u64 {
        self.shared.lock().store.started_by_calls()
    }

    /// Returns how often the operation `name` was polled.
    #[must_use]
    pub fn polls(&self, name: &str) -> u32 {
        self.shared.lock().store.counts(name).1
    }

    /// Returns how many requests named the operation `name`. The start call does not count.
    #[must_use]
    pub fn requests(&self, name: &str) -> u32 {
        self.shared.lock().store.counts(name).0
    }

    /// Returns the last 10,000 requests, each as a line such as `GET /v1/operations/1`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.shared.lock().store.lines()
    }
}

impl Drop for LroServer {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopping = true;
        // Threads that read from a connection block until it is shut down.
        for connection in state.connections.values() {
            let _ = connection.shutdown(Shutdown::Both); // fails if the client has closed it already
        }
        // The threads take this lock on their way out.
        drop(state);
        self.shared.changed.notify_all();
        // `accept` cannot be interrupted: a connection of our own wakes it. If that fails, joining
        // its thread would hang.
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            let _ = accepting.join(); // a panic was printed by its own thread
            // Taken after the accepting thread has ended, because it adds to the list.
            let threads = std::mem::take(&mut self.shared.lock().threads);
            for thread in threads {
                let _ = thread.join(); // as above: a route may have panicked
            }
        }
    }
}

impl fmt::Debug for LroServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LroServer").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl fmt::Debug for LroServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LroServerBuilder").field("routes", &self.routes.keys()).finish_non_exhaustive()
    }
}
