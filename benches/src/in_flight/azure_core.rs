//! The variant with the poller of `azure_core`, which sleeps on tokio.

use std::{
    hint::black_box,
    sync::{Arc, Once},
};

use azure_core::{
    async_runtime::{AsyncRuntime, SpawnedTask, TaskFuture, set_async_runtime},
    http::poller::{Poller, PollerContinuation, PollerOptions, PollerState},
    time::Duration,
};

use super::{Endless, Operation as Task};
use crate::step::azure_core::{Monitor, progress};

/// The sleeps of tokio.
struct Tokio;

impl AsyncRuntime for Tokio {
    // A poller that did spawn would be measured without its task: then there must be no figure.
    fn spawn(&self, _future: TaskFuture) -> SpawnedTask {
        unreachable!("the poller spawns nothing")
    }

    fn sleep(&self, duration: Duration) -> TaskFuture {
        Box::pin(tokio::time::sleep(duration.unsigned_abs()))
    }

    fn yield_now(&self) -> TaskFuture {
        Box::pin(tokio::task::yield_now())
    }
}

pub fn prepare(service: Arc<Endless>) -> Box<dyn Fn() -> Task> {
    static RUNTIME: Once = Once::new();
    RUNTIME.call_once(|| set_async_runtime(Arc::new(Tokio)).unwrap());
    Box::new(move || {
        let service = Arc::clone(&service);
        let frequency = Duration::try_from(service.load.pause).unwrap();
        let poller: Poller<Monitor> = Poller::new(
            // The poller waits as long as the service says, or this closure.
            move |state: PollerState, _: PollerOptions<'static>| {
                let body = match &state {
                    PollerState::More(PollerContinuation::Links { next_link, .. }) => {
                        service.poll(next_link.path().trim_start_matches("/v1/"))
                    }
                    _ => service.start(),
                };
                let pause = Duration::try_from(service.load.next_pause()).unwrap();
                Box::pin(async move { progress(body, pause) })
            },
            Some(PollerOptions { frequency, ..PollerOptions::default() }),
        );
        Box::pin(async move { drop(black_box(poller.await)) })
    })
}
