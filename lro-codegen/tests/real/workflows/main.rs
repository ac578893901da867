//! Drives the generated clients. A part of a test: it is compiled in the crate of what was
//! generated.

use std::time::Duration;

use lro_runtime::{Operations, PollSettings, Result, block_on};
use workflows::{grpc, rest};

const PARENT: &str = "projects/p/locations/l";

fn main() {
    let mut addresses = std::env::args().skip(1);
    let mut address = || addresses.next().expect("two addresses");
    block_on(over_grpc(&address())).expect("over gRPC");
    block_on(over_rest(&address())).expect("over REST");
}

fn settings() -> PollSettings {
    PollSettings::default().with_delay(Duration::from_millis(5))
}

async fn over_grpc(address: &str) -> Result<()> {
    use grpc::messages::google::cloud::workflows::v1 as pb;
    use pb::workflow::SourceCode;

    let operations = Operations::builder(address).grpc().poll_settings(settings()).build()?;
    let client = grpc::workflows::WorkflowsClient::new(operations);
    let source_code = Some(SourceCode::SourceContents("main:\n".to_owned()));
    let request = pb::CreateWorkflowRequest {
        parent: PARENT.to_owned(),
        workflow: Some(pb::Workflow { source_code, ..pb::Workflow::default() }),
        workflow_id: "w".to_owned(),
    };
    let done = client.create_workflow(&request).await?.poll_until_completed(PollSettings::default()).await?;
    let metadata = done.metadata()?.cloned().unwrap_or_default();
    let workflow = done.into_result()?;
    println!("grpc created {}, {} {}", workflow.name, metadata.verb, metadata.target);
    let request = pb::UpdateWorkflowRequest { workflow: Some(workflow), update_mask: None };
    println!("grpc updated {}", client.update_workflow(&request).await?.await?.revision_id);
    let request = pb::DeleteWorkflowRequest { name: format!("{PARENT}/workflows/w") };
    client.delete_workflow(&request).await?.await?;
    println!("grpc deleted");
    Ok(())
}

async fn over_rest(address: &str) -> Result<()> {
    use rest::types;

    let operations = Operations::builder(address).poll_settings(settings()).build()?;
    let client = rest::workflows::WorkflowsClient::new(operations);
    let workflow = types::Workflow { source_contents: Some("main:\n".to_owned()), ..types::Workflow::default() };
    let done = client.create_workflow(PARENT, &workflow, "w").await?.poll_until_completed(PollSettings::default()).await?;
    let metadata = done.metadata()?.cloned().unwrap_or_default();
    let workflow = done.into_result()?;
    let name = workflow.name.clone().unwrap_or_default();
    println!("rest created {name}, {} {}", metadata.verb.unwrap_or_default(), metadata.target.unwrap_or_default());
    let updated = client.update_workflow(&name, &workflow, "description").await?.await?;
    println!("rest updated {}", updated.revision_id.unwrap_or_default());
    client.delete_workflow(&name).await?.await?;
    println!("rest deleted");
    Ok(())
}
