//! The variants with a loop that a careful author writes by hand, over the same transport.

use std::{
    future::Future,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use lro_runtime::Transport;

use super::{Endless, Operation as Task};
use crate::step::hand::{Ignored, Operation, send};

/// A task that only sleeps: what remains is the loop.
pub async fn sleep_only(service: Arc<Endless>) {
    loop {
        tokio::time::sleep(next_pause(&service)).await;
    }
}

fn next_pause(service: &Endless) -> Duration {
    service.load.next_pause()
}

pub fn tokio(service: Arc<Endless>) -> Box<dyn Fn() -> Task> {
    Box::new(move || Box::pin(export_image(Arc::clone(&service), next_pause, tokio::time::sleep)))
}

pub fn async_io(service: Arc<Endless>) -> Box<dyn Fn() -> Task> {
    Box::new(move || Box::pin(export_image(Arc::clone(&service), next_pause, sleep_on_async_io)))
}

/// Sleeps as [`tokio::time::sleep`] does, on async-io.
pub async fn sleep_on_async_io(pause: Duration) {
    async_io::Timer::after(pause).await;
}

/// Starts an operation and polls it until it is done.
pub async fn export_image<T: Transport, S: Future<Output = ()>>(
    service: Arc<T>,
    pause: impl Fn(&T) -> Duration,
    sleep: impl Fn(Duration) -> S,
) {
    let start = http::Request::post("http://localhost/v1/images:export").body(Bytes::from_static(b"null")).unwrap();
    let mut operation: Operation<Ignored> = send(&*service, &start).await.unwrap();
    drop(start);
    let poll = http::Request::get(format!("http://localhost/v1/{}", operation.name)).body(Bytes::new()).unwrap();
    let began = Instant::now();
    while !operation.done {
        assert!(began.elapsed() < Duration::from_secs(3600), "timed out");
        sleep(pause(&service)).await;
        operation = send(&*service, &poll).await.unwrap();
    }
    black_box(operation.response);
}
