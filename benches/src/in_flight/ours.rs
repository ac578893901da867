//! The variants with our loop, through the public API of an annotated method.

use std::sync::Arc;

use lro_runtime::{
    Jitter, Operations, PollSettings, Timer,
    timer::{AsyncIoTimer, TokioTimer},
};

use super::{Endless, Operation, PAUSE};
use crate::step::ours::Images;

pub fn tokio(service: Arc<Endless>) -> Box<dyn Fn() -> Operation> {
    prepare(service, TokioTimer)
}

pub fn async_io(service: Arc<Endless>) -> Box<dyn Fn() -> Operation> {
    prepare(service, AsyncIoTimer)
}

fn prepare(service: Arc<Endless>, timer: impl Timer) -> Box<dyn Fn() -> Operation> {
    let settings = PollSettings::default().with_delay(PAUSE).with_multiplier(1.0).with_jitter(Jitter::None);
    let operations = Operations::builder("http://localhost").transport(service).timer(timer).poll_settings(settings);
    let images = Images { operations: operations.build().unwrap() };
    Box::new(move || {
        let images = images.clone();
        Box::pin(async move { drop(images.export_image().await.unwrap().await) })
    })
}
