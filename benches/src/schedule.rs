//! Measures what default schedules cost: polls per operation, and the time from its end to the poll
//! that sees it.
//!
//! The durations of operations are log-normal with sigma 1, the same for every schedule. For our
//! schedules the library itself waits, through its public API and with virtual time. The peers'
//! schedules are computed here from the values that they document. Time limits are left out for
//! all.

use std::time::Duration;

use fastrand::Rng;
use lro_runtime::{Jitter, PollSettings};

use crate::{report::Subject, service::Service};

const OPERATIONS: usize = 20_000;
/// The medians of the operations' durations, in seconds.
pub const MEDIANS: [f64; 3] = [5.0, 60.0, 600.0];

/// A published client's schedule, in seconds.
struct Peer {
    name: &'static str,
    /// Whether its first poll is sent at once, and not after the first delay.
    polls_at_once: bool,
    delay: f64,
    multiplier: f64,
    max_delay: f64,
    jitter: Spread,
}

/// How a peer randomises its delays.
#[derive(Clone, Copy)]
enum Spread {
    None,
    /// Uniformly between zero and the computed delay.
    Full,
    /// Uniformly between the shortest delay and the computed one.
    FromShortest,
}

const PEERS: [Peer; 7] = [
    Peer {
        name: "google-cloud-lro",
        polls_at_once: false,
        delay: 1.0,
        multiplier: 2.0,
        max_delay: 60.0,
        jitter: Spread::None,
    },
    Peer {
        name: "azure_core",
        polls_at_once: false,
        delay: 30.0,
        multiplier: 1.0,
        max_delay: 30.0,
        jitter: Spread::None,
    },
    Peer { name: "api-core", polls_at_once: true, delay: 1.0, multiplier: 1.5, max_delay: 20.0, jitter: Spread::Full },
    Peer {
        name: "gax-dotnet",
        polls_at_once: true,
        delay: 20.0,
        multiplier: 1.5,
        max_delay: 45.0,
        jitter: Spread::None,
    },
    Peer { name: "gax-java", polls_at_once: false, delay: 5.0, multiplier: 1.5, max_delay: 45.0, jitter: Spread::Full },
    Peer {
        name: "go-longrunning",
        polls_at_once: true,
        delay: 1.0,
        multiplier: 2.0,
        max_delay: 60.0,
        jitter: Spread::Full,
    },
    Peer {
        name: "aws-smithy",
        polls_at_once: true,
        delay: 2.0,
        multiplier: 2.0,
        max_delay: 120.0,
        jitter: Spread::FromShortest,
    },
];

/// Our settings, and some that were considered as defaults.
fn ours() -> Vec<(&'static str, PollSettings)> {
    let with = |delay, multiplier, max_delay| {
        PollSettings::default()
            .with_delay(Duration::from_secs_f64(delay))
            .with_multiplier(multiplier)
            .with_max_delay(Duration::from_secs_f64(max_delay))
    };
    vec![
        ("ours-default", PollSettings::default()),
        ("ours-interactive", PollSettings::interactive()),
        ("ours-batch", PollSettings::batch()),
        ("candidate-1.5s-x1.3-20s", with(1.5, 1.3, 20.0)),
        ("candidate-2s-x1.3-20s", with(2.0, 1.3, 20.0)),
        ("candidate-default-with-equal-jitter", PollSettings::default().with_jitter(Jitter::Equal)),
    ]
}

/// Prints all figures.
pub fn run() {
    for median in MEDIANS {
        let print = |variant: &str, polls: f64, late: f64| {
            let subject = Subject { bench: &format!("schedule-{median}s"), variant };
            subject.print("polls", polls, "polls/operation");
            subject.print("late", late, "s");
        };
        for peer in &PEERS {
            let (polls, late) = mean(median, |duration, rng| peer.wait(duration, rng));
            print(peer.name, polls, late);
        }
        for (name, settings) in ours() {
            let service = Service::new();
            let client = service.client();
            let (polls, late) = mean(median, |duration, rng| {
                service.wait(&client, duration, settings.clone().with_seed(rng.u64(..)).without_expiration())
            });
            print(name, polls, late);
        }
    }
}

/// Returns the durations of all operations, the same at every call.
fn log_normal(median: f64) -> Vec<f64> {
    let mut rng = Rng::with_seed(1);
    // The Box-Muller transform: two uniform numbers give a normal one.
    let mut normal = move || {
        let (radius, angle) = ((-2.0 * (1.0 - rng.f64()).ln()).sqrt(), std::f64::consts::TAU * rng.f64());
        radius * angle.cos()
    };
    (0..OPERATIONS).map(|_| median * f64::exp(normal())).collect()
}

/// Returns the averages of what `wait` returns, over operations with this median.
pub fn mean(median: f64, mut wait: impl FnMut(f64, &mut Rng) -> (f64, f64)) -> (f64, f64) {
    let (durations, mut rng) = (log_normal(median), Rng::with_seed(7));
    let waits = durations.iter().map(|duration| wait(*duration, &mut rng));
    let sum = waits.fold((0.0, 0.0), |sum, wait| (sum.0 + wait.0, sum.1 + wait.1));
    (sum.0 / durations.len() as f64, sum.1 / durations.len() as f64)
}

impl Peer {
    /// Returns the number of polls, and the seconds from the operation's end to the poll that sees
    /// it.
    fn wait(&self, duration: f64, rng: &mut Rng) -> (f64, f64) {
        let (mut now, mut polls, mut delay) = (0.0, 0.0, self.delay);
        let mut is_first = true;
        loop {
            if !(is_first && self.polls_at_once) {
                now += match self.jitter {
                    Spread::None => delay,
                    Spread::Full => delay * rng.f64(),
                    Spread::FromShortest => self.delay + (delay - self.delay) * rng.f64(),
                };
                delay = (delay * self.multiplier).min(self.max_delay);
            }
            is_first = false;
            polls += 1.0;
            if now >= duration {
                return (polls, now - duration);
            }
        }
    }
}
