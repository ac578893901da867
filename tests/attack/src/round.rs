//! Runs the cases of a suite: as many as asked, or until the time is over, and says which seed
//! failed.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

/// One suite of the attack.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// The name on the command line.
    pub name: &'static str,
    /// What one case is, in the plural: `histories`, `executions`.
    pub unit: &'static str,
    /// Runs the case of a seed. Panics where the library breaks a promise.
    pub case: fn(seed: u64) -> Counts,
    /// How many cases `cargo test` runs.
    pub short: u64,
    /// How many cases CI runs, of other seeds: all suites together take two minutes on two cores,
    /// not optimized.
    pub long: u64,
}

/// What the cases of a round have met, by name: faults, requests, polls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_name: BTreeMap<&'static str, u64>,
    all: Option<u64>,
}

impl Counts {
    /// Adds `count` to what is counted under `name`.
    pub fn add(&mut self, name: &'static str, count: u64) {
        *self.by_name.entry(name).or_default() += count;
    }

    /// Says that there are only so many different cases, of which that many seeds in a row have
    /// each: after them a round is exhausted, and ends.
    #[must_use]
    pub fn of_all(self, all: u64) -> Self {
        Self { all: Some(all), ..self }
    }

    /// Returns what is counted under `name`; 0 if nothing is.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.by_name.get(name).copied().unwrap_or_default()
    }

    /// Adds the counts of another case.
    pub fn merge(&mut self, other: Self) {
        other.by_name.into_iter().for_each(|(name, count)| self.add(name, count));
        self.all = other.all.or(self.all);
    }
}

/// How long a round goes on.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// As many cases.
    Cases(u64),
    /// As many cases as the suite's [`long`](Suite::long) says.
    Long,
    /// Until the time is over.
    Time(Duration),
}

/// What a round has done. Its text is one line, for a person and for `grep`.
#[derive(Clone, Debug)]
pub struct Report {
    suite: Suite,
    first_seed: u64,
    cases: u64,
    took: Duration,
    counts: Counts,
}

impl Report {
    /// Returns what the cases have met together.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether no other case is left to run.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.counts.all.is_some_and(|all| self.cases >= all)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { suite, first_seed, cases, took, counts } = self;
        let seconds = took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = *cases as f64 / seconds.max(1e-9);
        write!(f, "{}: {}={cases} seconds={seconds:.1} per_second={rate:.0}", suite.name, suite.unit)?;
        write!(f, " first_seed={first_seed}")?;
        counts.by_name.iter().try_for_each(|(name, count)| write!(f, " {name}={count}"))?;
        if self.is_exhausted() { f.write_str(" exhausted") } else { Ok(()) }
    }
}

impl Suite {
    /// Runs cases from `first_seed` on, one seed after the other.
    ///
    /// # Panics
    ///
    /// At the first case that fails, after printing the command that repeats it.
    #[must_use]
    pub fn run(self, first_seed: u64, limit: Limit) -> Report {
        let began = Instant::now();
        let took = Duration::ZERO;
        let mut report = Report { suite: self, first_seed, cases: 0, took, counts: Counts::default() };
        while match limit {
            _ if report.is_exhausted() => false,
            Limit::Cases(most) => report.cases < most,
            Limit::Long => report.cases < self.long,
            Limit::Time(most) => began.elapsed() < most,
        } {
            let seed = first_seed.wrapping_add(report.cases);
            match catch_unwind(AssertUnwindSafe(|| (self.case)(seed))) {
                Ok(of_case) => report.counts.merge(of_case),
                Err(panic) => {
                    eprintln!("repeat it: cargo run -p lro-attack -- {} --seed {seed} --cases 1", self.name);
                    resume_unwind(panic);
                }
            }
            report.cases += 1;
        }
        report.took = began.elapsed();
        report
    }

    /// Runs the short round of `cargo test`: always the same cases, so that a test that fails fails
    /// again.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    #[must_use = "a round that met nothing proves nothing: look at its counts"]
    pub fn short_round(self) -> Report {
        let report = self.run(1, Limit::Cases(self.short));
        println!("{report}");
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: Suite =
        Suite { name: "three", unit: "cases", case: |_| Counts::default().of_all(3), short: 1, long: 10 };

    #[test]
    fn a_round_ends_when_no_other_case_is_left_and_says_so() {
        for limit in [Limit::Cases(10), Limit::Long, Limit::Time(Duration::MAX)] {
            let report = THREE.run(7, limit);
            assert!(report.is_exhausted() && report.to_string().starts_with("three: cases=3 "), "{report}");
            assert!(report.to_string().ends_with(" exhausted"), "{report}");
        }
        let report = THREE.run(7, Limit::Cases(2));
        assert!(!report.is_exhausted() && !report.to_string().contains("exhausted"), "{report}");
    }
}
