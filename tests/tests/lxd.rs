//! Tests of LXD over the unix socket of its daemon, and of what scripts cannot express.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixListener,
    sync::mpsc,
    thread,
    time::Duration,
};

use futures_lite::StreamExt;
use lro_runtime::{
    Dialect, Operations, PollSettings,
    dialect::Lxd,
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::HyperTransport,
};
use smol::block_on;

/// Starts a daemon that gives these replies in order, on a unix socket of its own.
///
/// Returns a transport to it, and a channel with the first line of every request. A reply is
/// `STATUS|HEADERS|BODY`.
fn daemon(replies: &'static [&'static str]) -> (HyperTransport, mpsc::Receiver<String>) {
    let name = format!("lro-lxd-{}-{:x}.socket", std::process::id(), fastrand::u64(..));
    let path = std::env::temp_dir().join(name);
    let listener = UnixListener::bind(&path).unwrap();
    let (tell, told) = mpsc::channel();
    let transport = HyperTransport::unix(&path);
    thread::spawn(move || {
        let mut replies = replies.iter();
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            loop {
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|read| read > 0) {}
                let Some(line) = head.lines().next() else { break };
                tell.send(line.to_owned()).unwrap();
                let Some(reply) = replies.next() else { break };
                let (status, rest) = reply.split_once('|').unwrap();
                let (headers, body) = rest.split_once('|').unwrap();
                let length = body.len();
                write!(reader.get_mut(), "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}")
                    .unwrap();
            }
            if replies.len() == 0 {
                break;
            }
        }
        drop(std::fs::remove_file(path));
    });
    (transport, told)
}

const STARTED: &str = "202 Accepted|location: /1.0/operations/u7\r\n|{\"type\":\"async\",\"operation\":\"/1.0/operations/u7\",\"metadata\":{\"status_code\":103}}";
const RUNNING: &str = "200 OK||{\"type\":\"sync\",\"metadata\":{\"status_code\":103}}";
const DONE: &str = "200 OK||{\"type\":\"sync\",\"metadata\":{\"status_code\":200,\"resources\":{}}}";

fn client(transport: HyperTransport) -> Operations {
    Operations::builder("http://lxd").dialect(Lxd::new()).transport(transport).build().unwrap()
}

#[test]
fn an_operation_is_started_and_watched_over_the_unix_socket() {
    let (transport, asked) = daemon(&[STARTED, RUNNING, DONE]);
    let quick = PollSettings::default().with_delay(Duration::from_millis(1)).without_long_poll();
    let started = block_on(client(transport).start(http::Request::post("/1.0/instances").body("").unwrap())).unwrap();
    let done = block_on(started.poll_until_completed(quick)).unwrap();
    assert!(done.is_succeeded());
    let asked: Vec<_> = asked.try_iter().collect();
    assert_eq!(
        asked,
        ["POST /1.0/instances HTTP/1.1", "GET /1.0/operations/u7 HTTP/1.1", "GET /1.0/operations/u7 HTTP/1.1"]
    );
}

#[test]
fn the_server_waits_where_the_settings_ask_it_to() {
    let (transport, asked) = daemon(&[STARTED, DONE]);
    let held = PollSettings::default().with_long_poll(Duration::from_secs(30));
    let started = block_on(client(transport).start(http::Request::post("/1.0/instances").body("").unwrap())).unwrap();
    assert!(block_on(started.poll_until_completed(held)).unwrap().is_succeeded());
    assert_eq!(asked.try_iter().last().unwrap(), "GET /1.0/operations/u7/wait?timeout=30 HTTP/1.1");
}

#[test]
fn the_server_waits_without_being_asked_to() {
    let (transport, asked) = daemon(&[STARTED, DONE]);
    let started = block_on(client(transport).start(http::Request::post("/1.0/instances").body("").unwrap())).unwrap();
    assert!(block_on(started.poll_until_completed(PollSettings::default())).unwrap().is_succeeded());
    assert_eq!(asked.try_iter().last().unwrap(), "GET /1.0/operations/u7/wait?timeout=1 HTTP/1.1");
}

#[test]
fn a_token_made_over_the_unix_socket_works_over_tls_and_with_another_address() {
    const IN_A_PROJECT: &str = "202 Accepted|location: /1.0/operations/u7?project=p\r\n|{\"type\":\"async\"}";
    let (transport, _asked) = daemon(&[IN_A_PROJECT]);
    let started = block_on(client(transport).start(http::Request::post("/1.0/instances").body("").unwrap())).unwrap();
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
    let (transport, asked) = daemon(&[LIST, NONE]);
    let client = client(transport);
    let listed: Vec<_> = block_on(client.list("").collect::<Vec<_>>()).into_iter().map(Result::unwrap).collect();
    let found: Vec<_> = listed.iter().map(|operation| (operation.name(), operation.is_failed())).collect();
    assert_eq!(found, [("/1.0/operations/a", false), ("/1.0/operations/b", true)], "in the order of the page");
    assert_eq!(block_on(client.list("").collect::<Vec<_>>()).len(), 0);
    assert_eq!(asked.try_iter().next().unwrap(), "GET /1.0/operations?recursion=1 HTTP/1.1");
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
