//! Traces and metrics: what they say of a wait, whose child a span is, and what they cost.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]
#![expect(unreachable_pub, reason = "shared with other test binaries")]

#[path = "../support/capture.rs"]
mod capture;
mod meters;
mod parents;
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod whatever;
