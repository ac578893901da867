//! The calls of `Operation<TResponse, TMetadata>` from Google's .NET libraries, each beside its
//! equivalent in this library. The book has the table: `docs/book/moving/dotnet.md`.
//!
//! Run it with `cargo run --example from_dotnet`.

use std::time::Duration;

use lro_examples::{ExportRequest, ImageClient, service};
use lro_runtime::{PollSettings, block_on, testing::LroServer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(run(&service()?)?)
}

fn run(server: &LroServer) -> lro_runtime::Result<()> {
    let client = ImageClient::new(server.operations()?);
    let operation = block_on(client.export_image(&ExportRequest::new("cat", "pictures")))?;

    // operation.IsCompleted, operation.Name, operation.Metadata
    println!("{} {:?} {}", operation.name(), operation.metadata()?, operation.is_completed());

    // operation = operation.PollOnce(): a new snapshot, the old one is unchanged
    let later = operation.blocking().poll_once()?;
    println!("{:?}, before {:?}", later.progress(), operation.progress());

    // operation.PollUntilCompleted(new PollSettings(Expiration.FromTimeout(…), delay, multiplier,
    // maxDelay), metadataCallback: m => …)
    let settings = PollSettings::default()
        .with_timeout(Duration::from_secs(60))
        .with_delay(Duration::from_millis(100))
        .with_multiplier(1.5)
        .with_max_delay(Duration::from_secs(1));
    let done = later
        .on_progress(|operation| println!("metadata: {:?}", operation.metadata()))
        .every_poll()
        .poll_until_completed_blocking(settings.clone())?;

    // operation.IsFaulted, operation.Exception, operation.Result
    println!("faulted: {}, exception: {:?}", done.is_failed(), done.status());
    println!("result: {}", done.result()?.uri);

    // operation.Client
    let same = done.client().blocking().get(done.name())?;
    println!("by the client: {:?}", same.state());

    // client.PollOnceExportImage(name) and client.PollOnceExportImageAsync(name)
    let by_name = client.resume_export_image(operation.name())?.blocking().poll_once()?;
    let by_name_async = smol::block_on(client.resume_export_image(operation.name())?.poll_once())?;
    println!("by name: {}, {}", by_name.is_succeeded(), by_name_async.is_succeeded());
    Ok(())
}
