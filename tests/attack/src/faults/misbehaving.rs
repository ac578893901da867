//! The suite `faults`: operations that are waited for through a server that misbehaves.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use lro_runtime::{ErrorKind, Failure, Operations, RawOperation, Result, Verdict};
use smol::{LocalExecutor, Timer, future::or};

use super::{
    adapters,
    fault::{Fault, reply},
    held::Idle,
    patiently,
    server::{Answer, Server, listener},
    settings,
};
use crate::round::{Counts, Suite};

/// Operations through a server that misbehaves, with every adapter.
pub const FAULTS: Suite = Suite { name: "faults", unit: "cases", case, short: 14, long: 120 };

/// How many replies of an operation may be spoilt. The ones after it are not, so that a wait that
/// goes on reaches the end.
const SPOILT: u64 = 5;

/// How many replies an operation needs that are not spoilt.
const NEEDED: u32 = 3;

static IDLE: Idle = Idle::new();

/// Whether each adapter waits for only one operation in the case of this seed. Only there is it
/// known when a connection is idle: bytes that come while it is have come before the next request.
fn is_alone(seed: u64) -> bool {
    seed.is_multiple_of(3)
}

fn case(seed: u64) -> Counts {
    let elsewhere = listener();
    let service = Arc::new(Service::new(seed, &elsewhere));
    let answering = Arc::clone(&service);
    let server = Server::start(Arc::new(move |path| answering.answer(path)));
    let executor = LocalExecutor::new();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut waits = vec![];
    // Adapters are dropped with their clients before the process is looked at.
    for (adapter, transport) in adapters() {
        let builder = Operations::builder(server.url()).transport(transport).header("x-goog-api-key", "hunter2");
        let operations = builder.build().unwrap();
        // Of two operations of one adapter, which share its connections, one forgives all.
        let kinds: &[bool] = if is_alone(seed) { &[true] } else { &[false, true] };
        for &forgives in kinds {
            let name = format!("operations/{adapter}-{}", if forgives { "forgiving" } else { "strict" });
            // A wait that begins again polls at once, on a connection that may not be idle.
            let drops = if is_alone(seed) { 0 } else { random.u8(..4) };
            let drops = (0..drops).map(|_| Duration::from_millis(random.u64(..30))).collect();
            let waiting = wait(operations.resume(&*name).unwrap(), forgives, drops);
            waits.push((name, forgives, executor.spawn(waiting)));
        }
    }
    let mut counts = Counts::default();
    patiently(executor.run(async {
        for (name, forgives, waiting) in waits {
            let (dropped, ended) = waiting.await;
            counts.add("operations", 1);
            counts.add("dropped", dropped);
            // Of a case whose server was too slow, nothing is known.
            let kind = match service.crossed.load(Ordering::SeqCst) {
                true => "crossed",
                false if assert_own(&name, forgives, ended) => "results",
                false => "errors",
            };
            counts.add(kind, 1);
        }
    }));
    drop(executor);
    drop(server);
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "a request went to another origin");
    drop(elsewhere);
    counts.merge(std::mem::take(&mut *service.met.lock().unwrap()));
    IDLE.assert_reached(&mut counts);
    counts
}

/// Checks that a wait has ended with the result of its own operation, or with an error that names
/// it; returns whether it was a result.
fn assert_own(name: &str, forgives: bool, ended: Result<RawOperation>) -> bool {
    match ended {
        Ok(done) => {
            assert_eq!(done.name(), name);
            let response = done.response().map(|response| String::from_utf8_lossy(response.bytes()).into_owned());
            assert_eq!(response, Some(response_of(name)), "not the result of {name}");
            true
        }
        Err(error) => {
            assert!(!forgives, "{name} could have been waited for to its end: {error}");
            assert!(error.to_string().contains(name), "{error} does not name {name}");
            assert_eq!(error.snapshot().map(RawOperation::name), Some(name));
            assert_ne!(error.kind(), ErrorKind::Timeout, "{error}");
            false
        }
    }
}

/// Waits for the operation, and returns how often the wait was dropped on the way.
async fn wait(operation: RawOperation, forgives: bool, drops: Vec<Duration>) -> (u64, Result<RawOperation>) {
    let settings = settings();
    let settings = if forgives { settings.with_failure_policy(|_: &Failure| Verdict::Retry) } else { settings };
    let mut dropped = 0;
    for after in drops {
        let waiting = async { Some(operation.poll_until_completed(settings.clone()).await) };
        let leaving = async {
            Timer::after(after).await;
            None
        };
        if let Some(ended) = or(waiting, leaving).await {
            return (dropped, ended);
        }
        dropped += 1;
    }
    (dropped, operation.poll_until_completed(settings).await)
}

/// The service: every operation ends, with a result that names it.
struct Service {
    seed: u64,
    elsewhere: String,
    /// How many replies each operation had, and how many of them were not spoilt.
    replies: Mutex<HashMap<String, (u64, u32)>>,
    met: Mutex<Counts>,
    crossed: Arc<AtomicBool>,
}

impl Service {
    fn new(seed: u64, elsewhere: &TcpListener) -> Self {
        let elsewhere = format!("http://{}/v1/operations/elsewhere", elsewhere.local_addr().unwrap());
        Self { seed, elsewhere, replies: Mutex::default(), met: Mutex::default(), crossed: Arc::default() }
    }

    fn answer(&self, path: &str) -> Answer {
        let name = path.trim_start_matches("/v1/").to_owned();
        let mut all = self.replies.lock().unwrap();
        let (sent, good) = all.entry(name.clone()).or_default();
        let mut random = fastrand::Rng::with_seed(hash((self.seed, &name, *sent)));
        *sent += 1;
        let spoilt = *sent <= SPOILT && random.u8(..3) > 0;
        let is_alone = is_alone(self.seed);
        let fault = match random.choice(Fault::ALL.iter().copied()) {
            _ if !spoilt => Fault::Nothing,
            Some(Fault::LateSurplus) if !is_alone => Fault::Surplus,
            _ if is_alone && random.u8(..5) == 0 => Fault::LateSurplus,
            fault => fault.unwrap_or(Fault::Nothing),
        };
        *good += u32::from(fault == Fault::Nothing);
        self.met.lock().unwrap().add(fault.name(), 1);
        let body = if *good >= NEEDED { done(&name) } else { format!(r#"{{"name":"{name}","metadata":{{}}}}"#) };
        let stray = format!(r#"{{"unasked":"{}"}}"#, fault.name());
        let stray = match random.u8(..3) {
            0 => format!(r#"{{"done":true,"response":{stray}}}"#),
            1 => format!(r#"{{"name":"operations/another","done":true,"response":{stray}}}"#),
            _ => format!(r#"{{"name":"{name}","done":true,"response":{stray}}}"#),
        };
        Answer {
            status: 200,
            body,
            fault,
            random,
            stray: reply(200, "", &stray),
            elsewhere: self.elsewhere.clone(),
            crossed: Arc::clone(&self.crossed),
        }
    }
}

fn done(name: &str) -> String {
    format!(r#"{{"name":"{name}","done":true,"response":{}}}"#, response_of(name))
}

fn response_of(name: &str) -> String {
    format!(r#"{{"of":"{name}"}}"#)
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
