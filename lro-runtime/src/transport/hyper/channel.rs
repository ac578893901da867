//! The HTTP/2 channel for gRPC: tonic's channel interface over the connector and the background
//! thread of [`HyperTransport`].

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use smol_hyper::rt::SmolTimer;
use tonic::body::Body;
use tower_service::Service;

use super::{HyperTransport, HyperTransportBuilder, IDLE, classify, connect::Connector, thread, thread::Background};
use crate::transport::{GrpcTransport, TransportError};

/// The interval between HTTP/2 pings on a connection with calls in flight, and how long the server
/// may take to answer one.
///
/// Without pings, a call over a connection that a NAT or a load balancer dropped silently would
/// hang until the caller's limit.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// A gRPC channel over hyper that needs no runtime. Its connections run on the background thread of
/// [`HyperTransport`](HyperTransport).
///
/// It also works with tonic's generated clients: start an operation with one and let the library
/// poll over the same connection.
#[derive(Clone)]
pub struct HyperChannel {
    client: Client<Connector, Body>,
}

impl HyperChannel {
    pub(super) fn new(connector: Connector) -> Self {
        let (interval, patience) = KEEP_ALIVE;
        // Both timers are needed. hyper panics on keep-alive pings without `timer`, and the idle
        // timeout has no effect without `pool_timer`.
        let client = Client::builder(Background)
            .timer(SmolTimer::new())
            .pool_timer(SmolTimer::new())
            .pool_idle_timeout(IDLE)
            .http2_only(true)
            .http2_keep_alive_interval(interval)
            .http2_keep_alive_timeout(patience)
            .build(connector);
        Self { client }
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
        let client = self.client.clone();
        Box::pin(async move {
            thread::beside_connections(async move { client.request(request).await }).await?.map_err(classify)
        })
    }
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
