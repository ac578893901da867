//! Start calls of any shape: path variables, a query, a header, no body, and an id that is stored
//! before the request is sent.
//!
//! Run it with `cargo run --example start_call`.

use lro_runtime::{
    Operations, RawOperation, Result, StartIdIn, block_on,
    http::Method,
    long_running,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

// ---- What the SDK author writes -----------------------------------------------------------------

#[derive(Debug, Deserialize, Serialize)]
struct Workflow {
    source: String,
}

struct WorkflowClient {
    operations: Operations,
}

#[long_running(metadata = ())]
impl WorkflowClient {
    /// Creates a workflow in `parent`, which is `projects/…/locations/…`.
    #[long_running(response = Workflow)]
    async fn create(&self, parent: &str, id: &str, workflow: &Workflow) -> Result<RawOperation> {
        let path = "v1/{parent=projects/*/locations/*}/workflows";
        self.operations.call(Method::POST, path).path("parent", parent).query("workflowId", id).json(workflow).await
    }

    /// Deletes a workflow, if it is still the one that `etag` names.
    #[long_running(response = ())]
    async fn delete(&self, project: &str, id: &str, etag: Option<&str>) -> Result<RawOperation> {
        let call = self.operations.call(Method::DELETE, "v1/projects/{project}/locations/l/workflows/{id}");
        call.path("project", project).path("id", id).query_opt("etag", etag).no_body().await
    }

    /// Runs a workflow once, whatever happens: `request_id` is stored by the caller before.
    #[long_running(response = Workflow)]
    async fn run(&self, id: &str, request_id: &str) -> Result<RawOperation> {
        let call = self.operations.call(Method::POST, "v1/projects/p/locations/l/workflows/{id}:run").path("id", id);
        call.start_id_in(StartIdIn::Body("requestId")).with_start_id(request_id).await
    }
}

// ---- What the SDK user writes -------------------------------------------------------------------

fn main() -> Result<()> {
    let service = service();
    let client = WorkflowClient { operations: service.operations(&VirtualClock::new())? };

    // Whatever a user types stays in its place.
    let workflow = Workflow { source: "main: {}".to_owned() };
    let created = block_on(client.create("projects/p/locations/l", "a&b", &workflow))?;
    println!("created: {}", created.into_result()?.source);
    let deleted = block_on(client.delete("p", "nightly build/2", None))?;
    println!("deleted: {}", deleted.is_succeeded());

    // What cannot stay there is an error that names it, and nothing is sent.
    for (project, id) in [("p/../q", "w"), ("p", "")] {
        if let Err(error) = block_on(client.delete(project, id, None)) {
            println!("refused: {error}");
        }
    }

    // The intent is stored first. A program that finds it after a crash starts with the same id,
    // and the service knows that it is the same start.
    let stored = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6";
    let run = block_on(client.run("w", stored))?;
    println!("started with the id {}", run.start_id().unwrap_or_default());

    println!("\nThe service has seen:");
    for request in service.requests() {
        let body = String::from_utf8_lossy(request.body());
        println!("{} {} {body}", request.method(), request.uri());
    }
    service.assert_finished();
    Ok(())
}

// ---- The service, which is otherwise on the internet --------------------------------------------

fn service() -> ScriptedTransport {
    let workflow = json!({ "source": "main: {}" });
    ScriptedTransport::new(Script::new().done(&workflow))
        .and(Script::new().done(json!({})))
        .and(Script::new().done(&workflow))
}
