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
use http::{HeaderValue, Method, Version, header, uri::Scheme};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use smol_hyper::rt::SmolTimer;

use super::{
    BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind,
    hyper_error::{is_closed, kind},
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

/// Replies with more headers are refused: hyper's own limit of 100 is less than some gateways send.
const MAX_HEADERS: usize = 1_000;
/// Replies with a longer head are refused, and so much of a body is buffered before it is asked for.
const MAX_HEAD: usize = 256 * 1024;
/// Idle connections are closed after this time.
const IDLE: Duration = Duration::from_secs(90);
/// How many connections that had gone stale in the pool one request may meet before it gives up.
const MAX_STALE: usize = 8;
/// What a body may reserve on the word of its `Content-Length` alone.
const MAX_RESERVED: u64 = 64 * 1024;

/// The default transport: [hyper](https://docs.rs/hyper) over HTTP/1.1, with TLS by [rustls](https://docs.rs/rustls).
///
/// It works on any executor and on none: its connections run on one background thread of the process, made at the first
/// request, so that a caller who blocks the only thread of its executor does not block the reply it waits for.
///
/// Connections are kept alive and shared between clones, by scheme, host and port. A reused connection that turns out to be
/// closed is replaced without a word if the request is idempotent (`GET`, `PUT`, `DELETE`, …) or was not sent at all; a `POST` that
/// may have arrived is an error of kind [`Closed`](TransportErrorKind::Closed). Dropping a request closes its connection.
///
/// Certificates are checked against Mozilla's roots, compiled in. All addresses of a host are tried. There is no proxy support and no
/// decompression: no `Accept-Encoding` is sent. A reply's head is limited to 256 KiB and 1,000 headers. The only time limit of
/// its own is the one for connecting (30 s, see [`HyperTransportBuilder::connect_timeout`]).
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
    /// A transport with the public roots and the default limits. Does no I/O and starts no thread.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A transport that sends every request over the unix socket at `path`, whatever the host in its URI; `http` only.
    ///
    /// Each request still needs a base URL for its paths and its `Host` header: `http://localhost` by custom.
    #[cfg(unix)]
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::builder().unix(path).build()
    }

    /// A transport with settings of its own.
    #[must_use]
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder { connect_timeout: Duration::from_secs(30), trust: Trust::default(), socket: None }
    }

    /// Sends until a connection takes the request: one from the pool may have been closed by the server meanwhile.
    async fn exchange(&self, request: &Request) -> Result<http::Response<Incoming>, TransportError> {
        let mut stale = 0;
        loop {
            let error = match self.client.request(outgoing(request)).await {
                Ok(mut response) => {
                    if let Some(used) = response.extensions_mut().remove::<Used>() {
                        used.mark();
                    }
                    return Ok(response);
                }
                Err(error) => error,
            };
            stale += 1;
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
            thread::start().map_err(|error| TransportError::new(TransportErrorKind::Other, error))?;
            let (parts, body) = self.exchange(request).await?.into_parts();
            Ok(Reply::from_parts(parts, read(body, max_body).await?))
        })
    }
}

/// Settings of a [`HyperTransport`]; see [`HyperTransport::builder`].
#[derive(Clone, Debug)]
pub struct HyperTransportBuilder {
    connect_timeout: Duration,
    trust: Trust,
    socket: Option<PathBuf>,
}

impl HyperTransportBuilder {
    /// How long name resolution, connecting and the TLS handshake may take together; 30 s if not set.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts the certificates in `pem` as well as the public roots. Without effect together with [`tls`](Self::tls).
    ///
    /// Fails if `pem` has no certificate or one that cannot be a root.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, TransportError> {
        let invalid = |error: Box<dyn StdError + Send + Sync>| TransportError::new(TransportErrorKind::Other, error);
        let before = self.trust.extra.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| invalid(error.into()))?;
            RootCertStore::empty().add(certificate.clone()).map_err(|error| invalid(error.into()))?;
            self.trust.extra.push(certificate);
        }
        if self.trust.extra.len() == before {
            return Err(invalid("no certificate in the PEM text".into()));
        }
        Ok(self)
    }

    /// Uses `config` for TLS: client certificates, other roots, another provider. Its ALPN list is replaced by what is spoken.
    #[must_use]
    pub fn tls(mut self, config: ClientConfig) -> Self {
        self.trust.config = Some(config);
        self
    }

    /// Sends every request over the unix socket at `path`; see [`HyperTransport::unix`].
    #[cfg(unix)]
    #[must_use]
    pub fn unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.socket = Some(path.into());
        self
    }

    /// The transport.
    #[must_use]
    pub fn build(self) -> HyperTransport {
        let client = Client::builder(Background)
            .pool_timer(SmolTimer::new())
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

/// Refuses what hyper would refuse later, or would send in another form.
fn check(request: &Request) -> Result<(), TransportError> {
    let refuse = |why: &str| Err(TransportError::message(TransportErrorKind::InvalidRequest, why));
    match request.uri().scheme() {
        None => return refuse("its URI has no scheme and host"),
        Some(scheme) if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS => {
            return refuse("its scheme is neither http nor https");
        }
        Some(_) => {}
    }
    if request.uri().host().is_none_or(str::is_empty) {
        return refuse("its URI has no host");
    }
    if *request.method() == Method::CONNECT {
        return refuse("its method is CONNECT");
    }
    Ok(())
}

/// The request as hyper takes it. How long the body is and how it is framed is for hyper to say, but for one case: it leaves
/// out the length of an empty body, which some front ends answer with `411 Length Required`.
fn outgoing(request: &Request) -> http::Request<Full<Bytes>> {
    let mut request = request.clone().map(Full::new);
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(header::CONTENT_LENGTH);
    request.headers_mut().remove(header::TRANSFER_ENCODING);
    if matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) && request.body().is_end_stream() {
        request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    request
}

/// Reads a body to its end, or to its first byte beyond the limit; dropping `body` unread closes its connection.
async fn read(mut body: Incoming, max_body: usize) -> Result<Bytes, TransportError> {
    let announced = body.size_hint().lower();
    if announced > max_body as u64 {
        return Err(TransportError::body_too_large(max_body));
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
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

/// Whether the request met a connection that had served before and was closed since.
fn went_stale(error: &hyper_util::client::legacy::Error) -> bool {
    let mut extensions = http::Extensions::new();
    if let Some(connection) = error.connect_info() {
        connection.get_extras(&mut extensions);
    }
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
