//! Tests of Google's services: the Operations service, gRPC, extended operations, generative AI,
//! and broken replies.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]

mod answers;
mod channel;
mod compute;
mod details;
mod genai;
mod grpc;
mod grpc_failures;
mod guard;
mod lists;
mod long_poll;
mod shared;
