//! An SDK that was generated from a swagger, in front of a service that follows a script.
//!
//! Run it with `cargo run --example machines`. `sdk.rs` is what this has written:
//!
//! ```sh
//! lro generate --openapi examples/generated/machines/machines.json \
//!     --out examples/generated/machines/sdk.rs
//! ```

use lro_examples::machine_sdk::{
    machines::{CreateOrUpdateOptions, DeleteOptions, MachinesClient},
    types::{Machine, MachineProperties},
};
use lro_runtime::{
    Result, block_on,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::json;

fn main() -> Result<()> {
    let service = service();
    let machines = MachinesClient::new(service.operations(&VirtualClock::new())?, "s-1");

    let properties = MachineProperties { cores: Some(8), ..MachineProperties::default() };
    let wanted = Machine { location: Some("north".to_owned()), properties: Some(properties), ..Machine::default() };
    let created = block_on(async {
        let options = CreateOrUpdateOptions::default();
        let operation = machines.create_or_update("zoo", "elephant", &wanted, &options).await?;
        println!("started  {}", operation.name());
        operation.await
    })?;
    println!("created  {}", created.id.unwrap_or_default());

    let options = DeleteOptions { force_deletion: Some(true) };
    block_on(async { machines.delete("zoo", "elephant", &options).await?.await })?;
    println!("deleted\n\nThe service has seen:");
    for request in service.requests() {
        println!("{} {} {}", request.method(), request.uri(), String::from_utf8_lossy(request.body()));
    }
    service.assert_finished();
    Ok(())
}

/// The service, which is otherwise on the internet.
fn service() -> ScriptedTransport {
    const ID: &str = "/subscriptions/s-1/resourceGroups/zoo/providers/Example.Compute/machines/elephant";
    let machine = |state: &str| {
        let properties = json!({ "cores": 8, "provisioningState": state });
        json!({ "id": ID, "location": "north", "properties": properties })
    };
    let monitor = |id: u32| format!("http://scripted.test/subscriptions/s-1/operations/{id}");
    let script = Script::new()
        .http(201, machine("Creating").to_string())
        .header("azure-asyncoperation", &monitor(7))
        .json(json!({ "status": "InProgress", "percentComplete": 50 }))
        .json(json!({ "status": "Succeeded" }))
        .json(machine("Succeeded"))
        // The replies to the delete.
        .http(202, "")
        .header("location", &monitor(8))
        .http(202, "")
        .http(204, "");
    ScriptedTransport::new(script.at("/subscriptions/s-1/"))
}
