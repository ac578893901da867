//! Rounds of histories.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Instant,
};

use super::world::{Counts, World};

/// Runs one history, and again with every event told if it breaks.
fn history(seed: u64) -> Counts {
    catch_unwind(|| World::new(seed, true, false).run()).unwrap_or_else(|panic| {
        eprintln!("the history of seed {seed}:");
        let again = catch_unwind(AssertUnwindSafe(|| World::new(seed, true, true).run()));
        assert!(again.is_err(), "a history is made of its seed alone");
        eprintln!("repeat it: LRO_SEED={seed} LRO_HISTORIES=1 {COMMAND}");
        resume_unwind(panic)
    })
}

const COMMAND: &str = "cargo test -p lro-runtime --lib fleet::core -- --ignored --nocapture";

/// Runs the histories of these seeds. Returns what they have met.
fn round(seeds: impl Iterator<Item = u64>) -> Counts {
    let mut all = Counts::default();
    seeds.for_each(|seed| all.merge(history(seed)));
    all
}

/// Everything that a round must meet more than a hundred times.
const MET: [&str; 33] = [
    "absent",
    "batches",
    "batches that left some out",
    "cancels",
    "checks of lists",
    "completed",
    "drops",
    "endless lists",
    "failed",
    "failed batches",
    "failed cancels",
    "failed pages",
    "foreign entries",
    "further pages",
    "given up batches",
    "given up cancels",
    "given up pages",
    "given up polls",
    "given up with their origin",
    "hastened",
    "holds",
    "hostile entries",
    "moved elsewhere",
    "outages",
    "refused because full",
    "refused pages",
    "removed",
    "removed in flight",
    "skipped entries",
    "sleeps",
    "throttles",
    "timed out",
    "unreached",
];

/// 2,000 histories.
#[test]
fn whatever_happens_nothing_is_lost_and_no_budget_is_exceeded() {
    let mut all = Counts::default();
    std::thread::scope(|scope| {
        let halves = [scope.spawn(|| round(1..1_001)), scope.spawn(|| round(1_001..2_001))];
        for half in halves {
            all.merge(half.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
    });
    let few: Vec<_> = MET.into_iter().filter(|name| all.0.get(name).is_none_or(|count| *count <= 100)).collect();
    assert!(few.is_empty(), "met too seldom: {few:?} of {all:?}");
}

#[test]
fn lists_and_batches_cost_no_more_requests_than_polls_of_each() {
    let (mut with, mut without) = (0, 0);
    for seed in 1..100 {
        let [with_lists, by_polls] = [true, false].map(|has_groups| World::new(seed, has_groups, false).run());
        let (asked, gets) = (with_lists.0["requests"], by_polls.0["requests"]);
        // A history goes its own way with lists: an operation whose polls fail goes on if a list
        // shows it, and one whose end a list hides is asked for the longer.
        assert!(asked <= 2 * gets + 60, "seed {seed}: {with_lists:?}, and by polls: {by_polls:?}");
        (with, without) = (with + asked, without + gets);
    }
    assert!(with <= without, "{with} requests, and {without} gets");
}

#[test]
#[ignore = "as many histories as LRO_HISTORIES says (default: 5,000), from seed LRO_SEED on"]
fn a_long_round() {
    let number = |name, default| std::env::var(name).map_or(default, |value| value.parse().expect("a number"));
    let (first, histories) = (number("LRO_SEED", 10_001), number("LRO_HISTORIES", 5_000));
    let began = Instant::now();
    let all = round(first..first + histories);
    let seconds = began.elapsed().as_secs_f64();
    let years = all.0["operation seconds"] as f64 / (365.25 * 86_400.0);
    let per_second = histories as f64 / seconds;
    print!("fleet: histories={histories} seconds={seconds:.1} per_second={per_second:.0} first_seed={first}");
    print!(" operation_years={years:.1}");
    for (name, count) in &all.0 {
        print!(" {}={count}", name.replace(' ', "_"));
    }
    println!();
}
