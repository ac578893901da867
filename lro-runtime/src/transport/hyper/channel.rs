//! The HTTP/2 channel for gRPC: tonic's channel interface over the connector of [`HyperTransport`].
//!
//! A connection carries many calls, so that no one task can run it: connections run on a background
//! thread.

use std::{
    error::Error as StdError,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::{
    body::Incoming,
    rt::{Read, ReadBufCursor, Write},
};
use hyper_util::client::legacy::{
    self, Client,
    connect::{Connected, Connection},
};
use tonic::{body::Body, codegen::Service};

use super::{
    HyperTransport, HyperTransportBuilder, IDLE,
    connect::Connector,
    stream::Stream,
    thread::{self, Background, Timers},
};
use crate::transport::{GrpcTransport, TransportError, TransportErrorKind, hyper_error::kind};

/// The interval between HTTP/2 pings on a connection with calls in flight, and how long the server
/// may take to answer one.
///
/// Without pings, a call over a connection that a NAT or a load balancer dropped silently would
/// hang until the caller's limit.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// A gRPC channel over hyper that needs no runtime. Its connections run on one background thread
/// per process, which starts at the first call.
///
/// It also works with tonic's generated clients: start an operation with one and let the library
/// poll over the same connection.
#[derive(Clone)]
pub struct HyperChannel {
    // Shared, because a channel is cloned for each call and a client has many parts.
    client: Arc<Client<Dialer, Body>>,
}

impl HyperChannel {
    pub(super) fn new(connector: Connector) -> Self {
        let (interval, patience) = KEEP_ALIVE;
        // Both timers are needed. hyper panics on keep-alive pings without `timer`, and the idle
        // timeout has no effect without `pool_timer`.
        let client = Client::builder(Background)
            .timer(Timers)
            .pool_timer(Timers)
            .pool_idle_timeout(IDLE)
            .http2_only(true)
            .http2_keep_alive_interval(interval)
            .http2_keep_alive_timeout(patience)
            .build(Dialer(connector));
        Self { client: Arc::new(client) }
    }
}

impl Service<http::Request<Body>> for HyperChannel {
    type Response = http::Response<Incoming>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, TransportError>> + Send>>;

    // Always ready: hyper-util's pool connects and multiplexes inside the request's future.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let client = Arc::clone(&self.client);
        Box::pin(async move {
            thread::beside_connections(async move { client.request(request).await }).await?.map_err(classify)
        })
    }
}

/// Connects for hyper-util.
#[derive(Clone)]
struct Dialer(Connector);

impl Service<Uri> for Dialer {
    type Response = Driven;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Driven, TransportError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.0.clone();
        Box::pin(async move { connector.open(&uri).await.map(Driven) })
    }
}

/// A stream that registers its reader's and its writer's waker, which here is the same task.
struct Driven(Stream);

impl Driven {
    /// Calls `step`, and registers the waker if it cannot go on.
    fn drive<T>(
        &mut self,
        context: &mut Context<'_>,
        step: impl FnOnce(Pin<&mut Stream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.0.socket().look_again();
        let done = step(Pin::new(&mut self.0), context);
        if done.is_pending() {
            self.0.socket().register(context)?;
        }
        done
    }
}

impl Read for Driven {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.drive(context, |stream, context| stream.poll_fill(context, &mut buffer))
    }
}

impl Write for Driven {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.drive(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.drive(context, Stream::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.drive(context, Stream::poll_shutdown)
    }
}

impl Connection for Driven {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Returns the error of a call: that of the [`Dialer`], or hyper's.
fn classify(error: legacy::Error) -> TransportError {
    let cause = error.source();
    let dialed = cause.and_then(<dyn StdError>::downcast_ref).map(TransportError::kind);
    let kind = dialed.or_else(|| cause.and_then(<dyn StdError>::downcast_ref).map(kind));
    TransportError::new(kind.unwrap_or(TransportErrorKind::Other), error)
}

impl fmt::Debug for HyperChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperChannel").finish_non_exhaustive()
    }
}

impl HyperTransportBuilder {
    /// Builds a gRPC transport with these settings: HTTP/2 instead of HTTP/1.1, also in the TLS
    /// handshake (ALPN `h2`).
    #[must_use]
    pub fn grpc(self) -> GrpcTransport<HyperChannel> {
        GrpcTransport::over(self.grpc_channel())
    }

    /// Builds the channel alone, for tonic's generated clients.
    #[must_use]
    pub fn grpc_channel(self) -> HyperChannel {
        HyperChannel::new(self.connector(b"h2"))
    }
}

impl GrpcTransport<HyperChannel> {
    /// Creates a transport that sends over HTTP/2 to the origin of each request's URI, with the
    /// public roots and the default limits. It works on any executor and on none.
    ///
    /// The connection is opened at the first call, kept alive, and replaced when it breaks. For
    /// other roots or limits, use [`HyperTransportBuilder::grpc`](HyperTransportBuilder::grpc).
    /// Does no I/O and starts no thread.
    #[must_use]
    pub fn new() -> Self {
        HyperTransport::builder().grpc()
    }
}

impl Default for GrpcTransport<HyperChannel> {
    fn default() -> Self {
        Self::new()
    }
}
