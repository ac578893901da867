//! Transports: send one request, return one reply. They know nothing of operations.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod hyper_error;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "surf")]
mod surf;
#[cfg(feature = "ureq")]
mod ureq;

#[cfg(feature = "grpc")]
pub use self::grpc::GrpcTransport;
#[cfg(all(feature = "grpc", feature = "hyper"))]
pub use self::hyper::HyperChannel;
#[cfg(feature = "hyper")]
pub use self::hyper::{HyperTransport, HyperTransportBuilder};
#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestTransport;
#[cfg(feature = "surf")]
pub use self::surf::SurfTransport;
#[cfg(feature = "ureq")]
pub use self::ureq::UreqTransport;
pub use crate::{
    message::{Reply, Request},
    status::{TransportError, TransportErrorKind},
};

/// A boxed future: what [`Transport`], [`Timer`](crate::Timer) and [`Credentials`](crate::Credentials) return, so that the
/// loop over them is compiled once.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one HTTP request and returns one reply.
///
/// The library's own adapters pass one shared suite of tests, and a foreign one must keep the same guarantees:
///
/// - Status, headers (every value, in order, non-ASCII ones too) and body arrive as sent. A body shorter than announced is an error.
/// - At most `max_body` bytes of body are read; one more is [`TransportErrorKind::BodyTooLarge`], noticed while reading.
/// - A reply belongs to its request. Dropping the future at any point aborts it and never disturbs a later request: a
///   connection with an unread reply is closed, not reused.
/// - Redirects are not followed: a `3xx` is a reply like any other.
/// - No panic on any header or body a server may send.
/// - The future covers the body as well, so that a caller's time limit does.
/// - 1,000 requests at once on one client.
///
/// The request is borrowed because the same one is sent at every poll; an adapter that must own it clones it (bodies and URIs
/// are reference-counted).
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and reads the reply, its body to at most `max_body` bytes.
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>>;

    /// The same for a caller who drops the future after `limit`: for protocols that tell the server so. As [`send`](Self::send), if not said.
    fn send_within<'a>(
        &'a self,
        request: &'a Request,
        max_body: usize,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let _ = limit;
        self.send(request, max_body)
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        (**self).send(request, max_body)
    }

    fn send_within<'a>(
        &'a self,
        request: &'a Request,
        max_body: usize,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Reply, TransportError>> {
        (**self).send_within(request, max_body, limit)
    }
}
