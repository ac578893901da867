//! Mistakes of published clients that this library does not make. `tests/MISTAKES.md` lists them,
//! each with its test or script.
//!
//! The tests use the public interface only, and virtual time.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]
#![expect(unreachable_pub, reason = "shared with other test binaries")]

#[path = "../support/mod.rs"]
mod support;

mod driving;
mod forgetting;
mod list;
mod reading;
mod resuming;
mod time;
mod waiting;
