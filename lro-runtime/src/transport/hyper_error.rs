//! What a [`hyper::Error`] means, for the transports that are built on hyper.

use std::{error::Error as StdError, io};

use super::TransportErrorKind;

/// The number of closed connections from the pool that one request tolerates before it fails.
///
/// A restart of the server leaves every pooled connection closed. Without a bound, a server that
/// closes each connection at its second request could keep a request trying for as long as other
/// requests refill the pool.
pub(super) const MAX_STALE: usize = 8;

pub(super) fn kind(error: &hyper::Error) -> TransportErrorKind {
    if error.is_parse() {
        TransportErrorKind::InvalidReply
    } else if error.is_user() {
        TransportErrorKind::InvalidRequest
    } else if is_closed(error) {
        TransportErrorKind::Closed
    } else if io_kind(error).is_some() {
        // `is_closed` took every real I/O error. What is left are the ones hyper makes itself for
        // wrong framing, such as a chunk size that is not a number.
        TransportErrorKind::InvalidReply
    } else {
        TransportErrorKind::Other
    }
}

/// Returns whether the connection ended before the reply was complete.
///
/// hyper reports wrong framing of a body (a bad chunk size, an overlong chunk extension) as an
/// [`io::Error`] of kind `InvalidInput` or `InvalidData`. Those are excluded: the connection works,
/// the server sent something invalid.
pub(super) fn is_closed(error: &hyper::Error) -> bool {
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || io_kind(error).is_some_and(|kind| !matches!(kind, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    error.source().and_then(<dyn StdError>::downcast_ref::<io::Error>).map(io::Error::kind)
}
