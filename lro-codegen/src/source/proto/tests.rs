//! Tests of the protobuf front end, on small protos.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "tests may fail, and that of the corpus prints figures"
)]

mod bad;
mod config;
mod corpus;
mod grpc;
mod kitchen;
mod rest;
mod said;
