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

/// A transport over [`reqwest::Client`]: its proxies, its TLS, its tower middleware.
///
/// It works on any executor and on none: requests run on one background thread of the process with a tokio runtime of its own, made
/// at the first request. A caller who blocks the only thread of a tokio runtime does not block the reply it waits for.
///
/// What differs from [`HyperTransport`](super::HyperTransport), and from what [`Transport`] promises:
///
/// - **Redirects**: a [`Client`] follows them unless it was built with [`Policy::none`], and reqwest cannot be told otherwise for
///   one request. [`new`](Self::new) builds one that does not. With a client that did follow one the reply is refused
///   ([`InvalidRequest`](TransportErrorKind::InvalidRequest)), but the other server has seen the request by then; reqwest takes `Authorization` and `Cookie` away from it on other hosts, no other header.
/// - **`https`** works if the program's own dependency on reqwest has a feature for it (`rustls`, `native-tls`).
/// - **URIs** that reqwest would send in another form (`..` or `%2e%2e` as a segment, an unescaped `"` or `{`, …) are refused before they are sent.
/// - A client that is used elsewhere, too, shares its connections, and those run on the runtime that made them: keep one
///   for the transport if that runtime may block or end.
/// - A client with decompression switched on hands out decompressed bodies; the limit counts what comes out.
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
    /// A transport over a client with reqwest's defaults, but without redirects. Fails if reqwest cannot set up TLS.
    pub fn new() -> Result<Self, TransportError> {
        let client = Client::builder().redirect(Policy::none()).http1_max_headers(1_000).build();
        Ok(Self { client: client.map_err(|error| TransportError::new(TransportErrorKind::Other, error))? })
    }

    /// A transport over a client of the program's own, built with [`Policy::none`]; see the notes on [`ReqwestTransport`].
    #[must_use]
    pub fn over(client: Client) -> Self {
        Self { client }
    }
}

impl Transport for ReqwestTransport {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            let exchange = exchange(self.client.clone(), outgoing(request)?, max_body);
            let runtime = background().map_err(|error| TransportError::new(TransportErrorKind::Other, error))?;
            Aborting(runtime.spawn(exchange)).await
        })
    }
}

/// The request as reqwest takes it, if that is still the same one: reqwest's URLs resolve dots and escape what they find.
fn outgoing(request: &Request) -> Result<reqwest::Request, TransportError> {
    let mut outgoing = reqwest::Request::try_from(request.clone())
        .map_err(|error| TransportError::new(TransportErrorKind::InvalidRequest, error.without_url()))?;
    let (url, uri) = (outgoing.url(), request.uri());
    if url.path() != uri.path() || url.query() != uri.query() {
        return Err(TransportError::message(
            TransportErrorKind::InvalidRequest,
            "reqwest would send its URI in another form",
        ));
    }
    if matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) && request.body().is_empty() {
        outgoing.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0")); // hyper leaves it out, some servers insist
    }
    Ok(outgoing)
}

async fn exchange(client: Client, request: reqwest::Request, max_body: usize) -> Result<Reply, TransportError> {
    let sent = request.url().clone();
    let mut response = client.execute(request).await.map_err(classify)?;
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

/// Reads a body to its end, or to its first byte beyond the limit.
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
    let kind = if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_builder() {
        TransportErrorKind::InvalidRequest
    } else {
        hyper_cause(&error).map_or(TransportErrorKind::Other, hyper_error::kind)
    };
    TransportError::new(kind, error.without_url()) // its query may hold a secret
}

fn hyper_cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a hyper::Error> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(<dyn StdError>::downcast_ref)
}

/// The runtime on which every request of every [`ReqwestTransport`] runs. Its thread lives as long as the process.
fn background() -> io::Result<runtime::Handle> {
    static RUNTIME: Mutex<Option<runtime::Handle>> = Mutex::new(None);
    let mut started = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name("lro-reqwest".to_owned()).spawn(move || runtime.block_on(pending::<()>()))?;
    Ok(started.insert(handle).clone())
}

/// A task that ends with the future that waits for it.
struct Aborting(JoinHandle<Result<Reply, TransportError>>);

impl Future for Aborting {
    type Output = Result<Reply, TransportError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|joined| match joined {
            Ok(result) => result,
            Err(error) => Err(TransportError::new(TransportErrorKind::Other, error)),
        })
    }
}

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}
