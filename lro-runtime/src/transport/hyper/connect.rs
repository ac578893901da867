//! Turns a URI into a connected stream: resolves the name, connects, and performs the TLS
//! handshake.

use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::Poll,
    thread,
    time::Duration,
};

use async_io::{Async, Timer};
use futures_lite::future::or;
use futures_rustls::{
    TlsConnector,
    pki_types::{CertificateDer, ServerName},
    rustls::{self, ClientConfig, RootCertStore, crypto::ring},
};
use http::{Uri, uri::Scheme};

use super::{socket::Socket, stream::Stream};
use crate::transport::{TransportError, TransportErrorKind, not_started};

/// How long an address is tried alone before the next one is tried in parallel (RFC 8305, section
/// 5).
const HEAD_START: Duration = Duration::from_millis(250);

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
    /// Connects to the host of `uri`, within the time limit.
    pub(super) async fn open(&self, uri: &Uri) -> Result<Stream, TransportError> {
        start_reactor()?;
        let late = async {
            Timer::after(self.timeout).await;
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("not connected within {:?}", self.timeout)))
        };
        // Polls `connect` first, so a connection on the deadline counts.
        or(self.connect(uri), late).await.map_err(classify)
    }

    async fn connect(&self, uri: &Uri) -> io::Result<Stream> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        if let Some(path) = &self.socket {
            if secure {
                // `classify` makes an invalid request of this kind, so that no error budget is
                // spent on it.
                return Err(io::Error::new(io::ErrorKind::Unsupported, "https over a unix socket"));
            }
            return Ok(Stream::plain(unix(path).await?));
        }
        let host = uri.host().unwrap_or_default();
        // An IPv6 literal has brackets in a URI. Neither the resolver nor `ServerName` accepts
        // them.
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = connect_first(interleaved(async_net::resolve((host, port)).await?)).await?;
        // Nagle's algorithm and delayed acknowledgements wait for each other: a POST on loopback
        // took 43 ms, 0.1 ms without.
        stream.get_ref().set_nodelay(true)?;
        let socket = Socket::tcp(stream);
        if !secure {
            return Ok(Stream::plain(socket));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let handshake = TlsConnector::from(self.tls()?).connect(name, socket.clone());
        let secured = socket.drive(handshake).await??;
        Ok(Stream::over(socket, secured))
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
fn classify(error: io::Error) -> TransportError {
    let tls = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let kind = match (error.kind(), tls) {
        (io::ErrorKind::Unsupported, _) => TransportErrorKind::InvalidRequest,
        (_, Some(rustls::Error::InvalidCertificate(_))) => TransportErrorKind::Certificate,
        _ => TransportErrorKind::Connect,
    };
    TransportError::new(kind, error)
}

/// Whether async-io has been used in this process and has its thread. The lock is held only while
/// that is started.
static STARTED: Mutex<bool> = Mutex::new(false);

/// Returns whether a transport of this module has sockets, or had some.
pub(crate) fn has_sockets() -> bool {
    *STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread of async-io, which wakes what waits for a socket, at the first call.
///
/// async-io starts it at its first use and panics if the system has no thread for it. That happens
/// here on a thread of its own, and is an error.
fn start_reactor() -> Result<(), TransportError> {
    const NAME: &str = "async-io";
    // Not a `Once`: if the thread cannot be started now, a later request tries again.
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        let first_use = thread::Builder::new().name(NAME.to_owned()).spawn(|| async_io::block_on(async {}));
        let first_use = first_use.and_then(|first| first.join().map_err(|_| io::ErrorKind::WouldBlock.into()));
        first_use.map_err(|error| not_started(NAME, &error))?;
        *started = true;
    }
    Ok(())
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Socket> {
    Async::<std::os::unix::net::UnixStream>::connect(path).await.map(Socket::unix)
}

#[cfg(not(unix))]
async fn unix(_path: &Path) -> io::Result<Socket> {
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
async fn connect_first(addresses: Vec<SocketAddr>) -> io::Result<Async<TcpStream>> {
    let mut waiting = addresses.into_iter();
    let mut attempts = Vec::new();
    // Returned only if the resolver gave no address; later it is the error of the last address that
    // failed.
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        match waiting.next() {
            Some(address) => attempts.push(Box::pin(Async::<TcpStream>::connect(address))),
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
        assert_eq!(stream.get_ref().peer_addr().unwrap(), good);
        assert!(async_io::block_on(connect_first(vec![bad])).is_err());
        assert!(async_io::block_on(connect_first(Vec::new())).is_err());
    }
}
