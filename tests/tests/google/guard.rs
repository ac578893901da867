//! Tests of `cancel_on_drop`: an operation is cancelled when its guard is dropped.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

use lro_runtime::{
    ErrorKind, Operations, PollSettings, RawOperation, Result, block_on, long_running,
    testing::{Job, LroServer},
};
use serde_json::json;

pub(crate) struct Images {
    operations: Operations,
}

#[long_running(metadata = (), response = ())]
impl Images {
    #[long_running(cancel)]
    pub(crate) async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &json!({})).await
    }
}

fn server(job: fn() -> Job) -> LroServer {
    LroServer::builder().on("v1/images:export", move |_| job().named("operations/1")).start().unwrap()
}

fn started(server: &LroServer) -> ExportOperation {
    block_on(Images { operations: server.operations().unwrap() }.export()).unwrap()
}

fn settings() -> PollSettings {
    PollSettings::default().with_delay(Duration::from_millis(5))
}

fn cancels(server: &LroServer) -> usize {
    server.log().iter().filter(|line| line.contains(":cancel")).count()
}

/// Waits for the cancellation, which another thread sends, and asserts that no second one follows.
fn assert_cancelled_once(server: &LroServer) {
    let began = Instant::now();
    while cancels(server) == 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "no cancel came: {:?}", server.log());
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(50));
    assert_eq!(cancels(server), 1);
}

#[test]
fn a_guard_that_is_dropped_in_blocking_code_cancels() {
    let server = server(Job::endless);
    drop(started(&server).cancel_on_drop());
    assert_cancelled_once(&server);
}

#[test]
fn a_wait_that_is_dropped_cancels() {
    let server = server(Job::endless);
    {
        let guard = started(&server).cancel_on_drop();
        assert_eq!(guard.name(), "operations/1", "the guard reads like the operation");
        let mut wait = pin!(guard.poll_until_completed(settings()));
        assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_cancelled_once(&server);
}

#[test]
fn a_wait_that_expires_cancels() {
    let server = server(Job::endless);
    let guard = started(&server).cancel_on_drop();
    let error = guard.poll_until_completed_blocking(settings().with_timeout(Duration::from_millis(30))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_cancelled_once(&server);
}

#[test]
fn what_has_ended_or_was_let_go_is_not_cancelled() {
    let server = server(|| Job::polls(2));
    let done = block_on(started(&server).cancel_on_drop().poll_until_completed(settings())).unwrap();
    assert!(done.is_succeeded());
    drop(done.cancel_on_drop());
    let mut polled = started(&server).cancel_on_drop();
    while !polled.is_completed() {
        block_on(polled.poll_once()).unwrap();
    }
    drop(polled);
    drop(started(&server).cancel_on_drop().disarm());
    thread::sleep(Duration::from_millis(100));
    assert_eq!(cancels(&server), 0);
}
