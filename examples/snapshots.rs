//! A stream of snapshots, for code that does something between the polls.
//!
//! Run it with `cargo run --example snapshots`.

use futures_lite::StreamExt;
use lro_examples::{ExportImageState, ExportRequest, ImageClient, service};
use lro_runtime::PollSettings;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = service()?;
    let client = ImageClient::new(server.operations()?);
    smol::block_on(async {
        let operation = client.export_image(&ExportRequest::new("cat", "pictures")).await?;

        // The stream gives the first snapshot at once, then one per poll with the delays of
        // `poll_until_completed`. The last snapshot is terminal.
        let mut snapshots = operation.snapshots(PollSettings::interactive());
        while let Some(snapshot) = snapshots.next().await.transpose()? {
            match snapshot.state() {
                ExportImageState::Pending => println!("waits in the queue"),
                ExportImageState::Running { metadata } => {
                    println!("{:3.0} %", metadata.as_ref().map_or(0.0, |m| m.percent));
                }
                ExportImageState::Succeeded { response, .. } => println!("{}", response.uri),
                ExportImageState::Failed { status, .. } | ExportImageState::Cancelled { status, .. } => {
                    println!("{status}");
                }
            }
        }

        // Dropping the stream ends the polling and loses nothing: every snapshot can be polled
        // further.
        let impatient = client.export_image(&ExportRequest::new("dog", "pictures")).await?;
        let halfway = impatient
            .snapshots(PollSettings::interactive())
            .find(|snapshot| !matches!(snapshot, Ok(operation) if operation.progress().unwrap_or(0.0) < 0.5))
            .await
            .transpose()?
            .unwrap_or(impatient);
        println!("at least half done: {}", halfway.progress().is_some_and(|done| done >= 0.5));
        println!("{}", halfway.await?.uri);
        Ok(())
    })
}
