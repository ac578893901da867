//! Reading is linear in the length of what is read, in time and in memory: a server may send
//! whatever fits into the limit of a body, and a token or a name may come from anybody.
//!
//! Each kind of input is a file here, with the cases of it: hostile inputs that grow. `cargo test`
//! looks at a sample of them, with all it would take many minutes.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

mod cookies;
mod grpc;
mod headers;
mod hostile;
mod memory;
mod payloads;
mod repeated;
mod replies;
mod tokens;
mod work;

/// Which of many cases `cargo test` looks at. The number is prime, so that no dialect, message or
/// growth is left out.
const SAMPLE: usize = 31;

/// The length of the shorter input, in bytes. Four times as many still fit into a URL and into a
/// token: what is longer is refused, and refusing is no growth of reading.
const SHORT: usize = 12 << 10;

/// The length of the shorter of two long heads of a reply, in bytes. Four times as many are twice
/// what the default transport lets through.
const LONG_HEAD: usize = 128 << 10;

/// The length of the shorter message, in repeated parts. Growth by the square shows at this length:
/// it is far more than is allowed.
const PARTS: usize = 5_000;
