//! The equivalent of Python's `google.api_core.extended_operation.ExtendedOperation`: progress, the
//! status message, a resource as the result, and a custom polling function. The book has the table:
//! `docs/book/moving/api-core.md`.
//!
//! The service is a script with Compute's replies. Run it with
//! `cargo run --example from_extended_operation`.

use std::time::Duration;

use lro_runtime::{
    Operations, RawOperation, Result, block_on,
    dialect::Compute,
    long_running,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// A virtual machine, with the one field that this example needs.
#[derive(Debug, Deserialize)]
struct Instance {
    name: String,
}

/// The metadata of a running operation.
#[derive(Debug, Deserialize)]
struct Progress {
    progress: u8,
}

struct Instances {
    operations: Operations,
}

#[long_running]
impl Instances {
    #[long_running(response = Instance, metadata = Progress, result = "target_link")]
    async fn insert(&self, name: &str) -> Result<RawOperation> {
        self.operations.post("compute/v1/projects/p/zones/z/instances", &json!({ "name": name })).await
    }
}

const BASE: &str = "https://compute.googleapis.com";

fn message(status: &str, progress: u8, words: &str) -> Value {
    json!({
        "name": "operation-1",
        "selfLink": format!("{BASE}/compute/v1/projects/p/zones/z/operations/operation-1"),
        "targetLink": format!("{BASE}/compute/v1/projects/p/zones/z/instances/i"),
        "status": status,
        "progress": progress,
        "statusMessage": words,
    })
}

fn main() -> Result<()> {
    let clock = VirtualClock::new();
    let script = Script::new()
        .at("/compute/v1/projects/p/zones/z")
        .json(message("PENDING", 0, "queued"))
        .json(message("RUNNING", 40, "copying the disk"))
        .json(message("RUNNING", 90, "booting"))
        .json(message("DONE", 100, ""))
        .json(json!({ "name": "i" }));
    let transport = ScriptedTransport::new(script).with_clock(&clock);
    let builder = Operations::builder(BASE).dialect(Compute::new()).transport(transport).timer(clock.clone());
    let client = Instances { operations: builder.build()? };

    // A polling loop of one's own is any loop around `poll_once`. The ready-made one is
    // `poll_until_completed` with `PollSettings`; `with_transport` gives it a function that polls.
    let mut operation = block_on(client.insert("i"))?;
    while !operation.is_completed() {
        println!(
            "{:.0} %, {}: {}",
            operation.progress().unwrap_or_default() * 100.0,
            operation.raw_status().unwrap_or("?"),
            operation.status_message().unwrap_or_default()
        );
        // The clock is virtual: these 5 s pass at once.
        block_on(lro_runtime::Timer::sleep(&clock, Duration::from_secs(5)));
        operation = operation.blocking().poll_once()?;
    }
    println!("{:?}", operation.metadata()?.map(|metadata| metadata.progress));
    println!("made: {}", operation.into_result()?.name);
    Ok(())
}
