//! The error of a transport that returns no reply.

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::text::quoted_message;

/// The kind of a [`TransportError`]. All kinds except
/// [`BodyTooLarge`](TransportErrorKind::BodyTooLarge) and
/// [`InvalidRequest`](TransportErrorKind::InvalidRequest) are worth another poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection was made: name resolution failed, the host refused, was unreachable or did not
    /// answer in time, or TLS failed.
    ///
    /// Resolvers do not tell a host that does not exist from a name server that is down, so a
    /// misspelt host is of this kind, too.
    Connect,
    /// No connection was made, because the server's certificate was refused: it is not from a
    /// trusted authority, has expired, or is for another host.
    ///
    /// The adapters of the library tell this from [`Connect`](Self::Connect), as far as the TLS of
    /// an adapted client does.
    Certificate,
    /// The connection ended or broke before the reply was complete.
    Closed,
    /// The reply is not valid HTTP.
    InvalidReply,
    /// The body is larger than the limit; the rest was not read.
    BodyTooLarge,
    /// The transport cannot send the request because of its scheme, its method or a header.
    InvalidRequest,
    /// The transport's own time limit passed.
    Timeout,
    /// Anything else.
    Other,
}

/// The error of a [`Transport`](crate::Transport) that returns no reply.
#[derive(Clone)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    message: Option<String>,
}

impl TransportError {
    /// Creates an error of `kind` that was caused by `source`.
    pub fn new(kind: TransportErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, source: Some(Arc::from(source.into())), message: None }
    }

    /// Creates an error of `kind` with a message instead of a source.
    pub fn message(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, source: None, message: Some(message.into()) }
    }

    /// Creates the error for a body that is larger than `max_body` bytes.
    #[must_use]
    pub fn body_too_large(max_body: usize) -> Self {
        Self::message(
            TransportErrorKind::BodyTooLarge,
            format!("the reply's body is larger than the limit of {max_body} bytes"),
        )
    }

    /// Returns the kind of this error.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Returns whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        // A body over the limit stays over it, and a request that cannot be sent stays so.
        // Everything else may be the network's.
        !matches!(self.kind, TransportErrorKind::BodyTooLarge | TransportErrorKind::InvalidRequest)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TransportErrorKind::Connect => "no connection",
            TransportErrorKind::Certificate => "the server's certificate was refused",
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
            .field("message", &self.message.as_deref().map(quoted_message))
            .field("source", &self.source.as_ref().map(|source| quoted_message(&format!("{source:?}"))))
            .finish()
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
