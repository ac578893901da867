//! Sends requests with a [`ureq::Agent`], each on a thread of its own.

use std::{
    future::Future,
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Version;
use ureq::{Agent, Body, Error, Timeout};

use super::{
    BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind, certificate, framing, not_started,
};

/// The name of the thread of each request.
const THREAD: &str = "lro-ureq";
/// The time limit of a request if neither its caller nor the agent has one.
///
/// A blocking read cannot be interrupted from outside, so this is also the longest time that the
/// thread of a dropped request lives on.
const MAX_TIME: Duration = Duration::from_secs(600);
/// How much later than its caller ureq gives up.
///
/// The caller drops the future at its limit and knows then that it was the one who ended the
/// request. At the same moment, ureq would sometimes be first with an error of its own.
const SLACK: Duration = Duration::from_secs(1);

/// What the system says if no address of a host can be reached.
const NOT_CONNECTED: [io::ErrorKind; 4] = [
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::HostUnreachable,
    io::ErrorKind::NetworkUnreachable,
    io::ErrorKind::AddrNotAvailable,
];

type Outcome = Result<Reply, TransportError>;

/// A transport over [`ureq::Agent`] for programs that block, with its proxies, its TLS and its
/// middleware.
///
/// The agent's own settings apply, with the exceptions that [`Transport`] requires: redirects are
/// not followed, an error status is a reply, and methods outside the standard ones are allowed.
///
/// It differs from [`HyperTransport`](super::HyperTransport), and from what [`Transport`] promises,
/// in these points:
///
/// - **One thread for each request in flight**, started for that request: 1,000 requests at once
///   are 1,000 threads.
/// - **A dropped request** lives on until the server sends its next bytes, or until its time limit:
///   one second more than the one that the caller gives [`send_within`](Transport::send_within),
///   which is a poll's time limit where the library waits, or the agent's
///   [`timeout_global`](ureq::config::ConfigBuilder::timeout_global), or ten minutes, whichever is
///   the shortest. Its connection is then closed, not reused.
/// - **A connection that ends without a reply** costs an idempotent request one more attempt,
///   always on a new connection. ureq does not tell whether the first was reused, so that a server
///   which answers nothing sees such a request twice.
/// - **At most 128 headers** in a reply, and 64 KiB of head. The agent can change the latter.
///
/// # What it logs
///
/// ureq writes to the crate `log`. At the level `debug` it leaves out paths, queries and most
/// headers. At `trace` it logs whole URLs (target `ureq`), with signatures in them, and every byte
/// that is sent and received (target `ureq_proto`), with credentials and bodies. `trace` of one
/// target is enough for the URLs at `debug`, too. A program that logs at `trace` switches both off
/// by their targets, as in `RUST_LOG=trace,ureq=info,ureq_proto=info` with `env_logger`, or when it
/// is compiled, with the feature `release_max_level_debug` of `log`.
///
/// ```
/// use lro_runtime::transport::UreqTransport;
///
/// let transport = UreqTransport::new();
///
/// let agent: ureq::Agent = ureq::Agent::config_builder().user_agent("my-tool/1.0").build().into();
/// let transport = UreqTransport::over(agent);
/// ```
#[derive(Clone, Debug)]
pub struct UreqTransport {
    agent: Agent,
}

impl UreqTransport {
    /// Creates a transport over an agent with ureq's defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Agent::new_with_defaults())
    }

    /// Creates a transport over the program's own agent. Clones of the agent share their
    /// connections with the transport.
    #[must_use]
    pub fn over(agent: Agent) -> Self {
        Self { agent }
    }
}

impl Default for UreqTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for UreqTransport {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Outcome> {
        self.send_within(request, max_body, MAX_TIME)
    }

    fn send_within<'a>(&'a self, request: &'a Request, max_body: usize, limit: Duration) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            framing::check(request)?;
            let agents = self.agent.config().timeouts().global.unwrap_or(MAX_TIME);
            let limit = agents.min(MAX_TIME).min(limit.saturating_add(SLACK));
            let (agent, request) = (self.agent.clone(), request.clone());
            let slot = Arc::new(Slot::default());
            let waiting = Waiting(Arc::clone(&slot));
            let work = move || {
                // A panic must fill the slot too: otherwise the future would wait for ever.
                let outcome = catch_unwind(AssertUnwindSafe(|| exchange(&agent, request, max_body, limit, &slot)));
                // What was thrown is not dropped: its drop may panic as well.
                slot.fill(outcome.map_err(std::mem::forget).unwrap_or_else(|()| Err(other("ureq panicked"))));
            };
            let spawned = thread::Builder::new().name(THREAD.to_owned()).spawn(work);
            spawned.map_err(|error| not_started(THREAD, &error))?;
            waiting.await
        })
    }
}

fn exchange(agent: &Agent, mut request: Request, max_body: usize, limit: Duration, slot: &Slot) -> Outcome {
    // ureq speaks HTTP/1 only and refuses a request that names another version.
    *request.version_mut() = Version::HTTP_11;
    framing::remove(request.headers_mut());
    let started = Instant::now();
    let mut response = run(agent, &request, limit, agent.config().max_idle_age());
    // A connection from the pool may have been closed since. A request that is not idempotent may
    // have been executed: sending a start call twice would start two operations.
    if request.method().is_idempotent() && response.as_ref().is_err_and(has_ended) && !slot.is_abandoned() {
        // No connection from the pool is younger than nothing, so that this one is new.
        response = run(agent, &request, limit.saturating_sub(started.elapsed()), Duration::ZERO);
    }
    let (parts, body) = response.map_err(classify)?.into_parts();
    Ok(Reply::from_parts(parts, read(body, max_body, slot)?))
}

/// Sends `request`, on a new connection if none in the pool was used within `max_idle_age`, and
/// returns the head of the reply.
fn run(
    agent: &Agent,
    request: &Request,
    limit: Duration,
    max_idle_age: Duration,
) -> Result<http::Response<Body>, Error> {
    let (parts, body) = request.clone().into_parts();
    // The type of the body decides the framing. `()` sends no length, as a GET should; for a POST
    // ureq would then use chunks. An empty slice sends `Content-Length: 0`.
    if body.is_empty() && !framing::announces_empty(&parts.method) {
        agent.run(configure(agent, http::Request::from_parts(parts, ()), limit, max_idle_age))
    } else {
        agent.run(configure(agent, http::Request::from_parts(parts, body.as_ref()), limit, max_idle_age))
    }
}

fn configure<S: ureq::AsSendBody>(
    agent: &Agent,
    request: http::Request<S>,
    limit: Duration,
    max_idle_age: Duration,
) -> http::Request<S> {
    agent
        .configure_request(request)
        // As an error, a 4xx or 5xx would lose its headers and body, and with them `Retry-After`
        // and the error details.
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(limit))
        .max_idle_age(max_idle_age)
        .build()
}

/// Returns whether the connection ended before a reply came.
fn has_ended(error: &Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error, Error::Io(error) if matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe))
}

/// Reads a body to its end. Fails at the first byte beyond `max_body`, and when the waiting future
/// has been dropped.
fn read(body: Body, max_body: usize, slot: &Slot) -> Result<Bytes, TransportError> {
    if body.content_length().is_some_and(|announced| announced > max_body as u64) {
        return Err(TransportError::body_too_large(max_body));
    }
    let mut reader = body.into_reader();
    let (mut whole, mut chunk) = (Vec::new(), vec![0; 16 * 1024]);
    while !slot.is_abandoned() {
        let length = match reader.read(&mut chunk) {
            Ok(0) => return Ok(Bytes::from(whole)),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(classify(Error::from(error))),
        };
        if length > max_body.saturating_sub(whole.len()) {
            return Err(TransportError::body_too_large(max_body));
        }
        whole.extend_from_slice(chunk.get(..length).unwrap_or_default());
    }
    // Nothing receives this error. Returning drops the reader with the reply half read, which
    // closes the connection.
    Err(other("the caller dropped the request"))
}

fn classify(error: Error) -> TransportError {
    if matches!(error, Error::BadUri(_) | Error::RequireHttpsOnly(_)) {
        // ureq's own message repeats the URI, whose query may hold a secret.
        return TransportError::message(TransportErrorKind::InvalidRequest, "ureq refuses this URI");
    }
    let kind = match &error {
        Error::Rustls(error) if certificate::is_refused(error) => TransportErrorKind::Certificate,
        Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::ConnectProxyFailed(_)
        | Error::Tls(_)
        | Error::Rustls(_) => TransportErrorKind::Connect,
        Error::Timeout(_) => TransportErrorKind::Timeout,
        // An error of the handshake arrives as an I/O error.
        Error::Io(error) if certificate::is_refused(error) => TransportErrorKind::Certificate,
        Error::Io(error) if NOT_CONNECTED.contains(&error.kind()) => TransportErrorKind::Connect,
        Error::Io(_) | Error::BodyStalled => TransportErrorKind::Closed,
        Error::Protocol(_) | Error::LargeResponseHeader(..) => TransportErrorKind::InvalidReply,
        Error::Http(_) => TransportErrorKind::InvalidRequest,
        _ => TransportErrorKind::Other,
    };
    TransportError::new(kind, error)
}

fn other(why: &str) -> TransportError {
    TransportError::message(TransportErrorKind::Other, why)
}

/// The place where the thread leaves the outcome for the waiting future.
#[derive(Default)]
struct Slot(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Empty,
    Awaited(Waker),
    Filled(Outcome),
    Abandoned,
}

impl Slot {
    fn fill(&self, outcome: Outcome) {
        let mut state = self.state();
        if matches!(*state, State::Abandoned) {
            return;
        }
        let before = std::mem::replace(&mut *state, State::Filled(outcome));
        // Unlocked before waking: an executor may poll inside `wake`, and the poll takes this lock.
        drop(state);
        if let State::Awaited(waker) = before {
            waker.wake();
        }
    }

    fn is_abandoned(&self) -> bool {
        matches!(*self.state(), State::Abandoned)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The caller's side of a [`Slot`]. Dropping it tells the thread to stop at the next chunk.
struct Waiting(Arc<Slot>);

impl Future for Waiting {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.0.state();
        // A new waker at each poll, because the future may have moved to another task.
        match std::mem::replace(&mut *state, State::Awaited(context.waker().clone())) {
            State::Filled(outcome) => Poll::Ready(outcome),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *self.0.state() = State::Abandoned;
    }
}
