//! Sends requests with a [`reqwest::Client`], on a background tokio runtime or on the program's.

use std::{
    collections::BTreeSet,
    error::Error as StdError,
    fmt,
    future::{Future, pending},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    task::{Context, Poll},
    thread,
};

use bytes::{Bytes, BytesMut};
use http::{Extensions, Uri, uri::Authority};
use hyper_util::client::legacy::{self, connect::HttpInfo};
use reqwest::{Client, ClientBuilder, Url, redirect::Policy, retry};
use tokio::{
    runtime,
    task::{JoinHandle, yield_now},
};

use super::{
    BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind, certificate, framing,
    hyper_error::{self, MAX_STALE},
    not_started,
};
use crate::telemetry::carried;

/// The name of the thread on which every request of every [`ReqwestTransport`] runs.
const THREAD: &str = "lro-reqwest";
/// The most connections that a transport remembers as [`Answered`].
const MAX_ANSWERED: usize = 4_096;

/// A transport over [`reqwest::Client`], with its proxies, its TLS and its tower middleware.
///
/// It works on any executor and on none. Requests run on a tokio runtime of their own, on one
/// background thread per process that starts at the first request. A caller that blocks the only
/// thread of a tokio runtime therefore does not block the reply it waits for. A program that never
/// does so may have them run on its own runtime of one thread, without the change of threads for
/// each: see [`on`](Self::on).
///
/// It differs from [`HyperTransport`](super::HyperTransport), and from what [`Transport`] promises,
/// in these points:
///
/// - **Redirects**: a [`Client`] follows them unless it was built with [`Policy::none`], and
///   reqwest has no such setting for a single request. A redirect would take the headers of a
///   request, an API key among them, to any origin that a server names: reqwest removes
///   `Authorization` and cookies on the way, and no other header. [`new`](Self::new) and
///   [`build`](Self::build) make clients that follow none. With any other client, every request is
///   refused before it is sent ([`InvalidRequest`](TransportErrorKind::InvalidRequest)).
/// - **Retries of a client that is passed to [`over`](Self::over)** are the program's own: reqwest
///   sends a request again, a `POST` as well, where the client's retry policy says so. Its default
///   does so only if an HTTP/2 server says that it did not process the request. Clients that
///   [`new`](Self::new) and [`build`](Self::build) make never do.
/// - **`https`** works if the program's own dependency on reqwest has a feature for it (`rustls`,
///   `native-tls`).
/// - **Certificates** that are refused are told from other failures to connect
///   ([`Certificate`](TransportErrorKind::Certificate)) if the TLS is rustls or OpenSSL.
/// - **URIs** that reqwest would send in another form (`..` or `%2e%2e` as a segment, an unescaped
///   `"` or `{`, …) are refused before they are sent.
/// - A client that is also used elsewhere shares its connections with the transport, and each
///   connection runs on the runtime that opened it. Use a separate client for the transport if that
///   runtime may block or end.
/// - A client with decompression switched on returns decompressed bodies, and the body limit counts
///   the decompressed bytes.
///
/// Like [`HyperTransport`](super::HyperTransport), it sends a request again if the reused
/// connection that it was written to turns out to be closed, provided that its method is
/// idempotent. It knows a connection by its two addresses, so that this holds for TCP, and not for
/// unix sockets.
///
/// # What it logs
///
/// reqwest writes to the crate `log`: at the level `debug`, the hosts that it connects to and the
/// proxies that it uses. A client that was built with
/// [`connection_verbose(true)`](ClientBuilder::connection_verbose) writes every byte that is sent
/// and received at the level `trace` (target `reqwest::connect::verbose`), with URLs, credentials
/// and bodies, also those under TLS. Leave it off where logs are kept.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use lro_runtime::transport::ReqwestTransport;
///
/// let transport = ReqwestTransport::new()?;
///
/// let transport = ReqwestTransport::build(reqwest::Client::builder().user_agent("my-tool/1.0"))?;
///
/// // A client that the program has anyway: it must follow no redirects.
/// let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let transport = ReqwestTransport::over(client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestTransport {
    client: Client,
    /// Whether the client is known to follow no redirects.
    stays: bool,
    answered: Answered,
    last_url: LastUrl,
    /// The runtime of the program, of one thread, that requests run on; `None` for the background
    /// one.
    runtime: Option<runtime::Handle>,
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
        Self::build(Client::builder().http1_max_headers(1_000))
    }

    /// Creates a transport over a client with the program's own settings: proxies, TLS, connector
    /// layers. Its redirect policy is replaced with [`Policy::none`], and its retry policy with
    /// [`retry::never`].
    ///
    /// # Errors
    ///
    /// Fails if reqwest cannot build the client, for example because it cannot set up TLS.
    pub fn build(builder: ClientBuilder) -> Result<Self, TransportError> {
        let client = builder.redirect(Policy::none()).retry(retry::never()).build();
        let client = client.map_err(|error| TransportError::new(TransportErrorKind::Other, error))?;
        // Known, not read from the client: its text may differ in another version of reqwest.
        Ok(Self::of(client, true))
    }

    /// Creates a transport over the program's own client, which must have been built with
    /// [`Policy::none`]: with any other policy, every request is refused. The notes on
    /// [`ReqwestTransport`] say why.
    #[must_use]
    pub fn over(client: Client) -> Self {
        let stays = follows_none(&client);
        Self::of(client, stays)
    }

    fn of(client: Client, stays: bool) -> Self {
        let (answered, last_url) = (Answered::default(), LastUrl::default());
        Self { client, stays, answered, last_url, runtime: None }
    }

    /// Has requests run on `runtime` and not on the background one: in the task that waits for the
    /// reply, if that is one of this runtime. That saves two changes of threads for each request.
    ///
    /// The runtime must be of one thread, with I/O and time enabled. It must run as long as
    /// requests are sent: while it is blocked, as by a blocking call on its thread, no reply
    /// arrives, and once it has ended, no request is sent. A runtime of several threads changes
    /// nothing: it may write a request to a connection while another of its threads is about to
    /// learn that bytes arrived there which nobody asked for.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use lro_runtime::{Operations, transport::ReqwestTransport};
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// let transport = ReqwestTransport::new()?.on(runtime.handle().clone());
    /// let operations = Operations::builder("https://images.example.com").transport(transport).build()?;
    /// runtime.block_on(async {
    ///     // Start operations and wait for them.
    /// #   drop(operations);
    /// });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on(mut self, runtime: runtime::Handle) -> Self {
        let is_of_one_thread = runtime.runtime_flavor() == runtime::RuntimeFlavor::CurrentThread;
        self.runtime = is_of_one_thread.then_some(runtime);
        self
    }

    /// Converts `request` for reqwest, or refuses it if reqwest would change its URI.
    ///
    /// reqwest has the URI as a WHATWG URL, which resolves `..` and `%2e%2e` and escapes
    /// characters. The server would be asked for another path than the one the origin and encoding
    /// checks have seen.
    fn outgoing(&self, request: &Request) -> Result<reqwest::Request, TransportError> {
        framing::check(request)?;
        let (url, uri) = (self.last_url.of(request.uri())?, request.uri());
        if url.path() != uri.path() || url.query() != uri.query() {
            return Err(TransportError::message(TransportErrorKind::InvalidRequest, "reqwest would change the URI"));
        }
        let mut outgoing = reqwest::Request::new(request.method().clone(), url);
        *outgoing.version_mut() = request.version();
        *outgoing.headers_mut() = request.headers().clone();
        *outgoing.body_mut() = Some(request.body().clone().into());
        framing::for_hyper(outgoing.headers_mut(), request.method(), request.body().is_empty());
        Ok(outgoing)
    }

    /// Sends `next`, made of `request`, and makes and sends it again if needed, from a task of
    /// the runtime that requests run on.
    async fn exchange(
        &self,
        mut next: reqwest::Request,
        request: &Request,
        max_body: usize,
    ) -> Result<Reply, TransportError> {
        // tokio asks the system for news about sockets only between tasks. Without this, a request
        // could be written to a connection that has already ended, or that has bytes which no
        // request asked for and which would be read as its reply.
        yield_now().await;
        let mut stale = 0;
        let mut response = loop {
            match self.client.execute(next).await {
                Ok(response) => break response,
                Err(error) => {
                    stale += 1;
                    // A request that is not idempotent may have been executed. Sending a start call
                    // twice would start two operations.
                    if stale > MAX_STALE || !request.method().is_idempotent() || !self.answered.went_stale(&error) {
                        return Err(classify(error));
                    }
                    next = self.outgoing(request)?;
                }
            }
        };
        self.answered.insert(response.extensions());
        let body = read(&mut response, max_body).await?;
        let mut reply = Reply::new(body);
        *reply.status_mut() = response.status();
        *reply.version_mut() = response.version();
        *reply.headers_mut() = std::mem::take(response.headers_mut());
        Ok(reply)
    }
}

impl Transport for ReqwestTransport {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            if !self.stays {
                return Err(TransportError::message(
                    TransportErrorKind::InvalidRequest,
                    "the client of reqwest may follow redirects, which would take the request's headers elsewhere: \
                     build it with `redirect(reqwest::redirect::Policy::none())`, or use `ReqwestTransport::build`",
                ));
            }
            // Made before anything is spawned, so that a refused request starts no thread.
            let first = self.outgoing(request)?;
            let runtime = match &self.runtime {
                Some(runtime) if is_inside(runtime) => return self.exchange(first, request, max_body).await,
                Some(runtime) => runtime.clone(),
                None => background()?,
            };
            let (this, request) = (self.clone(), request.clone());
            let exchange = carried(async move { this.exchange(first, &request, max_body).await });
            AbortOnDrop(runtime.spawn(exchange)).await
        })
    }
}

/// Returns whether the caller runs on `runtime`.
fn is_inside(runtime: &runtime::Handle) -> bool {
    runtime::Handle::try_current().is_ok_and(|current| current.id() == runtime.id())
}

/// Returns whether `client` was built with [`Policy::none`].
///
/// A client tells its policy nowhere but in its `Debug` text, and a reply does not tell how many
/// redirects led to it: its URL is the one that was asked for if the last redirect leads back. If
/// another version of reqwest writes the text differently, clients of [`ReqwestTransport::over`]
/// are refused, never trusted. Text in a header of the client cannot imitate the field, because its
/// quotes are escaped.
fn follows_none(client: &Client) -> bool {
    format!("{client:?}").contains(r#"redirect_policy: "Policy(None)""#)
}

/// The URI that was asked for last, as a URL. To parse one, with all that a host may be, costs a
/// sixth of a request, and a client asks one origin most of the time, and for one operation.
#[derive(Clone, Default)]
struct LastUrl(Arc<Mutex<Option<(Uri, Url)>>>);

impl LastUrl {
    /// Returns `uri` as a URL.
    fn of(&self, uri: &Uri) -> Result<Url, TransportError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, url)) = last.as_mut().filter(|(known, _)| is_same_origin(known, uri)) {
            if known.path_and_query() != uri.path_and_query() {
                url.set_path(uri.path());
                url.set_query(uri.query());
                *known = uri.clone();
            }
            return Ok(url.clone());
        }
        let invalid = |error| TransportError::new(TransportErrorKind::InvalidRequest, error);
        let url = Url::parse(&uri.to_string()).map_err(invalid)?;
        *last = Some((uri.clone(), url.clone()));
        Ok(url)
    }
}

fn is_same_origin(one: &Uri, other: &Uri) -> bool {
    one.scheme() == other.scheme() && one.authority().map(Authority::as_str) == other.authority().map(Authority::as_str)
}

// By hand: a URL may have secrets in it.
impl fmt::Debug for LastUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastUrl").finish_non_exhaustive()
    }
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
    let kind = if error.is_connect() && certificate::is_refused(&error) {
        TransportErrorKind::Certificate
    } else if error.is_connect() {
        TransportErrorKind::Connect
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_builder() {
        TransportErrorKind::InvalidRequest
    } else {
        cause(&error).map_or(TransportErrorKind::Other, hyper_error::kind)
    };
    TransportError::new(kind, error.without_url()) // the query of the URL may hold a secret
}

/// Returns the error of type `E` in the chain of sources: reqwest wraps those of hyper and
/// hyper-util without a kind of its own.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&error| error.source()).find_map(<dyn StdError>::downcast_ref)
}

/// The connections that have answered a request, by their local and remote addresses. It
/// distinguishes a connection that was closed while idle from one that never worked.
#[derive(Clone, Debug, Default)]
struct Answered(Arc<Mutex<BTreeSet<(SocketAddr, SocketAddr)>>>);

impl Answered {
    /// Remembers the connection that a reply with these extensions came over.
    fn insert(&self, extensions: &Extensions) {
        let Some(connection) = addresses(extensions) else { return };
        let mut answered = self.connections();
        // A connection that ends while idle is never reported, so that they add up. What is
        // forgotten costs an error of kind `Closed`, which the error budget forgives.
        if answered.len() >= MAX_ANSWERED {
            answered.clear();
        }
        answered.insert(connection);
    }

    /// Returns whether the request failed because its connection had answered an earlier request
    /// and was closed since, and forgets that connection.
    fn went_stale(&self, error: &reqwest::Error) -> bool {
        let mut extensions = Extensions::new();
        if let Some(connection) = cause::<legacy::Error>(error).and_then(legacy::Error::connect_info) {
            connection.get_extras(&mut extensions);
        }
        let is_closed = cause::<hyper::Error>(error).is_some_and(hyper_error::is_closed);
        is_closed && addresses(&extensions).is_some_and(|connection| self.connections().remove(&connection))
    }

    fn connections(&self) -> MutexGuard<'_, BTreeSet<(SocketAddr, SocketAddr)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the local and the remote address of a connection, as reqwest's connector notes them.
fn addresses(extensions: &Extensions) -> Option<(SocketAddr, SocketAddr)> {
    extensions.get::<HttpInfo>().map(|info| (info.local_addr(), info.remote_addr()))
}

/// Returns the runtime on which every request of every [`ReqwestTransport`] runs, and starts it at
/// the first call.
///
/// reqwest panics outside a tokio runtime, so the caller's executor cannot be used. The thread
/// lives as long as the process.
fn background() -> Result<runtime::Handle, TransportError> {
    // Not a `OnceLock`: if the thread cannot be started now, a later request tries again.
    static RUNTIME: Mutex<Option<runtime::Handle>> = Mutex::new(None);
    let mut started = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*started {
        return Ok(handle.clone());
    }
    let failed = |error| not_started(THREAD, &error);
    let (sender, receiver) = mpsc::sync_channel(1);
    // The runtime never leaves its thread: if that could not be started, the runtime would be
    // dropped here, and tokio panics if one is dropped in an async context.
    let run = move || match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let _ = sender.send(Ok(runtime.handle().clone()));
            runtime.block_on(pending::<()>());
        }
        Err(error) => {
            let _ = sender.send(Err(error));
        }
    };
    thread::Builder::new().name(THREAD.to_owned()).spawn(run).map_err(failed)?;
    let handle = receiver.recv().unwrap_or_else(|_| Err(io::Error::other("it ended at once"))).map_err(failed)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_made_of_the_last_one_is_what_the_whole_of_it_is() {
        let paths = "/ /a/b // //a///b/ /. /.. /a/../b /%2e%2e/b /%2E /a%2fb /a:b /c:/d /c|/d /a;b=c /a@b /a'b /a\"b \
                     /a{b} /a[b] /a^b /a`b /a|b /a\\b /a~b /\u{e4} /%zz /v1/operations/7:cancel";
        let queries =
            [None, Some(""), Some("a=b&c"), Some("?"), Some("a'b\"c{}|^`\\"), Some("%zz\u{e4}"), Some("//../b")];
        let origins =
            ["http://a.test", "http://b.test:8080", "http://b.test:80", "https://[::1]:1", "http://u:p@b.test"];
        let last = LastUrl::default();
        let mut seen = 0;
        for origin in origins {
            for query in queries {
                for path in paths.split_whitespace().chain([""]) {
                    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
                    // What is no URI never comes to a transport.
                    let Ok(uri) = format!("{origin}{path}{query}").parse::<Uri>() else { continue };
                    let whole = LastUrl::default().of(&uri).unwrap();
                    assert_eq!([(); 2].map(|()| last.of(&uri).unwrap()), [whole.clone(), whole.clone()], "{uri}");
                    assert_eq!(whole, Url::parse(&uri.to_string()).unwrap());
                    seen += 1;
                }
            }
        }
        assert!(seen > 500, "{seen}");
    }

    #[test]
    fn what_is_no_url_is_refused_without_it() {
        let uri = "http://1.2.3.999/?key=secret".parse::<Uri>().unwrap();
        let error = LastUrl::default().of(&uri).unwrap_err();
        assert!(matches!(error.kind(), TransportErrorKind::InvalidRequest) && !format!("{error:?}").contains("secret"));
    }
}
