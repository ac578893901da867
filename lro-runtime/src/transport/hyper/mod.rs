//! The default transport: hyper over HTTP/1.1, on a background thread of its own.

use std::{
    error::Error as StdError,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_rustls::{
    pki_types::{CertificateDer, pem::PemObject},
    rustls::{ClientConfig, RootCertStore},
};
use http::{Method, Version, uri::Scheme};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use smol_hyper::rt::SmolTimer;

use super::{
    BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind, framing,
    hyper_error::{MAX_STALE, is_closed, kind},
};

#[cfg(feature = "grpc")]
mod channel;
mod connect;
mod stream;
mod thread;

#[cfg(feature = "grpc")]
pub use self::channel::HyperChannel;
use self::{
    connect::{Connector, Trust},
    stream::Used,
    thread::Background,
};

/// The largest number of headers in a reply. hyper's own limit of 100 is less than some gateways
/// send.
const MAX_HEADERS: usize = 1_000;
/// The largest size of a reply's head, in bytes. It is the size of hyper's read buffer, so it also
/// bounds how much of a body is buffered before it is read. hyper's default is about 400 kB per
/// connection.
const MAX_HEAD: usize = 256 * 1024;
/// The time after which an idle connection is closed.
const IDLE: Duration = Duration::from_secs(90);
/// The most memory, in bytes, that is reserved for a body because of its `Content-Length` alone: a
/// server may announce gigabytes and send nothing.
const MAX_RESERVED: u64 = 64 * 1024;

/// The default transport: [hyper](https://docs.rs/hyper) over HTTP/1.1, with TLS by
/// [rustls](https://docs.rs/rustls).
///
/// It works on any executor and on none. Its connections run on one background thread per process,
/// which starts at the first request. A caller that blocks the only thread of its executor
/// therefore does not block the reply it waits for.
///
/// Connections are kept alive and shared between clones, by scheme, host and port. If a reused
/// connection turns out to be closed, the transport sends the request again on another one,
/// provided that the request is idempotent (`GET`, `PUT`, `DELETE`, …) or was not sent at all. A
/// `POST` that may have arrived is an error of kind [`Closed`](TransportErrorKind::Closed).
/// Dropping a request closes its connection.
///
/// Certificates are checked against Mozilla's roots, which are compiled in. All addresses of a host
/// are tried. There is no proxy support and no decompression: no `Accept-Encoding` is sent. A
/// reply's head is limited to 256 KiB and 1,000 headers. The transport has one time limit of its
/// own, for connecting (default: 10 s, see [`HyperTransportBuilder::connect_timeout`]).
///
/// # What it logs
///
/// Nothing. If another crate of the program switches on the feature `tracing` of hyper-util, that
/// writes the scheme, host and port of connections at the levels `debug` and `trace`, and no paths,
/// headers or bodies.
///
/// ```
/// # #[cfg(unix)] {
/// use lro_runtime::transport::HyperTransport;
///
/// let internet = HyperTransport::new();
/// let lxd = HyperTransport::unix("/var/snap/lxd/common/lxd/unix.socket");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HyperTransport {
    client: Client<Connector, Full<Bytes>>,
}

impl HyperTransport {
    /// Creates a transport with the public roots and the default limits. Does no I/O and starts no
    /// thread.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Creates a transport that sends every request over the unix socket at `path`, whatever the
    /// host in its URI. Only `http` URIs work.
    ///
    /// A client still needs a base URL, for the paths and the `Host` header of its requests.
    /// `http://localhost` is customary.
    #[cfg(unix)]
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::builder().unix(path).build()
    }

    /// Returns a builder for a transport with other settings.
    #[must_use]
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder { connect_timeout: Duration::from_secs(10), trust: Trust::default(), socket: None }
    }

    /// Sends the request, again if needed, until a connection answers it: the server may have
    /// closed the pooled ones.
    ///
    /// hyper-util's own retry covers a connection that closes before the request is written. Often
    /// the close arrives later, after the request was written, and hyper-util then reports an
    /// error.
    async fn exchange(&self, request: &Request) -> Result<http::Response<Incoming>, TransportError> {
        let mut stale = 0;
        loop {
            let error = match self.client.request(outgoing(request)).await {
                Ok(mut response) => {
                    // `remove` rather than `get`: the caller's reply must not carry the
                    // connection's internals.
                    if let Some(used) = response.extensions_mut().remove::<Used>() {
                        used.mark();
                    }
                    return Ok(response);
                }
                Err(error) => error,
            };
            stale += 1;
            // A request that is not idempotent may have been executed. Sending a start call twice
            // would start two operations.
            if stale > MAX_STALE || !request.method().is_idempotent() || !went_stale(&error) {
                return Err(classify(error));
            }
        }
    }
}

impl Default for HyperTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for HyperTransport {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            check(request)?;
            let (transport, request) = (self.clone(), request.clone());
            let exchange = async move { transport.exchange(&request).await };
            let (parts, body) = thread::beside_connections(exchange).await??.into_parts();
            Ok(Reply::from_parts(parts, read(body, max_body).await?))
        })
    }
}

/// Builds a [`HyperTransport`] with other settings than the default; [`HyperTransport::builder`]
/// makes one.
#[derive(Clone, Debug)]
pub struct HyperTransportBuilder {
    connect_timeout: Duration,
    trust: Trust,
    socket: Option<PathBuf>,
}

impl HyperTransportBuilder {
    /// Sets how long name resolution, connecting and the TLS handshake may take together. Default:
    /// 10 s.
    ///
    /// Shorter than the default time limit of a poll, so that a host that does not answer is an
    /// outage of the [origin](crate::FailureScope::Origin) and not a slow poll.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts the certificates in `pem` in addition to the public roots. Has no effect together
    /// with [`tls`](Self::tls).
    ///
    /// # Errors
    ///
    /// Fails if `pem` contains no certificate, or one that cannot be a root.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, TransportError> {
        let invalid = |error: Box<dyn StdError + Send + Sync>| TransportError::new(TransportErrorKind::Other, error);
        let before = self.trust.extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| invalid(error.into()))?;
            // Tried on an empty store, so that a bad certificate is reported here and not by the
            // first connection.
            RootCertStore::empty().add(certificate.clone()).map_err(|error| invalid(error.into()))?;
            self.trust.extra.push(certificate);
        }
        if self.trust.extra.len() == before {
            return Err(invalid("no certificate in the PEM text".into()));
        }
        Ok(self)
    }

    /// Uses `config` for TLS: client certificates, other roots, another provider. The transport
    /// replaces its ALPN list with the one protocol it speaks.
    #[must_use]
    pub fn tls(mut self, config: ClientConfig) -> Self {
        self.trust.config = Some(config);
        self
    }

    /// Sends every request over the unix socket at `path`, as [`HyperTransport::unix`] does.
    #[cfg(unix)]
    #[must_use]
    pub fn unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.socket = Some(path.into());
        self
    }

    /// Builds the transport. Does no I/O and starts no thread.
    #[must_use]
    pub fn build(self) -> HyperTransport {
        let client = Client::builder(Background)
            .pool_timer(SmolTimer::new()) // without it the idle timeout has no effect
            .pool_idle_timeout(IDLE)
            .http1_max_headers(MAX_HEADERS)
            .http1_max_buf_size(MAX_HEAD)
            .build(self.connector(b"http/1.1"));
        HyperTransport { client }
    }

    fn connector(self, protocol: &'static [u8]) -> Connector {
        Connector {
            timeout: self.connect_timeout,
            trust: Arc::new(self.trust),
            tls: Arc::new(OnceLock::new()),
            socket: self.socket.map(Arc::from),
            protocol,
        }
    }
}

/// Refuses a request that hyper would refuse later or send in another form.
fn check(request: &Request) -> Result<(), TransportError> {
    let refuse = |why: &str| Err(TransportError::message(TransportErrorKind::InvalidRequest, why));
    match request.uri().scheme() {
        None => return refuse("its URI has no scheme and host"),
        // The connector would send any other scheme as plain HTTP, credentials included.
        Some(scheme) if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS => {
            return refuse("its scheme is neither http nor https");
        }
        Some(_) => {}
    }
    if request.uri().host().is_none_or(str::is_empty) {
        return refuse("its URI has no host");
    }
    // hyper sends only the authority of a CONNECT request and strips its path (RFC 9110, section
    // 9.3.6).
    if *request.method() == Method::CONNECT {
        return refuse("its method is CONNECT");
    }
    framing::check(request)
}

/// Converts `request` for hyper.
fn outgoing(request: &Request) -> http::Request<Full<Bytes>> {
    let mut request = request.clone().map(Full::new);
    *request.version_mut() = Version::HTTP_11;
    let (method, is_empty) = (request.method().clone(), request.body().is_end_stream());
    framing::for_hyper(request.headers_mut(), &method, is_empty);
    request
}

/// Reads a body to its end, or fails at the first byte beyond `max_body`. An early return drops
/// `body` unread, which closes its connection.
async fn read(mut body: Incoming, max_body: usize) -> Result<Bytes, TransportError> {
    // The `Content-Length`, or 0 for chunks. A body that is announced too large is refused before
    // its first byte.
    let announced = body.size_hint().lower();
    if announced > max_body as u64 {
        return Err(TransportError::body_too_large(max_body));
    }
    // A body that arrives in one frame, as most do, is returned as hyper's own buffer. Only a
    // second frame makes a copy.
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue }; // trailers
        if data.len() > max_body.saturating_sub(first.len() + whole.len()) {
            return Err(TransportError::body_too_large(max_body));
        }
        if first.is_empty() && whole.is_empty() {
            first = data;
        } else {
            if whole.is_empty() {
                whole.reserve(usize::try_from(announced.min(MAX_RESERVED)).unwrap_or_default());
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// Returns whether the request failed because its connection had answered an earlier request and
/// was closed since.
///
/// A new connection that breaks does not count: the server is then in trouble, and the error budget
/// should know.
fn went_stale(error: &hyper_util::client::legacy::Error) -> bool {
    let mut extensions = http::Extensions::new();
    if let Some(connection) = error.connect_info() {
        connection.get_extras(&mut extensions);
    }
    // A connection that answered with invalid HTTP is not stale: the same request would meet the
    // same reply.
    let broken = error.source().and_then(<dyn StdError>::downcast_ref::<hyper::Error>).is_some_and(is_closed);
    broken && extensions.get::<Used>().is_some_and(Used::is_marked)
}

fn classify(error: hyper_util::client::legacy::Error) -> TransportError {
    if error.is_connect() {
        return connect::classify(error);
    }
    match error.source().and_then(<dyn StdError>::downcast_ref::<hyper::Error>) {
        Some(cause) => TransportError::new(kind(cause), error),
        None => TransportError::new(TransportErrorKind::Other, error),
    }
}

fn broken(error: hyper::Error) -> TransportError {
    TransportError::new(kind(&error), error)
}
