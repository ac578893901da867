//! Tests of `cancel_on_drop`: an operation is cancelled when its guard is dropped.

use std::{
    fs,
    future::Future,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    pin::pin,
    sync::{
        Mutex,
        mpsc::{self, Receiver},
    },
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

use lro_runtime::{
    ErrorKind, Operations, PollSettings, RawOperation, Result, block_on, long_running,
    testing::{Job, LroServer, Script, ScriptedTransport, VirtualClock},
    transport::{Request, TransportError, TransportErrorKind},
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

/// Starts a server that takes every request and answers none. The first channel has the first line
/// of each; the second ends every connection so far, once something is sent into it.
fn silent() -> (String, Receiver<String>, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let ((arrived, requests), (end, ended)) = (mpsc::channel(), mpsc::channel());
    thread::spawn(move || {
        let connections: Vec<TcpStream> = (0..1_000)
            .map(|_| {
                let mut stream = listener.accept().unwrap().0;
                let (mut request, mut some) = (String::new(), [0; 1024]);
                while !request.contains("\r\n\r\n") {
                    let count = stream.read(&mut some).unwrap();
                    request.push_str(std::str::from_utf8(&some[..count]).unwrap());
                }
                arrived.send(request.lines().next().unwrap().to_owned()).unwrap();
                stream
            })
            .collect();
        ended.recv().unwrap();
        for mut stream in connections {
            stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
    });
    (url, requests, end)
}

/// Returns how many threads of this process send cancel calls; `None` where there is no `/proc`.
fn cancelling_threads() -> Option<usize> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let name = |thread: &fs::DirEntry| fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
    Some(threads.filter(|thread| name(thread.as_ref().unwrap()).starts_with("lro-cancel")).count())
}

#[test]
fn a_thousand_guards_dropped_against_a_silent_server_make_one_thread() {
    let (url, requests, end) = silent();
    let images = Images { operations: Operations::builder(url).build().unwrap() };
    let (failed, failures) = mpsc::channel();
    for number in 0..1_000 {
        let failed = failed.clone();
        let operation = images.resume_export(format!("operations/{number}")).unwrap();
        drop(operation.cancel_on_drop().on_failure(move |error| failed.send(error).unwrap()));
    }
    let mut all: Vec<_> = (0..1_000).map(|_| requests.recv_timeout(Duration::from_secs(20)).unwrap()).collect();
    assert!(cancelling_threads().is_none_or(|threads| threads == 1), "{:?}", cancelling_threads());
    let mut expected: Vec<_> =
        (0..1_000).map(|number| format!("POST /v1/operations/{number}:cancel HTTP/1.1")).collect();
    all.sort_unstable();
    expected.sort_unstable();
    assert_eq!(all, expected);

    end.send(()).unwrap();
    let mut names: Vec<_> = (0..1_000)
        .map(|_| {
            let error = failures.recv_timeout(Duration::from_secs(20)).unwrap();
            let name = error.snapshot().unwrap().name().to_owned();
            assert!(error.to_string().contains(&name) && error.status().is_some(), "{error}");
            name
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 1_000, "each guard hears of its own operation");
}

#[test]
fn each_cancel_call_has_its_own_time_limit() {
    let hasty = PollSettings::default().with_poll_timeout(Duration::from_millis(20));
    let (failed, failures) = mpsc::channel();
    for (name, settings) in [("operations/patient", PollSettings::default()), ("operations/hasty", hasty)] {
        let operations = Operations::builder("http://server.test").transport(|_: Request| std::future::pending());
        let images = Images { operations: operations.poll_settings(settings).build().unwrap() };
        let failed = failed.clone();
        let guard = images.resume_export(name).unwrap().cancel_on_drop();
        drop(guard.on_failure(move |error| drop(failed.send(error))));
    }
    let error = failures.recv_timeout(Duration::from_secs(20)).unwrap().to_string();
    assert!(error.starts_with("operation `operations/hasty`: the cancel call failed: no reply within 20ms"), "{error}");
}

#[test]
fn a_cancel_call_that_panics_loses_no_other() {
    let (arrived, requests) = mpsc::channel();
    let arrived = Mutex::new(arrived);
    let operations = Operations::builder("http://server.test").transport(move |request: Request| {
        let path = request.uri().path().to_owned();
        arrived.lock().unwrap().send(path.clone()).unwrap();
        async move {
            assert!(!path.ends_with("/1:cancel"), "out of paper");
            Err(TransportError::message(TransportErrorKind::Closed, path))
        }
    });
    let images = Images { operations: operations.build().unwrap() };
    let (failed, failures) = mpsc::channel();
    for number in 0..3 {
        let failed = failed.clone();
        let guard = images.resume_export(format!("operations/{number}")).unwrap().cancel_on_drop();
        drop(guard.on_failure(move |error| {
            failed.send(number).unwrap();
            assert!(error.snapshot().is_none(), "a hook that panics");
        }));
    }
    for _ in 0..3 {
        requests.recv_timeout(Duration::from_secs(20)).unwrap();
    }
    let mut failed = [(); 2].map(|()| failures.recv_timeout(Duration::from_secs(20)).unwrap());
    failed.sort_unstable();
    assert_eq!(failed, [0, 2]);
}

#[test]
fn a_cancel_call_on_a_virtual_clock_takes_no_time_of_the_machine() {
    let clock = VirtualClock::new();
    let transport =
        ScriptedTransport::new(Script::new().pending().cancel_accepted().taking(Duration::from_secs(86_400)));
    let settings = PollSettings::default().with_poll_timeout(Duration::from_secs(3_600));
    let operations = Operations::builder("http://scripted.test")
        .transport(transport.clone().with_clock(&clock))
        .timer(clock.clone())
        .poll_settings(settings);
    let images = Images { operations: operations.build().unwrap() };
    let (failed, failures) = mpsc::channel();
    let guard = block_on(images.export()).unwrap().cancel_on_drop();
    drop(guard.on_failure(move |error| drop(failed.send(error))));
    let error = failures.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(error.to_string().contains("no reply within 1h"), "{error}");
    assert_eq!(clock.elapsed(), Duration::from_secs(3_600));
}

#[test]
fn a_guard_can_be_shared_between_threads() {
    fn is_shared(_: &(impl Send + Sync)) {}
    let transport = ScriptedTransport::new(Script::new().pending());
    let images = Images { operations: transport.operations(&VirtualClock::new()).unwrap() };
    let guard = images.resume_export("operations/1").unwrap().cancel_on_drop().on_failure(drop);
    is_shared(&guard);
    drop(guard.disarm());
}
