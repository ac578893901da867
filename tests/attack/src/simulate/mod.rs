//! The simulator: random histories of a service and its users, over the public interface alone.

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
pub(crate) const SUITE: Suite = Suite { name: "simulate", unit: "histories", case, short: 800 };

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
            let found = (1..=500).find_map(|seed| {
                let panic = catch_unwind(|| live(seed, Some(*lie), false)).err()?;
                let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                Some((seed, why))
            });
            let (seed, why) = found.unwrap_or_else(|| panic!("{lie:?} was not found"));
            println!("{lie:?}: {seed} histories: {}", why.split(':').next().unwrap_or_default());
            let expected = promises.iter().any(|promise| why.starts_with(&format!("{promise:?} ")));
            assert!(expected, "{lie:?} at seed {seed}: {why}");
        }
    }
}
