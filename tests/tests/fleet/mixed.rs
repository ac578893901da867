//! One fleet, many services: dialects, methods, scripts.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::{Arc, Mutex},
};

use futures_lite::future::zip;
use lro_runtime::{
    Budget, Dialect, Fleet, Operations,
    dialect::{Compute, Declared, Google, Lxd},
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::{Reply, Request},
    wire::replicate::Prediction,
};
use serde_json::{Value, json};

use crate::{SECOND, cloud::take_all};

/// How many operations each service has.
const EACH: usize = 60;

/// An operation as the service shows it: whether it has ended.
type Message = fn(n: usize, has_ended: bool) -> Value;

/// A page of a list: those that run, as the service shows them.
type Page = fn(running: Vec<Value>) -> Value;

fn google(n: usize, has_ended: bool) -> Value {
    let name = format!("projects/p/operations/{n}");
    if has_ended { json!({ "name": name, "done": true, "response": {} }) } else { json!({ "name": name }) }
}

fn compute(n: usize, has_ended: bool) -> Value {
    let link = format!("https://compute.googleapis.com/compute/v1/projects/p/zones/z/operations/{n}");
    let status = if has_ended { "DONE" } else { "RUNNING" };
    json!({ "name": n.to_string(), "selfLink": link, "status": status })
}

fn lxd(n: usize, has_ended: bool) -> Value {
    let (status, code) = if has_ended { ("Success", 200) } else { ("Running", 103) };
    json!({ "id": n.to_string(), "status": status, "status_code": code })
}

fn replicate(n: usize, has_ended: bool) -> Value {
    json!({ "id": n.to_string(), "status": if has_ended { "succeeded" } else { "processing" }, "output": [] })
}

/// What every service was sent, by whether it was a list.
type Log = Arc<Mutex<BTreeMap<(&'static str, bool), usize>>>;

struct Service {
    label: &'static str,
    base: &'static str,
    dialect: Arc<dyn Dialect>,
    name: fn(usize) -> String,
    one: Message,
    page: Page,
}

impl Service {
    fn client(&self, clock: &VirtualClock, log: &Log) -> Operations {
        let (label, one, page, of, log) = (self.label, self.one, self.page, clock.clone(), Arc::clone(log));
        let answer = move |request: Request| {
            let now = of.elapsed();
            let has_ended = |n: usize| now >= SECOND * u32::try_from(120 + n).unwrap();
            let number = request.uri().path().split('/').find_map(|segment| segment.parse::<usize>().ok());
            *log.lock().unwrap().entry((label, number.is_none())).or_default() += 1;
            let body = match number {
                Some(n) if label == "lxd" => json!({ "type": "sync", "metadata": one(n, has_ended(n)) }),
                Some(n) => one(n, has_ended(n)),
                None => page((0..EACH).filter(|n| !has_ended(*n)).map(|n| one(n, false)).collect()),
            };
            ready(Ok(Reply::new(body.to_string().into())))
        };
        let builder = Operations::builder(self.base).dialect(Arc::clone(&self.dialect));
        builder.transport(answer).timer(clock.clone()).build().unwrap()
    }
}

#[test]
fn operations_of_four_dialects_complete_in_one_fleet_each_by_the_lists_of_its_own_service() {
    let services = [
        Service {
            label: "google",
            base: "https://images.example.com",
            dialect: Arc::new(Google::new()),
            name: |n| format!("projects/p/operations/{n}"),
            one: google,
            page: |running| json!({ "operations": running }),
        },
        Service {
            label: "compute",
            base: "https://compute.googleapis.com",
            dialect: Arc::new(Compute::new()),
            name: |n| format!("projects/p/zones/z/operations/{n}"),
            one: compute,
            page: |running| json!({ "items": running }),
        },
        Service {
            label: "lxd",
            base: "http://lxd",
            dialect: Arc::new(Lxd::new()),
            name: |n| format!("/1.0/operations/{n}"),
            one: lxd,
            page: |running| json!({ "type": "sync", "metadata": { "running": running } }),
        },
        Service {
            label: "replicate",
            base: "https://api.replicate.com",
            dialect: Arc::new(Declared::of::<Prediction>()),
            name: |n| n.to_string(),
            one: replicate,
            page: |running| json!({ "results": running, "next": null }),
        },
    ];
    let (clock, log) = (VirtualClock::new(), Log::default());
    let fleet = Fleet::builder().budget(Budget::per_origin(1_000.0)).timer(clock.clone()).build().unwrap();
    let mut watched = BTreeSet::new();
    for service in &services {
        let client = service.client(&clock, &log);
        for n in 0..EACH {
            let operation = client.resume((service.name)(n)).unwrap();
            let key = format!("{} {}", service.label, operation.name());
            fleet.watch(&operation).key(&key).try_now().unwrap();
            watched.insert(key);
        }
    }
    assert_eq!(watched.len(), 4 * EACH);
    fleet.close();
    let consumer = take_all(&fleet, |completion| {
        let key = completion.key().unwrap();
        assert!(completion.outcome().unwrap().is_succeeded(), "{completion:?}");
        assert!(key.ends_with(completion.name()), "{completion:?} under {key}");
        assert!(watched.remove(key), "{key} is completed twice");
    });
    lro_runtime::block_on(zip(fleet.run(), consumer));
    assert!(watched.is_empty(), "{watched:?}");
    assert!((179..240).contains(&clock.elapsed().as_secs()), "{:?}", clock.elapsed());
    assert_eq!(fleet.health().origins.len(), 4);
    let log = log.lock().unwrap();
    for label in ["google", "compute", "lxd"] {
        let (polls, lists) = (log[&(label, false)], log[&(label, true)]);
        // Each is looked at some ten times.
        assert!(lists > 5 && polls + lists < EACH * 5, "{label}: {polls} polls and {lists} lists");
    }
    assert!(log[&("replicate", false)] >= EACH);
}

#[test]
fn scripted_operations_are_polled_by_a_fleet_without_a_script_for_lists() {
    let clock = VirtualClock::new();
    let script = |n| Script::named(format!("operations/{n}")).running(n).done(n);
    let transport = ScriptedTransport::new(script(4)).and(script(5)).and(script(6)).and(script(7));
    let client = transport.operations(&clock).unwrap();
    let fleet = Fleet::builder().timer(clock.clone()).build().unwrap();
    let work = async {
        for n in 0..4 {
            fleet.start(n.to_string(), || client.post("v1/images:export", &n)).await.unwrap();
            if n == 2 {
                // The first are listed before the last one has started.
                lro_runtime::Timer::sleep(&clock, SECOND * 10).await;
            }
        }
        fleet.close();
        take_all(&fleet, |completion| assert!(completion.outcome().unwrap().is_succeeded())).await
    };
    assert_eq!(lro_runtime::block_on(zip(fleet.run(), work)).1, 4);
    transport.assert_finished();
    let is_list = |request: &Request| request.uri().path().ends_with("/operations");
    assert!(transport.requests().iter().any(is_list), "it has asked for a list");
}

#[test]
fn a_completion_is_typed_for_its_own_method_only() {
    let clock = VirtualClock::new();
    let answer = |request: Request| {
        let name = request.uri().path().trim_start_matches("/v1/").to_owned();
        let name = if request.method() == "POST" { "operations/1".to_owned() } else { name };
        ready(Ok(Reply::new(json!({ "name": name, "done": true, "response": "cat" }).to_string().into())))
    };
    let client = Operations::builder("https://api.example.com").transport(answer).timer(clock.clone()).build().unwrap();
    let sdk = Sdk { operations: client };
    let fleet = Fleet::builder().timer(clock).build().unwrap();
    let exported = lro_runtime::block_on(sdk.export()).unwrap();
    fleet.try_watch(&exported).unwrap();
    fleet.try_watch(&sdk.resume_import("operations/2").unwrap()).unwrap();
    fleet.close();
    let (mut exports, mut imports) = (0, 0);
    let consumer = take_all(&fleet, |completion| {
        match (completion.operation::<ExportOperation>(), completion.operation::<ImportOperation>()) {
            (Some(export), None) => exports += export.unwrap().into_result().unwrap().len(),
            (None, Some(import)) => imports += import.unwrap().into_result().unwrap().len(),
            other => panic!("{other:?}"),
        }
    });
    lro_runtime::block_on(zip(fleet.run(), consumer));
    assert_eq!((exports, imports), (3, 3));
}

struct Sdk {
    operations: Operations,
}

#[lro_runtime::long_running]
impl Sdk {
    #[long_running(response = String, metadata = ())]
    async fn export(&self) -> lro_runtime::Result<lro_runtime::RawOperation> {
        self.operations.post("v1/images:export", "").await
    }

    #[expect(dead_code, reason = "its operations are resumed")]
    #[long_running(response = String, metadata = ())]
    async fn import(&self) -> lro_runtime::Result<lro_runtime::RawOperation> {
        self.operations.post("v1/images:import", "").await
    }
}
