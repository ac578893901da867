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
    ErrorKind, Operations, OperationsBuilder, PollSettings, RawOperation, Result, Timer, block_on, long_running,
    testing::{Job, LroServer, Script, ScriptedTransport, VirtualClock},
    transport::{BoxFuture, Request, TransportError, TransportErrorKind},
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

/// Starts a server that answers no request. The channel has the first line of each, and its
/// connection.
fn silent() -> (String, Receiver<(String, TcpStream)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (arrived, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut request, mut some) = (String::new(), [0; 1024]);
            while !request.contains("\r\n\r\n") {
                let count = stream.read(&mut some).unwrap();
                request.push_str(std::str::from_utf8(&some[..count]).unwrap());
            }
            arrived.send((request.lines().next().unwrap().to_owned(), stream)).unwrap();
        }
    });
    (url, requests)
}

/// Returns how many threads of this process send cancel calls; `None` where there is no `/proc`.
fn cancelling_threads() -> Option<usize> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let name = |thread: &fs::DirEntry| fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
    Some(threads.filter(|thread| name(thread.as_ref().unwrap()).starts_with("lro-cancel")).count())
}

const FORBIDDEN: &[u8] = b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

#[test]
fn the_cancel_calls_of_a_silent_origin_hold_up_no_other_origin() {
    let [(silent_url, at_silent), (url, requests)] = [silent(), silent()];
    // Far longer than the test waits: what is held up is not seen.
    let settings = PollSettings::default().with_poll_timeout(Duration::from_secs(600));
    let guard = |url: &str, number: usize| {
        let operations = Operations::builder(url).poll_settings(settings.clone()).build().unwrap();
        Images { operations }.resume_export(format!("operations/{number}")).unwrap().cancel_on_drop()
    };
    (0..200).for_each(|number| drop(guard(&silent_url, number)));
    let mut held: Vec<_> = (0..25).map(|_| at_silent.recv_timeout(Duration::from_secs(20)).unwrap()).collect();
    drop(guard(&url, 7));
    let (line, mut connection) = requests.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(line, "POST /v1/operations/7:cancel HTTP/1.1");
    connection.write_all(FORBIDDEN).unwrap();
    // Its other calls follow where it answers.
    for _ in 0..200 {
        let (_, mut connection) =
            held.pop().unwrap_or_else(|| at_silent.recv_timeout(Duration::from_secs(20)).unwrap());
        connection.write_all(FORBIDDEN).unwrap();
    }
}

#[test]
fn guards_dropped_against_a_silent_server_make_one_thread_and_25_connections_at_once() {
    let (url, requests) = silent();
    let images = Images { operations: Operations::builder(url).build().unwrap() };
    let (failed, failures) = mpsc::channel();
    for number in 0..300 {
        let failed = failed.clone();
        let operation = images.resume_export(format!("operations/{number}")).unwrap();
        drop(operation.cancel_on_drop().on_failure(move |error| failed.send(error).unwrap()));
    }
    let mut lines = Vec::new();
    while lines.len() < 300 {
        // As many as arrive at once: perhaps fewer than may, where the guards of other tests have
        // their turn.
        let mut arrived = vec![requests.recv_timeout(Duration::from_secs(20)).unwrap()];
        arrived.extend(std::iter::from_fn(|| requests.recv_timeout(Duration::from_millis(50)).ok()));
        assert!(arrived.len() <= 25, "{} requests at once", arrived.len());
        assert!(cancelling_threads().is_none_or(|threads| threads == 1), "{:?}", cancelling_threads());
        for (line, mut connection) in arrived {
            lines.push(line);
            connection.write_all(FORBIDDEN).unwrap();
        }
    }
    let mut expected: Vec<_> = (0..300).map(|number| format!("POST /v1/operations/{number}:cancel HTTP/1.1")).collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    let mut names: Vec<_> = (0..300)
        .map(|_| {
            let error = failures.recv_timeout(Duration::from_secs(20)).unwrap();
            let name = error.snapshot().unwrap().name().to_owned();
            assert!(error.to_string().contains(&name) && error.status().is_some(), "{error}");
            name
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 300, "each guard hears of its own operation");
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
            failed.send((number, error.clone())).unwrap();
            assert!(error.snapshot().is_none(), "a hook that panics");
        }));
    }
    for _ in 0..3 {
        requests.recv_timeout(Duration::from_secs(20)).unwrap();
    }
    let mut failed = [(); 3].map(|()| failures.recv_timeout(Duration::from_secs(20)).unwrap());
    failed.sort_unstable_by_key(|(number, _)| *number);
    assert_eq!(failed.each_ref().map(|(number, _)| *number), [0, 1, 2]);
    let panicked = &failed[1].1;
    assert_eq!(panicked.kind(), ErrorKind::Poll);
    assert_eq!(panicked.to_string(), "operation `operations/1`: the cancel call panicked; cancel it from the snapshot");
    assert_eq!(panicked.snapshot().unwrap().name(), "operations/1");
}

/// A timer that does something when it is asked whether it is virtual.
struct Asked<F>(F);

impl<F: Fn() + Send + Sync + 'static> Timer for Asked<F> {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn is_virtual(&self) -> bool {
        (self.0)();
        false
    }
}

#[test]
fn a_timer_that_drops_a_guard_itself_or_panics_holds_up_no_guard() {
    let (failed, failures) = mpsc::channel();
    let guard = |name: &str, operations: OperationsBuilder| {
        let failed = failed.clone();
        let operations = operations.transport(|request: Request| async move {
            Err(TransportError::message(TransportErrorKind::Closed, request.uri().path()))
        });
        let images = Images { operations: operations.build().unwrap() };
        let guard = images.resume_export(name).unwrap().cancel_on_drop();
        guard.on_failure(move |error| failed.send(error.to_string()).unwrap())
    };
    let builder = || Operations::builder("http://server.test");
    let inner = Mutex::new(Some(guard("operations/inner", builder())));
    let drops = Asked(move || drop(inner.lock().unwrap().take()));
    let outer = guard("operations/outer", builder().timer(drops));
    let panics = guard("operations/panics", builder().timer(Asked(|| panic!("out of time"))));
    // On a thread of its own: a drop that locks itself out never returns.
    thread::spawn(move || drop((outer, panics)));
    let mut errors = [(); 3].map(|()| failures.recv_timeout(Duration::from_secs(20)).unwrap());
    errors.sort_unstable();
    assert!(errors[0].starts_with("operation `operations/inner`: the cancel call failed"), "{errors:?}");
    assert!(errors[1].starts_with("operation `operations/outer`: the cancel call failed"), "{errors:?}");
    assert!(errors[2].starts_with("operation `operations/panics`: the cancel call panicked"), "{errors:?}");
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
