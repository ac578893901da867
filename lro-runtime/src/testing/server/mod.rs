//! A service with long-running operations, on loopback.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::Value;

mod http1;
mod job;
mod service;
mod store;

pub use self::job::{Fault, Job};
use self::{
    http1::{Incoming, Malformed, Outgoing},
    service::call,
    store::{Answer, Store},
};
use crate::{client::Operations, error::Result, status::Code};

/// How many connections are served at once; one more is closed at once.
const MAX_CONNECTIONS: usize = 1_024;

/// How long a connection may be idle.
const IDLE: Duration = Duration::from_secs(60);

/// The stack of a thread that serves one connection.
const STACK: usize = 256 * 1024;

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
/// assert_eq!(server.looks(operation.name()), 3);
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

/// The job that a start call's request asks for.
type Route = Box<dyn Fn(&Value) -> Job + Send + Sync>;

struct Shared {
    routes: BTreeMap<String, Route>,
    bearer: Option<String>,
    state: Mutex<State>,
    /// The server is stopping, or an operation has changed.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    store: Store,
    stopping: bool,
    next_connection: u64,
    connections: HashMap<u64, TcpStream>,
    threads: Vec<JoinHandle<()>>,
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
        let shared = Arc::new(Shared { routes, bearer, state: Mutex::default(), changed: Condvar::new() });
        let accepting = thread::Builder::new().name("lro-server".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || accept(&shared, &listener)
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

    /// How often the operation `name` was looked at.
    #[must_use]
    pub fn looks(&self, name: &str) -> u32 {
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `end`, or until `enough`; whether the server goes on.
    fn pause(&self, end: Instant, enough: impl Fn(&State) -> bool) -> bool {
        let mut state = self.lock();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if state.stopping || left.is_zero() || enough(&state) {
                return !state.stopping;
            }
            // Jobs that last end without telling: who waits for one looks now and then.
            let nap = left.min(Duration::from_millis(10));
            state = self.changed.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    for stream in listener.incoming() {
        let mut state = shared.lock();
        if state.stopping {
            return;
        }
        state.threads.retain(|thread| !thread.is_finished());
        let (Ok(stream), true) = (stream, state.connections.len() < MAX_CONNECTIONS) else { continue };
        let Ok(handle) = stream.try_clone() else { continue };
        state.next_connection += 1;
        let id = state.next_connection;
        state.connections.insert(id, handle);
        let serving = thread::Builder::new().name(format!("lro-server-{id}")).stack_size(STACK).spawn({
            let shared = Arc::clone(shared);
            move || {
                let _closing = Closing { shared: &shared, id };
                serve(&shared, stream);
            }
        });
        match serving {
            Ok(thread) => state.threads.push(thread),
            Err(_) => drop(state.connections.remove(&id)),
        }
    }
}

/// Closes the server's own handle of a connection, also when a route panics.
struct Closing<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.shared.lock().connections.remove(&self.id);
    }
}

/// Serves one connection until either side has enough.
fn serve(shared: &Shared, mut stream: TcpStream) {
    let configured = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(IDLE)));
    if configured.and_then(|()| stream.set_write_timeout(Some(IDLE))).is_err() {
        return;
    }
    loop {
        let mut request = match Incoming::read(&mut stream) {
            Ok(request) => request,
            Err(Malformed::Gone) => return,
            Err(Malformed::Refused(status, why)) => {
                let reply = store::error_with(status, Code::InvalidArgument, why);
                let _ = reply.write(&mut stream, false, usize::MAX); // whoever sent that may be gone
                return http1::close(&stream);
            }
        };
        let answer = call(shared, &request);
        if deliver(shared, &mut stream, &mut request, answer).is_none() {
            return;
        }
    }
}

/// Sends an answer, or what its fault makes of it. None if the connection has ended.
fn deliver(shared: &Shared, stream: &mut TcpStream, request: &mut Incoming, answer: Answer) -> Option<()> {
    let Answer { mut reply, fault } = answer;
    if fault == Some(Fault::Reset) {
        return None; // with a byte of the request unread
    }
    request.take_last_byte(stream).ok()?;
    let mut part = usize::MAX;
    match fault {
        None | Some(Fault::Reset) => {}
        Some(Fault::Status(status)) => reply = store::error_with(status, Code::from_http_status(status), "as scripted"),
        Some(Fault::Busy { retry_after }) => {
            reply = store::error(Code::Unavailable, "come back later")
                .with_header("retry-after", store::whole_seconds(retry_after));
        }
        Some(Fault::Latency(latency)) => shared.pause(Instant::now() + latency, |_| false).then_some(())?,
        Some(Fault::Close) => {
            http1::close(stream);
            return None;
        }
        Some(Fault::HalfBody) => part = reply.body.len() / 2,
        Some(Fault::Stall) => part = 0,
        Some(Fault::Garbage) => reply = Outgoing { body: b"\xff\xfe<html>".to_vec(), ..reply },
    }
    let keep_alive = request.keeps_alive() && part == usize::MAX;
    reply.write(stream, keep_alive, part).ok()?;
    if fault == Some(Fault::Stall) {
        let _ = stream.peek(&mut [0]); // until the client gives up, or the server ends
    }
    if keep_alive {
        return Some(());
    }
    http1::close(stream);
    None
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
