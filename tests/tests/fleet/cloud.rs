//! A service of the dialect `google` on a virtual clock, as a transport: operations that last a
//! time, lists of them, cancel calls, throttles and outages. And what runs beside the driver of a
//! fleet.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use lro_runtime::{
    Fleet, Operations,
    fleet::Completion,
    http::{Method, StatusCode},
    testing::VirtualClock,
    transport::{BoxFuture, Reply, Request, Transport, TransportError},
};
use serde_json::{Value, json};

/// See the module. Clones are one service.
#[derive(Clone)]
pub(crate) struct Cloud {
    clock: VirtualClock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(crate) struct State {
    operations: BTreeMap<String, Job>,
    /// Each request: when, and for what.
    pub(crate) log: Vec<(Duration, String)>,
    /// From when to when every request is answered with this status, and a hint of so many seconds.
    pub(crate) refuses: Option<(Duration, Duration, u16, Option<u64>)>,
    /// Whether lists are refused.
    pub(crate) has_no_lists: bool,
    /// Whether lists show those that have ended, whatever the filter says.
    pub(crate) ignores_filter: bool,
    /// Names that no list shows.
    pub(crate) unlisted: Vec<String>,
    started: usize,
}

struct Job {
    ends: Duration,
    is_cancelled: bool,
}

impl Cloud {
    pub(crate) fn new(clock: &VirtualClock) -> Self {
        Self { clock: clock.clone(), state: Arc::default() }
    }

    /// Returns a client of this service.
    pub(crate) fn operations(&self, base: &str) -> Operations {
        Operations::builder(base).transport(self.clone()).timer(self.clock.clone()).build().unwrap()
    }

    /// Adds an operation that ends so long after now.
    pub(crate) fn add(&self, name: &str, lasts: Duration) {
        let ends = self.clock.elapsed() + lasts;
        self.lock().operations.insert(name.to_owned(), Job { ends, is_cancelled: false });
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Returns how many requests begin so.
    pub(crate) fn requests(&self, begins: &str) -> usize {
        self.lock().log.iter().filter(|(_, line)| line.starts_with(begins)).count()
    }

    fn answer(&self, request: &Request) -> Reply {
        let now = self.clock.elapsed();
        let mut state = self.lock();
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        state.log.push((now, format!("{} {path}?{query}", request.method())));
        if let Some((_, _, status, hint)) = state.refuses.filter(|(from, until, ..)| (*from..*until).contains(&now)) {
            let mut reply = reply(status, &json!({ "error": { "code": status, "message": "not now" } }));
            if let Some(seconds) = hint {
                reply.headers_mut().insert("retry-after", seconds.into());
            }
            return reply;
        }
        let name = path.trim_start_matches("/v1/").to_owned();
        if let Some(name) = name.strip_suffix(":cancel") {
            if let Some(job) = state.operations.get_mut(name).filter(|job| job.ends > now) {
                (job.ends, job.is_cancelled) = (now, true);
            }
            return reply(200, &json!({}));
        }
        if request.method() == Method::POST {
            state.started += 1;
            let name = format!("operations/started-{}", state.started);
            state.operations.insert(name.clone(), Job { ends: now + Duration::from_secs(30), is_cancelled: false });
            return reply(200, &json!({ "name": name, "done": false }));
        }
        if name.ends_with("operations") {
            return state.list(&name, &query, now);
        }
        match state.operations.get(&name) {
            Some(job) => reply(200, &message(&name, job, now)),
            None => reply(404, &json!({ "error": { "code": 404, "message": "no such operation" } })),
        }
    }
}

impl State {
    fn list(&self, collection: &str, query: &str, now: Duration) -> Reply {
        if self.has_no_lists {
            return reply(501, &json!({ "error": { "code": 501, "message": "no lists", "status": "UNIMPLEMENTED" } }));
        }
        let value = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            pair.unwrap_or_default().to_owned()
        };
        let size = value("pageSize").parse().unwrap_or(50);
        let from: usize = value("pageToken").parse().unwrap_or_default();
        let only_running = !self.ignores_filter && value("filter").contains("done");
        let shown = self.operations.iter().filter(|(name, job)| {
            let is_child = name.strip_prefix(collection).is_some_and(|rest| !rest[1..].contains('/'));
            is_child && !self.unlisted.contains(name) && !(only_running && job.ends <= now)
        });
        let page: Vec<Value> = shown.clone().skip(from).take(size).map(|(name, job)| message(name, job, now)).collect();
        let next = if shown.count() > from + size { (from + size).to_string() } else { String::new() };
        reply(200, &json!({ "operations": page, "nextPageToken": next }))
    }
}

fn message(name: &str, job: &Job, now: Duration) -> Value {
    match job {
        Job { ends, .. } if *ends > now => json!({ "name": name, "metadata": { "left": (*ends - now).as_secs() } }),
        Job { is_cancelled: true, .. } => {
            json!({ "name": name, "done": true, "error": { "code": 1, "message": "as asked" } })
        }
        _ => json!({ "name": name, "done": true, "response": { "of": name } }),
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    let mut reply = Reply::new(body.to_string().into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap();
    reply
}

impl Transport for Cloud {
    fn send<'a>(&'a self, request: &'a Request, _max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            // A reply takes a while, so that polls overlap.
            lro_runtime::Timer::sleep(&self.clock, Duration::from_millis(20)).await;
            Ok(self.answer(request))
        })
    }
}

/// Runs `work` beside the driver of a fleet, on this thread, until `work` is done.
pub(crate) fn beside<T>(driver: impl Future<Output = ()>, work: impl Future<Output = T>) -> T {
    lro_runtime::block_on(async {
        let driver = async {
            driver.await;
            std::future::pending().await
        };
        futures_lite::future::or(work, driver).await
    })
}

/// Takes and acknowledges the completions of a fleet until it is closed and has no more, looking at
/// each. Returns how many there were.
pub(crate) async fn take_all(fleet: &Fleet, mut look_at: impl FnMut(&Completion)) -> u64 {
    let (mut taken, mut completions) = (0, fleet.completions());
    while let Some(completion) = completions.next().await {
        look_at(&completion);
        completion.ack().await.unwrap();
        taken += 1;
    }
    taken
}
