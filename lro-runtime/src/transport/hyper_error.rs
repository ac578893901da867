//! What an error of hyper says about the reply: shared by the transports that stand on it.

use std::{error::Error as StdError, io};

use super::TransportErrorKind;

pub(super) fn kind(error: &hyper::Error) -> TransportErrorKind {
    if error.is_parse() {
        TransportErrorKind::InvalidReply
    } else if error.is_user() {
        TransportErrorKind::InvalidRequest
    } else if is_closed(error) {
        TransportErrorKind::Closed
    } else if io_kind(error).is_some() {
        TransportErrorKind::InvalidReply // what `is_closed` left of I/O: a chunk that is none
    } else {
        TransportErrorKind::Other
    }
}

/// Whether the connection ended. An I/O error counts, unless hyper made it to say that the framing of a body is wrong.
pub(super) fn is_closed(error: &hyper::Error) -> bool {
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || io_kind(error).is_some_and(|kind| !matches!(kind, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    error.source().and_then(<dyn StdError>::downcast_ref::<io::Error>).map(io::Error::kind)
}
