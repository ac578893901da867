//! Measures polls per second over gRPC: our loop beside loops by hand with tonic's client, one of
//! which sends the same headers.
//!
//! All use the same [`HyperChannel`] and the same server.

use std::{error::Error, hint::black_box, time::Duration};

use http::{Uri, uri::PathAndQuery};
use lro_runtime::{
    Operations, PollSettings,
    grpc::longrunning::{GetOperationRequest, Operation, operation},
    transport::{HyperChannel, HyperTransport},
};
use prost::Message;
use tonic::{client::Grpc, metadata::MetadataValue};
use tonic_prost::ProstCodec;

use crate::{
    loopback::{Impatient, Repeated, block_on, measure},
    virtual_time::Clock,
};

mod server;

/// The metadata of the operation.
#[derive(Clone, PartialEq, Message)]
struct ExportProgress {
    #[prost(string, tag = "1")]
    verb: String,
    #[prost(string, tag = "2")]
    stage: String,
    #[prost(uint32, tag = "3")]
    percent: u32,
}

/// The response of the operation.
#[derive(Clone, PartialEq, Message)]
struct ExportedImage {
    #[prost(string, tag = "1")]
    uri: String,
    #[prost(uint64, tag = "2")]
    size_bytes: u64,
}

const START: &str = "/example.Images/ExportImage";
const GET: &str = "/google.longrunning.Operations/GetOperation";

/// Prints polls per second of each loop, and its ratio to the last one; or runs one of them.
pub fn run(repeated: Repeated<'_>) -> Result<(), Box<dyn Error>> {
    let base = format!("http://{}", server::serve(&message(false), &message(true))?);
    let channel = HyperTransport::builder().grpc_channel();
    let clock = Clock::new();
    let client = Operations::builder(&base).grpc_over(channel.clone()).timer(Impatient::new(&clock)).build()?;
    let ours = || -> Result<(), Box<dyn Error>> {
        let done = block_on(async {
            let started = client.start_message(START, &()).await?;
            started.poll_until_completed(PollSettings::default()).await
        })?;
        black_box(done.response().ok_or("no response")?.decode_message::<ExportedImage>()?);
        Ok(())
    };
    let origin: Uri = base.parse()?;
    let by_hand = |headers| -> Result<(), Box<dyn Error>> {
        black_box(block_on(by_hand(channel.clone(), origin.clone(), &clock, headers))?);
        Ok(())
    };
    let (hand, hand_sending_as_much) = (|| by_hand(Headers::None), || by_hand(Headers::AsOurs));
    measure(
        "loopback-grpc",
        &[("ours", &ours), ("hand-sending-as-much", &hand_sending_as_much), ("hand", &hand)],
        repeated,
    )
}

/// What a loop by hand sends with each call.
#[derive(Clone, Copy, PartialEq)]
enum Headers {
    None,
    /// The time limit, the routing header and the name of the client, as ours does.
    AsOurs,
}

/// Returns an operation as the service encodes it.
fn message(done: bool) -> Vec<u8> {
    let any = |name: &str, value| prost_types::Any { type_url: format!("type.googleapis.com/example.{name}"), value };
    let stage = if done { "done" } else { "copying" };
    let progress = ExportProgress { verb: "export".to_owned(), stage: stage.to_owned(), percent: 42 };
    let image = ExportedImage { uri: "gs://bucket/image.tar".to_owned(), size_bytes: 1 << 20 };
    let response = operation::Result::Response(any("ExportedImage", image.encode_to_vec()));
    let operation = Operation {
        name: "operations/export-7".to_owned(),
        metadata: Some(any("ExportProgress", progress.encode_to_vec())),
        done,
        result: done.then_some(response),
    };
    operation.encode_to_vec()
}

/// Runs one operation in a loop by hand, with the calls of a generated client.
async fn by_hand(
    channel: HyperChannel,
    origin: Uri,
    clock: &Clock,
    headers: Headers,
) -> Result<ExportedImage, Box<dyn Error>> {
    let mut grpc = Grpc::with_origin(channel, origin);
    let mut operation = call(&mut grpc, START, (), headers).await?;
    let request = GetOperationRequest { name: operation.name.clone() };
    let mut delay = Duration::from_secs(1);
    let mut waited = Duration::ZERO;
    while !operation.done {
        if waited > Duration::from_secs(3600) {
            return Err("timed out".into());
        }
        clock.advance(delay);
        waited += delay;
        delay = delay.mul_f64(1.5).min(Duration::from_secs(20));
        operation = call(&mut grpc, GET, request.clone(), headers).await?;
        black_box(&operation.metadata);
    }
    match operation.result {
        Some(operation::Result::Response(any)) => Ok(ExportedImage::decode(&*any.value)?),
        Some(operation::Result::Error(status)) => Err(format!("{}: {}", status.code, status.message).into()),
        None => Err("neither response nor error".into()),
    }
}

async fn call<M: Message + 'static>(
    grpc: &mut Grpc<HyperChannel>,
    path: &'static str,
    message: M,
    headers: Headers,
) -> Result<Operation, Box<dyn Error>> {
    grpc.ready().await?;
    let codec = ProstCodec::<M, Operation>::default();
    let mut request = tonic::Request::new(message);
    if headers == Headers::AsOurs {
        request.set_timeout(Duration::from_secs(30));
        request.metadata_mut().insert("user-agent", MetadataValue::from_static("lro-runtime/0.1.0"));
        let routing = MetadataValue::from_static("name=operations%2Fexport-7");
        request.metadata_mut().insert("x-goog-request-params", routing);
    }
    Ok(grpc.unary(request, PathAndQuery::from_static(path), codec).await?.into_inner())
}
