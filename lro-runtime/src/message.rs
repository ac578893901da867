//! The HTTP messages that transports send and dialects read. Bodies are whole, never streams.

use bytes::Bytes;

/// A reply: its status, its headers, and the whole body, which was read to its end within the
/// limit.
pub type Reply = http::Response<Bytes>;

/// A request as a transport receives it: an absolute URI, all headers, the whole body.
pub type Request = http::Request<Bytes>;
