//! Sends requests through a [`surf::Client`] and its middleware, with [`HyperTransport`] as its
//! backend.

use std::{fmt, io, panic::AssertUnwindSafe, str::FromStr};

use bytes::Bytes;
use futures_lite::{AsyncReadExt, FutureExt};
use http::{Method, StatusCode, uri::PathAndQuery};
use surf::{
    Client, Config,
    http::{Method as SurfMethod, Url},
};

use super::{BoxFuture, HyperTransport, Reply, Request, Transport, TransportError, TransportErrorKind, framing};

mod attach;
mod backend;
mod headers;

use self::{
    attach::Attach,
    backend::{Exchange, HyperBackend, Received},
};

/// A transport over [`surf::Client`] and its middleware.
///
/// surf's own backends are unmaintained, and each breaks a guarantee of [`Transport`]: the HTTP/1
/// pool gives a request the reply to an earlier request that was dropped, two backends panic on a
/// header that is not ASCII, and one accepts a truncated body as complete. This transport therefore
/// uses surf without a backend: its client and its middleware, with [`HyperTransport`] underneath.
///
/// ```
/// use lro_runtime::transport::{HyperTransport, SurfTransport};
/// use surf::{Client, Request, Response, middleware::{Middleware, Next}, utils::async_trait};
///
/// struct Trace;
///
/// #[async_trait]
/// impl Middleware for Trace {
///     async fn handle(&self, request: Request, client: Client, next: Next<'_>) -> surf::Result<Response> {
///         println!("{} {}", request.method(), request.url().path());
///         next.run(request, client).await
///     }
/// }
///
/// let client = SurfTransport::client(HyperTransport::new()).with(Trace);
/// let transport = SurfTransport::over(client);
/// ```
///
/// Middleware sees what surf's types can express: header values are ASCII (other bytes appear as
/// `?`), and an unknown status code appears as a generic code of its class (`299` as `200`).
/// Whatever the middleware leaves unchanged is sent and received in its original form; its changes
/// are applied. It may send a request, or a clone of it, elsewhere on the same origin, but not to
/// another origin: the transport refuses that
/// ([`InvalidRequest`](TransportErrorKind::InvalidRequest)). It knows a clone by the header
/// `lro-origin`, which middleware sees and no server gets. Do not add `surf::middleware::Redirect`:
/// it sends each request at least twice, start calls as well. Methods that surf does not know are
/// refused.
///
/// # What it logs
///
/// Nothing, unless the program adds surf's middleware
/// [`Logger`](https://docs.rs/surf/2/surf/middleware/struct.Logger.html). It writes to the crate
/// `log`, at the level `info`, whole URLs, with signatures in them, as the key `req.uri` (target
/// `surf::middleware::logger::native`). With its feature `middleware-logger`, which is on by
/// default, surf adds it to the clients of `surf::Client::new` and `with_http_client`, and not to
/// those of [`client`](Self::client), nor to those made from a `surf::Config`, as
/// [`over_foreign`](Self::over_foreign) requires. The backends of surf write what they write.
#[derive(Clone)]
pub struct SurfTransport {
    client: Client,
    foreign: bool,
}

impl SurfTransport {
    /// Creates a transport over surf without middleware, with a default [`HyperTransport`]
    /// underneath.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Self::client(HyperTransport::new()))
    }

    /// Creates a surf client without middleware that sends through `wire`. Add middleware to it,
    /// then pass it to [`over`](Self::over).
    #[must_use]
    pub fn client(wire: HyperTransport) -> Client {
        let config = Config::new().set_http_client(HyperBackend::new(wire.clone()));
        // Not `with_http_client` at once: it adds surf's `Logger` if any crate of the program has
        // surf's feature for it. A client from a config fails only if it makes its own backend.
        Client::try_from(config).unwrap_or_else(|_| Client::with_http_client(HyperBackend::new(wire)))
    }

    /// Creates a transport over a client made by [`client`](Self::client).
    #[must_use]
    pub fn over(client: Client) -> Self {
        Self { client, foreign: false }
    }

    /// Creates a transport over a client with a backend of its own, surf's or another. Prefer
    /// [`new`](Self::new).
    ///
    /// The client must be made with keep-alive switched off, because surf's pool returns replies of
    /// earlier requests:
    ///
    /// ```
    /// use surf::{Client, Config};
    ///
    /// # fn client(backend: impl surf::HttpClient) -> Result<(), Box<dyn std::error::Error>> {
    /// let client = Client::try_from(Config::new().set_http_keep_alive(false).set_http_client(backend))?;
    /// let transport = lro_runtime::transport::SurfTransport::over_foreign(client)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Middleware of such a client does not see the caller's headers. They are added after it,
    /// where the request still goes to the caller's origin; a header that middleware has set stays.
    ///
    /// The transport turns panics of the backend into errors, compares each body with its
    /// `Content-Length`, and reports an interim reply (`1xx`) that the backend returns as the final
    /// one as an error. It cannot repair what the backend does below that. surf's own HTTP/1
    /// backend opens a connection for each request, reads a body as empty if it ends with its
    /// connection or is `Chunked` with a capital letter, may accept a truncated chunked body as
    /// complete, does not know some status codes (`299`, `418`, …), and refuses replies with more
    /// than 8 kB of head, with more than 128 headers, or with a header that is not UTF-8.
    ///
    /// # Errors
    ///
    /// Fails with [`InvalidRequest`](TransportErrorKind::InvalidRequest) if the client keeps
    /// connections alive.
    pub fn over_foreign(client: Client) -> Result<Self, TransportError> {
        if client.config().http_config.http_keep_alive {
            return Err(TransportError::message(
                TransportErrorKind::InvalidRequest,
                "the client keeps connections alive: make it from `surf::Config::new().set_http_keep_alive(false)`",
            ));
        }
        Ok(Self { client, foreign: true })
    }

    async fn exchange(&self, request: &Request, max_body: usize) -> Result<Reply, TransportError> {
        let mut response = self.client.send(self.outgoing(request, max_body)?).await.map_err(classify)?;
        let received = response.ext::<Received>().cloned();
        let shown = u16::from(response.status());
        // The original status counts only while surf still shows what it was shown: middleware may
        // have replaced it.
        let status = match &received {
            Some(received) if backend::shown_status(received.status) == response.status() => received.status,
            _ => StatusCode::from_u16(shown)
                .map_err(|error| TransportError::new(TransportErrorKind::InvalidReply, error))?,
        };
        let original = received.map(|received| received.headers).unwrap_or_default();
        let headers = headers::merged(&original, response.as_ref());
        // surf's own HTTP/1 backend takes a `100 Continue` for the reply. [`HyperTransport`] never
        // returns one.
        if self.foreign && status.is_informational() {
            return Err(TransportError::message(
                TransportErrorKind::InvalidReply,
                "the backend returned an interim (1xx) reply as the final one",
            ));
        }
        let body = if *request.method() == Method::HEAD || matches!(status.as_u16(), 204 | 304) {
            Bytes::new() // these may announce a length without a body, and surf's own backend would wait for one
        } else {
            self.read(&mut response, headers::content_length(&headers), max_body).await?
        };
        let mut reply = Reply::new(body);
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        Ok(reply)
    }

    /// Reads a body to its end, or fails at the first byte beyond `max_body`.
    ///
    /// Only a foreign backend's body is compared with the length it announced: [`HyperTransport`]
    /// has checked its own.
    async fn read(
        &self,
        response: &mut surf::Response,
        announced: Option<u64>,
        max_body: usize,
    ) -> Result<Bytes, TransportError> {
        if self.foreign && announced.is_some_and(|announced| announced > max_body as u64) {
            return Err(TransportError::body_too_large(max_body));
        }
        let mut body = Vec::new();
        // One byte more than allowed, to tell a body of exactly `max_body` bytes from a larger one.
        let limit = max_body.saturating_add(1) as u64;
        response.take(limit).read_to_end(&mut body).await.map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => TransportErrorKind::InvalidReply,
                _ => TransportErrorKind::Closed,
            };
            TransportError::new(kind, error)
        })?;
        if body.len() > max_body {
            return Err(TransportError::body_too_large(max_body));
        }
        if self.foreign && announced.is_some_and(|announced| announced != body.len() as u64) {
            return Err(TransportError::message(TransportErrorKind::Closed, "the body is shorter than announced"));
        }
        Ok(Bytes::from(body))
    }

    /// Converts `request` for surf, and attaches the original for the backend.
    ///
    /// surf's URL resolves dots and escapes characters, and its headers are ASCII. Our backend
    /// restores the original from the attached [`Exchange`]; a foreign backend cannot, so requests
    /// that surf would change are refused.
    fn outgoing(&self, request: &Request, max_body: usize) -> Result<surf::Request, TransportError> {
        let invalid = |why: String| TransportError::message(TransportErrorKind::InvalidRequest, why);
        framing::check(request)?;
        let method = SurfMethod::from_str(request.method().as_str())
            .map_err(|_| invalid("surf does not know its method".to_owned()))?;
        let url = Url::parse(&request.uri().to_string()).map_err(|error| invalid(error.to_string()))?;
        if self.foreign && !is_same(&url, request.uri().path_and_query()) {
            return Err(invalid("surf would change the URI".to_owned()));
        }
        if self.foreign && request.headers().values().any(|value| !value.as_bytes().is_ascii()) {
            return Err(invalid("surf cannot send a header that is not ASCII".to_owned()));
        }
        let mut outgoing = surf::Request::new(method, url.clone());
        outgoing.set_body(request.body().as_ref());
        // `set_body` adds `application/octet-stream`, which the caller did not ask for.
        outgoing.remove_header("content-type");
        // Middleware may change the body: the length is counted by the backend that sends it.
        let mut headers = request.headers().clone();
        framing::remove(&mut headers);
        if self.foreign {
            outgoing.middleware(Attach { url, headers });
            // Switching keep-alive off in surf's settings keeps connections out of its pool, but
            // does not tell the server.
            outgoing.insert_header("connection", "close");
        } else {
            headers::to_surf(&headers, outgoing.as_mut());
            outgoing.insert_header(headers::ORIGIN, url.origin().ascii_serialization());
            outgoing.set_ext(Exchange { uri: request.uri().clone(), url, headers, max_body });
        }
        Ok(outgoing)
    }
}

impl Default for SurfTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SurfTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SurfTransport").field("foreign", &self.foreign).finish_non_exhaustive()
    }
}

impl Transport for SurfTransport {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            // Some surf backends panic on unusual headers, and middleware may panic: neither may
            // end the caller's task.
            let exchange = AssertUnwindSafe(self.exchange(request, max_body)).catch_unwind();
            exchange.await.unwrap_or_else(|_| {
                Err(TransportError::message(TransportErrorKind::Other, "surf or its middleware panicked"))
            })
        })
    }
}

/// Returns whether `url` still has the path and query of `uri`. Parsing a URL resolves dots and
/// escapes characters.
fn is_same(url: &Url, uri: Option<&PathAndQuery>) -> bool {
    uri.is_some_and(|uri| url.path() == uri.path() && url.query() == uri.query())
}

/// Returns the error of [`HyperTransport`] if there is one, otherwise an error for what the backend
/// or middleware did.
fn classify(error: surf::Error) -> TransportError {
    // The backend wrapped it in `refused`, because surf's trait has an error type of its own.
    if let Some(error) = error.downcast_ref::<TransportError>() {
        return error.clone();
    }
    let kind = match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => TransportErrorKind::Connect,
        Some(io::ErrorKind::TimedOut) => TransportErrorKind::Timeout,
        Some(_) => TransportErrorKind::Closed,
        None => TransportErrorKind::Other,
    };
    TransportError::new(kind, error.into_inner())
}
