//! Tests of `shared`: many waiters for one operation share one poll loop.

use std::{
    future::{Future, IntoFuture, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use futures_lite::future;
use lro_runtime::{
    ErrorKind, Operations, PollSettings, RawOperation, Result, Shared, Timer, Waiting,
    dialect::Google,
    testing::{Job, LroServer, VirtualClock},
    transport::{Reply, Request},
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

/// A waiter, and how often it was woken.
struct Polled {
    waiter: Pin<Box<Waiting<RawOperation>>>,
    woken: Arc<Woken>,
}

impl Polled {
    fn new(shared: &Shared<RawOperation>) -> Self {
        Self { waiter: Box::pin(shared.clone().into_future()), woken: Arc::default() }
    }

    fn poll(&mut self) -> Poll<Result<RawOperation>> {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.waiter.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn woken(&self) -> usize {
        self.woken.0.load(Ordering::SeqCst)
    }

    /// Polls as an executor does, after each wake-up, and moves the clock when there is none.
    /// Returns the end and the number of polls.
    fn finish(&mut self, clock: &VirtualClock) -> (Result<RawOperation>, usize) {
        for polls in 1..1000 {
            let before = self.woken();
            if let Poll::Ready(ended) = self.poll() {
                return (ended, polls);
            }
            while self.woken() == before {
                clock.advance(clock.next_deadline().unwrap());
            }
        }
        unreachable!("it ends")
    }
}

/// Returns a shared wait for up to a minute on a clock that moves when it is told to.
fn shared_by_hand(answers: &Answers) -> (VirtualClock, Shared<RawOperation>) {
    let clock = VirtualClock::manual();
    let builder = Operations::builder("https://images.example.com").transport(answers.clone()).timer(clock.clone());
    let settings = PollSettings::default().with_timeout(Duration::from_secs(60));
    (clock, builder.build().unwrap().resume("operations/1").unwrap().shared(settings))
}

#[test]
fn a_waiter_that_is_held_but_not_polled_holds_up_no_other() {
    let alone = service(8);
    let (clock, shared) = shared_by_hand(&alone);
    let (ended, polls_alone) = Polled::new(&shared).finish(&clock);
    assert!(ended.unwrap().is_succeeded());

    let together = service(8);
    let (clock, shared) = shared_by_hand(&together);
    let mut held = [Polled::new(&shared), Polled::new(&shared)];
    assert!(held.iter_mut().all(|waiter| waiter.poll().is_pending()));
    let mut polled = Polled::new(&shared);
    assert!(polled.poll().is_pending());
    let (ended, polls) = polled.finish(&clock);
    assert!(ended.unwrap().is_succeeded());
    assert_eq!(together.requests().len(), alone.requests().len());
    assert!(polls <= polls_alone + 1, "{polls} polls, {polls_alone} alone");
    assert_eq!(held.iter().map(Polled::woken).collect::<Vec<_>>(), [1, 1], "who is not polled is woken once");
    assert!(held.iter_mut().all(|waiter| matches!(waiter.poll(), Poll::Ready(Ok(done)) if done.is_succeeded())));
}

#[test]
fn a_time_limit_passes_on_time_while_a_waiter_is_held() {
    let (clock, shared) = shared_by_hand(&service(usize::MAX));
    let mut held = Polled::new(&shared);
    assert!(held.poll().is_pending());
    let (ended, _) = Polled::new(&shared).finish(&clock);
    assert_eq!((ended.unwrap_err().kind(), clock.elapsed()), (ErrorKind::Timeout, Duration::from_secs(60)));
}

#[test]
fn a_dropped_waiter_leaves_the_request_in_flight_to_those_that_remain() {
    let answers = stuck_at_first();
    let (clock, shared) = shared_by_hand(&answers);
    let mut waiters = [Polled::new(&shared), Polled::new(&shared), Polled::new(&shared)];
    assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_pending()));
    assert_eq!((answers.requests().len(), shared.waiters()), (1, 3));
    let [first, mut second, third] = waiters;
    drop((first, third));
    assert_eq!((second.woken(), shared.waiters()), (0, 1), "there is nothing to do yet");
    assert!(second.poll().is_pending());
    assert_eq!(answers.requests().len(), 1, "the request in flight goes on");
    assert!(second.finish(&clock).0.unwrap().is_succeeded());
    assert_eq!(answers.requests().len(), 2, "after the first poll was given up");
    assert!(
        matches!(Polled::new(&shared).poll(), Poll::Ready(Ok(done)) if done.is_succeeded()),
        "also for who comes late"
    );
}

/// Returns an operation whose requests poll this function.
fn polls(poll: impl Fn(&Waker) -> Poll<()> + Clone + Send + Sync + 'static) -> RawOperation {
    let builder = Operations::builder("https://images.example.com").timer(VirtualClock::manual());
    let operation = builder.transport(service(0)).build().unwrap().resume("operations/1").unwrap();
    operation.with_transport(move |_: Request| {
        let poll = poll.clone();
        async move {
            poll_fn(|context| poll(context.waker())).await;
            Ok(Reply::new(r#"{"name": "operations/1", "done": true}"#.into()))
        }
    })
}

#[test]
fn one_wake_up_polls_the_loop_once_and_wakes_the_oldest_waiter_first() {
    /// A waker that writes its number down.
    struct Numbered(usize, Arc<Mutex<Vec<usize>>>);

    impl Wake for Numbered {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    let (polled, waker) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None::<Waker>)));
    let (count, kept) = (Arc::clone(&polled), Arc::clone(&waker));
    let shared = polls(move |waker| {
        *kept.lock().unwrap() = Some(waker.clone());
        if count.fetch_add(1, Ordering::SeqCst) < 2 { Poll::Pending } else { Poll::Ready(()) }
    })
    .shared(PollSettings::default());
    let woken = Arc::new(Mutex::new(vec![]));
    let mut waiters: Vec<_> = (0..100).map(|_| Box::pin(shared.clone().into_future())).collect();
    let mut poll_all = || {
        let poll = |(number, waiter): (usize, &mut Pin<Box<Waiting<RawOperation>>>)| {
            let waker = Waker::from(Arc::new(Numbered(number, Arc::clone(&woken))));
            waiter.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
        };
        waiters.iter_mut().enumerate().map(poll).filter(|is_ready| *is_ready).count()
    };
    assert_eq!((poll_all(), polled.load(Ordering::SeqCst)), (0, 1));
    assert_eq!((poll_all(), polled.load(Ordering::SeqCst)), (0, 1), "nothing woke the loop");
    let wake = || waker.lock().unwrap().take().unwrap().wake();
    wake();
    assert_eq!(*woken.lock().unwrap(), (0..100).collect::<Vec<_>>());
    assert_eq!((poll_all(), polled.load(Ordering::SeqCst)), (0, 2));
    wake();
    assert_eq!((poll_all(), polled.load(Ordering::SeqCst)), (100, 3));
}

#[test]
fn a_wake_up_during_a_step_reaches_those_that_found_the_loop_taken() {
    let other = Arc::new(Mutex::new(None::<Polled>));
    let polled_within = Arc::clone(&other);
    let shared = polls(move |waker| match polled_within.lock().unwrap().as_mut() {
        Some(other) if other.woken() == 0 => {
            assert!(other.poll().is_pending());
            waker.wake_by_ref();
            Poll::Pending
        }
        _ => Poll::Ready(()),
    })
    .shared(PollSettings::default());
    *other.lock().unwrap() = Some(Polled::new(&shared));
    let mut held = Polled::new(&shared);
    assert!(held.poll().is_pending());
    let mut other = other.lock().unwrap().take().unwrap();
    assert_eq!(other.woken(), 1);
    let mut polls = 0;
    while other.poll().is_pending() {
        polls += 1;
        assert_eq!(other.woken(), 1 + polls, "it goes on by itself");
    }
    assert!(polls <= 1, "{polls}");
}

#[test]
fn a_step_that_panics_is_made_anew_by_another_waiter() {
    let is_first = Arc::new(AtomicUsize::new(0));
    let shared = polls(move |_| {
        assert_eq!(is_first.fetch_add(1, Ordering::SeqCst), 1, "out of paper");
        Poll::Ready(())
    })
    .shared(PollSettings::default());
    let (mut one, mut two) = (Polled::new(&shared), Polled::new(&shared));
    let caught = catch_unwind(AssertUnwindSafe(|| one.poll()));
    assert!(caught.is_err());
    assert!(matches!(two.poll(), Poll::Ready(Ok(done)) if done.is_succeeded()));
}

#[test]
fn other_tasks_run_between_the_polls_of_a_shared_loop() {
    let answers = service(5);
    let (operations, clock) = answers.operations("https://images.example.com", Google::new());
    let shared = operations.resume("operations/1").unwrap().shared(PollSettings::default());
    let executor = smol::LocalExecutor::new();
    let waiters: Vec<_> = (0..100).map(|_| executor.spawn(shared.clone().into_future())).collect();
    let ticks = executor.spawn(async move {
        let mut ticks = vec![];
        for _ in 0..20 {
            clock.sleep(Duration::from_millis(100)).await;
            ticks.push(clock.elapsed().as_millis());
        }
        ticks
    });
    let ticks = future::block_on(executor.run(async {
        for waiter in waiters {
            assert!(waiter.await.unwrap().is_succeeded());
        }
        ticks.await
    }));
    assert_eq!(ticks, (1..=20).map(|tick| tick * 100).collect::<Vec<_>>());
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
