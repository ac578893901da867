//! The calls of `client.operations` from google-genai, each beside its equivalent in this library:
//! generate a video, and poll the operation or its name. The book has the table:
//! `docs/book/moving/genai.md`.
//!
//! A video that the service's filters blocked is a failure here. Run it with
//! `cargo run --example from_genai`.

#![expect(
    clippy::unwrap_used,
    clippy::struct_field_names,
    reason = "the names are the service's, and an example may fail"
)]

use std::{thread, time::Duration};

use lro_runtime::{
    Code, Operations, RawOperation, Result, Status, block_on, long_running,
    testing::{Job, LroServer},
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Videos {
    generated_videos: Vec<String>,
    rai_media_filtered_count: u32,
    rai_media_filtered_reasons: Vec<String>,
}

impl Videos {
    fn is_filtered(&self) -> bool {
        self.generated_videos.is_empty() && self.rai_media_filtered_count > 0
    }
}

/// Returns the failure that a response without a video means for the caller.
fn filtered(videos: &Videos) -> Status {
    Status::new(Code::FailedPrecondition, videos.rai_media_filtered_reasons.join("; "))
}

struct Models {
    operations: Operations,
}

#[long_running]
impl Models {
    // The real service polls at `v1beta/…`: for it, add `path = "v1beta/{name}"` here, or
    // `Google::with_path` to the client.
    #[long_running(response = Videos, metadata = Value, classify = |videos| videos.is_filtered().then(|| filtered(videos)))]
    async fn generate_videos(&self, prompt: &str) -> Result<RawOperation> {
        self.operations.post("v1/models/veo:predictLongRunning", &json!({ "prompt": prompt })).await
    }
}

fn service() -> std::io::Result<LroServer> {
    let generate = |request: &Value| {
        let prompt = request["prompt"].as_str().unwrap_or_default();
        let response = if prompt.contains("celebrity") {
            json!({ "raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["a person that is known"] })
        } else {
            json!({ "generatedVideos": ["files/1"] })
        };
        Job::polls(2).named(format!("models/veo/operations/{}", prompt.len())).responds(response)
    };
    LroServer::builder().on("v1/models/veo:predictLongRunning", generate).start()
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    Ok(run(&service()?)?)
}

fn run(server: &LroServer) -> lro_runtime::Result<()> {
    let client = Models { operations: server.operations()? };

    // operation = client.models.generate_videos(…)
    let mut operation = block_on(client.generate_videos("a cat playing with a ball"))?;
    println!("started: {}", operation.name());
    // while not operation.done: time.sleep(10); operation = client.operations.get(operation)
    while !operation.is_completed() {
        thread::sleep(Duration::from_millis(10));
        operation = operation.blocking().poll_once()?;
        println!("metadata: {:?}", operation.metadata()?);
    }
    println!("videos: {:?}", operation.result()?.generated_videos);

    // operation = client.operations.get(
    //     types.GenerateVideosOperation(name="models/veo/operations/…"))
    let by_name = client.resume_generate_videos(operation.name())?.blocking().poll_once()?;
    println!("by name: {:?}", by_name.into_result()?.generated_videos);

    // if operation.error: …
    let refused = block_on(async { client.generate_videos("a celebrity").await?.await }).unwrap_err();
    if let Some(status) = refused.status() {
        println!("error: {}, {}, {:?}", status.code(), status.message(), status.details());
    }
    Ok(())
}
