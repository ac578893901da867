//! Traces and metrics of one operation through `OpenTelemetry`, and the trace as a tree.
//!
//! Run it with `cargo run --example traces`. With a path, it also draws the trace there:
//! `cargo run --example traces -- trace.svg`.

use std::{error::Error, time::Duration};

use lro_examples::{ExportRequest, ImageClient};
use lro_runtime::{
    PollSettings,
    testing::{Fault, Job, LroServer},
};
use opentelemetry::{metrics::MeterProvider, trace::TracerProvider};
use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};
use serde_json::json;
use tracing::{Instrument, level_filters::LevelFilter};
use tracing_subscriber::{Layer, layer::SubscriberExt};

use self::{meters::OpenTelemetryRecorder, tree::Tree};

mod meters;
mod tree;

fn main() -> Result<(), Box<dyn Error>> {
    // Traces: spans of `tracing` become spans of OpenTelemetry, which go to two exporters.
    let tree = Tree::default();
    let tracers = SdkTracerProvider::builder()
        .with_simple_exporter(opentelemetry_stdout::SpanExporter::default())
        .with_simple_exporter(tree.clone())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracers.tracer("traces"))
        .with_location(false)
        .with_threads(false)
        .with_filter(LevelFilter::DEBUG);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;

    // Metrics: the recorder of the facade `metrics` hands on to a meter of OpenTelemetry.
    let meters =
        SdkMeterProvider::builder().with_periodic_exporter(opentelemetry_stdout::MetricExporter::default()).build();
    metrics::set_global_recorder(OpenTelemetryRecorder::new(meters.meter("traces")))?;

    let server = service()?;
    let client = ImageClient::new(server.operations()?);
    smol::block_on(export(&client).instrument(tracing::info_span!("request of a user")))?;

    tracers.shutdown()?;
    meters.shutdown()?;
    println!("\n{}", tree.text());
    if let Some(path) = std::env::args_os().nth(1) {
        std::fs::write(path, tree.svg())?;
    }
    Ok(())
}

/// What the program does. Nothing here knows of traces.
async fn export(client: &ImageClient) -> lro_runtime::Result<()> {
    let operation = client.export_image(&ExportRequest::new("cat", "pictures")).await?;
    let settings = PollSettings::interactive().with_delay(Duration::from_millis(200));
    let done = operation.poll_until_completed(settings).await?;
    println!("exported to {}", done.into_result()?.uri);
    Ok(())
}

/// A service whose job waits in a queue, and which is busy once and slow once.
fn service() -> std::io::Result<LroServer> {
    let job = |_: &serde_json::Value| {
        Job::polls(4)
            .queued(1)
            .fault(2, Fault::Busy { retry_after: Duration::from_secs(1) })
            .fault(3, Fault::Latency(Duration::from_millis(250)))
            .responds(json!({ "uri": "gs://pictures/cat.png" }))
    };
    LroServer::builder().on("v1/images:export", job).start()
}
