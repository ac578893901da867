//! Promises of a polling function of one's own: it takes the place of the transport, and everything
//! else stays as it is.

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use lro_runtime::{
    CancelOutcome, Code, ErrorKind, Operations, PollSettings, RawOperation, Timer,
    testing::{Script, ScriptedTransport, VirtualClock},
    timer::{BoxSleep, Sleep},
    transport::{BoxFuture, Reply, Request, TransportError, TransportErrorKind},
};
use serde_json::json;

use crate::support::{Stage, cat, json_reply, percent, reply, secs};

#[test]
fn a_wait_polls_with_a_function_of_ones_own_and_keeps_its_delays_and_its_error_budget() {
    let stage = Stage::new(Script::new().running_with(percent(1)));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let operation = stage.export().with_transport(move |request: Request| {
        assert_eq!(request.uri().path(), "/v1/operations/1");
        let polls = count.fetch_add(1, Ordering::Relaxed);
        async move {
            match polls {
                0 => Err(TransportError::new(TransportErrorKind::Closed, "the cache is away")),
                1 => Ok(json_reply(&json!({ "name": "operations/1", "metadata": percent(50) }))),
                _ => Ok(json_reply(&json!({ "name": "operations/1", "done": true, "response": cat() }))),
            }
        }
    });
    let polls = Arc::new(AtomicUsize::new(0));
    let failures = Arc::clone(&polls);
    let mut observed = operation.on_failed_poll(move |_| {
        failures.fetch_add(1, Ordering::Relaxed);
    });
    let settings = PollSettings::default().with_delay(secs(2.0)).with_multiplier(1.0);
    let done = smol::block_on(observed.poll_until_completed(settings)).unwrap();
    assert_eq!((polls.load(Ordering::Relaxed), asked.load(Ordering::Relaxed)), (1, 3));
    assert!(stage.clock.elapsed() >= secs(4.0), "{:?}", stage.clock.elapsed());
    assert_eq!(stage.requests(), 1, "the client's transport has sent the start call only");
    assert_eq!(done.into_result().unwrap().uri, "gs://pictures/cat.png");
}

#[test]
fn a_polling_function_is_held_to_the_limits_of_every_transport() {
    let clock = VirtualClock::new();
    let transport = ScriptedTransport::new(Script::new());
    let operations = Operations::builder("http://server.test")
        .transport(transport)
        .timer(clock.clone())
        .max_body(8)
        .build()
        .unwrap();
    let operation = operations.resume("operations/1").unwrap();
    let large = operation.with_transport(|_: Request| async { Ok(Reply::new("123456789".into())) });
    let error = large.blocking().poll_once().unwrap_err();
    assert!(error.to_string().contains("larger than the limit of 8 bytes"), "{error}");
    let silent = operation.with_transport(|_: Request| std::future::pending());
    let error = silent.blocking().poll_until_completed(PollSettings::default().with_timeout(secs(9.0))).unwrap_err();
    assert_eq!((error.kind(), clock.elapsed()), (ErrorKind::Timeout, secs(9.0)));
}

#[test]
fn the_calls_about_an_operation_take_its_transport_too() {
    let operations = Stage::new(Script::new()).client.operations;
    let operation = operations.resume("operations/1").unwrap().with_transport(|request: Request| async move {
        Ok(match request.uri().path() {
            "/v1/operations/1:cancel" => json_reply(&json!({})),
            _ => reply(501, ""),
        })
    });
    assert_eq!(operation.blocking().cancel().unwrap(), CancelOutcome::Requested);
    let error = operation.blocking().delete().unwrap_err();
    assert_eq!(error.status().unwrap().code(), Code::Unimplemented);
}

/// A virtual clock that counts the sleeps that are made, and how often one is set anew.
#[derive(Clone)]
struct Counting {
    clock: VirtualClock,
    /// Whether its sleeps can be set anew.
    is_reusable: bool,
    made: Arc<AtomicUsize>,
    set: Arc<AtomicUsize>,
}

impl Counting {
    fn new(is_reusable: bool) -> Self {
        Self { clock: VirtualClock::new(), is_reusable, made: Arc::default(), set: Arc::default() }
    }

    /// Returns an operation whose polls are answered after as many seconds as `replies` has, and
    /// never after the last.
    fn operation(&self, replies: Vec<f64>) -> RawOperation {
        let operations = Operations::builder("http://server.test").timer(self.clone()).build().unwrap();
        let (clock, replies) = (self.clock.clone(), Mutex::new(replies.into_iter()));
        operations.resume("operations/1").unwrap().with_transport(move |_: Request| {
            let (clock, after) = (clock.clone(), replies.lock().unwrap().next());
            async move {
                match after {
                    Some(after) => clock.sleep(secs(after)).await,
                    None => pending().await,
                }
                Ok(json_reply(&json!({ "name": "operations/1", "metadata": percent(1) })))
            }
        })
    }
}

impl Timer for Counting {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.clock.sleep(duration)
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        let sleep = self.clock.reusable_sleep(duration).filter(|_| self.is_reusable)?;
        self.made.fetch_add(1, Ordering::Relaxed);
        Some(Box::pin(Counted(sleep, Arc::clone(&self.set))))
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

struct Counted(BoxSleep, Arc<AtomicUsize>);

impl Future for Counted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl Sleep for Counted {
    fn set(mut self: Pin<&mut Self>, duration: Duration) {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.as_mut().set(duration);
    }
}

/// Settings with a delay of one second, for polls of at most 30 seconds.
fn every_second() -> PollSettings {
    PollSettings::default().with_delay(secs(1.0)).with_multiplier(1.0).with_poll_timeout(secs(30.0))
}

#[test]
fn a_wait_makes_a_sleep_for_its_delays_and_one_for_the_limits_of_many_polls() {
    for (is_reusable, expected) in [(true, (3, 39)), (false, (42, 0))] {
        let timer = Counting::new(is_reusable);
        let settings = every_second().with_timeout(secs(50.0));
        let error = smol::block_on(timer.operation(vec![0.25; 40]).poll_until_completed(settings)).unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, Some(41)));
        assert_eq!(timer.clock.elapsed(), secs(50.0));
        // 40 delays. The limit of the first poll is set for 30 s and serves the polls until then;
        // the next is set for the end of the wait.
        assert_eq!((timer.made.load(Ordering::Relaxed), timer.set.load(Ordering::Relaxed)), expected);
    }
}

#[test]
fn the_limit_of_a_poll_is_exact_whatever_the_limits_of_polls_before_it() {
    // The polls begin at 0, 1.5, 3 and 4.5 s; the last has no answer. The limit of the first would
    // end at 5 s.
    for (is_reusable, timeout, ends) in
        [(true, 60.0, 9.5), (false, 60.0, 9.5), (true, 8.0, 8.0), (true, 4.75, 4.75), (false, 4.75, 4.75)]
    {
        let timer = Counting::new(is_reusable);
        let failed = Arc::new(Mutex::new(vec![]));
        let (seen, clock) = (Arc::clone(&failed), timer.clock.clone());
        let mut observed = timer
            .operation(vec![0.5; 3])
            .on_failed_poll(move |poll| seen.lock().unwrap().push((poll.attempt(), clock.elapsed())));
        let settings = every_second().with_poll_timeout(secs(5.0)).with_timeout(secs(timeout)).with_error_budget(0);
        let error = smol::block_on(observed.poll_until_completed(settings)).unwrap_err();
        assert_eq!(*failed.lock().unwrap(), [(4, secs(ends))], "{error}");
        assert_eq!(timer.clock.elapsed(), secs(ends), "{error}");
    }
}

/// A virtual clock that moves by a millisecond whenever it is read.
#[derive(Clone)]
struct Ticking {
    clock: VirtualClock,
    /// From when on its sleeps were set anew.
    set: Arc<Mutex<Vec<Instant>>>,
}

impl Timer for Ticking {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(SetFrom(self.clock.reusable_sleep(duration)?, Arc::clone(&self.set))))
    }

    fn now(&self) -> Instant {
        self.clock.advance(Duration::from_millis(1));
        self.clock.now()
    }

    fn is_virtual(&self) -> bool {
        true
    }
}

struct SetFrom(BoxSleep, Arc<Mutex<Vec<Instant>>>);

impl Future for SetFrom {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl Sleep for SetFrom {
    fn set(self: Pin<&mut Self>, _: Duration) {
        panic!("the time is known");
    }

    fn set_from(mut self: Pin<&mut Self>, now: Instant, duration: Duration) {
        self.1.lock().unwrap().push(now);
        self.0.as_mut().set_from(now, duration);
    }
}

#[test]
fn a_delay_begins_with_its_reply_and_the_clock_is_read_twice_a_poll() {
    let timer = Ticking { clock: VirtualClock::new(), set: Arc::default() };
    let (clock, sent) = (timer.clock.clone(), Arc::new(Mutex::new(vec![])));
    let polls = Arc::clone(&sent);
    let operations = Operations::builder("http://server.test").timer(timer.clone());
    let operations = operations.transport(move |_: Request| {
        polls.lock().unwrap().push(clock.now());
        async { Ok(json_reply(&json!({ "name": "operations/1", "metadata": percent(1) }))) }
    });
    let operation = operations.build().unwrap().resume("operations/1").unwrap();
    let settings = every_second().with_timeout(secs(9.5));
    let error = smol::block_on(operation.poll_until_completed(settings)).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, Some(11)));
    // Replies come at once: the next reading is the time of the reply. The first sleep is made.
    let (sent, set_from) = (sent.lock().unwrap(), timer.set.lock().unwrap());
    let (reading, delay) = (Duration::from_millis(1), secs(1.0));
    let replied: Vec<Instant> = sent.iter().map(|sent| *sent + reading).collect();
    assert_eq!(set_from[..], replied[1..10]);
    for (reply, next) in replied.iter().zip(&sent[1..10]) {
        assert_eq!(*next - *reply, delay + reading, "one reading when the delay is over");
    }
}
