//! Turns per second, time and processor time of a turn, and bytes of state, on a real server.
//!
//! ```sh
//! LRO_RESTATE_SERVER=$(sh tests/install-server.sh /tmp/restate) cargo bench --bench figures
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a program for developers"
)]

#[path = "../tests/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod support;

use std::{
    thread,
    time::{Duration, Instant},
};

use lro_runtime::{PollSettings, testing::Job};

use self::support::{Cluster, Process, WARM};

/// The processor time that a process has taken.
fn processor_time(process: &Process) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

struct Measured {
    turns: u32,
    took: Duration,
    server: Duration,
    worker: Duration,
}

/// Has turns: `at_once` groups, each so many one after the other. A turn that watches nothing is as
/// one that has polled, but for the requests.
fn turns(cluster: &Cluster, groups: &[String], of_each: u32) -> Measured {
    let of = |process: &Option<Process>| processor_time(process.as_ref().unwrap());
    let (server, worker, began) = (of(&cluster.server), of(&cluster.worker), Instant::now());
    thread::scope(|scope| {
        for group in groups {
            scope.spawn(move || (0..of_each).for_each(|_| drop(cluster.watch(group, &[], None))));
        }
    });
    Measured {
        turns: of_each * u32::try_from(groups.len()).unwrap(),
        took: began.elapsed(),
        server: of(&cluster.server).saturating_sub(server),
        worker: of(&cluster.worker).saturating_sub(worker),
    }
}

fn main() {
    if support::is_endpoint() {
        return support::serve();
    }
    println!(
        "| groups | operations each | in memory | ms a turn | turns/s | CPU ms a turn: server, endpoint | bytes of state an operation |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (groups, operations, warm) in [
        (1, 50, true),
        (1, 500, true),
        (1, 5000, true),
        (1, 500, false),
        (1, 5000, false),
        (24, 500, true),
        (24, 500, false),
    ] {
        let cluster = Cluster::start_with(100_000.0, None, &[(WARM, if warm { "1000" } else { "0" })]);
        let later = PollSettings::default().with_initial_delay(Duration::from_secs(36_000));
        let groups: Vec<String> = (0..groups).map(|group| format!("api/projects/p{group}/operations")).collect();
        for group in &groups {
            let job = |number| {
                let name = format!("{}/a-name-of-a-usual-length-{number:08}", &group[4..]);
                cluster.service.add(Job::endless().named(name))
            };
            let names: Vec<String> = (0..operations).map(job).collect();
            names.chunks(500).for_each(|names| drop(cluster.watch(group, names, Some(&later))));
        }
        // What is due at first is polled, and noted; then nothing is for hours.
        thread::sleep(Duration::from_secs(3));
        let state = "SELECT sum(length(encode(value, 'hex'))) / 2 AS bytes FROM state WHERE service_name = 'LroGroup'";
        let bytes = cluster.query(state)[0]["bytes"].as_u64().unwrap();
        let Measured { turns, took, server, worker } =
            turns(&cluster, &groups, if groups.len() == 1 { 200 } else { 50 });
        let each = |time: Duration| time.as_secs_f64() * 1000.0 / f64::from(turns);
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let bytes = bytes as f64 / (operations * groups.len()) as f64;
        println!(
            "| {} | {operations} | {} | {:.1} | {:.0} | {:.2}, {:.2} | {bytes:.0} |",
            groups.len(),
            if warm { "yes" } else { "no" },
            took.as_secs_f64() * 1000.0 / f64::from(turns) * f64::from(u32::try_from(groups.len()).unwrap()),
            f64::from(turns) / took.as_secs_f64(),
            each(server),
            each(worker),
        );
    }
    ticks();
}

/// Real ticks: a lease, a list of 500, notes of 500, and the next tick.
fn ticks() {
    println!("\n| groups of 500, polled every 0.7 s | ticks/s | CPU ms a tick: server, endpoint | requests/s |");
    println!("|---|---|---|---|");
    for groups in [1, 24] {
        let cluster = Cluster::start(100_000.0, None);
        for group in 0..groups {
            let job = |number| cluster.service.add(Job::endless().named(format!("p{group}/operations/{number:08}")));
            let names: Vec<String> = (0..500).map(job).collect();
            cluster.watch(&format!("api/p{group}/operations"), &names, None);
        }
        thread::sleep(Duration::from_secs(3));
        // Each turn is one version of the group.
        let turns = || {
            let rows = cluster.query("SELECT value_utf8 FROM state WHERE service_name = 'LroGroup' AND key = 'meta'");
            let version = |row: &serde_json::Value| -> serde_json::Value {
                serde_json::from_str(row["value_utf8"].as_str().unwrap()).unwrap()
            };
            rows.iter().map(|row| version(row)["version"].as_u64().unwrap()).sum::<u64>()
        };
        let of = |process: &Option<Process>| processor_time(process.as_ref().unwrap());
        let (before, server, worker, began) = (turns(), of(&cluster.server), of(&cluster.worker), Instant::now());
        let asked = cluster.requests();
        thread::sleep(Duration::from_secs(15));
        let took = began.elapsed().as_secs_f64();
        let turns = f64::from(u32::try_from(turns() - before).unwrap());
        let asked = cluster.requests() - asked;
        let each = |time: Duration, before: Duration| time.saturating_sub(before).as_secs_f64() * 1000.0 / turns;
        println!(
            "| {groups} | {:.1} | {:.2}, {:.2} | {:.1} |",
            turns / took,
            each(of(&cluster.server), server),
            each(of(&cluster.worker), worker),
            f64::from(u32::try_from(asked).unwrap()) / took,
        );
    }
}
