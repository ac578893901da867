//! The variant with the poller of `azure_core`, and the closure that its generated clients give it.

use std::{
    hint::black_box,
    sync::{Arc, Once},
};

use azure_core::{
    async_runtime::{AsyncRuntime, SpawnedTask, TaskFuture, set_async_runtime},
    error::ErrorKind,
    http::{
        JsonFormat, RawResponse, StatusCode,
        headers::Headers,
        poller::{Poller, PollerContinuation, PollerResult, PollerState, PollerStatus, StatusMonitor},
    },
    time::Duration,
};
use bytes::Bytes;
use lro_runtime::{Transport, transport::Request};
use serde::Deserialize;

use super::{ExportProgress, ExportedImage, Prepared, Variant};
use crate::virtual_time::run;

/// An operation, as far as a client reads it.
#[derive(Deserialize)]
pub struct Monitor {
    name: String,
    #[serde(default)]
    done: bool,
    metadata: Option<ExportProgress>,
}

impl StatusMonitor for Monitor {
    type Output = Finished;
    type Format = JsonFormat;

    fn status(&self) -> PollerStatus {
        if self.done { PollerStatus::Succeeded } else { PollerStatus::InProgress }
    }
}

/// An operation that has succeeded.
#[derive(Deserialize)]
pub struct Finished {
    response: ExportedImage,
}

/// An async runtime whose sleeps are over at once.
struct NoWait;

impl AsyncRuntime for NoWait {
    // A poller that did spawn would be measured without its task: then there must be no figure.
    fn spawn(&self, _future: TaskFuture) -> SpawnedTask {
        unreachable!("the poller spawns nothing")
    }

    fn sleep(&self, _duration: Duration) -> TaskFuture {
        Box::pin(std::future::ready(()))
    }

    fn yield_now(&self) -> TaskFuture {
        Box::pin(std::future::ready(()))
    }
}

/// Returns the variant that parses the same texts. The closure is the one of the poller's
/// documentation.
pub fn text() -> Variant {
    static RUNTIME: Once = Once::new();
    let transport = Arc::new(Prepared::default());
    let operation = move || {
        RUNTIME.call_once(|| set_async_runtime(Arc::new(NoWait)).unwrap());
        let transport = Arc::clone(&transport);
        let poller = Poller::new(
            move |state: PollerState, options| {
                let transport = Arc::clone(&transport);
                Box::pin(async move {
                    black_box(state);
                    poll(&*transport, options.frequency).await
                })
            },
            None,
        );
        let finished = run(async { poller.await }).unwrap().into_model().unwrap();
        black_box(finished.response);
    };
    Variant { name: "azure_core", operation: Box::new(operation) }
}

/// Sends one poll.
async fn poll(transport: &dyn Transport, frequency: Duration) -> azure_core::Result<PollerResult<Monitor>> {
    let reply = transport.send(&Request::new(Bytes::new()), 16 << 20).await;
    let body = reply.map_err(|error| azure_core::Error::new(ErrorKind::Io, error))?.into_body();
    progress(body, frequency)
}

/// Reads a reply as the closure of the poller's documentation does.
pub fn progress(body: Bytes, frequency: Duration) -> azure_core::Result<PollerResult<Monitor>> {
    let monitor: Monitor = azure_core::json::from_json(&body)?;
    let response = RawResponse::from_bytes(StatusCode::Ok, Headers::new(), body.clone()).into();
    black_box(monitor.metadata.as_ref().map(|progress| progress.percent));
    if monitor.status() == PollerStatus::InProgress {
        let next_link = format!("http://localhost/v1/{}", monitor.name).parse()?;
        let continuation = PollerContinuation::Links { next_link, final_link: None };
        return Ok(PollerResult::InProgress { response, retry_after: frequency, continuation });
    }
    let target = move || {
        let target = async move { Ok(RawResponse::from_bytes(StatusCode::Ok, Headers::new(), body).into()) };
        Box::pin(target) as _
    };
    Ok(PollerResult::Succeeded { response, target: Box::new(target) })
}
