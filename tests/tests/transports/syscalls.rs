//! How often `HyperTransport` asks the system for one exchange.

use std::{collections::BTreeMap, env, fs, process::Command};

use lro_runtime::transport::{HyperTransport, Transport};

use crate::{
    server::{Server, Then},
    subject::{MAX_BODY, request},
};

/// Set in the process that is traced: the URL that it asks for, and how often.
const CHILD: &str = "LRO_TESTS_SYSCALLS";
const EXCHANGES: usize = 200;

/// One write and two reads: that of the reply, and one that sees whether the connection has ended
/// while it rested.
#[test]
fn an_exchange_is_one_write_and_two_reads() {
    if let Ok(url) = env::var(CHILD) {
        return exchange(&url);
    }
    let server = Server::new(|_, peer| {
        peer.reply("hello");
        Then::KeepOpen
    });
    let report = env::temp_dir().join(format!("lro-syscalls-{}", std::process::id()));
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&report)
        .arg(env::current_exe().unwrap())
        .args(["--exact", "syscalls::an_exchange_is_one_write_and_two_reads", "--test-threads=1"])
        .env(CHILD, server.url("/"))
        .output();
    if !traced.as_ref().is_ok_and(|traced| traced.status.success()) {
        eprintln!("LEFT OUT: strace is missing or may not trace here: {traced:?}");
        return;
    }
    let traced = fs::read_to_string(&report).unwrap();
    let calls = count(&traced);
    fs::remove_file(&report).unwrap();
    let of = |names: &[&str]| names.iter().filter_map(|name| calls.get(*name)).sum::<usize>();
    assert_eq!(server.requests().len(), EXCHANGES);
    assert_eq!(server.connections(), 1);
    // A name is not resolved and no file is sent, so that every such call is the connection's.
    assert_eq!(of(&["sendto", "sendmsg", "writev"]), EXCHANGES, "{calls:?}");
    let reads = of(&["recvfrom", "recvmsg", "readv"]);
    assert!((2 * EXCHANGES - 1..2 * EXCHANGES + 20).contains(&reads), "{reads} reads: {calls:?}");
    // The rest is async-io's wait for the reply: one call for the socket and five for each time
    // that a thread waits. How often one does is the scheduler's.
    let all = calls.values().sum::<usize>() - of(&["futex", "sched_yield"]);
    assert!(all < 18 * EXCHANGES, "{all} calls: {calls:?}");
}

fn exchange(url: &str) {
    let transport = HyperTransport::new();
    async_io::block_on(async {
        for _ in 0..EXCHANGES {
            let reply = transport.send(&request("GET", url, ""), MAX_BODY).await;
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
