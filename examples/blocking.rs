//! A program without async: the same operation, on the calling thread.
//!
//! Run it with `cargo run --example blocking`.

use lro_examples::{ExportImageOperation, ExportRequest, ImageClient, service};
use lro_runtime::{LongRunning, PollSettings, block_on};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = service()?;
    let client = ImageClient::new(server.operations()?);

    // The start call is the SDK author's `async fn`. It needs no executor: `block_on` parks this
    // thread while it waits.
    let operation = block_on(client.export_image(&ExportRequest::new("cat", "pictures")))?;
    println!("{}: {:?} done", operation.name(), operation.progress());

    // All further calls have a blocking form.
    let later = operation.blocking().poll_once()?;
    println!("{}: {:?} done", later.name(), later.progress());
    let done = later.blocking().poll_until_completed(PollSettings::interactive())?;
    let token = done.token();
    println!("{}", done.into_result()?.uri);

    // Resuming from the token does no I/O. Only the wait after it does.
    let again = ExportImageOperation::resume(&server.operations()?, token)?;
    println!("{}", again.blocking().poll_until_completed(PollSettings::interactive())?.into_result()?.uri);
    Ok(())
}
