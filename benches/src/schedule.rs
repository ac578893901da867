//! What default schedules cost: polls per operation, and how long after its end an operation is noticed.
//!
//! Durations are log-normal with sigma 1, the same for everybody. Ours are waited for by the library itself, through its public API and with virtual time; the
//! peers' schedules are computed here from the values that they document, time limits left out for all.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use lro_runtime::{
    Jitter, Operations, PollSettings, Transport, TransportError,
    transport::{BoxFuture, Reply, Request},
};

use crate::{
    report::Subject,
    virtual_time::{Clock, run as run_future},
};

const OPERATIONS: usize = 20_000;
const MEDIANS: [f64; 3] = [5.0, 60.0, 600.0];

/// A published client's schedule, in seconds.
struct Peer {
    name: &'static str,
    /// Whether its first poll comes at once, or after the first delay.
    polls_at_once: bool,
    delay: f64,
    multiplier: f64,
    max_delay: f64,
    jitter: Spread,
}

#[derive(Clone, Copy)]
enum Spread {
    None,
    /// Uniformly from nothing to the delay.
    Full,
    /// Uniformly from the shortest delay to the computed one.
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

/// Settings that are ours, and some that might be.
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
        ("candidate-1s-x1.5-10s", with(1.0, 1.5, 10.0)),
        ("candidate-1s-x1.5-30s", with(1.0, 1.5, 30.0)),
        ("candidate-1s-x1.3-15s", with(1.0, 1.3, 15.0)),
        ("candidate-1s-x1.3-20s", with(1.0, 1.3, 20.0)),
        ("candidate-1s-x1.2-20s", with(1.0, 1.2, 20.0)),
        ("candidate-2s-x1.3-20s", with(2.0, 1.3, 20.0)),
        ("candidate-0.5s-x1.5-20s", with(0.5, 1.5, 20.0)),
        ("candidate-default-equal-jitter", PollSettings::default().with_jitter(Jitter::Equal)),
    ]
}

/// Prints all figures.
pub fn run() {
    for median in MEDIANS {
        let durations = log_normal(median);
        let print = |variant: &str, polls: f64, late: f64| {
            let subject = Subject { bench: &format!("schedule-{median}s"), variant };
            subject.print("polls", polls, "polls/operation");
            subject.print("late", late, "s");
        };
        for peer in &PEERS {
            let (polls, late) = mean(&durations, &mut Rng::with_seed(7), |duration, rng| peer.wait(duration, rng));
            print(peer.name, polls, late);
        }
        for (name, settings) in ours() {
            let service = Service::default();
            let client = service.client();
            let (polls, late) = mean(&durations, &mut Rng::with_seed(7), |duration, rng| {
                service.wait(&client, duration, settings.clone().with_seed(rng.u64(..)).without_expiration())
            });
            print(name, polls, late);
        }
    }
}

/// The same durations whenever it is asked.
fn log_normal(median: f64) -> Vec<f64> {
    let mut rng = Rng::with_seed(1);
    let mut normal = move || {
        let (radius, angle) = ((-2.0 * (1.0 - rng.f64()).ln()).sqrt(), std::f64::consts::TAU * rng.f64());
        radius * angle.cos()
    };
    (0..OPERATIONS).map(|_| median * f64::exp(normal())).collect()
}

fn mean(durations: &[f64], rng: &mut Rng, mut wait: impl FnMut(f64, &mut Rng) -> (f64, f64)) -> (f64, f64) {
    let sum = durations.iter().map(|duration| wait(*duration, rng)).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    (sum.0 / durations.len() as f64, sum.1 / durations.len() as f64)
}

impl Peer {
    /// Polls, and seconds from the end to the poll that sees it.
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

/// A service whose operation is done when its time has come.
#[derive(Clone)]
struct Service {
    clock: Clock,
    polls: Arc<AtomicU64>,
    done_at: Arc<AtomicU64>,
}

impl Default for Service {
    fn default() -> Self {
        Self { clock: Clock::new(), polls: Arc::default(), done_at: Arc::default() }
    }
}

impl Service {
    fn client(&self) -> Operations {
        Operations::builder("http://localhost").transport(self.clone()).timer(self.clock.clone()).build().unwrap()
    }

    /// Starts an operation of this duration and waits for it with our loop.
    fn wait(&self, client: &Operations, duration: f64, settings: PollSettings) -> (f64, f64) {
        let ends = self.clock.elapsed() + Duration::from_secs_f64(duration);
        self.done_at.store(u64::try_from(ends.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        let done = run_future(async {
            let started = client.post("v1/jobs", &()).await?;
            self.polls.store(0, Relaxed);
            started.poll_until_completed(settings).await
        });
        assert!(done.unwrap().is_succeeded());
        (self.polls.load(Relaxed) as f64, (self.clock.elapsed().saturating_sub(ends)).as_secs_f64())
    }
}

impl Transport for Service {
    fn send<'a>(&'a self, _request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        self.polls.fetch_add(1, Relaxed);
        let is_done = self.clock.elapsed() >= Duration::from_nanos(self.done_at.load(Relaxed));
        let body =
            if is_done { r#"{"name":"operations/1","done":true,"response":{}}"# } else { r#"{"name":"operations/1"}"# };
        Box::pin(async move { Ok(Reply::new(Bytes::from_static(body.as_bytes()))) })
    }
}
