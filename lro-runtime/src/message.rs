//! HTTP messages as transports carry them and dialects read them: whole, never streams.

use bytes::Bytes;

/// A whole reply: status, headers, and a body that was read to its end within the limit.
pub type Reply = http::Response<Bytes>;

/// A request as a transport gets it: an absolute URI, every header, the whole body.
pub type Request = http::Request<Bytes>;
