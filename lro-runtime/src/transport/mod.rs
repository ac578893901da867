//! Transports: send one request, return one reply. They know nothing of operations.

use std::{error::Error as StdError, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;

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

/// A boxed future: what [`Transport`], [`Timer`](crate::Timer) and [`Credentials`](crate::Credentials) return, so that the
/// loop over them is compiled once.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A whole reply: status, headers, and a body that was read to its end within the limit.
pub type Reply = http::Response<Bytes>;

/// A request as a transport gets it: an absolute URI, every header, the whole body.
pub type Request = http::Request<Bytes>;

/// Sends one HTTP request and returns one reply.
///
/// An adapter is one file of about 100 lines. The library's own adapters pass one shared suite of tests, and a foreign one
/// must keep the same guarantees:
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

/// What went wrong below HTTP. All but [`BodyTooLarge`](TransportErrorKind::BodyTooLarge) and
/// [`InvalidRequest`](TransportErrorKind::InvalidRequest) are worth another poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: name resolution, refused, unreachable, TLS.
    Connect,
    /// The connection ended or broke before the reply was whole.
    Closed,
    /// The reply is not HTTP as specified.
    InvalidReply,
    /// The body is larger than the limit; the rest was not read.
    BodyTooLarge,
    /// The request cannot be sent by this transport: its scheme, its method, a header.
    InvalidRequest,
    /// The transport's own time limit.
    Timeout,
    /// Anything else.
    Other,
}

/// Why a [`Transport`] has no reply.
#[derive(Clone)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    message: Option<String>,
}

impl TransportError {
    /// An error of `kind`, caused by `source`.
    pub fn new(kind: TransportErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, source: Some(Arc::from(source.into())), message: None }
    }

    /// An error of `kind` with words of its own.
    pub fn message(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, source: None, message: Some(message.into()) }
    }

    /// The body is larger than `max_body` bytes.
    #[must_use]
    pub fn body_too_large(max_body: usize) -> Self {
        Self::message(
            TransportErrorKind::BodyTooLarge,
            format!("the reply's body is larger than the limit of {max_body} bytes"),
        )
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether the same request may fare better later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self.kind, TransportErrorKind::BodyTooLarge | TransportErrorKind::InvalidRequest)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TransportErrorKind::Connect => "no connection",
            TransportErrorKind::Closed => "the connection ended before the reply did",
            TransportErrorKind::InvalidReply => "the reply is not valid HTTP",
            TransportErrorKind::BodyTooLarge => "the body is too large",
            TransportErrorKind::InvalidRequest => "the request cannot be sent",
            TransportErrorKind::Timeout => "the transport's time limit passed",
            TransportErrorKind::Other => "the transport failed",
        };
        match &self.message {
            Some(message) => write!(f, "{what}: {message}"),
            None => f.write_str(what),
        }
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
