//! Progress bars in a terminal: a line for each operation, drawn while they are waited for.
//!
//! Run it with `cargo run --example progress_bar`. Without a terminal, as in CI, no bar is drawn.

use std::time::Duration;

use futures_lite::future::zip;
use lro_examples::{ExportRequest, ImageClient};
use lro_runtime::{
    Code, PollSettings,
    progress::{Bar, indicatif::MultiProgress},
    testing::{Job, LroServer},
};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A service on which the cow does not come through.
    let server = LroServer::builder()
        .on("/v1/images:export", |request| {
            let job = Job::lasting(Duration::from_secs(2)).responds(json!({ "uri": "gs://pictures" }));
            if request["image"] == "cow" { job.fails(Code::DataLoss, "the negative is torn") } else { job }
        })
        .start()?;
    let client = ImageClient::new(server.operations()?);
    smol::block_on(async {
        let elephant = client.export_image(&ExportRequest::new("elephant", "pictures")).await?;
        let cow = client.export_image(&ExportRequest::new("cow", "pictures")).await?;

        // All bars of a program belong to one `MultiProgress`, which draws them below each other.
        let bars = MultiProgress::new();
        let mut elephant = elephant.with_bar(Bar::new(&bars).label("elephant"));
        let mut cow = cow.with_bar(Bar::new(&bars).label("cow"));
        let waits = zip(
            elephant.poll_until_completed(PollSettings::interactive()),
            cow.poll_until_completed(PollSettings::interactive()),
        );
        let (elephant, cow) = waits.await;

        // The bars are observers: what the waits return is the same without them.
        println!("elephant {}, cow {}", elephant?.untyped().state(), cow?.untyped().state());
        Ok(())
    })
}
