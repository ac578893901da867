//! An annotated client, and transports that are a script or a closure: what most of the tests are
//! built on.

#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses its part")]

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use lro_runtime::{
    Operations, RawOperation, Result, Timer, Transport, long_running,
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::{BoxFuture, Reply, Request, TransportError},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// An exported image.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Image {
    /// Where the image is.
    pub uri: String,
}

/// The progress of an export.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Progress {
    /// How much is done, in per cent.
    pub percent: u8,
}

/// A service as an SDK author declares it.
#[derive(Clone, Debug)]
pub struct ImageClient {
    pub operations: Operations,
}

#[long_running]
impl ImageClient {
    /// Exports an image.
    #[long_running(response = Image, metadata = Progress, cancel, delete, progress = percent, response_type = "type.googleapis.com/example.Image")]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &json!({ "image": "cat" })).await
    }

    /// Purges the images that are not in use.
    #[long_running(response = (), metadata = (), poll(delay = "7s", multiplier = 1, timeout = "20s"))]
    pub async fn purge(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:purge", &json!({})).await
    }
}

pub fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub fn percent(percent: u8) -> Value {
    json!({ "percent": percent })
}

pub fn cat() -> Value {
    json!({ "uri": "gs://pictures/cat.png" })
}

/// A virtual clock, a transport that plays a script, and a client that uses both.
pub struct Stage {
    pub clock: VirtualClock,
    pub transport: ScriptedTransport,
    pub client: ImageClient,
}

impl Stage {
    pub fn new(script: Script) -> Self {
        let clock = VirtualClock::new();
        let transport = ScriptedTransport::new(script);
        let client = ImageClient { operations: transport.operations(&clock).unwrap() };
        Self { clock, transport, client }
    }

    /// Starts an operation, with the first reply of the script.
    pub fn export(&self) -> ExportImageOperation {
        smol::block_on(self.client.export_image()).unwrap()
    }

    /// Returns when each request was sent, the start call included, in seconds.
    pub fn sent(&self) -> Vec<f64> {
        self.transport.request_times().iter().map(Duration::as_secs_f64).collect()
    }

    /// Returns how many requests were sent.
    pub fn requests(&self) -> usize {
        self.transport.requests().len()
    }
}

/// What a [`Server`] answers: the latency, and the reply or the failure.
pub type Answer = (Duration, std::result::Result<Reply, TransportError>);

type Answering = dyn Fn(Duration, &Request) -> Answer + Send + Sync;

/// A transport whose replies are a function of the time and the request. It records every request.
#[derive(Clone)]
pub struct Server {
    clock: VirtualClock,
    answer: Arc<Answering>,
    requests: Arc<Mutex<Vec<(Duration, Request)>>>,
}

impl Server {
    pub fn new(clock: &VirtualClock, answer: impl Fn(Duration, &Request) -> Answer + Send + Sync + 'static) -> Self {
        Self { clock: clock.clone(), answer: Arc::new(answer), requests: Arc::default() }
    }

    pub fn client(&self) -> ImageClient {
        let operations = Operations::builder("http://server.test").transport(self.clone()).timer(self.clock.clone());
        ImageClient { operations: operations.build().unwrap() }
    }

    /// Returns every request, with the time at which it was sent.
    pub fn requests(&self) -> Vec<(Duration, Request)> {
        self.requests.lock().unwrap().clone()
    }
}

impl Transport for Server {
    fn send<'a>(&'a self, request: &'a Request, _: usize) -> BoxFuture<'a, std::result::Result<Reply, TransportError>> {
        Box::pin(async move {
            let now = self.clock.elapsed();
            self.requests.lock().unwrap().push((now, request.clone()));
            let (latency, reply) = (self.answer)(now, request);
            if !latency.is_zero() {
                self.clock.sleep(latency).await;
            }
            reply
        })
    }
}

pub fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = Reply::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap();
    reply
}

pub fn json_reply(body: &Value) -> Reply {
    reply(200, body.to_string())
}

/// Polls a future once, with a waker that does nothing.
pub fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Runs a future to its end, and advances a manual clock to its next deadline whenever the future
/// is pending.
pub fn drive<F: Future>(clock: &VirtualClock, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = poll_once(future.as_mut()) {
            return output;
        }
        clock.advance(clock.next_deadline().unwrap());
    }
}
