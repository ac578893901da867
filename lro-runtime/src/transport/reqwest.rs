//! Sends requests with a [`reqwest::Client`], on a background tokio runtime.

use std::{
    error::Error as StdError,
    future::{Future, pending},
    io,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    thread,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, header::CONTENT_LENGTH};
use reqwest::{Client, redirect::Policy};
use tokio::{runtime, task::JoinHandle};

use super::{BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind, hyper_error};

/// A transport over [`reqwest::Client`], with its proxies, its TLS and its tower middleware.
///
/// It works on any executor and on none. Requests run on a tokio runtime of their own, on one
/// background thread per process that starts at the first request. A caller that blocks the only
/// thread of a tokio runtime therefore does not block the reply it waits for.
///
/// It differs from [`HyperTransport`](super::HyperTransport), and from what [`Transport`] promises,
/// in these points:
///
/// - **Redirects**: a [`Client`] follows them unless it was built with [`Policy::none`], and
///   reqwest has no such setting for a single request. [`new`](Self::new) builds a client that
///   follows none. If another client followed a redirect, the transport refuses the reply
///   ([`InvalidRequest`](TransportErrorKind::InvalidRequest)), but by then the other server has
///   seen the request. On another origin reqwest removes `Authorization`, `Cookie` and
///   `Proxy-Authorization`, but no header with a name of the caller's own, such as an API key.
/// - **`https`** works if the program's own dependency on reqwest has a feature for it (`rustls`,
///   `native-tls`).
/// - **URIs** that reqwest would send in another form (`..` or `%2e%2e` as a segment, an unescaped
///   `"` or `{`, …) are refused before they are sent.
/// - A client that is also used elsewhere shares its connections with the transport, and each
///   connection runs on the runtime that opened it. Use a separate client for the transport if that
///   runtime may block or end.
/// - A client with decompression switched on returns decompressed bodies, and the body limit counts
///   the decompressed bytes.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use lro_runtime::transport::ReqwestTransport;
///
/// let transport = ReqwestTransport::new()?;
///
/// let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).tcp_nodelay(true).build()?;
/// let transport = ReqwestTransport::over(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: Client,
}

impl ReqwestTransport {
    /// Creates a transport over a client with reqwest's defaults, except that it follows no
    /// redirects and accepts up to 1,000 headers in a reply.
    ///
    /// # Errors
    ///
    /// Fails if reqwest cannot set up TLS.
    pub fn new() -> Result<Self, TransportError> {
        // hyper's default of 100 headers is less than some gateways send.
        let client = Client::builder().redirect(Policy::none()).http1_max_headers(1_000).build();
        Ok(Self { client: client.map_err(|error| TransportError::new(TransportErrorKind::Other, error))? })
    }

    /// Creates a transport over the program's own client, which should be built with
    /// [`Policy::none`]. The notes on [`ReqwestTransport`] say why.
    #[must_use]
    pub fn over(client: Client) -> Self {
        Self { client }
    }
}

impl Transport for ReqwestTransport {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            // Dots and escapes are checked before anything is spawned, so that a refused request
            // starts no thread.
            let exchange = exchange(self.client.clone(), outgoing(request)?, max_body);
            let runtime = background().map_err(|error| TransportError::new(TransportErrorKind::Other, error))?;
            AbortOnDrop(runtime.spawn(exchange)).await
        })
    }
}

/// Converts `request` for reqwest, or refuses it if reqwest would change its URI.
///
/// reqwest parses the URI as a WHATWG URL, which resolves `..` and `%2e%2e` and escapes characters.
/// The server would be asked for another path than the one the origin and encoding checks have
/// seen.
fn outgoing(request: &Request) -> Result<reqwest::Request, TransportError> {
    let mut outgoing = reqwest::Request::try_from(request.clone())
        .map_err(|error| TransportError::new(TransportErrorKind::InvalidRequest, error.without_url()))?;
    let (url, uri) = (outgoing.url(), request.uri());
    if url.path() != uri.path() || url.query() != uri.query() {
        return Err(TransportError::message(TransportErrorKind::InvalidRequest, "reqwest would change the URI"));
    }
    if matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) && request.body().is_empty() {
        // hyper omits the length of an empty body, and some front ends then answer
        // `411 Length Required`.
        outgoing.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    Ok(outgoing)
}

async fn exchange(client: Client, request: reqwest::Request, max_body: usize) -> Result<Reply, TransportError> {
    let sent = request.url().clone();
    let mut response = client.execute(request).await.map_err(classify)?;
    // A reply from somewhere else must not be read as the operation's. It can only be detected
    // here: a client does not say which redirect policy it has.
    if *response.url() != sent {
        return Err(TransportError::message(
            TransportErrorKind::InvalidRequest,
            "the client followed a redirect: build it with `redirect(reqwest::redirect::Policy::none())`",
        ));
    }
    let body = read(&mut response, max_body).await?;
    let mut reply = Reply::new(body);
    *reply.status_mut() = response.status();
    *reply.version_mut() = response.version();
    *reply.headers_mut() = std::mem::take(response.headers_mut());
    Ok(reply)
}

/// Reads a body to its end, or fails at the first byte beyond `max_body`.
async fn read(response: &mut reqwest::Response, max_body: usize) -> Result<Bytes, TransportError> {
    if response.content_length().is_some_and(|announced| announced > max_body as u64) {
        return Err(TransportError::body_too_large(max_body));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(classify)? {
        if chunk.len() > max_body.saturating_sub(body.len()) {
            return Err(TransportError::body_too_large(max_body));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn classify(error: reqwest::Error) -> TransportError {
    // First, because a connection attempt that timed out is both a timeout and a connect error, and
    // nothing was sent.
    let kind = if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_builder() {
        TransportErrorKind::InvalidRequest
    } else {
        hyper_cause(&error).map_or(TransportErrorKind::Other, hyper_error::kind)
    };
    TransportError::new(kind, error.without_url()) // the query of the URL may hold a secret
}

/// Returns the hyper error in the chain of sources. reqwest wraps it without a kind of its own.
fn hyper_cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a hyper::Error> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(<dyn StdError>::downcast_ref)
}

/// Returns the runtime on which every request of every [`ReqwestTransport`] runs, and starts it at
/// the first call.
///
/// reqwest panics outside a tokio runtime, so the caller's executor cannot be used. The thread
/// lives as long as the process.
fn background() -> io::Result<runtime::Handle> {
    // Not a `OnceLock`: if the thread cannot be started now, a later request tries again.
    static RUNTIME: Mutex<Option<runtime::Handle>> = Mutex::new(None);
    let mut started = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    // The thread owns the runtime, because tokio panics if a runtime is dropped in an async
    // context.
    thread::Builder::new().name("lro-reqwest".to_owned()).spawn(move || runtime.block_on(pending::<()>()))?;
    Ok(started.insert(handle).clone())
}

/// A spawned request that is aborted when the future that waits for it is dropped. A tokio
/// `JoinHandle` alone would let it run on.
struct AbortOnDrop(JoinHandle<Result<Reply, TransportError>>);

impl Future for AbortOnDrop {
    type Output = Result<Reply, TransportError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|joined| match joined {
            Ok(result) => result,
            Err(error) => Err(TransportError::new(TransportErrorKind::Other, error)),
        })
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
