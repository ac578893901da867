//! How often `HyperTransport` and `AsyncIoTimer` ask the system for one exchange with a time limit.

use std::{collections::BTreeMap, env, fs, process::Command, time::Duration};

use futures_lite::future::or;
use lro_runtime::{
    Timer,
    timer::AsyncIoTimer,
    transport::{HyperTransport, Transport},
};

use crate::{
    scratch::Scratch,
    server::{Server, Then},
    subject::{MAX_BODY, request},
};

/// Set in the process that is traced: the URL that it asks for, and how often.
const CHILD: &str = "LRO_TESTS_SYSCALLS";
const EXCHANGES: usize = 200;

/// One write and two reads: that of the reply, and one that sees whether the connection has ended
/// while it rested. One call asks for news of the socket, and the five of one turn of async-io's
/// reactor wait for it: to set its own timer, to be told of that, to wait, and to read and to be
/// told of what wakes it. The time limit of the exchange takes none.
#[test]
#[ignore = "needs strace: `.ci/run` runs it, and says LEFT OUT where there is none or it may not trace"]
fn an_exchange_is_one_write_and_two_reads() {
    if let Ok(url) = env::var(CHILD) {
        return exchange(&url);
    }
    let server = Server::new(|_, peer| {
        peer.reply("hello");
        Then::KeepOpen
    });
    let directory = Scratch::new();
    let report = directory.join("report");
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&report)
        .arg(env::current_exe().unwrap())
        .args(["--exact", "syscalls::an_exchange_is_one_write_and_two_reads", "--include-ignored", "--test-threads=1"])
        .env(CHILD, server.url("/"))
        .output();
    if !traced.as_ref().is_ok_and(|traced| traced.status.success()) {
        eprintln!("LEFT OUT: strace is missing or may not trace here: {traced:?}");
        return;
    }
    let traced = fs::read_to_string(&report).unwrap();
    let calls = count(&traced);
    let of = |names: &[&str]| names.iter().filter_map(|name| calls.get(*name)).sum::<usize>();
    assert_eq!(server.requests().len(), EXCHANGES);
    assert_eq!(server.connections(), 1);
    // A name is not resolved and no file is sent, so that every such call is the connection's.
    assert_eq!(of(&["sendto", "sendmsg", "writev"]), EXCHANGES, "{calls:?}");
    let reads = of(&["recvfrom", "recvmsg", "readv"]);
    // A few more where the reply's thread is woken by the event of before, which a busy machine
    // tells late.
    assert!((2 * EXCHANGES - 1..2 * EXCHANGES + EXCHANGES / 2).contains(&reads), "{reads} reads: {calls:?}");
    // What is written wakes the reactor, as a limit does that is set for each exchange: there is
    // one for the first, and what the test prints.
    assert!(of(&["write"]) < EXCHANGES / 10, "{calls:?}");
    // Nine of one exchange, and six more where the reactor has a turn in vain: how often is the
    // scheduler's, but not every second time.
    let turns = ["epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "timerfd_settime", "read", "write"];
    let all = EXCHANGES + reads + of(&turns);
    assert!(all < 12 * EXCHANGES, "{all} calls for {EXCHANGES} exchanges: {calls:?}");
}

fn exchange(url: &str) {
    let transport = HyperTransport::new();
    async_io::block_on(async {
        for _ in 0..EXCHANGES {
            let request = request("GET", url, "");
            let limit = async {
                AsyncIoTimer.sleep(Duration::from_secs(30)).await;
                panic!("no reply");
            };
            let reply = or(transport.send(&request, MAX_BODY), limit).await;
            assert_eq!(reply.unwrap().body(), "hello");
        }
    });
}

/// Returns how often each call occurs in a report of strace: lines such as `12 futex(0x1, …) = 0`.
fn count(report: &str) -> BTreeMap<&str, usize> {
    let mut calls = BTreeMap::new();
    for line in report.lines() {
        // A call that another thread's interrupts has a second line, which begins with `<...`.
        let name = line.split_whitespace().nth(1).and_then(|call| call.split_once('(')).map(|(name, _)| name);
        if let Some(name) = name {
            *calls.entry(name).or_default() += 1;
        }
    }
    calls
}
