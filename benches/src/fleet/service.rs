//! A service in memory whose million operations take no memory, with lists.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use lro_runtime::{
    Budget, Fleet, Jitter, Operations, PollSettings, Timer, Transport,
    http::{StatusCode, Uri},
    transport::{BoxFuture, Reply, Request, TransportError},
};

use crate::in_flight::{Load, running};

/// Names of 108 bytes, of which those of a collection share 65, as some clouds give them.
pub const LOAD: Load = Load {
    bench: "fleet-in-flight",
    stem: "projects/images-of-the-project/locations/europe-west4/operations/operation-1732278000000-5f3a9c1e7b-",
    pause: Duration::from_secs(15),
    has_jitter: false,
};

/// A budget that keeps nothing back.
pub fn boundless() -> Budget {
    Budget::per_origin(1e9).concurrency(1_000_000)
}

/// Which lists the service has.
#[derive(Clone, Copy, PartialEq)]
pub enum Lists {
    Refused,
    /// As the filter of the request asks.
    OfRunning,
    /// It ignores the filter.
    OfAll,
}

/// When each request came, and of which operation it is; a list is of none.
pub type Log = Vec<(Duration, Option<u64>)>;

/// See the module. Operation `n` of `operations` is started at `n / operations` of the first pause.
pub struct Service {
    pub operations: u64,
    pub lists: Lists,
    /// How long an operation lasts; `None` if they do not end.
    pub lasts: Option<Duration>,
    /// How long a reply takes.
    pub latency: Duration,
    /// The requests that came, if they are kept.
    pub log: Option<Mutex<Log>>,
    pub polls: AtomicU64,
    pub pages: AtomicU64,
    timer: Arc<dyn Timer>,
    epoch: Instant,
}

impl Service {
    pub fn new(operations: u64, timer: impl Timer) -> Self {
        let epoch = timer.now();
        let (polls, pages) = (AtomicU64::new(0), AtomicU64::new(0));
        let (lists, lasts, latency, log) = (Lists::Refused, None, Duration::ZERO, None);
        Self { operations, lists, lasts, latency, log, polls, pages, timer: Arc::new(timer), epoch }
    }

    /// Returns a client that polls every 15 seconds.
    pub fn client(self: &Arc<Self>, timer: impl Timer, jitter: Jitter) -> Operations {
        let settings = PollSettings::default()
            .with_delay(LOAD.pause)
            .with_max_delay(LOAD.pause)
            .with_multiplier(1.0)
            .with_jitter(jitter);
        let client = Operations::builder("http://localhost").transport(Arc::clone(self)).timer(timer);
        client.poll_settings(settings).build().unwrap()
    }

    pub fn requests(&self) -> u64 {
        self.polls.load(Relaxed) + self.pages.load(Relaxed)
    }

    /// Returns when an operation is started.
    pub fn starts(&self, number: u64) -> Duration {
        LOAD.pause.mul_f64(number as f64 / self.operations as f64)
    }

    fn elapsed(&self) -> Duration {
        self.timer.now().saturating_duration_since(self.epoch)
    }

    fn has_ended(&self, number: u64) -> bool {
        self.lasts.is_some_and(|lasts| self.elapsed() >= self.starts(number) + lasts)
    }

    fn message(&self, number: u64) -> String {
        let name = name(number);
        if self.has_ended(number) {
            let response = r#"{"@type":"type.googleapis.com/example.ExportedImage","uri":"gs://bucket/image.tar","sizeBytes":1048576}"#;
            return format!(r#"{{"name":"{name}","done":true,"response":{response}}}"#);
        }
        running(&name, 0)
    }

    fn answer(&self, request: &Request) -> Reply {
        let uri = request.uri();
        if uri.path().ends_with("/operations") {
            self.pages.fetch_add(1, Relaxed);
            self.note(None);
            return self.list(uri);
        }
        self.polls.fetch_add(1, Relaxed);
        let digits = uri.path().get(uri.path().len().saturating_sub(8)..);
        // What is no name is the start call of a loop by hand, which is given the first operation.
        let number = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
        self.note(Some(number));
        Reply::new(self.message(number).into())
    }

    fn note(&self, number: Option<u64>) {
        if let Some(log) = &self.log {
            log.lock().unwrap().push((self.elapsed(), number));
        }
    }

    fn list(&self, uri: &Uri) -> Reply {
        if self.lists == Lists::Refused {
            let mut refusal = Reply::new(bytes::Bytes::new());
            *refusal.status_mut() = StatusCode::NOT_IMPLEMENTED;
            return refusal;
        }
        let query = uri.query().unwrap_or_default();
        let number = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.parse::<u64>().ok());
        let shown = self.shown();
        let first = number("pageToken=").unwrap_or(0).clamp(shown.start, shown.end);
        let last = (first + number("pageSize=").unwrap_or(100)).min(shown.end);
        let entries: Vec<String> = (first..last).map(|number| self.message(number)).collect();
        let next = if last < shown.end { last.to_string() } else { String::new() };
        Reply::new(format!(r#"{{"operations":[{}],"nextPageToken":"{next}"}}"#, entries.join(",")).into())
    }

    /// Returns the operations that the list shows. They have started, and end, in the order of
    /// their names.
    fn shown(&self) -> Range<u64> {
        let before = |time: Option<Duration>| {
            let share = time.map_or(0.0, |time| time.as_secs_f64() / LOAD.pause.as_secs_f64());
            // Rounded up: `starts` and this are not exact, and what has ended must not be shown.
            ((share * self.operations as f64).ceil() as u64).min(self.operations)
        };
        let now = self.elapsed();
        let lasts = self.lasts.filter(|_| self.lists == Lists::OfRunning);
        let ended = before(lasts.and_then(|lasts| now.checked_sub(lasts)));
        ended..before(Some(now)).max(ended)
    }
}

pub fn name(number: u64) -> String {
    format!("{}{number:08}", LOAD.stem)
}

impl Transport for Service {
    fn send<'a>(&'a self, request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        if self.latency.is_zero() {
            return Box::pin(std::future::ready(Ok(self.answer(request))));
        }
        Box::pin(async move {
            let reply = self.answer(request);
            self.timer.sleep(self.latency).await;
            Ok(reply)
        })
    }
}

/// Returns a fleet with this budget.
pub fn fleet(budget: Budget, timer: impl Timer) -> Fleet {
    Fleet::builder().budget(budget).timer(timer).max_operations(2_000_000).build().unwrap()
}

/// Has a fleet watch an operation.
pub fn watch(fleet: &Fleet, client: &Operations, number: u64) {
    fleet.try_watch(&client.resume(name(number)).unwrap()).unwrap();
}
