//! The calls of Python's `google.api_core.operation.Operation` and
//! `operation_async.AsyncOperation`, each beside its equivalent in this library. The book has the
//! table: `docs/book/moving/api-core.md`.
//!
//! Run it with `cargo run --example from_api_core`.

#![expect(clippy::unwrap_used, reason = "an example may fail")]

use std::time::Duration;

use lro_examples::{ExportImageOperation, ExportImageState, ExportRequest, ImageClient, service};
use lro_runtime::{CancelOutcome, ErrorKind, LongRunning, PollSettings, block_on, testing::LroServer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(run(&service()?)?)
}

fn run(server: &LroServer) -> lro_runtime::Result<()> {
    let operations = server.operations()?;
    let client = ImageClient::new(operations.clone());
    let quick = || PollSettings::interactive().with_timeout(Duration::from_secs(30));

    // operation = client.export_image(request); operation.done(); operation.running()
    let operation = block_on(client.export_image(&ExportRequest::new("cat", "pictures")))?;
    println!("done: {}, running: {}", operation.is_completed(), !operation.is_completed());

    // operation.result(timeout=0.05) raises a timeout. The operation goes on: nothing is lost or
    // cancelled.
    let late = operation.blocking().poll_until_completed(quick().with_timeout(Duration::from_millis(50)));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Timeout);

    // operation.add_done_callback(callback); operation.result(timeout=30)
    let done = operation
        .on_completed(|operation| println!("callback: {} has ended", operation.name()))
        .poll_until_completed_blocking(quick())?;
    println!("result: {}", done.result()?.uri);

    // operation.exception() is None; operation.metadata; operation.operation (the message as
    // received)
    assert!(done.status().is_none());
    println!("metadata: {:?}, message: {} bytes", done.metadata()?, done.raw().len());

    // operation.cancel() returns False on a completed operation. Here `cancel` then sends no
    // request.
    assert_eq!(done.blocking().cancel()?, CancelOutcome::AlreadyCompleted);

    // operation.cancel(); operation.cancelled()
    let other = block_on(client.export_image(&ExportRequest::new("dog", "pictures")))?;
    let cancelled = other.blocking().cancel_and_wait(quick())?;
    println!("cancelled: {}, exception: {}", cancelled.is_cancelled(), cancelled.clone().into_result().unwrap_err());

    // Operation.deserialize(payload), from_gapic, from_grpc, from_http_json: a message that the
    // program already has. Over gRPC, use `adopt_message(&operation)` with the
    // `google.longrunning.Operation` of any crate.
    let stored = done.raw().clone();
    let restored = operations.adopt(stored)?.typed::<ExportImageState>();
    println!("deserialized: {}", restored.result()?.uri);

    // An operation of which only the name is known.
    let resumed = ExportImageOperation::resume(&operations, operation.name())?;
    println!("resumed: {}", resumed.blocking().poll_once()?.is_completed());

    // AsyncOperation: `await operation.result()`
    let image = smol::block_on(async { client.export_image(&ExportRequest::new("cow", "pictures")).await?.await })?;
    println!("awaited: {}", image.uri);
    Ok(())
}
