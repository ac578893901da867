//! Tests of code that waits for an hour, as a user of an SDK writes them.
//!
//! `cargo run --example testing` runs them one after the other. In a project they are `#[test]`
//! functions.

use std::time::{Duration, Instant};

use lro_examples::{ExportRequest, ImageClient};
use lro_runtime::{
    ErrorKind, PollSettings, Result,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::json;

/// The code under test: waits for up to two hours, and cancels the operation if it takes longer.
async fn export(client: &ImageClient, image: &str) -> Result<String> {
    let settings = PollSettings::default().with_timeout(Duration::from_secs(7200));
    let operation = client.export_image(&ExportRequest::new(image, "pictures")).await?;
    match operation.poll_until_completed(settings).await {
        Ok(done) => done.into_result().map(|image| image.uri),
        Err(error) if error.kind() == ErrorKind::Timeout => {
            operation.cancel().await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

fn an_export_may_take_an_hour() -> Result<()> {
    let clock = VirtualClock::new();
    let transport = ScriptedTransport::new(
        Script::new()
            .pending()
            .running_for(Duration::from_secs(3600))
            .unavailable()
            .running_with(json!({ "percent": 99.0 }))
            .done(json!({ "uri": "gs://pictures/cat.png" })),
    );
    let client = ImageClient::new(transport.operations(&clock)?);

    assert_eq!(smol::block_on(export(&client, "cat"))?, "gs://pictures/cat.png");
    // The virtual clock has moved on by an hour; real time has hardly passed.
    assert!(clock.elapsed() >= Duration::from_secs(3600));
    let body = transport.requests().first().map(|start| start.body().clone());
    assert_eq!(body.as_deref(), Some(&br#"{"image":"cat","bucket":"pictures"}"#[..]));
    transport.assert_finished();
    Ok(())
}

fn an_export_that_takes_longer_is_cancelled() -> Result<()> {
    let clock = VirtualClock::new();
    let script = Script::new().pending().running_forever().cancel_accepted();
    let transport = ScriptedTransport::new(script);
    let client = ImageClient::new(transport.operations(&clock)?);

    let error = smol::block_on(export(&client, "cat")).err();
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Timeout));
    assert_eq!(clock.elapsed(), Duration::from_secs(7200), "exactly");
    transport.assert_finished();
    Ok(())
}

fn main() -> Result<()> {
    let began = Instant::now();
    an_export_may_take_an_hour()?;
    an_export_that_takes_longer_is_cancelled()?;
    println!("waited three hours in {:?}", began.elapsed());
    Ok(())
}
