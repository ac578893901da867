//! Promises of replies that say again what the one before has said: they are not read, and
//! everything but their body counts.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures_lite::StreamExt;
use lro_runtime::{
    Dialect, Failure, Operations, PollSettings, RawOperation, State, Transport,
    dialect::{Call, Cursor, Google, Observation, Options},
    testing::VirtualClock,
    transport::{BoxFuture, Reply, Request, TransportError},
};

use crate::support::secs;

/// The dialect of Google, which counts what it reads.
struct Counting(Google, Arc<AtomicUsize>);

impl Dialect for Counting {
    fn id(&self) -> &'static str {
        self.0.id()
    }

    fn read_start<'a>(&self, _: &Request, _: &'a Reply, _: &Options) -> Result<Observation<'a>, Failure> {
        Err(Failure::unsupported("nothing is started here"))
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        self.0.locate(name, options)
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.0.poll(cursor)
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.read(cursor, reply)
    }

    fn reads_the_same(&self, reply: &Reply) -> bool {
        self.0.reads_the_same(reply)
    }
}

const ONE: &str = r#"{"name": "operations/1", "metadata": {"percent": 1}}"#;
const TWO: &str = r#"{"name": "operations/1", "metadata": {"percent": 2}}"#;
const PENDING: &str = r#"{"name": "operations/1"}"#;
const DONE: &str = r#"{"name": "operations/1", "done": true, "response": {}}"#;

/// Replies in this order: the status, a hint in seconds, the body.
struct Replies(Mutex<std::vec::IntoIter<(u16, Option<u64>, &'static str)>>);

impl Transport for Replies {
    fn send<'a>(&'a self, _: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let (status, hint, body) = self.0.lock().unwrap().next().unwrap();
        let mut reply = Reply::new(body.into());
        *reply.status_mut() = status.try_into().unwrap();
        reply.headers_mut().extend(hint.map(|hint| (http::header::RETRY_AFTER, hint.into())));
        Box::pin(async { Ok(reply) })
    }
}

/// Returns an operation with these replies, its clock, and how many were read.
fn operation(replies: Vec<(u16, Option<u64>, &'static str)>) -> (RawOperation, VirtualClock, Arc<AtomicUsize>) {
    let (clock, reads) = (VirtualClock::new(), Arc::new(AtomicUsize::new(0)));
    let operations = Operations::builder("http://server.test")
        .dialect(Counting(Google::new(), Arc::clone(&reads)))
        .transport(Replies(Mutex::new(replies.into_iter())))
        .timer(clock.clone())
        .poll_settings(PollSettings::default().with_delay(secs(1.0)).with_multiplier(1.0))
        .build()
        .unwrap();
    (operations.resume("operations/1").unwrap(), clock, reads)
}

#[test]
fn a_reply_with_the_body_of_the_one_before_is_not_read_and_its_hint_counts() {
    let replies = vec![
        (200, None, ONE),
        (200, Some(5), ONE),
        (200, None, ONE),
        (200, None, TWO),
        (203, None, TWO),
        (503, None, TWO),
        (200, None, TWO),
        (200, None, ONE),
        (200, None, DONE),
    ];
    let seen = ["1", "1", "1", "2", "2", "2", "1"];
    for is_stream in [false, true] {
        let (operation, clock, reads) = operation(replies.clone());
        if is_stream {
            let all: Vec<_> = smol::block_on(operation.snapshots(PollSettings::default()).collect());
            // Snapshots that were given out stay as they were.
            let metadata =
                all.iter().map(|next| next.as_ref().unwrap().metadata().map(|payload| payload.bytes().to_vec()));
            let expected = seen.map(|percent| Some(format!(r#"{{"percent": {percent}}}"#).into_bytes()));
            // The first was not polled, and the last has no metadata of its own: the last known.
            let expected = std::iter::once(None).chain(expected.clone()).chain(expected.last().cloned());
            assert_eq!(metadata.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        } else {
            let done = smol::block_on(operation.poll_until_completed(PollSettings::default())).unwrap();
            assert_eq!((done.state(), done.raw().as_ref()), (State::Succeeded, DONE.as_bytes()));
        }
        // ONE, TWO, the 503 whose body is TWO, ONE, DONE; a failure changes no snapshot.
        assert_eq!(reads.load(Ordering::Relaxed), 5);
        assert_eq!(clock.elapsed(), secs(12.0), "seven delays of a second, and the hint of five");
    }
}

#[test]
fn a_reply_that_goes_backwards_is_not_the_one_before() {
    let (operation, _, reads) =
        operation(vec![(200, None, ONE), (200, None, PENDING), (200, None, PENDING), (200, None, ONE)]);
    let mut last = operation;
    let mut found = vec![];
    for _ in 0..4 {
        last = smol::block_on(last.poll_once()).unwrap();
        found.push((last.state(), last.raw().clone(), reads.load(Ordering::Relaxed)));
    }
    // The last has the body of the snapshot, which was of the first poll.
    let one = |reads| (State::Running, ONE.into(), reads);
    assert_eq!(found, [one(1), one(2), one(3), one(3)]);
}
