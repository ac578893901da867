use std::{fmt, io, panic::AssertUnwindSafe, str::FromStr};

use bytes::Bytes;
use futures_lite::{AsyncReadExt, FutureExt};
use http::{Method, StatusCode, uri::PathAndQuery};
use surf::{
    Client,
    http::{Method as SurfMethod, Url},
};

use super::{BoxFuture, HyperTransport, Reply, Request, Transport, TransportError, TransportErrorKind};

mod backend;
mod headers;

use self::backend::{Exchange, Received, Wire};

/// A transport over [`surf::Client`] and its middleware.
///
/// surf's own backends are unmaintained, and each breaks a promise of [`Transport`]: its HTTP/1 pool hands a request the
/// reply of one that was dropped, two of them panic on a header that is not ASCII, one takes a body that was cut for a whole one.
/// So this is surf without a backend: its client and its middleware over the wire of [`HyperTransport`].
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
/// Middleware sees what surf can show: header values are ASCII (other bytes appear as `?`), unknown status codes appear as the first of
/// their hundred. What it leaves alone is sent and received as it was, what it changes is changed. It may send a request
/// elsewhere on the same origin, but not to another: the wire refuses that
/// ([`InvalidRequest`](TransportErrorKind::InvalidRequest)). Do not add `surf::middleware::Redirect`: the requests it makes itself carry all
/// headers to wherever a server says. Methods that surf does not know are refused.
#[derive(Clone)]
pub struct SurfTransport {
    client: Client,
    foreign: bool,
}

impl SurfTransport {
    /// surf over a [`HyperTransport`] with the default settings, without middleware.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Self::client(HyperTransport::new()))
    }

    /// A surf client over `wire`, to add middleware to and hand to [`over`](Self::over).
    #[must_use]
    pub fn client(wire: HyperTransport) -> Client {
        Client::with_http_client(Wire::new(wire))
    }

    /// A transport over a client made by [`client`](Self::client).
    #[must_use]
    pub fn over(client: Client) -> Self {
        Self { client, foreign: false }
    }

    /// A transport over a client with a backend of its own, surf's or another. Prefer [`new`](Self::new).
    ///
    /// Fails unless the client was made with keep-alive switched off, since surf's pool hands out replies of earlier requests:
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
    /// Panics of the backend are contained, bodies are held against their `Content-Length`, an interim reply (`1xx`) that it
    /// takes for the final one is an error. What stays broken is what the backend does below. surf's own HTTP/1 one makes a connection
    /// for each request, reads a body as empty that ends with its connection or is `Chunked` with a capital letter, may take a
    /// chunked body that was cut for a whole one, does not know some status codes (`299`, `418`, …), and refuses replies with more than
    /// 8 kB of head, 128 headers, or a header that is not UTF-8.
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
        let status = match &received {
            Some(received) if backend::shown_status(received.status) == response.status() => received.status,
            _ => StatusCode::from_u16(shown)
                .map_err(|error| TransportError::new(TransportErrorKind::InvalidReply, error))?,
        };
        let original = received.map(|received| received.headers).unwrap_or_default();
        let headers = headers::merged(&original, response.as_ref());
        if self.foreign && status.is_informational() {
            return Err(TransportError::message(
                TransportErrorKind::InvalidReply,
                "an interim reply instead of the final one",
            ));
        }
        let body = if *request.method() == Method::HEAD || matches!(status.as_u16(), 204 | 304) {
            Bytes::new() // surf's own backend would wait for the length that these may announce
        } else {
            self.read(&mut response, headers::content_length(&headers), max_body).await?
        };
        let mut reply = Reply::new(body);
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        Ok(reply)
    }

    /// Reads a body to its end, or to its first byte beyond the limit.
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

    /// The request as surf takes it, and beside it, for the wire, as it was.
    fn outgoing(&self, request: &Request, max_body: usize) -> Result<surf::Request, TransportError> {
        let invalid = |why: String| TransportError::message(TransportErrorKind::InvalidRequest, why);
        let method = SurfMethod::from_str(request.method().as_str())
            .map_err(|_| invalid("surf does not know its method".to_owned()))?;
        let url = Url::parse(&request.uri().to_string()).map_err(|error| invalid(error.to_string()))?;
        if self.foreign && !is_same(&url, request.uri().path_and_query()) {
            return Err(invalid("surf would send its URI in another form".to_owned()));
        }
        if self.foreign && request.headers().values().any(|value| !value.as_bytes().is_ascii()) {
            return Err(invalid("surf cannot send a header that is not ASCII".to_owned()));
        }
        let mut outgoing = surf::Request::new(method, url.clone());
        outgoing.set_body(request.body().as_ref());
        outgoing.remove_header("content-type");
        headers::show(request.headers(), outgoing.as_mut());
        if self.foreign {
            outgoing.insert_header("connection", "close");
        }
        let headers = request.headers().clone();
        outgoing.set_ext(Exchange { uri: request.uri().clone(), url, headers, max_body });
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
            let exchange = AssertUnwindSafe(self.exchange(request, max_body)).catch_unwind();
            exchange.await.unwrap_or_else(|_| {
                Err(TransportError::message(TransportErrorKind::Other, "surf or its middleware panicked"))
            })
        })
    }
}

/// Whether `url` asks for the same resource: it resolves dots and escapes what it finds.
fn is_same(url: &Url, uri: Option<&PathAndQuery>) -> bool {
    uri.is_some_and(|uri| url.path() == uri.path() && url.query() == uri.query())
}

/// What the wire said, or else what a backend or a middleware did.
fn classify(error: surf::Error) -> TransportError {
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
