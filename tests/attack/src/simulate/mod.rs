//! The simulator: random histories of a service and its users, over the public interface alone.
//!
//! One seed makes one history. A service has operations with a true course (`truth`), which it
//! tells in one of twelve dialects (`speech`). Between it and its clients lie latency, lost
//! replies, throttles, outages, garbage, replies of lagging replicas and redirects, and the clocks
//! jump (`world`). A user starts operations, polls, waits, streams, shares, observes and cancels
//! them, gives up at any await, and resumes them in other processes (`history`). After each step
//! everything that is promised is checked against what is true (`promises`, `waits`).
//!
//! A history that breaks a promise is lived once more and written down, line by line: the time,
//! what the user does, each request and each reply. `lro-attack simulate --seed S --cases 1`
//! repeats it.
//!
//! # What the checks find
//!
//! A world that lies (`lies`) breaks each promise on purpose, in a test. These faults were
//! planted in the library by hand, and found by the short round:
//!
//! | planted | broken promise | histories |
//! |---|---|---|
//! | a reply that goes backwards moves the state back | `StateNeverGoesBack` | 160 |
//! | a start that may have happened is sent again without an id | `StartIsSentOnce` | 3 |
//! | the hint of the first reply is forgotten | `NoPollBeforeItsTime` | 10 |
//! | a shared loop wakes only its first waiter | `WakesAndNeverSpins` | 6 |
//! | the time limit of a poll is not cut at the deadline, and overflows | a panic | 2 |
//! | a good reply does not restore the error budget | `BudgetIsKept` | 14 |
//! | a guard is disarmed before its wait has ended | `CancelsWhatIsDropped` | 7 |
//! | a completed operation is polled | `RequestsAreCounted` | 3 |
//! | a reply that moves the operation is not followed | `RequestsAreCounted` | 1 |
//! | a URL on any origin is followed | `StaysOnItsOrigin` | 61 |
//! | progress beyond 1 is passed on | `ProgressIsAFraction` | 5 |
//! | the error of a timeout has no operation | `NoOperationIsLost` | 1 |
//! | a token of a pending operation resumes as running | `TokenIsNotNewer` | 2 |
//! | observers are told of the first failed poll only | `ObserversAreTold` | 50 |
//!
//! One was not found within 800: an operation that a wait has found, and that is gone within the
//! grace after its start, is forgiven. Few histories have one that ends and expires so soon.
//!
//! # What is not told apart
//!
//! A service that answers a poll with the body of another operation cannot be found out: services
//! write an operation's name in more than one way, so the library compares no names. Such replies
//! are a lie here, not a disturbance. Nor can a `200` that is no result be told from one where any
//! `200` is the result (plain HTTP, Redfish, Azure's `Location`): garbage comes as an error there.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use self::{history::History, lies::Lie, world::World};
use crate::round::{Counts, Suite};

mod drive;
mod history;
mod lies;
mod plan;
mod promises;
mod speech;
mod truth;
mod waits;
mod world;

/// The suite.
pub(crate) const SUITE: Suite = Suite { name: "simulate", unit: "histories", case, short: 800, long: 6000 };

/// What every secret that is planted has in it.
const SECRET: &str = "hunter2";
/// The credentials of a client.
const SECRET_IN_HEADER: &str = "hunter2-header";
/// A signature in the URL of a start call.
const SECRET_IN_QUERY: &str = "hunter2-query";

/// Lives the history of a seed. One that breaks a promise is told, and panics.
fn case(seed: u64) -> Counts {
    match catch_unwind(|| live(seed, None, false)) {
        Ok((counts, _)) => counts,
        Err(broken) => {
            for line in told(seed, None) {
                eprintln!("{line}");
            }
            resume_unwind(broken)
        }
    }
}

/// Lives the history of a seed.
fn live(seed: u64, lie: Option<Lie>, is_told: bool) -> (Counts, Vec<String>) {
    // The library draws from this generator where no seed is set.
    fastrand::seed(seed);
    let world = World::new(seed, lie, is_told);
    History::new(std::sync::Arc::clone(&world)).live();
    let mut state = world.lock();
    (state.counts.clone(), std::mem::take(&mut state.script))
}

/// Lives a history again and writes it down, up to where it breaks off.
fn told(seed: u64, lie: Option<Lie>) -> Vec<String> {
    fastrand::seed(seed);
    let world = World::new(seed, lie, true);
    let _ = catch_unwind(AssertUnwindSafe(|| History::new(std::sync::Arc::clone(&world)).live()));
    std::mem::take(&mut world.lock().script)
}

#[cfg(test)]
#[expect(clippy::panic, reason = "tests may fail")]
mod tests {
    use super::{speech::Tongue, *};

    #[test]
    fn no_history_breaks_a_promise() {
        let report = SUITE.short_round();
        // It has met what it is for.
        for met in ["end.succeeded", "end.failed", "end.cancelled", "end.timeout", "end.poll", "end.protocol"] {
            assert!(report.counts().of(met) > 10, "{met}");
        }
        for met in ["suspends", "clock_jumps", "resumes.token", "resumes.name", "waits_dropped", "reached_the_end"] {
            assert!(report.counts().of(met) > 5, "{met}");
        }
        for tongue in Tongue::ALL {
            assert!(report.counts().of(tongue.word()) > 20, "{tongue:?}");
        }
    }

    #[test]
    fn a_history_repeats() {
        for seed in 1..60 {
            let (once, again) = (live(seed, None, true), live(seed, None, true));
            let differs = once.1.iter().zip(&again.1).find(|(one, two)| one != two);
            assert_eq!(differs, None, "seed {seed}");
            assert_eq!(once, again, "seed {seed}");
        }
    }

    #[test]
    fn every_lie_is_found() {
        for (lie, promises) in Lie::ALL {
            // A lie may break other promises as well, and sooner.
            let found = (1..=400).find_map(|seed| {
                let panic = catch_unwind(|| live(seed, Some(*lie), false)).err()?;
                let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                promises.iter().any(|promise| why.starts_with(&format!("{promise:?} "))).then_some((seed, why))
            });
            let (seed, why) = found.unwrap_or_else(|| panic!("{lie:?} was not found"));
            println!("{lie:?}: {seed} histories: {}", why.split(" is ").next().unwrap_or_default());
        }
    }
}
