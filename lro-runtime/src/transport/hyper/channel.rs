//! HTTP/2 for gRPC: a channel as tonic wants it, on the connections of this transport.

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
use crate::transport::{GrpcTransport, TransportError, TransportErrorKind};

/// How often a connection with calls on it is asked for a sign of life, and for how long.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// A gRPC channel over hyper, without a runtime: its connections run on the background thread of [`HyperTransport`](HyperTransport).
///
/// It serves tonic's generated clients too: start an operation with one, and let the library poll over the same connection.
#[derive(Clone)]
pub struct HyperChannel {
    client: Client<Connector, Body>,
}

impl HyperChannel {
    pub(super) fn new(connector: Connector) -> Self {
        let (interval, patience) = KEEP_ALIVE;
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

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let client = self.client.clone();
        Box::pin(async move {
            thread::start().map_err(|error| TransportError::new(TransportErrorKind::Other, error))?;
            client.request(request).await.map_err(classify)
        })
    }
}

impl fmt::Debug for HyperChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperChannel").finish_non_exhaustive()
    }
}

impl HyperTransportBuilder {
    /// A gRPC transport with these settings instead: HTTP/2, and a TLS handshake that says so.
    #[must_use]
    pub fn grpc(self) -> GrpcTransport<HyperChannel> {
        GrpcTransport::over(self.grpc_channel())
    }

    /// The channel alone, for tonic's generated clients.
    #[must_use]
    pub fn grpc_channel(self) -> HyperChannel {
        HyperChannel::new(self.connector(b"h2"))
    }
}

impl GrpcTransport<HyperChannel> {
    /// Sends over HTTP/2 to where each request's URI points, on any executor and on none, with the public roots and the default limits.
    ///
    /// Its connection is made at the first call, kept alive, and replaced when it breaks. For other roots or limits:
    /// [`HyperTransportBuilder::grpc`](HyperTransportBuilder::grpc). Does no I/O and starts no thread.
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
