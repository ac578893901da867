//! The [`Transport`] trait and its adapters: each sends one request and returns one whole reply.
//!
//! A transport knows nothing about operations. It does not retry a poll, read a status or follow a
//! monitor URL: the engine and the dialect decide those from the reply.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

#[cfg(any(feature = "reqwest", feature = "ureq"))]
mod certificate;
#[cfg(any(feature = "hyper", feature = "reqwest", feature = "ureq"))]
mod framing;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(any(feature = "hyper", feature = "reqwest"))]
mod hyper_error;
// Three adapters have the name of the crate that they adapt, which this module re-exports.
#[cfg(feature = "reqwest")]
#[path = "reqwest.rs"]
mod reqwest_adapter;
#[cfg(feature = "surf")]
#[path = "surf/mod.rs"]
mod surf_adapter;
#[cfg(feature = "ureq")]
#[path = "ureq.rs"]
mod ureq_adapter;

/// reqwest 0.13, whose client [`ReqwestTransport`] takes.
#[cfg(feature = "reqwest")]
#[cfg_attr(docsrs, doc(cfg(feature = "reqwest")))]
#[doc(no_inline)]
pub use ::reqwest;
/// surf 2, whose client [`SurfTransport`] takes.
#[cfg(feature = "surf")]
#[cfg_attr(docsrs, doc(cfg(feature = "surf")))]
#[doc(no_inline)]
pub use ::surf;
/// ureq 3, whose agent [`UreqTransport`] takes.
#[cfg(feature = "ureq")]
#[cfg_attr(docsrs, doc(cfg(feature = "ureq")))]
#[doc(no_inline)]
pub use ::ureq;

#[cfg(feature = "grpc")]
pub use self::grpc::GrpcTransport;
#[cfg(all(feature = "grpc", feature = "hyper"))]
pub use self::hyper::HyperChannel;
#[cfg(feature = "hyper")]
pub(crate) use self::hyper::has_sockets;
#[cfg(feature = "hyper")]
pub use self::hyper::{HyperTransport, HyperTransportBuilder};
#[cfg(feature = "reqwest")]
pub use self::reqwest_adapter::ReqwestTransport;
#[cfg(feature = "surf")]
pub use self::surf_adapter::SurfTransport;
#[cfg(feature = "ureq")]
pub use self::ureq_adapter::UreqTransport;
pub use crate::{
    message::{Reply, Request},
    status::{TransportError, TransportErrorKind},
};

/// The boxed future that [`Transport`], [`Timer`](crate::Timer) and
/// [`Credentials`](crate::Credentials) return. Boxing lets the polling loop be compiled once, not
/// once per transport, timer and credentials.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends one HTTP request and returns one reply.
///
/// The library's own adapters pass one shared test suite. Any other implementation must keep the
/// same guarantees:
///
/// - Status, headers (every value, in order, non-ASCII ones too) and body arrive as the server sent
///   them. A body shorter than announced is an error.
/// - At most `max_body` bytes of body are read. One byte more is a
///   [`TransportErrorKind::BodyTooLarge`] error, detected while reading.
/// - The body of a reply has memory of its own and is no part of a larger buffer. An operation
///   keeps its last reply, and a program may have a hundred thousand of them.
/// - A reply belongs to its request. Dropping the future at any point aborts the request and never
///   disturbs a later one: a connection with an unread reply is closed, not reused.
/// - Redirects are not followed: a `3xx` is a reply like any other.
/// - No header and no body makes the transport panic. Every HTTP transport refuses a request whose
///   own `Content-Length` is not the length of its body, or that names a `Transfer-Encoding`
///   ([`TransportErrorKind::InvalidRequest`]), and does not send it. gRPC frames its messages
///   itself and sends neither header.
/// - A request that may have reached the server is sent again only if its method is idempotent, and
///   only because a connection ended without a reply. A `POST` is never sent twice.
/// - Bytes that arrive while a connection is idle close it: they are never read as the next reply.
/// - The future includes reading the body, so that a caller's time limit covers the body as well.
/// - One client handles 1,000 requests at once.
///
/// The request is borrowed because every poll sends the same one. An adapter that needs to own it
/// clones it: bodies and URIs are reference-counted.
///
/// A closure that takes a request and returns a future is a transport. Its reply is whole when the
/// future ends, so that a body that is too large is refused only then:
///
/// ```
/// use lro_runtime::transport::{Reply, Request, Transport};
///
/// fn takes_a_transport(_transport: impl Transport) {}
/// takes_a_transport(|_: Request| async { Ok(Reply::new(r#"{"name": "operations/7"}"#.into())) });
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends `request` and reads the whole reply, with a body of at most `max_body` bytes.
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>>;

    /// Sends `request` like [`send`](Self::send), for a caller that drops the future after `limit`.
    ///
    /// Protocols that can tell the server about the limit do so (gRPC: `grpc-timeout`). The default
    /// implementation ignores `limit` and calls [`send`](Self::send). Enforcing the limit stays
    /// with the caller. A transport around another passes this call on, as it does `send`.
    fn send_within<'a>(
        &'a self,
        request: &'a Request,
        max_body: usize,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Reply, TransportError>> {
        // HTTP/1.1 has no way to tell the server about the limit.
        let _ = limit;
        self.send(request, max_body)
    }
}

impl<F, S> Transport for F
where
    F: Fn(Request) -> S + Send + Sync + 'static,
    S: Future<Output = Result<Reply, TransportError>> + Send + 'static,
{
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let sent = self(request.clone());
        Box::pin(async move {
            let reply = sent.await?;
            if reply.body().len() > max_body { Err(TransportError::body_too_large(max_body)) } else { Ok(reply) }
        })
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

/// Returns the error for a background thread that the system does not start.
#[cfg(any(feature = "hyper", feature = "reqwest", feature = "ureq"))]
fn not_started(thread: &str, error: &std::io::Error) -> TransportError {
    TransportError::message(
        TransportErrorKind::Other,
        format!("the background thread `{thread}` could not be started: {error}"),
    )
}
