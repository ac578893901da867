//! A service, a disk, and an application whose process dies.
//!
//! The application starts some operations under keys, watches others, and has one cancelled. It
//! writes down how each has ended before it acknowledges that, and knows nothing else after a
//! restart but which keys and names it wants: so it asks for all the others again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_lite::future::{or, poll_once, yield_now};
use serde_json::{Value, json};

use super::disk::{Disk, DiskStore};
use crate::{
    Budget, Fleet, PollSettings, Timer,
    client::{Operations, StartIdIn},
    error::ErrorKind,
    fleet::{Completion, Keep, Service, Table},
    message::{Reply, Request},
    testing::VirtualClock,
    transport::TransportError,
};

/// How many operations there are.
pub(super) const OPERATIONS: usize = KEYS.len() + NAMES.len();

const KEYS: [&str; 3] = ["order-1", "order-2", "order-3"];
const NAMES: [&str; 3] = ["operations/short", "operations/long", "operations/cancelled"];

/// At which effect a process dies: before it has happened, or after, when it does not know.
#[derive(Clone, Copy, Debug)]
pub(super) enum Death {
    Before(usize),
    After(usize),
}

/// The effects of a process, of which one is its last.
pub(super) struct Effects {
    seen: Mutex<Vec<String>>,
    death: Option<Death>,
}

impl Effects {
    /// Has an effect, unless the process dies at it. `None` if it does, or is dead.
    pub(super) fn act<T>(&self, what: &str, effect: impl FnOnce() -> T) -> Option<T> {
        let mut seen = self.seen.lock().unwrap();
        let number = seen.len();
        let (before, after) = match self.death {
            Some(Death::Before(at)) => (at, usize::MAX),
            Some(Death::After(at)) => (usize::MAX, at),
            None => (usize::MAX, usize::MAX),
        };
        if number > before.min(after) {
            return None; // it is dead
        }
        seen.push(what.to_owned());
        drop(seen);
        if number == before {
            return None;
        }
        let done = effect();
        (number != after).then_some(done)
    }

    fn is_dead(&self) -> bool {
        let Some(Death::Before(at) | Death::After(at)) = self.death else { return false };
        self.seen.lock().unwrap().len() > at
    }
}

/// What one process did.
pub(super) struct Process {
    pub(super) effects: Vec<String>,
    /// Whether everything is over.
    pub(super) is_over: bool,
    /// How many requests were in flight when it died.
    pub(super) in_flight: usize,
}

#[derive(Default)]
struct Cloud {
    /// When each ends, and whether it is cancelled.
    jobs: BTreeMap<String, (Duration, bool)>,
    /// By start id.
    started: BTreeMap<String, String>,
    starts: BTreeMap<String, usize>,
    polls: usize,
    /// The operations whose end was told.
    told: BTreeSet<String>,
    /// The polls of operations whose end was durable, or told.
    needless: Vec<String>,
    in_flight: usize,
}

/// See the module.
pub(super) struct World {
    keep: Keep,
    has_ids: bool,
    clock: VirtualClock,
    pub(super) disk: Disk,
    cloud: Arc<Mutex<Cloud>>,
    /// How each has ended, as it was told.
    told: BTreeMap<String, String>,
    /// The completions that it has acknowledged, and was told so.
    acked: BTreeSet<String>,
    /// What tickets are of.
    tickets: BTreeMap<u64, String>,
}

impl World {
    pub(super) fn new(keep: Keep, has_ids: bool) -> Self {
        let clock = VirtualClock::new();
        let mut cloud = Cloud::default();
        for (name, seconds) in NAMES.into_iter().zip([5, 40, 400]) {
            cloud.jobs.insert(name.to_owned(), (clock.elapsed() + Duration::from_secs(seconds), false));
        }
        let (disk, told, acked, tickets) = Default::default();
        Self { keep, has_ids, clock, disk, cloud: Arc::new(Mutex::new(cloud)), told, acked, tickets }
    }

    pub(super) fn polls(&self) -> usize {
        self.cloud.lock().unwrap().polls
    }

    /// Runs a process until everything is over, or it dies.
    pub(super) fn run(&mut self, death: Option<Death>) -> Process {
        let effects = Arc::new(Effects { seen: Mutex::default(), death });
        self.cloud.lock().unwrap().in_flight = 0;
        let is_over = self.live(&effects);
        let in_flight = self.cloud.lock().unwrap().in_flight;
        let effects = effects.seen.lock().unwrap().clone();
        Process { effects, is_over, in_flight }
    }

    /// Returns whether everything is over.
    fn live(&mut self, effects: &Arc<Effects>) -> bool {
        let client = self.client(effects);
        let store = DiskStore { disk: self.disk.clone(), effects: Arc::clone(effects) };
        let fleet = Fleet::builder()
            .timer(self.clock.clone())
            .budget(Budget::per_origin(100.0))
            .store(store)
            .service(Service::new("cloud", &client))
            .outcomes(self.keep)
            .commits_inline()
            .build();
        let Ok(fleet) = fleet else {
            assert!(effects.is_dead());
            return false;
        };
        let driver = async {
            fleet.run().await;
            false
        };
        let work = or(self.application(&fleet, &client, effects), driver);
        let mut work = Box::pin(work);
        let is_over = crate::block_on(async {
            loop {
                if let Some(is_over) = poll_once(&mut work).await {
                    return is_over;
                }
                if effects.is_dead() {
                    return false;
                }
                yield_now().await;
            }
        });
        is_over && !effects.is_dead()
    }

    fn client(&self, effects: &Arc<Effects>) -> Operations {
        let (cloud, clock, effects) = (Arc::clone(&self.cloud), self.clock.clone(), Arc::clone(effects));
        let disk = self.disk.clone();
        let send = move |request: Request| {
            let (cloud, clock, effects) = (Arc::clone(&cloud), clock.clone(), Arc::clone(&effects));
            let name = request.uri().path().trim_start_matches("/v1/").trim_start_matches('/').to_owned();
            let is_needless = disk.has_outcome(&name) || cloud.lock().unwrap().told.contains(&name);
            cloud.lock().unwrap().needless.extend(is_needless.then_some(name));
            async move {
                cloud.lock().unwrap().in_flight += 1;
                clock.sleep(Duration::from_millis(20)).await;
                let what = match request.uri().path() {
                    path if path.ends_with(":cancel") => "cancel call",
                    path if path.ends_with(":start") => "start call",
                    path if path.ends_with("operations") => "list call",
                    _ => "poll",
                };
                let answered = effects.act(what, || cloud.lock().unwrap().answer(&request, clock.elapsed()));
                let Some(reply) = answered else { return std::future::pending().await };
                if effects.act(&format!("reply to a {what}"), || ()).is_none() {
                    return std::future::pending().await;
                }
                cloud.lock().unwrap().in_flight -= 1;
                Ok::<_, TransportError>(reply)
            }
        };
        let builder = Operations::builder("https://api.example.com").transport(send).timer(self.clock.clone());
        let builder = if self.has_ids { builder.start_id_in(StartIdIn::Header("x-request-id")) } else { builder };
        builder.build().unwrap()
    }

    /// What the process does. Returns whether everything is over; else the fleet has refused
    /// something, because the process is dead.
    async fn application(&mut self, fleet: &Fleet, client: &Operations, effects: &Effects) -> bool {
        self.apply(fleet, client, effects).await.is_some()
    }

    async fn apply(&mut self, fleet: &Fleet, client: &Operations, effects: &Effects) -> Option<()> {
        for key in KEYS {
            if self.told.contains_key(key) {
                continue;
            }
            let call = || client.post(format!("v1/{key}:start"), &json!({ "of": key }));
            let ticket = fleet.start(key, call).await.ok()?;
            assert_eq!(fleet.ticket_of(key), Some(ticket));
            self.know(key, ticket.into());
        }
        for name in NAMES {
            if self.told.contains_key(name) {
                continue;
            }
            let settings = PollSettings::default().with_timeout(Duration::from_secs(100));
            let operation = client.resume(name).unwrap();
            let ticket = fleet.watch(&operation).key(name).poll_settings(settings).await.ok()?;
            self.know(name, ticket.into());
            if name == "operations/cancelled" {
                fleet.cancel(ticket).ok()?;
                fleet.flush().await.ok()?;
            }
        }
        fleet.close();
        let mut completions = fleet.completions();
        while let Some(completion) = completions.next().await {
            if effects.is_dead() {
                return None; // what a dead process knows nobody learns
            }
            let of = completion.key().unwrap().to_owned();
            assert!(!self.acked.contains(&of), "{of} comes again although it was acknowledged");
            self.know(&of, completion.ticket().into());
            self.tell(&of, &completion);
            completion.ack().await.ok()?;
            self.acked.insert(of);
        }
        Some(())
    }

    fn know(&mut self, of: &str, ticket: u64) {
        let known = self.tickets.entry(ticket).or_insert_with(|| of.to_owned());
        assert_eq!(known, of, "a ticket is never of another operation");
    }

    fn tell(&mut self, of: &str, completion: &Completion) {
        self.cloud.lock().unwrap().told.insert(completion.name().to_owned());
        let ended = match completion.outcome() {
            Ok(operation) => format!("{:?}", operation.state()),
            Err(error) => format!("{:?}", error.kind()),
        };
        if let (Keep::Body, Ok(operation)) = (self.keep, completion.outcome())
            && operation.is_succeeded()
        {
            let response: Value = serde_json::from_slice(operation.response().unwrap().bytes()).unwrap();
            assert_eq!(response["of"], *operation.name(), "with its response, also after a restart");
        }
        if let Some(before) = self.told.insert(of.to_owned(), ended.clone()) {
            assert_eq!(before, ended, "{of} ends the same however often that is told");
        }
    }

    /// Checks what must hold when everything is over.
    pub(super) fn check(&self) {
        let all: BTreeSet<_> = KEYS.into_iter().chain(NAMES).map(str::to_owned).collect();
        assert_eq!(self.told.keys().cloned().collect::<BTreeSet<_>>(), all);
        assert!(self.acked.is_subset(&all));
        assert_eq!(self.disk.count(&[Table::Live, Table::Amendments, Table::Outcomes]), 0, "nothing is left over");
        let cloud = self.cloud.lock().unwrap();
        assert!(cloud.needless.is_empty(), "polled although their ends were durable or told: {:?}", cloud.needless);
        for key in KEYS {
            let started = cloud.starts.get(key).copied().unwrap_or_default();
            let told = &self.told[key];
            let is_unknown = *told == format!("{:?}", ErrorKind::Start);
            let is_known = *told == "Succeeded" && started == 1;
            // What was sent is sent again with its id. It is not where that could be a second
            // start, and where nothing was written down but the intent: then the user is told that
            // nobody knows.
            assert!(is_known || is_unknown && started <= usize::from(!self.has_ids), "{key}: {started}, {told}");
        }
        assert_eq!(self.told["operations/short"], "Succeeded");
        assert_eq!(self.told["operations/long"], "Succeeded");
        assert_eq!(self.told["operations/cancelled"], "Cancelled");
    }
}

impl Cloud {
    fn answer(&mut self, request: &Request, now: Duration) -> Reply {
        let path = request.uri().path().trim_start_matches("/v1/").trim_start_matches('/').to_owned();
        let id = request.headers().get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
        if let Some(key) = path.strip_suffix(":start") {
            if let Some(name) = id.as_ref().and_then(|id| self.started.get(id)) {
                return reply(200, &json!({ "name": name }));
            }
            *self.starts.entry(key.to_owned()).or_default() += 1;
            let name = format!("operations/{key}");
            self.jobs.insert(name.clone(), (now + Duration::from_secs(10), false));
            self.started.extend(id.map(|id| (id, name.clone())));
            return reply(200, &json!({ "name": name }));
        }
        if let Some(name) = path.strip_suffix(":cancel") {
            let job = self.jobs.get_mut(name).unwrap();
            if job.0 > now {
                *job = (now, true);
            }
            return reply(200, &json!({}));
        }
        if path.ends_with("operations") {
            return reply(501, &json!({ "error": { "code": 501, "message": "no lists", "status": "UNIMPLEMENTED" } }));
        }
        self.polls += 1;
        let (ends, is_cancelled) = self.jobs[&path];
        let message = match ends {
            ends if ends > now => json!({ "name": path }),
            _ if is_cancelled => json!({ "name": path, "done": true, "error": { "code": 1, "message": "as asked" } }),
            _ => json!({ "name": path, "done": true, "response": { "of": path } }),
        };
        reply(200, &message)
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    let mut reply = Reply::new(body.to_string().into());
    *reply.status_mut() = status.try_into().unwrap();
    reply
}
