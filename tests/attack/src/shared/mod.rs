//! The attack on the shared wait: a model of its wakers, and real threads.
//!
//! The model plays the executor, the other threads, the service and the clock of one shared wait,
//! and counts every wake-up. After each history it plays on, with one waiter that is polled only
//! when it was woken while all others are held. Broken is then:
//!
//! - progress: the waiter waits although the service has answered, or is polled without end;
//! - one loop: two steps, two requests, a request before its time or after the end, one that is
//!   given up although somebody waits, one that goes on although nobody does;
//! - thrift: a waiter is woken twice before it is polled, or polls what nothing has woken;
//! - agreement: two waiters get two outcomes, or one waits after the end.

#![expect(clippy::expect_used, clippy::panic, reason = "a promise that is broken is a panic")]

mod explore;
mod model;
mod threads;
mod world;

use std::time::Duration;

use self::world::Service;
use crate::round::{Counts, Suite};

/// All histories of the model of the shared wait up to a length: of each of the services, then of
/// each one action longer, six lengths in all. After these 24 explorations a round ends: longer
/// ones would not stay within memory and time.
pub const SHARED_ALL: Suite =
    Suite { name: "shared-all", unit: "explorations", case: all_histories, short: 4, long: 3 };

/// Random histories of the model of the shared wait, longer than those that are all played.
pub const SHARED: Suite = Suite { name: "shared", unit: "histories", case: random_history, short: 300, long: 8000 };

/// One shared wait whose waiters are on threads, which come, go and hold on as the seed says. What
/// the scheduler of the machine does is not in the seed: a case that fails may pass when repeated.
pub const SHARED_THREADS: Suite =
    Suite { name: "shared-threads", unit: "waits", case: threads::wait_on_threads, short: 20, long: 2000 };

/// How many lengths of histories are played.
const LENGTHS: usize = 6;

/// The services that the model plays.
const SERVICES: [Service; 4] = [
    Service { done_with: Some(2), answers_at_once: false, timeout: None, wakes_in_place: false },
    Service { done_with: Some(2), answers_at_once: true, timeout: None, wakes_in_place: false },
    Service { done_with: None, answers_at_once: false, timeout: Some(Duration::from_secs(6)), wakes_in_place: false },
    Service { done_with: Some(2), answers_at_once: false, timeout: None, wakes_in_place: true },
];

fn all_histories(seed: u64) -> Counts {
    let all = SERVICES.len() * LENGTHS;
    let number = usize::try_from(seed % all as u64).unwrap_or_default();
    let service = SERVICES.get(number % SERVICES.len()).copied();
    let counts = explore::all_histories(service.expect("there are services"), 5 + number / SERVICES.len());
    counts.of_all(all as u64)
}

fn random_history(seed: u64) -> Counts {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut service = random.choice(SERVICES).expect("there are services");
    service.done_with = service.done_with.map(|_| random.u32(1..8));
    let length = random.usize(10..60);
    explore::random_history(service, length, &mut random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_history_of_wakers_stops_a_waiter_that_is_polled() {
        let report = SHARED_ALL.short_round();
        assert!(report.counts().of("histories") > 5000 && report.counts().of("outlooks") > 1000, "{report}");
    }

    #[test]
    fn no_random_history_stops_a_waiter() {
        let report = SHARED.short_round();
        assert!(report.counts().of("requests") > 1000 && report.counts().of("steps") > 5000, "{report}");
    }

    #[test]
    fn threads_that_come_and_go_get_one_outcome_from_one_loop() {
        let report = SHARED_THREADS.short_round();
        let met = |name| report.counts().of(name) > 20;
        assert!(met("waited") && met("dropped") && met("held"), "{report}");
    }
}
