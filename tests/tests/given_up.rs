//! A poll that is given up leaves no thread and no socket behind. The test counts those of its
//! process, so that it is alone in it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops: that is what a test is for")]

use std::{
    fs,
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use async_io::Timer;
use bytes::Bytes;
use futures_lite::future::or;
use lro_runtime::transport::{Transport, UreqTransport};

/// The longest that a poll of these may take.
const LIMIT: Duration = Duration::from_millis(50);

/// Returns how many threads of ureq requests and how many open files this process has.
fn left() -> (usize, usize) {
    let threads = fs::read_dir("/proc/self/task").unwrap().filter(|thread| {
        let name = fs::read_to_string(thread.as_ref().unwrap().path().join("comm"));
        name.is_ok_and(|name| name.trim() == "lro-ureq") // it may have ended since
    });
    (threads.count(), fs::read_dir("/proc/self/fd").unwrap().count())
}

#[test]
fn polls_that_are_given_up_end_with_their_time_limit() {
    async_io::block_on(Timer::after(Duration::from_millis(1))); // the timer opens files of its own
    let silent = TcpListener::bind("127.0.0.1:0").unwrap(); // the system accepts, and nobody reads
    let uri = format!("http://{}/", silent.local_addr().unwrap());
    let request = http::Request::get(uri).body(Bytes::new()).unwrap();
    let transport = UreqTransport::new();
    let (threads, files) = left();
    assert_eq!(threads, 0);

    let executor = smol::LocalExecutor::new();
    let polls = (0..50).map(|_| {
        let given_up = async {
            Timer::after(LIMIT / 5).await;
            None
        };
        executor.spawn(or(async { Some(transport.send_within(&request, 1_000, LIMIT).await) }, given_up))
    });
    let polls = polls.collect::<Vec<_>>();
    async_io::block_on(executor.run(async {
        for poll in polls {
            assert!(poll.await.is_none_or(|outcome| outcome.is_err()), "a silent server answered");
        }
    }));

    let patience = Instant::now() + Duration::from_secs(20);
    while left() != (0, files) && Instant::now() < patience {
        thread::sleep(LIMIT);
    }
    assert_eq!(left(), (0, files), "threads and open files after 50 polls were given up");
}
