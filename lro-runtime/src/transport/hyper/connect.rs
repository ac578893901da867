//! From a URI to a connected stream: resolve, connect, secure.

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
    rustls::{ClientConfig, RootCertStore, crypto::ring},
};
use http::{Uri, uri::Scheme};
use tower_service::Service;

use super::stream::Wire;
use crate::transport::{TransportError, TransportErrorKind};

/// How long one address has to itself before the next is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

type Connecting = Pin<Box<dyn Future<Output = io::Result<Wire>> + Send>>;

/// Whom to trust: a configuration of the user's own, or the public roots and some more.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    pub(super) config: Option<ClientConfig>,
    pub(super) extra: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// The provider is given by name: two of them in one program make rustls panic when asked for "the" provider.
    fn config(&self, protocol: &[u8]) -> io::Result<ClientConfig> {
        let mut config = if let Some(config) = &self.config {
            config.clone()
        } else {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            for certificate in &self.extra {
                roots.add(certificate.clone()).map_err(io::Error::other)?;
            }
            ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_root_certificates(roots)
                .with_no_client_auth()
        };
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(config)
    }
}

/// Connects to where a URI points. The TLS configuration is made at the first `https`.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) timeout: Duration,
    pub(super) trust: Arc<Trust>,
    pub(super) tls: Arc<OnceLock<Arc<ClientConfig>>>,
    pub(super) socket: Option<Arc<Path>>,
    /// What is spoken, as TLS names it (ALPN).
    pub(super) protocol: &'static [u8],
}

impl Connector {
    async fn connect(self, uri: Uri) -> io::Result<Wire> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        if let Some(path) = &self.socket {
            if secure {
                return Err(io::Error::new(io::ErrorKind::Unsupported, "https over a unix socket"));
            }
            return unix(path).await;
        }
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = first_of(by_turns(async_net::resolve((host, port)).await?)).await?;
        stream.set_nodelay(true)?;
        if !secure {
            return Ok(Wire::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Wire::new(TlsConnector::from(self.tls()?).connect(name, stream).await?))
    }

    fn tls(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.trust.config(self.protocol)?);
        Ok(Arc::clone(self.tls.get_or_init(|| config)))
    }
}

impl Service<Uri> for Connector {
    type Response = Wire;
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
        Box::pin(or(self.clone().connect(uri), late))
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

/// What a failed connection was: too slow, not possible at all, or none.
pub(super) fn classify(error: hyper_util::client::legacy::Error) -> TransportError {
    let kind = match error.source().and_then(<dyn StdError>::downcast_ref::<io::Error>).map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => TransportErrorKind::Timeout,
        Some(io::ErrorKind::Unsupported) => TransportErrorKind::InvalidRequest,
        _ => TransportErrorKind::Connect,
    };
    TransportError::new(kind, error)
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Wire> {
    async_net::unix::UnixStream::connect(path).await.map(Wire::new)
}

#[cfg(not(unix))]
async fn unix(_path: &Path) -> io::Result<Wire> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "there are no unix sockets here"))
}

/// The addresses with their families taking turns, the resolver's first choice first (RFC 8305, section 4).
fn by_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
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

/// The first address that answers. The next one starts when one fails, or has had its [`HEAD_START`].
async fn first_of(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = Vec::new();
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
            drop(attempts.swap_remove(index));
            Poll::Ready(Some(result))
        });
        let next = if waiting.len() == 0 {
            finished.await
        } else {
            or(finished, async {
                Timer::after(HEAD_START).await;
                None
            })
            .await
        };
        match next {
            Some(Ok(stream)) => return Ok(stream),
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
        let sorted = by_turns(parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]));
        assert_eq!(sorted, parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
        assert!(by_turns(Vec::new()).is_empty());
    }

    #[test]
    fn an_address_that_refuses_leaves_the_next_one_its_chance() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let bad = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let stream = async_io::block_on(first_of(vec![bad, good])).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(async_io::block_on(first_of(vec![bad])).is_err());
        assert!(async_io::block_on(first_of(Vec::new())).is_err());
    }
}
