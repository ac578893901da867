//! The variants with our loop, through the public API of an annotated method.

use std::sync::Arc;

use lro_runtime::{
    Jitter, Operations, PollSettings, Timer,
    timer::{AsyncIoTimer, TokioTimer},
};

use super::{Endless, Operation};
use crate::step::ours::Images;

pub fn tokio(service: Arc<Endless>) -> Box<dyn Fn() -> Operation> {
    prepare(service, TokioTimer)
}

pub fn async_io(service: Arc<Endless>) -> Box<dyn Fn() -> Operation> {
    prepare(service, AsyncIoTimer)
}

fn prepare(service: Arc<Endless>, timer: impl Timer) -> Box<dyn Fn() -> Operation> {
    let images = images(service, timer);
    Box::new(move || {
        let images = images.clone();
        Box::pin(async move { drop(images.export_image().await.unwrap().await) })
    })
}

/// Returns a client whose operations are polled as the service says.
pub fn images(service: Arc<Endless>, timer: impl Timer) -> Images {
    let pause = service.load.pause;
    let settings = PollSettings::default().with_delay(pause).with_max_delay(pause).with_multiplier(1.0);
    let jitter = if service.load.has_jitter { Jitter::Equal } else { Jitter::None };
    let operations = Operations::builder("http://localhost").transport(service).timer(timer);
    Images { operations: operations.poll_settings(settings.with_jitter(jitter)).build().unwrap() }
}
