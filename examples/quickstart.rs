//! Everything that an operation can do, against a service in this process.
//!
//! Run it with `cargo run --example quickstart`.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use lro_runtime::{
    Error, ErrorKind, Operations, PollSettings, RawOperation, Result,
    details::Detail,
    long_running,
    testing::{Job, LroServer},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

// ---- What the SDK author writes -----------------------------------------------------------------

#[derive(Serialize)]
struct ExportRequest {
    image: String,
    bucket: String,
}

#[derive(Debug, Deserialize)]
struct ExportedImage {
    uri: String,
    bytes: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
struct ExportProgress {
    percent: u8,
    stage: String,
}

struct ImageClient {
    operations: Operations,
}

#[long_running]
impl ImageClient {
    /// Exports an image to a bucket.
    #[long_running(response = ExportedImage, metadata = ExportProgress, progress = percent, cancel)]
    async fn export_image(&self, request: &ExportRequest) -> Result<RawOperation> {
        self.operations.post("v1/images:export", request).await
    }
}

// ---- What the SDK user writes -------------------------------------------------------------------

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = service()?;
    let client = ImageClient { operations: server.operations()? };
    println!("A service with long-running operations listens on {}.", server.url());
    smol::block_on(tour(&client))?;
    println!("\nThat was {} requests in all.", server.log().len());
    Ok(())
}

async fn tour(client: &ImageClient) -> Result<()> {
    // An operation that succeeds, step by step.
    title("Start an operation");
    let operation = client.export_image(&export("cat")).await?;
    say("started", &format!("{}: {}", operation.name(), describe(&operation)));

    title("Look at it once more: a new snapshot, the old one stays as it is");
    pause(Duration::from_millis(600)).await;
    let later = operation.poll_once().await?;
    say("before", &describe(&operation));
    say("now", &describe(&later));

    title("Wait for it, and watch");
    let bar = Bar::new();
    let done = later.on_progress(move |snapshot| bar.draw(snapshot)).poll_until_completed(smooth()).await?;
    say("state", &describe(&done));
    let image = done.into_result()?;
    say("response", &format!("{} ({} bytes)", image.uri, image.bytes));

    // An operation that fails. Failure is data, not an error: the state has everything that the
    // service said about it.
    title("One that fails");
    let failed = client.export_image(&export("whale")).await?.poll_until_completed(smooth()).await?;
    say("state", &describe(&failed));
    if let ExportImageState::Failed { status, metadata } = failed.state() {
        for info in status.details().iter().filter_map(Detail::error_info) {
            say("reason", &format!("{} ({}), {:?}", info.reason, info.domain, info.metadata));
        }
        say("retry", &format!("in {:?}", status.retry_delay().unwrap_or_default()));
        say("got to", &metadata.as_ref().map(|m| format!("{} %, {}", m.percent, m.stage)).unwrap_or_default());
    }

    // An operation that is cancelled. A cancel call only asks: the service decides whether the
    // operation stops.
    title("One that is cancelled");
    let cancelled = client.export_image(&export("dog")).await?.cancel_and_wait(smooth()).await?;
    say("state", &describe(&cancelled));

    // An operation that takes longer than the wait. Nothing is lost: the error has a token to
    // resume from.
    title("One that outlasts its wait");
    let hasty = smooth().with_timeout(Duration::from_millis(500));
    let Err(error) = client.export_image(&export("elephant")).await?.poll_until_completed(hasty).await else {
        return Ok(());
    };
    say("error", &error.to_string());
    let token = resume_token(&error)?;
    say("token", &token);

    title("Resume it from the token, as another process would tomorrow");
    let resumed = client.resume_export_image(token)?;
    let mut image = resumed.on_progress({
        let bar = Bar::new();
        move |snapshot| bar.draw(snapshot)
    });
    let image = image.poll_until_completed(smooth()).await?.into_result()?;
    say("response", &format!("{} ({} bytes)", image.uri, image.bytes));
    Ok(())
}

/// Returns the token to store when a wait ends before the operation does.
fn resume_token(error: &Error) -> Result<String> {
    match error.token() {
        Some(token) if error.kind() == ErrorKind::Timeout => Ok(token.to_string()),
        _ => Err(error.clone()),
    }
}

/// Returns one line about a snapshot. The `match` is exhaustive, so that no state can be forgotten.
fn describe(operation: &ExportImageOperation) -> String {
    match operation.state() {
        ExportImageState::Pending => "pending".to_owned(),
        ExportImageState::Running { metadata: Some(m) } => format!("running, {} % ({})", m.percent, m.stage),
        ExportImageState::Running { metadata: None } => "running".to_owned(),
        ExportImageState::Succeeded { response, .. } => format!("succeeded: {}", response.uri),
        ExportImageState::Failed { status, .. } => format!("failed: {status}"),
        ExportImageState::Cancelled { status, .. } => format!("cancelled: {status}"),
    }
}

fn export(image: &str) -> ExportRequest {
    ExportRequest { image: image.to_owned(), bucket: "pictures".to_owned() }
}

/// Returns settings for a person who watches: a poll every 100 ms.
fn smooth() -> PollSettings {
    PollSettings::interactive().with_multiplier(1.0)
}

// ---- The screen ---------------------------------------------------------------------------------

/// A progress bar: one live line on a terminal, a new line for each change otherwise.
struct Bar {
    live: bool,
}

impl Bar {
    const WIDTH: u8 = 40;

    fn new() -> Self {
        Self { live: std::io::stdout().is_terminal() }
    }

    fn draw(&self, snapshot: &ExportImageOperation) {
        let Ok(Some(progress)) = snapshot.metadata() else { return };
        let full = usize::from(u16::from(progress.percent) * u16::from(Self::WIDTH) / 100);
        let (bar, rest) = ("█".repeat(full), "░".repeat(usize::from(Self::WIDTH) - full));
        let line = format!("{bar}{rest} {:3} % {}", progress.percent, progress.stage);
        if self.live {
            let end = if snapshot.is_completed() { "\n" } else { "" };
            print!("\r\x1b[2K  \x1b[36m{line}\x1b[0m{end}");
            let _ = std::io::stdout().flush(); // a closed terminal is no reason to stop waiting
        } else {
            println!("  {line}");
        }
    }
}

fn title(text: &str) {
    let (bold, plain) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    println!("\n{bold}{text}{plain}");
}

fn say(label: &str, text: &str) {
    println!("  {label:<9} {text}");
}

async fn pause(duration: Duration) {
    smol::Timer::after(duration).await;
}

// ---- The service, which is otherwise on the internet --------------------------------------------

fn service() -> std::io::Result<LroServer> {
    LroServer::builder().on("v1/images:export", job).start()
}

fn job(request: &Value) -> Job {
    let text = |member: &str| request[member].as_str().unwrap_or_default().to_owned();
    let image = text("image");
    let millis = match image.as_str() {
        "whale" => 700,
        _ => 1_800,
    };
    let job = Job::lasting(Duration::from_millis(millis)).queued(1).metadata(progress);
    match image.as_str() {
        "whale" => job.metadata(|done| progress(done * 0.4)).fails_with(json!({
            "code": 8,
            "message": "the bucket `pictures` is full",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "BUCKET_FULL",
                    "domain": "images.example.com",
                    "metadata": { "bucket": "pictures", "limit": "10 GB" },
                },
                { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3600s" },
            ],
        })),
        _ => job.responds(json!({ "uri": format!("gs://{}/{image}.png", text("bucket")), "bytes": 48_213 })),
    }
}

fn progress(done: f64) -> Value {
    let stages = [(0.25, "reading"), (0.75, "encoding"), (1.0, "uploading")];
    let stage = stages.iter().find(|(until, _)| done < *until).map_or("ready", |(_, stage)| stage);
    json!({ "percent": (0..=100_u8).rev().find(|percent| f64::from(*percent) <= done * 100.0), "stage": stage })
}
