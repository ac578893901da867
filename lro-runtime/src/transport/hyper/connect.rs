//! Turns a URI into a connected stream: resolves the name, connects, and performs the TLS
//! handshake.

use std::{
    error::Error as StdError,
    fmt,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use async_io::Timer;
use async_net::TcpStream;
use futures_lite::future::or;
use futures_rustls::{
    TlsConnector,
    pki_types::{CertificateDer, ServerName},
    rustls::{self, ClientConfig, RootCertStore, crypto::ring},
};
use http::{Uri, uri::Scheme};
use tower_service::Service;

use super::stream::Connection;
use crate::transport::{TransportError, TransportErrorKind};

/// How long an address is tried alone before the next one is tried in parallel (RFC 8305, section
/// 5).
const HEAD_START: Duration = Duration::from_millis(250);

type Connecting = Pin<Box<dyn Future<Output = io::Result<Connection>> + Send>>;

/// The certificates to trust: the user's own TLS configuration, or the public roots and extra ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    pub(super) config: Option<ClientConfig>,
    pub(super) extra: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Returns the TLS configuration for a connection that speaks `protocol`.
    fn config(&self, protocol: &[u8]) -> io::Result<ClientConfig> {
        let mut config = if let Some(config) = &self.config {
            config.clone()
        } else {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            for certificate in &self.extra {
                roots.add(certificate.clone()).map_err(io::Error::other)?;
            }
            // The provider is named, because `ClientConfig::builder()` panics in a program with two
            // of them (ring and aws-lc).
            ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_root_certificates(roots)
                .with_no_client_auth()
        };
        // Also for the user's configuration: if it offered `h2`, the server would choose HTTP/2 on
        // a connection that speaks HTTP/1.1.
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(config)
    }
}

/// Connects to the host of a URI. The TLS configuration is built at the first `https` URI, and
/// shared between clones.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) timeout: Duration,
    pub(super) trust: Arc<Trust>,
    pub(super) tls: Arc<OnceLock<Arc<ClientConfig>>>,
    pub(super) socket: Option<Arc<Path>>,
    /// The protocol of the connection, by its ALPN name.
    pub(super) protocol: &'static [u8],
}

impl Connector {
    async fn connect(self, uri: Uri) -> io::Result<Connection> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        if let Some(path) = &self.socket {
            if secure {
                // `classify` makes an invalid request of this kind, so that no error budget is
                // spent on it.
                return Err(io::Error::new(io::ErrorKind::Unsupported, "https over a unix socket"));
            }
            return unix(path).await;
        }
        let host = uri.host().unwrap_or_default();
        // An IPv6 literal has brackets in a URI. Neither the resolver nor `ServerName` accepts
        // them.
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = connect_first(interleaved(async_net::resolve((host, port)).await?)).await?;
        // Nagle's algorithm and delayed acknowledgements wait for each other: a POST on loopback
        // took 43 ms, 0.1 ms without.
        stream.set_nodelay(true)?;
        if !secure {
            return Ok(Connection::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Connection::new(TlsConnector::from(self.tls()?).connect(name, stream).await?))
    }

    fn tls(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        // Built outside `get_or_init`, because its closure cannot fail. Two tasks may both build
        // one; the first is kept.
        let config = Arc::new(self.trust.config(self.protocol)?);
        Ok(Arc::clone(self.tls.get_or_init(|| config)))
    }
}

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Connecting {
        let timeout = self.timeout;
        let late = async move {
            Timer::after(timeout).await;
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("not connected within {timeout:?}")))
        };
        Box::pin(or(self.clone().connect(uri), late)) // polls `connect` first, so a connection on the deadline counts
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("timeout", &self.timeout)
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// Returns the error for a connection that failed: impossible (`https` over a unix socket), with a
/// certificate that is refused, or not made for any other reason, such as the time limit.
pub(super) fn classify(error: hyper_util::client::legacy::Error) -> TransportError {
    let cause = error.source().and_then(<dyn StdError>::downcast_ref::<io::Error>);
    let tls = cause.and_then(io::Error::get_ref).and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let kind = match (cause.map(io::Error::kind), tls) {
        (Some(io::ErrorKind::Unsupported), _) => TransportErrorKind::InvalidRequest,
        (_, Some(rustls::Error::InvalidCertificate(_))) => TransportErrorKind::Certificate,
        _ => TransportErrorKind::Connect,
    };
    TransportError::new(kind, error)
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Connection> {
    async_net::unix::UnixStream::connect(path).await.map(Connection::new)
}

#[cfg(not(unix))]
async fn unix(_path: &Path) -> io::Result<Connection> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "unix sockets are not supported on this platform"))
}

/// Interleaves the address families, beginning with the family of the resolver's first choice (RFC
/// 8305, section 4).
///
/// A host whose IPv6 route is broken then loses one [`HEAD_START`], not one for each of its IPv6
/// addresses.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let total = addresses.len();
    let (preferred, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|it| it.is_ipv6() == first_is_v6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut turns = Vec::with_capacity(total);
    while turns.len() < total {
        turns.extend(preferred.next());
        turns.extend(other.next());
    }
    turns
}

/// Connects to the first address that answers. The next address is tried when one fails or its
/// [`HEAD_START`] is over.
async fn connect_first(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = Vec::new();
    // Returned only if the resolver gave no address; later it is the error of the last address that
    // failed.
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        match waiting.next() {
            Some(address) => attempts.push(Box::pin(TcpStream::connect(address))),
            None if attempts.is_empty() => return Err(failure),
            None => {}
        }
        let finished = poll_fn(|context| {
            let ready =
                attempts.iter_mut().enumerate().find_map(|(index, attempt)| match attempt.as_mut().poll(context) {
                    Poll::Ready(result) => Some((index, result)),
                    Poll::Pending => None,
                });
            let Some((index, result)) = ready else { return Poll::Pending };
            // A future that is ready must not be polled again. The order of the others does not
            // matter.
            drop(attempts.swap_remove(index));
            Poll::Ready(Some(result))
        });
        let next = if waiting.len() == 0 {
            finished.await // no address is left to start, so no timer is needed
        } else {
            or(finished, async {
                Timer::after(HEAD_START).await;
                None
            })
            .await
        };
        match next {
            Some(Ok(stream)) => return Ok(stream), // dropping `attempts` ends the slower ones
            Some(Err(error)) => failure = error,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_the_resolvers_first_choice_stays_first() {
        let parse = |addresses: &[&str]| addresses.iter().filter_map(|it| it.parse().ok()).collect::<Vec<SocketAddr>>();
        let sorted = interleaved(parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]));
        assert_eq!(sorted, parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
        assert!(interleaved(Vec::new()).is_empty());
    }

    #[test]
    fn an_address_that_refuses_leaves_the_next_one_its_chance() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let bad = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let stream = async_io::block_on(connect_first(vec![bad, good])).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(async_io::block_on(connect_first(vec![bad])).is_err());
        assert!(async_io::block_on(connect_first(Vec::new())).is_err());
    }
}
