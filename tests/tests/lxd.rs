//! Tests of LXD over the unix socket of its daemon, and of what scripts cannot express.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests may fail")]

#[path = "support/scratch.rs"]
mod scratch;

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixListener,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc,
    thread,
    time::{Duration, SystemTime},
};

use futures_lite::StreamExt;
use lro_runtime::{
    Dialect, Operations, PollSettings, RawOperation,
    dialect::Lxd,
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::HyperTransport,
};
use smol::block_on;

use crate::scratch::Scratch;

/// A daemon on a unix socket of its own, which goes with it.
struct Daemon {
    transport: HyperTransport,
    requests: mpsc::Receiver<String>,
    directory: Scratch,
}

impl Daemon {
    /// Starts a daemon that gives these replies in order. A reply is `STATUS|HEADERS|BODY`.
    fn new(replies: &'static [&'static str]) -> Self {
        let directory = Scratch::new();
        let path = directory.join("unix.socket");
        let listener = UnixListener::bind(&path).unwrap();
        let (tell, requests) = mpsc::channel();
        thread::spawn(move || answer(&listener, replies, &tell));
        Self { transport: HyperTransport::unix(&path), requests, directory }
    }

    fn client(&self) -> Operations {
        Operations::builder("http://lxd").dialect(Lxd::new()).transport(self.transport.clone()).build().unwrap()
    }

    /// Starts an operation, with the first reply.
    fn start(&self) -> RawOperation {
        block_on(self.client().start(http::Request::post("/1.0/instances").body("").unwrap())).unwrap()
    }

    /// Returns the first line of every request that was not returned before.
    fn asked(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }
}

/// Answers until no reply is left, and tells the first line of every request.
fn answer(listener: &UnixListener, replies: &[&str], tell: &mpsc::Sender<String>) {
    let mut replies = replies.iter();
    for stream in listener.incoming().map_while(Result::ok) {
        let mut reader = BufReader::new(stream);
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|read| read > 0) {}
            let Some(line) = head.lines().next() else { break };
            // A test that failed asks no more.
            drop(tell.send(line.to_owned()));
            let Some(reply) = replies.next() else { break };
            let (status, rest) = reply.split_once('|').unwrap();
            let (headers, body) = rest.split_once('|').unwrap();
            let length = body.len();
            write!(reader.get_mut(), "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").unwrap();
        }
        if replies.len() == 0 {
            break;
        }
    }
}

const STARTED: &str = "202 Accepted|location: /1.0/operations/u7\r\n|{\"type\":\"async\",\"operation\":\"/1.0/operations/u7\",\"metadata\":{\"status_code\":103}}";
const RUNNING: &str = "200 OK||{\"type\":\"sync\",\"metadata\":{\"status_code\":103}}";
const DONE: &str = "200 OK||{\"type\":\"sync\",\"metadata\":{\"status_code\":200,\"resources\":{}}}";

#[test]
fn an_operation_is_started_and_watched_over_the_unix_socket() {
    let daemon = Daemon::new(&[STARTED, RUNNING, DONE]);
    let quick = PollSettings::default().with_delay(Duration::from_millis(1)).without_long_poll();
    let started = daemon.start();
    let done = block_on(started.poll_until_completed(quick)).unwrap();
    assert!(done.is_succeeded());
    assert_eq!(
        daemon.asked(),
        ["POST /1.0/instances HTTP/1.1", "GET /1.0/operations/u7 HTTP/1.1", "GET /1.0/operations/u7 HTTP/1.1"]
    );
}

#[test]
fn the_server_waits_where_the_settings_ask_it_to() {
    let daemon = Daemon::new(&[STARTED, DONE]);
    let held = PollSettings::default().with_long_poll(Duration::from_secs(30));
    let started = daemon.start();
    assert!(block_on(started.poll_until_completed(held)).unwrap().is_succeeded());
    assert_eq!(daemon.asked().last().unwrap(), "GET /1.0/operations/u7/wait?timeout=30 HTTP/1.1");
}

#[test]
fn the_server_waits_without_being_asked_to() {
    let daemon = Daemon::new(&[STARTED, DONE]);
    let started = daemon.start();
    assert!(block_on(started.poll_until_completed(PollSettings::default())).unwrap().is_succeeded());
    assert_eq!(daemon.asked().last().unwrap(), "GET /1.0/operations/u7/wait?timeout=1 HTTP/1.1");
}

#[test]
fn a_token_made_over_the_unix_socket_works_over_tls_and_with_another_address() {
    const IN_A_PROJECT: &str = "202 Accepted|location: /1.0/operations/u7?project=p\r\n|{\"type\":\"async\"}";
    let daemon = Daemon::new(&[IN_A_PROJECT]);
    let started = daemon.start();
    assert_eq!(started.name(), "/1.0/operations/u7");
    let clock = VirtualClock::new();
    for base in ["https://lxd.example.com:8443", "https://proxy.example.com/lxd"] {
        let transport =
            ScriptedTransport::new(Script::new().reply(http::Response::new(DONE.split('|').nth(2).unwrap().into())));
        let builder = Operations::builder(base).dialect(Lxd::new()).transport(transport.clone().with_clock(&clock));
        let over_tls = builder.timer(clock.clone()).build().unwrap();
        let resumed = over_tls.resume(started.token()).unwrap();
        assert!(block_on(resumed.poll_once()).unwrap().is_succeeded());
        let asked: Vec<_> = transport.requests().iter().map(|request| request.uri().to_string()).collect();
        assert_eq!(asked, [format!("{base}/1.0/operations/u7?project=p")]);
    }
}

#[test]
fn operations_are_listed_whatever_their_state() {
    const LIST: &str = r#"200 OK||{"type":"sync","metadata":{"running":[{"id":"a","status":"Running","status_code":103}],"failure":[{"id":"b","status_code":400,"err":"no"}]}}"#;
    const NONE: &str = r#"200 OK||{"type":"sync","metadata":null}"#;
    let daemon = Daemon::new(&[LIST, NONE]);
    let client = daemon.client();
    let listed: Vec<_> = block_on(client.list("").collect::<Vec<_>>()).into_iter().map(Result::unwrap).collect();
    let found: Vec<_> = listed.iter().map(|operation| (operation.name(), operation.is_failed())).collect();
    assert_eq!(found, [("/1.0/operations/a", false), ("/1.0/operations/b", true)], "in the order of the page");
    assert_eq!(block_on(client.list("").collect::<Vec<_>>()).len(), 0);
    assert_eq!(daemon.asked().first().unwrap(), "GET /1.0/operations?recursion=1 HTTP/1.1");
}

#[test]
fn a_daemon_leaves_no_socket_behind_where_its_test_fails() {
    let mut socket = None;
    let failed = catch_unwind(AssertUnwindSafe(|| {
        let daemon = Daemon::new(&[STARTED]);
        socket = Some(daemon.directory.join("unix.socket"));
        assert!(socket.as_ref().unwrap().exists());
        resume_unwind(Box::new("the test fails"));
    }));
    assert!(failed.is_err() && !socket.unwrap().exists());
}

#[test]
fn what_a_killed_test_left_behind_is_removed_by_a_later_one() {
    let stale = std::env::temp_dir().join(format!("lro-test-killed-{}", std::process::id()));
    std::fs::create_dir(&stale).unwrap();
    let _recent = Scratch::new();
    assert!(stale.exists());
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    File::open(&stale).unwrap().set_modified(long_ago).unwrap();
    let _later = Scratch::new();
    assert!(!stale.exists());
}

#[test]
fn a_name_reaches_operations_and_nothing_else() {
    for legal in ["7", "/1.0/operations/7", "1.0/operations/7?project=p"] {
        assert_eq!(Lxd::new().locate(legal, &[]).unwrap().key(), "1.0/operations/7", "{legal}");
    }
    for other in ["1.0/instances/c1", "/1.0/operations/7/wait", "..", "", "1.0/operations/"] {
        assert!(Lxd::new().locate(other, &[]).is_err(), "{other}");
    }
}
