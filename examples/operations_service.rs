//! All calls of the service `google.longrunning.Operations`: get, list, wait, cancel, delete.
//!
//! Run it with `cargo run --example operations_service`.

#![expect(clippy::unwrap_used, reason = "an example may fail")]

use std::time::Duration;

use lro_runtime::{
    PollSettings, block_on,
    testing::{Job, LroServer},
};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = LroServer::builder().start()?;
    for day in 1..=5 {
        server.add(Job::endless().named(format!("projects/p/operations/backup-{day}")));
    }
    let quick = server.add(Job::lasting(Duration::from_millis(200)).responds(json!({})));
    let operations = server.operations()?;

    println!("get: {:?}", operations.blocking().get(&quick)?.state());

    // Two operations on a page. The next page is requested only when the iteration reaches it.
    for operation in operations.list("done=false").parent("projects/p").page_size(2).blocking().take(3) {
        println!("listed: {}", operation?.name());
    }

    // The server holds the request until the operation is done or the time is over.
    println!("wait: {:?}", operations.blocking().wait(&quick, Duration::from_secs(5))?.state());

    // Long polling is also a setting of any wait. It needs fewer requests, and falls back to
    // ordinary polls on a service that has no wait call.
    let held = PollSettings::interactive().with_long_poll(Duration::from_secs(20));
    println!("long poll: {:?}", operations.blocking().poll_until_completed(&quick, held)?.state());

    let first = "projects/p/operations/backup-1";
    block_on(operations.cancel(first))?;
    let cancelled = operations.blocking().poll_until_completed(first, PollSettings::interactive())?;
    println!("cancel: {}", cancelled.status().map(ToString::to_string).unwrap_or_default());
    block_on(operations.delete(first))?;
    println!("delete: {}", operations.blocking().get(first).unwrap_err());
    Ok(())
}
