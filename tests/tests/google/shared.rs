//! Tests of `shared`: many waiters for one operation share one poll loop.

use std::{
    future::{Future, IntoFuture},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_lite::future;
use lro_runtime::{
    ErrorKind, Operations, PollSettings, RawOperation, Result, Waiting,
    dialect::Google,
    testing::{Job, LroServer},
};
use serde_json::json;

use crate::answers::{Answer, Answers};

/// Returns a service whose operation is done after this many polls.
fn service(polls: usize) -> Answers {
    Answers::new(move |n, _| match n {
        n if n < polls => r#"{"name": "operations/1", "metadata": {}}"#,
        _ => r#"{"name": "operations/1", "done": true, "response": {}}"#,
    })
}

fn operation(answers: &Answers) -> RawOperation {
    let (operations, _) = answers.operations("https://images.example.com", Google::new());
    operations.resume("operations/1").unwrap()
}

/// A waker that counts how often it wakes.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_thousand_waiters_send_as_many_requests_as_one() {
    let alone = service(20);
    let one = future::block_on(operation(&alone).poll_until_completed(PollSettings::default()));
    assert!(one.unwrap().is_succeeded());
    let together = service(20);
    let shared = operation(&together).shared(PollSettings::default());
    let executor = smol::LocalExecutor::new();
    let waiters: Vec<_> = (0..1000).map(|_| executor.spawn(shared.clone().into_future())).collect();
    let ended: Vec<Result<RawOperation>> = future::block_on(executor.run(async {
        let mut ended = Vec::new();
        for waiter in waiters {
            ended.push(waiter.await);
        }
        ended
    }));
    assert!(ended.iter().all(|result| result.as_ref().unwrap().is_succeeded()));
    assert_eq!(together.requests().len(), alone.requests().len());
    assert_eq!(shared.waiters(), 0);
    assert!(size_of_val(&shared.into_future()) <= 32, "a waiter is small");
}

/// Returns a service that never answers the first request, and answers all others at once.
fn stuck_at_first() -> Answers {
    Answers::new(|n, _| match n {
        0 => Answer::Silence,
        _ => r#"{"name": "operations/1", "done": true, "response": {}}"#.into(),
    })
}

#[test]
fn when_the_driver_is_dropped_the_next_one_is_woken_and_goes_on_without_another_request() {
    let answers = stuck_at_first();
    let clock = lro_runtime::testing::VirtualClock::manual();
    let builder = Operations::builder("https://images.example.com").transport(answers.clone()).timer(clock.clone());
    let shared = builder.build().unwrap().resume("operations/1").unwrap().shared(PollSettings::default());
    let woken = [Arc::new(Woken::default()), Arc::new(Woken::default()), Arc::new(Woken::default())];
    let mut waiters: Vec<_> = woken.iter().map(|_| Box::pin(shared.clone().into_future())).collect();
    let poll = |index: usize, waiters: &mut Vec<Pin<Box<Waiting<RawOperation>>>>| {
        let waker = Waker::from(Arc::clone(&woken[index]));
        Future::poll(waiters[index].as_mut(), &mut Context::from_waker(&waker))
    };
    for index in 0..3 {
        assert!(poll(index, &mut waiters).is_pending());
    }
    assert_eq!((answers.requests().len(), shared.waiters()), (1, 3));
    drop(waiters.remove(2));
    assert_eq!(woken[1].0.load(Ordering::SeqCst), 0, "a waiter that does not drive disturbs nobody");
    drop(waiters.remove(0));
    assert_eq!(woken[1].0.load(Ordering::SeqCst), 1);
    waiters.insert(0, Box::pin(shared.clone().into_future()));
    assert!(poll(1, &mut waiters).is_pending());
    assert_eq!(answers.requests().len(), 1, "the request in flight goes on");
    while woken[1].0.load(Ordering::SeqCst) < 2 {
        clock.advance(Duration::from_secs(1)); // until the first poll is given up
    }
    let mut polls = 0;
    while poll(1, &mut waiters).is_pending() {
        clock.advance(Duration::from_secs(1));
        polls += 1;
        assert!(polls < 100);
    }
    assert_eq!(answers.requests().len(), 2);
    assert!(
        matches!(poll(0, &mut waiters), Poll::Ready(Ok(done)) if done.is_succeeded()),
        "who comes late gets it at once"
    );
}

#[test]
fn without_waiters_nothing_is_sent_and_a_later_waiter_begins_at_the_last_snapshot() {
    let answers = service(3);
    let shared = operation(&answers).shared(PollSettings::default());
    future::block_on(async {
        let waiter = shared.clone().into_future();
        future::or(async { drop(waiter.await) }, async {
            while answers.requests().len() < 2 {
                future::yield_now().await;
            }
        })
        .await;
    });
    assert_eq!(shared.waiters(), 0);
    assert_eq!(answers.requests().len(), 2);
    assert!(future::block_on(shared.into_future()).unwrap().is_succeeded());
    assert_eq!(answers.requests().len(), 4);
}

#[test]
fn an_error_is_everybodys() {
    let answers = service(usize::MAX);
    let shared = operation(&answers).shared(PollSettings::default().with_timeout(Duration::from_secs(10)));
    let (one, two) = future::block_on(future::zip(shared.clone().into_future(), shared.clone().into_future()));
    assert_eq!((one.unwrap_err().kind(), two.unwrap_err().kind()), (ErrorKind::Timeout, ErrorKind::Timeout));
    assert!(!shared.snapshot().is_completed());
}

#[test]
fn threads_share_one_loop_too() {
    let server = LroServer::builder().start().unwrap();
    let name = server.add(Job::polls(5).responds(json!({})));
    let settings = PollSettings::default().with_delay(Duration::from_millis(10)).with_multiplier(1.0);
    let shared = server.operations().unwrap().resume(name.as_str()).unwrap().shared(settings);
    std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..8).map(|_| scope.spawn(|| shared.wait_blocking())).collect();
        assert!(waiters.into_iter().all(|waiter| waiter.join().unwrap().unwrap().is_succeeded()));
    });
    assert!((5..=6).contains(&server.requests(&name)), "{}", server.requests(&name));
}

#[test]
fn a_dropped_loop_frees_everything() {
    let answers = stuck_at_first();
    let operation = operation(&answers);
    let shared = operation.shared(PollSettings::default().without_expiration());
    let weak = {
        let mut waiter = pin!(shared.clone().into_future());
        let waker = Waker::from(Arc::new(Woken::default()));
        assert!(waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        shared.waiters()
    };
    assert_eq!((weak, shared.waiters()), (1, 0));
}
