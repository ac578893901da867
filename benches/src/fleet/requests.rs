//! How many requests operations of ten minutes take, how they use a quota, and how late they are
//! polled: on a virtual clock.

use std::{
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::Duration,
};

use futures_lite::future::{or, zip};
use lro_runtime::{Budget, Fleet, Jitter, Operations, Timer};

use super::{
    events::Events,
    service::{LOAD, Lists, Service, boundless, fleet, watch},
};
use crate::{process::processor_seconds, report::Subject};

const LASTS: Duration = Duration::from_secs(600);

/// How long the replies of a service take where time counts: no multiple of a tick of the fleet.
const LATENCY: Duration = Duration::from_millis(23);

const HOUR: Duration = Duration::from_secs(3600);

/// Prints the requests for operations of ten minutes, each of them started at another moment of
/// 15 seconds, with the lists that a service may have.
pub fn totals(operations: u64) {
    let mut by_polls = 0.0;
    for (variant, lists) in
        [("polls", Lists::Refused), ("lists-of-running", Lists::OfRunning), ("lists-of-all", Lists::OfAll)]
    {
        let clock = Events::new();
        let mut service = Service::new(operations, clock.clone());
        (service.lists, service.lasts) = (lists, Some(LASTS));
        let service = Arc::new(service);
        let seconds = processor_seconds().unwrap_or_default();
        drain(&service, &clock);
        let seconds = processor_seconds().unwrap_or_default() - seconds;
        let (requests, of_each) = (service.requests() as f64, 1.0 / operations as f64);
        if lists == Lists::Refused {
            by_polls = requests;
        }
        let variant = format!("{variant}-{operations}");
        let subject = Subject { bench: "fleet-requests", variant: &variant };
        subject.print("requests", requests * of_each, "requests/operation");
        subject.print("polls", service.polls.load(Relaxed) as f64 * of_each, "polls/operation");
        subject.print("pages", service.pages.load(Relaxed) as f64, "pages");
        subject.print("fewer", by_polls / requests, "times");
        subject.print("processor", seconds * 1e6 * of_each, "microseconds/operation");
    }
}

/// Watches all operations of the service until they have ended.
fn drain(service: &Arc<Service>, clock: &Events) {
    let client = service.client(clock.clone(), Jitter::None);
    let fleet = fleet(boundless(), clock.clone());
    let watcher = async {
        watch_all(service, clock, &fleet, &client).await;
        fleet.close();
    };
    let consumer = async {
        let mut completions = fleet.completions();
        while let Some(completion) = completions.next().await {
            assert!(completion.outcome().is_ok_and(|operation| operation.is_succeeded()), "{completion:?}");
            completion.ack().await.unwrap();
        }
    };
    clock.run(zip(fleet.run(), zip(watcher, consumer)));
}

/// Has a fleet watch each operation soon after it is started.
async fn watch_all(service: &Service, clock: &Events, fleet: &Fleet, client: &Operations) {
    const BATCHES: u64 = 1500;
    for batch in 0..BATCHES {
        clock.sleep(LOAD.pause / BATCHES as u32).await;
        let [first, last] = [batch, batch + 1].map(|batch| service.operations * batch / BATCHES);
        (first..last).for_each(|number| watch(fleet, client, number));
    }
}

/// Prints how much of a quota of 25 requests per second is used in an hour by operations that want
/// more, and by how many requests the fullest window is over what the budget allows.
pub fn quota() {
    const RATE: f64 = 25.0;
    const BURST: u32 = 25;
    let log = log_of(10_000, Budget::per_origin(RATE).burst(BURST), HOUR);
    let times: Vec<f64> = log.iter().map(|(time, _)| time.as_secs_f64()).collect();
    let settled = LOAD.pause.as_secs_f64() * 2.0;
    let used = times.iter().filter(|time| **time >= settled).count() as f64 / (HOUR.as_secs_f64() - settled);
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for (count, time) in times.iter().enumerate() {
        let surplus = count as f64 - RATE * time;
        least = least.min(surplus);
        most = most.max(surplus - least + 1.0);
    }
    let subject = Subject { bench: "fleet-quota", variant: "fleet" };
    subject.print("used", used, "requests/second");
    subject.print("over-the-budget", most - f64::from(BURST), "requests");
}

/// Prints how late polls are at half of the budget.
pub fn lateness() {
    let operations = 7_500;
    let log = log_of(operations, Budget::per_origin(1000.0), LOAD.pause * 20);
    let mut due = vec![None; operations as usize];
    let mut late = Vec::new();
    for (time, number) in log {
        let Some(number) = number else { continue };
        let next = time + LATENCY + LOAD.pause;
        if let Some(due) = due[number as usize].replace(next) {
            late.push(time.checked_sub(due).expect("no poll is early").as_secs_f64() * 1e3);
        }
    }
    late.sort_by(f64::total_cmp);
    let subject = Subject { bench: "fleet-lateness", variant: "fleet" };
    for (metric, share) in [("p50", 0.5), ("p99", 0.99), ("most", 1.0)] {
        let which = ((late.len() - 1) as f64 * share) as usize;
        subject.print(metric, late[which], "milliseconds");
    }
}

/// Returns the requests of a fleet in `time`, of a service without lists.
fn log_of(operations: u64, budget: Budget, time: Duration) -> Vec<(Duration, Option<u64>)> {
    let clock = Events::new();
    let mut service = Service::new(operations, clock.clone());
    (service.latency, service.log) = (LATENCY, Some(Mutex::default()));
    let service = Arc::new(service);
    let client = service.client(clock.clone(), Jitter::None);
    let fleet = fleet(budget, clock.clone());
    let watched = async {
        watch_all(&service, &clock, &fleet, &client).await;
        clock.sleep(time.saturating_sub(clock.elapsed())).await;
    };
    let driver = async {
        fleet.run().await;
        std::future::pending().await
    };
    clock.run(or(watched, driver));
    let log = service.log.as_ref().map(|log| std::mem::take(&mut *log.lock().unwrap()));
    log.unwrap_or_default()
}
