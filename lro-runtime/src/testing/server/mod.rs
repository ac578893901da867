//! A service with long-running operations, on loopback.

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
use crate::{client::Operations, error::Result};

/// A service that speaks `google.longrunning` over REST, in this process, on a loopback port of its own: real sockets, real time.
///
/// It has the calls of the Operations service (get, list with filter and pages, cancel, delete, `:wait`) and a start call for every
/// [`on`](LroServerBuilder::on). What the operations do, and what goes wrong with its replies, is said by a [`Job`]. It is strict: a request that a service
/// would refuse is refused. It ends, with all its threads, when it is dropped.
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

/// Builds an [`LroServer`].
#[must_use = "it listens once it is started"]
#[derive(Default)]
pub struct LroServerBuilder {
    routes: BTreeMap<String, Route>,
    bearer: Option<String>,
}

impl LroServerBuilder {
    /// Starts the job that `job` makes of the request's JSON, at `POST` of it to `path`, such as `v1/images:export`.
    pub fn on(mut self, path: impl AsRef<str>, job: impl Fn(&Value) -> Job + Send + Sync + 'static) -> Self {
        self.routes.insert(format!("/{}", path.as_ref().trim_start_matches('/')), Box::new(job));
        self
    }

    /// Answers only to requests with this bearer token.
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When there is none, or no thread.
    pub fn start(self) -> io::Result<LroServer> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let Self { routes, bearer } = self;
        let shared = Arc::new(Shared::new(routes, bearer));
        let accepting = thread::Builder::new().name("lro-server".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || connection::accept(&shared, &listener)
        })?;
        Ok(LroServer { shared, address, accepting: Some(accepting) })
    }
}

impl LroServer {
    /// A server without start calls yet.
    pub fn builder() -> LroServerBuilder {
        LroServerBuilder::default()
    }

    /// Its base URL, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of it, with the default transport and timer.
    ///
    /// # Errors
    ///
    /// When there is no default transport or timer: without the features `hyper` and `smol`.
    pub fn operations(&self) -> Result<Operations> {
        Operations::builder(self.url()).build()
    }

    /// Begins a job that nobody has to start; the name of its operation.
    #[expect(clippy::must_use_candidate, reason = "a job that was given a name needs no other")]
    pub fn add(&self, job: Job) -> String {
        self.shared.lock().store.insert(job)
    }

    /// How often the operation `name` was polled.
    #[must_use]
    pub fn polls(&self, name: &str) -> u32 {
        self.shared.lock().store.counts(name).1
    }

    /// How many requests were about the operation `name`, its start not counted.
    #[must_use]
    pub fn requests(&self, name: &str) -> u32 {
        self.shared.lock().store.counts(name).0
    }

    /// The last 10,000 requests, as `GET /v1/operations/1`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.shared.lock().store.lines()
    }
}

impl Drop for LroServer {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopping = true;
        for connection in state.connections.values() {
            let _ = connection.shutdown(Shutdown::Both); // it may have ended by itself
        }
        drop(state);
        self.shared.changed.notify_all();
        let woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            let _ = accepting.join(); // its panic, should there be one, was shown
            let threads = std::mem::take(&mut self.shared.lock().threads);
            for thread in threads {
                let _ = thread.join(); // as above
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
