//! Mistakes that published clients make, each with its number in the list of cases: here they do not happen.
//!
//! Through the public interface, with virtual time. Case 44 is about dialects with words, 45 is in the transports' suite.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]
#![expect(unreachable_pub, reason = "shared with other test binaries")]

#[path = "../support/mod.rs"]
mod support;

mod driving;
mod reading;
mod resuming;
mod time;
mod waiting;
