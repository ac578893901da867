//! A program without async: the same operation, on the calling thread. `cargo run --example blocking`

use lro_examples::{ExportImageOperation, ExportRequest, ImageClient, service};
use lro_runtime::{LongRunning, PollSettings, block_on};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = service()?;
    let client = ImageClient::new(server.operations()?);

    // The start call is the author's `async fn`. No executor is needed to run it: this thread is parked while it waits.
    let operation = block_on(client.export_image(&ExportRequest::new("cat", "pictures")))?;
    println!("{}: {:?} done", operation.name(), operation.progress());

    // Everything after it is there without async.
    let later = operation.blocking().poll_once()?;
    println!("{}: {:?} done", later.name(), later.progress());
    let done = later.blocking().poll_until_completed(PollSettings::interactive())?;
    let token = done.token();
    println!("{}", done.into_result()?.uri);

    // Resuming does no I/O at all.
    let again = ExportImageOperation::resume(&server.operations()?, token)?;
    println!("{}", again.blocking().poll_until_completed(PollSettings::interactive())?.into_result()?.uri);
    Ok(())
}
