//! The variants with a loop that a careful author writes by hand, over the same transport.

use std::{error::Error, hint::black_box, time::Duration};

use bytes::Bytes;
use lro_runtime::{
    Transport,
    transport::{Reply, Request},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{ExportProgress, ExportedImage, Prepared, STEPS, Variant};
use crate::virtual_time::{Clock, run};

/// An operation, as far as a loop by hand reads it.
#[derive(Deserialize)]
pub struct Operation<M> {
    pub name: String,
    #[serde(default)]
    pub done: bool,
    metadata: Option<M>,
    pub response: Option<ExportedImage>,
    error: Option<Status>,
}

#[derive(Debug, Deserialize)]
struct Status {
    code: i32,
    message: String,
}

/// Metadata that the parser skips and does not decode.
#[derive(Deserialize)]
pub struct Ignored {}

/// Returns the variant with nothing but the transport, which every loop needs.
pub fn floor() -> Variant {
    let transport = Prepared::default();
    let operation = move || {
        let request = Request::new(Bytes::new());
        for _ in 0..STEPS {
            black_box(run(transport.send(&request, usize::MAX)).unwrap());
        }
    };
    Variant { name: "floor", operation: Box::new(operation) }
}

/// Returns the variant that parses replies into a struct without metadata.
pub fn ignoring_metadata() -> Variant {
    by_hand::<Ignored>("hand-metadata-ignored")
}

/// Returns the variant that parses replies into a struct with typed metadata.
pub fn typed() -> Variant {
    by_hand::<ExportProgress>("hand")
}

fn by_hand<M: DeserializeOwned + 'static>(name: &'static str) -> Variant {
    let (transport, clock) = (Prepared::default(), Clock::new());
    let operation = move || {
        black_box(run(export_image::<M>(over(&transport), "http://localhost", &clock)).unwrap());
    };
    Variant { name, operation: Box::new(operation) }
}

/// Starts an operation and polls it until it is done, with `exchange` for each request.
pub async fn export_image<M: DeserializeOwned>(
    exchange: impl AsyncFn(&Request) -> Result<Reply, Box<dyn Error>>,
    base: &str,
    clock: &Clock,
) -> Result<ExportedImage, Box<dyn Error>> {
    let start = http::Request::post(format!("{base}/v1/images:export")).body(Bytes::from_static(b"null"))?;
    let mut operation: Operation<M> = read(&exchange(&start).await?)?;
    let poll = http::Request::get(format!("{base}/v1/{}", operation.name)).body(Bytes::new())?;
    let mut delay = Duration::from_secs(1);
    let mut waited = Duration::ZERO;
    while !operation.done {
        if waited > Duration::from_secs(3600) {
            return Err("timed out".into());
        }
        clock.advance(delay);
        waited += delay;
        delay = delay.mul_f64(1.5).min(Duration::from_secs(20));
        operation = read(&exchange(&poll).await?)?;
        black_box(&operation.metadata);
    }
    match (operation.response, operation.error) {
        (Some(image), None) => Ok(image),
        (_, Some(status)) => Err(format!("{}: {}", status.code, status.message).into()),
        (None, None) => Err("neither response nor error".into()),
    }
}

/// Returns an exchange over a transport of the library.
pub fn over(transport: &dyn Transport) -> impl AsyncFn(&Request) -> Result<Reply, Box<dyn Error>> {
    async |request| Ok(transport.send(request, 16 << 20).await?)
}

/// Sends one request and reads its reply.
#[cfg(feature = "in-flight")]
pub async fn send<M: DeserializeOwned>(
    transport: &dyn Transport,
    request: &Request,
) -> Result<Operation<M>, Box<dyn Error>> {
    read(&transport.send(request, 16 << 20).await?)
}

fn read<M: DeserializeOwned>(reply: &Reply) -> Result<Operation<M>, Box<dyn Error>> {
    if !reply.status().is_success() {
        return Err(format!("status {}", reply.status()).into());
    }
    Ok(serde_json::from_slice(reply.body())?)
}
