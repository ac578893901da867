//! Tests of the protobuf front end.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "tests may fail"
)]

mod corpus;
