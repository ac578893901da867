//! Groups of operations on a real server of Restate, whose processes are killed.
//!
//! Needs the server, an npm package, and the path of its program:
//!
//! ```sh
//! sh tests/install-server.sh /tmp/restate     # prints the path
//! LRO_RESTATE_SERVER=… cargo test --test cluster -- --ignored
//! ```

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]

#[expect(dead_code, reason = "the figures use the rest")]
mod support;

use std::{collections::BTreeSet, thread, time::Duration};

use lro_restate::{EndedState, Look, group_of};
use lro_runtime::{
    Code, PollSettings,
    testing::{Fault, Job},
};
use serde_json::json;

use self::support::{Cluster, alone};

const SECOND: Duration = Duration::from_secs(1);

#[test]
#[ignore = "the endpoint of the other tests, in a process of its own"]
fn endpoint() {
    support::serve();
}

/// Checks that each of these was told, once, as it has ended.
fn assert_told_once(cluster: &Cluster, names: &[String], state: EndedState) {
    let told = cluster.told();
    let of_names: BTreeSet<&String> = told.iter().map(|(name, ..)| name).collect();
    assert!(names.iter().all(|name| of_names.contains(name)), "{} of {} were told", of_names.len(), names.len());
    for (name, times, ended) in &told {
        assert_eq!(*times, 1, "{name} is told once");
        assert_eq!(ended.name, *name);
        if names.contains(name) {
            assert_eq!(ended.state, state, "{name}: {:?}", ended.problem);
        }
    }
}

/// Checks that nothing is left of what is over.
fn assert_empty(cluster: &Cluster) {
    let chunks = "SELECT service_key, key FROM state WHERE service_name = 'LroGroup' AND key <> 'meta'";
    assert_eq!(cluster.query(chunks), Vec::<serde_json::Value>::new());
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn every_end_of_an_operation_is_told_once() {
    let _alone = alone();
    let cluster = Cluster::start(1000.0, None);
    let add = |name: &str, job: Job| cluster.service.add(job.named(format!("a/operations/{name}")));
    let succeeds = add("succeeds", Job::polls(2).responds(json!({ "uri": "cat.png" })));
    let fails = add("fails", Job::polls(2).fails(Code::ResourceExhausted, "the disk is full"));
    let cancelled = add("cancelled", Job::endless());
    let late = add("late", Job::endless());
    let removed = add("removed", Job::endless());
    let group = group_of("api", &succeeds, 1);
    cluster.watch(&group, &[succeeds.clone(), fails.clone()], None);
    let tickets = cluster.watch(&group, &[cancelled.clone(), removed.clone()], None);
    cluster.watch(&group, std::slice::from_ref(&late), Some(&PollSettings::default().with_timeout(3 * SECOND)));
    assert_eq!(cluster.watch(&group, std::slice::from_ref(&cancelled), None), tickets[..1], "it is watched already");

    let look = cluster.ask("LroGroup", &group, "look", &json!(tickets[0]));
    assert_eq!(serde_json::from_value::<Option<Look>>(look).unwrap().unwrap().name, cancelled);
    assert_eq!(cluster.ask("LroGroup", &group, "cancel", &json!(tickets[0])), true);
    assert_eq!(cluster.ask("LroGroup", &group, "remove", &json!(tickets[1])), true);
    assert_eq!(cluster.ask("LroGroup", &group, "remove", &json!(tickets[1])), false);

    cluster.until_told(4, 60 * SECOND);
    assert_told_once(&cluster, std::slice::from_ref(&succeeds), EndedState::Succeeded);
    assert_told_once(&cluster, &[fails], EndedState::Failed);
    assert_told_once(&cluster, &[cancelled], EndedState::Cancelled);
    assert_told_once(&cluster, std::slice::from_ref(&late), EndedState::Unknown);
    let told = cluster.told();
    let of = |name: &String| &told.iter().find(|(known, ..)| known == name).unwrap().2;
    assert_eq!(of(&succeeds).response::<serde_json::Value>().unwrap(), json!({ "uri": "cat.png" }));
    assert_eq!(of(&late).problem.as_ref().unwrap().kind, "Timeout");
    assert!(cluster.ask("LroGroup", &group, "look", &json!(tickets[0])).is_null());
    assert_empty(&cluster);
    let quiet = cluster.requests();
    thread::sleep(3 * SECOND);
    assert_eq!(cluster.requests(), quiet, "a group without operations asks for nothing");
}

/// Adds operations that take a few seconds, and returns them by group.
fn add(cluster: &Cluster, groups: usize, of_each: usize) -> Vec<(String, Vec<String>)> {
    let mut rng = fastrand::Rng::with_seed(3);
    (0..groups)
        .map(|group| {
            let job = |_| Job::lasting(Duration::from_millis(rng.u64(2_000..12_000)));
            let add_one =
                |(number, job): (usize, Job)| cluster.service.add(job.named(format!("g{group}/operations/{number}")));
            let names: Vec<String> = (0..of_each).map(job).enumerate().map(add_one).collect();
            (group_of("api", &names[0], 1), names)
        })
        .collect()
}

fn watch_all(cluster: &Cluster, groups: &[(String, Vec<String>)]) -> Vec<String> {
    groups
        .iter()
        .flat_map(|(group, names)| {
            cluster.watch(group, names, None);
            names.clone()
        })
        .collect()
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn a_thousand_operations_survive_the_death_of_endpoint_and_server() {
    let _alone = alone();
    let reference = {
        let cluster = Cluster::start(1000.0, None);
        let names = watch_all(&cluster, &add(&cluster, 20, 50));
        cluster.until_told(names.len(), 120 * SECOND);
        assert_told_once(&cluster, &names, EndedState::Succeeded);
        assert_empty(&cluster);
        cluster.requests()
    };

    let mut cluster = Cluster::start(1000.0, None);
    let names = watch_all(&cluster, &add(&cluster, 20, 50));
    let mut deaths = 0;
    for killed in ["endpoint", "server", "both", "endpoint"] {
        thread::sleep(3 * SECOND / 2);
        if killed != "endpoint" {
            cluster.server.take().unwrap().kill();
        }
        if killed != "server" {
            cluster.worker.take().unwrap().kill();
            cluster.start_worker();
        }
        if killed != "endpoint" {
            cluster.start_server();
        }
        deaths += 1;
    }
    cluster.until_told(names.len(), 180 * SECOND);
    assert_told_once(&cluster, &names, EndedState::Succeeded);
    assert_empty(&cluster);
    // Only a turn that was not journaled is had again. Where lists show the operations, that is two
    // requests of each group; where each is polled, it would be those that were due. And another
    // run is not the same to the millisecond.
    let (requests, groups) = (cluster.requests(), 20);
    let most = reference + deaths * 2 * groups + reference / 10;
    println!("{requests} requests after {deaths} deaths, {reference} without, {most} allowed");
    assert!(requests <= most, "{requests} requests, {reference} without a death");
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn what_is_started_by_a_handler_is_started_once_whatever_dies() {
    const STARTS: usize = 200;
    let _alone = alone();
    let mut cluster = Cluster::start(1000.0, None);
    for killed in ["endpoint", "server", "both", "endpoint", "none"] {
        for number in 0..STARTS / 5 {
            cluster.start_job(&format!("{killed}-{}-{number}", cluster.service.started()), SECOND);
        }
        if ["server", "both"].contains(&killed) {
            cluster.server.take().unwrap().kill();
        }
        if ["endpoint", "both"].contains(&killed) {
            cluster.worker.take().unwrap().kill();
            cluster.start_worker();
        }
        if ["server", "both"].contains(&killed) {
            cluster.start_server();
        }
    }
    cluster.until_told(STARTS, 120 * SECOND);
    let names: Vec<String> = cluster.told().into_iter().map(|(name, ..)| name).collect();
    assert_told_once(&cluster, &names, EndedState::Succeeded);
    assert_empty(&cluster);
    assert_eq!((cluster.service.started(), names.len()), (200, STARTS), "each is started once");
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn an_endpoint_that_dies_at_any_step_of_a_turn_loses_nothing() {
    let _alone = alone();
    let places = [
        "begun",
        "leased",
        "turn",
        "read",
        "cold turn",
        "polled",
        "digest",
        "state",
        "completion",
        "tick sent",
        "done",
    ];
    for place in places {
        // The steps of a watch are the same: the third time is a tick's.
        let at =
            if ["read", "cold turn", "completion"].contains(&place) { place.to_owned() } else { format!("{place}:3") };
        let mut cluster = Cluster::start(1000.0, Some(&at));
        let job = |number| Job::lasting(SECOND * 2).named(format!("a/operations/{number}"));
        let names: Vec<String> = (0..30).map(|number| cluster.service.add(job(number))).collect();
        let group = group_of("api", &names[0], 1);
        let mut dies = cluster.worker.take().unwrap();
        let cluster = &cluster;
        thread::scope(|scope| {
            // It waits where the endpoint dies while it watches.
            scope.spawn(|| cluster.watch(&group, &names, None));
            assert!(dies.ends_within(60 * SECOND), "it dies at `{at}`");
            let _again = cluster.revive();
            cluster.until_told(names.len(), 60 * SECOND);
        });
        assert_told_once(cluster, &names, EndedState::Succeeded);
        assert_empty(cluster);
        // About 34 without a death, and one turn again, which asks for each once at most.
        let (requests, most) = (cluster.requests(), 40 + names.len());
        println!("{place}: {requests} requests");
        assert!(requests <= most, "{requests} requests, at most {most}");
    }
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn a_server_that_dies_at_a_step_of_a_turn_with_or_without_the_endpoint_loses_nothing() {
    let _alone = alone();
    for at in ["leased:3", "polled:3", "digest:3", "completion"] {
        for has_both in [false, true] {
            let mut cluster = Cluster::start(1000.0, Some(&format!("waits {at}")));
            let job = |number| Job::lasting(SECOND * 2).named(format!("a/operations/{number}"));
            let names: Vec<String> = (0..30).map(|number| cluster.service.add(job(number))).collect();
            cluster.watch(&group_of("api", &names[0], 1), &names, None);
            cluster.until_waiting();
            cluster.server.take().unwrap().kill();
            if has_both {
                cluster.worker.take().unwrap().kill();
                cluster.start_worker();
            }
            cluster.start_server();
            cluster.until_told(names.len(), 60 * SECOND);
            assert_told_once(&cluster, &names, EndedState::Succeeded);
            assert_empty(&cluster);
            let (requests, most) = (cluster.requests(), 40 + names.len());
            println!("{at}, both: {has_both}: {requests} requests");
            assert!(requests <= most, "{requests} requests, at most {most}");
        }
    }
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn a_service_that_throttles_for_a_minute_is_asked_within_the_budget_and_nothing_is_lost() {
    let _alone = alone();
    let rate = 10.0;
    let cluster = Cluster::start(rate, None);
    // Each in a collection of its own, so that lists do not help.
    let job = |number| Job::lasting(5 * SECOND).named(format!("a{number}/operations/1"));
    let names: Vec<String> = (0..40).map(|number| cluster.service.add(job(number))).collect();
    for (number, names) in names.chunks(10).enumerate() {
        cluster.watch(&format!("api/{number}"), names, None);
    }
    cluster.front.throttle(true);
    thread::sleep(60 * SECOND);
    cluster.front.throttle(false);
    let throttled = cluster.front.throttled();
    cluster.until_told(names.len(), 180 * SECOND);
    assert_told_once(&cluster, &names, EndedState::Succeeded);
    println!("{throttled} requests in the minute in which each was answered with 429");
    // The budget is 600. Twenty more: what a group has in hand when the minute begins.
    assert!((1..=620).contains(&throttled), "{throttled} requests");
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn ticks_that_come_twice_or_in_another_order_send_nothing_more() {
    let _alone = alone();
    let cluster = Cluster::start(1000.0, None);
    let job = |number| Job::lasting(8 * SECOND).named(format!("a{number}/operations/1"));
    let names: Vec<String> = (0..20).map(|number| cluster.service.add(job(number))).collect();
    cluster.watch("api/all", &names, None);
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..300 {
        cluster.send_tick("api/all", rng.u64(0..12));
        cluster.send_tick("api/other", rng.u64(1..12));
    }
    cluster.until_told(names.len(), 60 * SECOND);
    assert_told_once(&cluster, &names, EndedState::Succeeded);
    // One each 700 ms; a tick that was sent at its turn is early, and finds nothing due.
    let most = names.len() * 14;
    assert!(cluster.requests() <= most, "{} requests, at most {most}", cluster.requests());
    // Nor does a tick that is not awaited change anything, or bring forth others. Twelve rounds of
    // polls are as many turns, or twice as many; twelve ticks may have been the awaited one.
    let turns = |group: &str| {
        let meta = format!(
            "SELECT value_utf8 FROM state WHERE service_name = 'LroGroup' AND service_key = '{group}' AND key = 'meta'"
        );
        let of = |row: &serde_json::Value| row["value_utf8"].as_str().unwrap().to_owned();
        let meta = cluster.query(&meta).first().map(of);
        meta.map(|meta| serde_json::from_str::<serde_json::Value>(&meta).unwrap()["version"].as_u64().unwrap())
    };
    let had = turns("api/all").unwrap();
    assert!(had <= 60, "{had} turns after 300 ticks too many");
    assert_eq!(turns("api/other"), None, "a group without operations has no turns");
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn all_groups_together_stay_within_the_rate_and_an_origin_that_asks_for_a_pause_gets_it() {
    let _alone = alone();
    let rate = 10.0;
    let cluster = Cluster::start(rate, None);
    // Each in a collection of its own, so that lists do not help.
    let job = |number| {
        let job = Job::lasting(15 * SECOND).named(format!("a{number}/operations/1"));
        if number == 0 { job.fault(2, Fault::Busy { retry_after: 5 * SECOND }) } else { job }
    };
    let names: Vec<String> = (0..60).map(|number| cluster.service.add(job(number))).collect();
    for (number, names) in names.chunks(15).enumerate() {
        cluster.watch(&format!("api/{number}"), names, None);
    }
    let began = std::time::Instant::now();
    cluster.until_told(names.len(), 120 * SECOND);
    let (requests, seconds) = (cluster.requests(), began.elapsed().as_secs_f64());
    assert_told_once(&cluster, &names, EndedState::Succeeded);
    // Four seconds more: the time before the clock was started.
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let (sent, most) = (requests as f64, rate * (seconds + 5.0));
    println!("{sent} requests in {seconds:.1} s");
    assert!(sent <= most, "{sent} requests in {seconds} s");
}

#[test]
#[ignore = "needs the Restate server: LRO_RESTATE_SERVER"]
fn a_worker_that_is_stopped_for_a_while_and_a_new_deployment_lose_nothing() {
    let _alone = alone();
    let mut cluster = Cluster::start(1000.0, None);
    let names = watch_all(&cluster, &add(&cluster, 5, 20));
    let signal = |of: &support::Process, name: &str| {
        let sent = std::process::Command::new("kill").args([name, &of.id().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    thread::sleep(SECOND);
    signal(cluster.worker.as_ref().unwrap(), "-STOP");
    thread::sleep(3 * SECOND);
    signal(cluster.worker.as_ref().unwrap(), "-CONT");
    thread::sleep(SECOND);
    // The old one goes on with what it has begun, until it is shut down.
    let old = cluster.deploy_another();
    cluster.until_told(names.len(), 120 * SECOND);
    drop(old);
    assert_told_once(&cluster, &names, EndedState::Succeeded);
    assert_empty(&cluster);
}
