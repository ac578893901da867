//! Tests of what the documentation promises about errors, tokens, settings and secrets, through the
//! public interface.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]
#![expect(unreachable_pub, reason = "shared with other test binaries")]

#[path = "../support/capture.rs"]
mod capture;
#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod breaks;
mod calls;
mod durations;
mod errors;
mod left_out;
mod polling;
mod repeated;
mod secrets;
mod settings;
mod tokens;
mod values;
