//! Operations that are asked for by several names in one call, against a service like Meilisearch.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use lro_runtime::{
    Budget, Fleet, Operations,
    dialect::Declared,
    http::StatusCode,
    testing::VirtualClock,
    transport::{Reply, Request},
    wire::meilisearch::Task,
};
use serde_json::json;

use crate::cloud::{beside, take_all};

const SECOND: Duration = Duration::from_secs(1);

/// Watches so many tasks that take a minute, of which a call shows no more than `shown`. Returns
/// how many calls asked for several tasks, and how many for one.
fn watch(tasks: u64, shown: usize, refuses: bool) -> (usize, usize) {
    let clock = VirtualClock::new();
    let log: Arc<Mutex<BTreeMap<bool, usize>>> = Arc::default();
    let (service, counted) = (clock.clone(), Arc::clone(&log));
    let answer = move |request: Request| {
        let path = request.uri().path().to_owned();
        let uids = request.uri().query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("uids=")));
        let state = if service.elapsed() >= SECOND * 60 { "succeeded" } else { "processing" };
        let task = |uid: &str| json!({ "uid": uid.parse::<u64>().unwrap(), "status": state, "type": "indexing" });
        let body = match (uids, path.strip_prefix("/tasks/")) {
            (Some(_), _) if refuses => None,
            (Some(uids), _) => {
                let uids = uids.replace("%2C", ",");
                Some(json!({ "results": uids.split(',').take(shown).map(task).collect::<Vec<_>>(), "next": null }))
            }
            (None, uid) => Some(task(uid.unwrap())),
        };
        *counted.lock().unwrap().entry(uids.is_some()).or_default() += 1;
        let mut reply = Reply::new(body.clone().unwrap_or_else(|| json!({ "message": "no" })).to_string().into());
        if body.is_none() {
            *reply.status_mut() = StatusCode::BAD_REQUEST;
        }
        std::future::ready(Ok(reply))
    };
    let client = Operations::builder("http://search.example.com").dialect(Declared::of::<Task>());
    let client = client.transport(answer).timer(clock.clone()).build().unwrap();
    let fleet = Fleet::builder().timer(clock.clone()).budget(Budget::per_origin(1000.0)).build().unwrap();
    for uid in 1..=tasks {
        fleet.try_watch(&client.resume(uid.to_string()).unwrap()).unwrap();
    }
    fleet.close();
    let consumer = take_all(&fleet, |completion| assert!(completion.outcome().unwrap().is_succeeded()));
    assert_eq!(beside(fleet.run(), consumer), tasks);
    let log = log.lock().unwrap();
    (log.get(&true).copied().unwrap_or_default(), log.get(&false).copied().unwrap_or_default())
}

#[test]
fn operations_are_asked_for_together_where_a_call_takes_several_names() {
    let (together, alone) = watch(300, usize::MAX, false);
    assert!(together < 60 && alone < 10, "{together} calls for several, {alone} for one");
}

#[test]
fn an_operation_that_a_call_for_several_leaves_out_is_asked_for_alone() {
    let (together, alone) = watch(30, 20, false);
    assert!(together > 2 && alone > 10, "{together} calls for several, {alone} for one");
}

#[test]
fn a_service_that_refuses_several_names_is_asked_for_one_after_the_other() {
    let (together, alone) = watch(30, 0, true);
    assert!(together == 1 && alone > 100, "{together} calls for several, {alone} for one");
}
