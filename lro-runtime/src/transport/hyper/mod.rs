//! The default transport: hyper over HTTP/1.1, on connections that run in the task that waits.

use std::{
    error::Error as StdError,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_rustls::{
    pki_types::{CertificateDer, pem::PemObject},
    rustls::{ClientConfig, RootCertStore},
};
use http::{HeaderValue, Method, Uri, Version, header::HOST, uri::Scheme};
use http_body_util::Full;
use hyper::body::Body;

use super::{
    BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind, framing, hyper_error::MAX_STALE,
};

#[cfg(feature = "grpc")]
mod channel;
mod connect;
mod connection;
mod pool;
mod socket;
mod stream;
#[cfg(feature = "grpc")]
mod thread;

#[cfg(feature = "grpc")]
pub use self::channel::HyperChannel;
pub(crate) use self::connect::has_sockets;
use self::{
    connect::{Connector, Trust},
    connection::{Connection, Failure, Outgoing},
    pool::{Origin, Pool},
};

/// The time after which an idle connection is closed.
const IDLE: Duration = Duration::from_secs(90);
/// The most idle connections that are kept for one origin. A transport is promised to have 1,000
/// requests at once, all of which may use theirs again; each is an open file of the process.
const MAX_IDLE: usize = 1_024;

/// The default transport: [hyper](https://docs.rs/hyper) over HTTP/1.1, with TLS by
/// [rustls](https://docs.rs/rustls).
///
/// It works on any executor and on none. A connection runs in the task that waits for its reply,
/// and rests between requests: no other task or thread is needed for the reply to arrive, and none
/// but the one on which [async-io](https://docs.rs/async-io) asks the system for news of sockets.
///
/// Connections are kept alive and shared between clones, by scheme, host and port. If a reused
/// connection turns out to be closed, the transport sends the request again on another one,
/// provided that the request is idempotent (`GET`, `PUT`, `DELETE`, …) or was not sent at all. A
/// `POST` that may have arrived is an error of kind [`Closed`](TransportErrorKind::Closed).
/// Dropping a request closes its connection. A connection that is idle for 90 s is closed, and at
/// most 1,024 idle ones are kept for each origin.
///
/// Certificates are checked against Mozilla's roots, which are compiled in. All addresses of a host
/// are tried. There is no proxy support and no decompression: no `Accept-Encoding` is sent. A
/// reply's head is limited to 256 KiB and 1,000 headers. The transport has one time limit of its
/// own, for connecting (default: 10 s, see [`HyperTransportBuilder::connect_timeout`]).
///
/// # What it logs
///
/// Nothing.
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
    connector: Connector,
    pool: Arc<Pool>,
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
    /// closed the pooled ones, and often their end arrives only after the request was written.
    async fn exchange(&self, request: &Request, max_body: usize) -> Result<Reply, TransportError> {
        let origin = check(request)?;
        let mut stale = 0;
        loop {
            let resting = self.pool.take(&origin);
            let is_new = resting.is_none();
            let mut connection = match resting {
                Some(connection) => connection,
                None => Connection::begin(self.connector.open(request.uri()).await?).await?,
            };
            let error = match connection.exchange(outgoing(request, &origin)?, max_body).await {
                Ok(reply) => {
                    self.pool.put(origin, connection);
                    return Ok(reply);
                }
                // Each of these uses up a pooled connection, so that they come to an end.
                Err(Failure::NotSent(_)) if !is_new => continue,
                // A request that is not idempotent may have been executed. Sending a start call
                // twice would start two operations.
                Err(Failure::Stale(_)) if stale < MAX_STALE && request.method().is_idempotent() => {
                    stale += 1;
                    continue;
                }
                Err(Failure::NotSent(error) | Failure::Stale(error) | Failure::Other(error)) => error,
            };
            return Err(error);
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
        Box::pin(self.exchange(request, max_body))
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
        HyperTransport { connector: self.connector(b"http/1.1"), pool: Pool::new(IDLE, MAX_IDLE) }
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

/// Returns where a request goes, or refuses one that hyper would refuse later or send in another
/// form.
fn check(request: &Request) -> Result<Origin, TransportError> {
    let uri = request.uri();
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(refused("its URI has no scheme and host"));
    };
    // The connector would send any other scheme as plain HTTP, credentials included.
    if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
        return Err(refused("its scheme is neither http nor https"));
    }
    if authority.host().is_empty() {
        return Err(refused("its URI has no host"));
    }
    // hyper sends only the authority of a CONNECT request and strips its path (RFC 9110, section
    // 9.3.6).
    if *request.method() == Method::CONNECT {
        return Err(refused("its method is CONNECT"));
    }
    framing::check(request)?;
    Ok(Origin { scheme: scheme.clone(), authority: authority.clone() })
}

/// Converts `request` for hyper's connection, which sends the URI as it is and adds no `Host`.
fn outgoing(request: &Request, origin: &Origin) -> Result<Outgoing, TransportError> {
    let mut outgoing = request.clone().map(Full::new);
    *outgoing.version_mut() = Version::HTTP_11;
    // A server is asked for a path, not for a whole URI (RFC 9112, section 3.2.1).
    *outgoing.uri_mut() = request.uri().path_and_query().cloned().map_or_else(Uri::default, Uri::from);
    let (method, is_empty) = (request.method(), outgoing.body().is_end_stream());
    framing::for_hyper(outgoing.headers_mut(), method, is_empty);
    if !request.headers().contains_key(HOST) {
        outgoing.headers_mut().insert(HOST, host(origin)?);
    }
    Ok(outgoing)
}

/// Returns the `Host` header for an origin: without user information, and without a port that its
/// scheme implies (RFC 9110, section 7.2).
fn host(Origin { scheme, authority }: &Origin) -> Result<HeaderValue, TransportError> {
    let implied = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    let host = match authority.port_u16() {
        Some(port) if port != implied => authority.as_str().rsplit('@').next().unwrap_or_default(),
        _ => authority.host(),
    };
    HeaderValue::from_str(host).map_err(|_| refused("its host cannot be sent in a header"))
}

fn refused(why: &str) -> TransportError {
    TransportError::message(TransportErrorKind::InvalidRequest, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_sent_without_user_information_and_without_an_implied_port() {
        let origins = [
            ("http", "here", "here"),
            ("http", "here:80", "here"),
            ("https", "here:80", "here:80"),
            ("https", "here:443", "here"),
            ("http", "me:s3cret@here:8080", "here:8080"),
            ("http", "me@here", "here"),
            ("http", "[::1]:8080", "[::1]:8080"),
            ("https", "[::1]:443", "[::1]"),
        ];
        for (scheme, authority, sent) in origins {
            let origin = Origin { scheme: scheme.parse().unwrap(), authority: authority.parse().unwrap() };
            assert_eq!(host(&origin).unwrap(), sent, "{scheme}://{authority}");
        }
    }
}
