//! The schedules of other clients, from the defaults in their sources.

use fastrand::Rng;

/// A published client's schedule, in seconds.
pub(super) struct Peer {
    pub(super) name: &'static str,
    first: First,
    delay: f64,
    multiplier: f64,
    max_delay: f64,
    pub(super) spread: Spread,
}

/// When a client first polls.
#[derive(PartialEq)]
enum First {
    /// As soon as the reply to the start call is there.
    AtOnce,
    /// After the first delay.
    AfterDelay,
}

/// How a client randomises its delays.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Spread {
    None,
    /// Uniformly between zero and the computed delay.
    Full,
    /// Uniformly between the shortest delay and the computed one.
    FromShortest,
}

impl Peer {
    const fn new(name: &'static str, first: First, delays: (f64, f64, f64), spread: Spread) -> Self {
        let (delay, multiplier, max_delay) = delays;
        Self { name, first, delay, multiplier, max_delay, spread }
    }

    /// Returns the times of the polls of one wait, in seconds after the start, up to the first
    /// after `duration`.
    pub(super) fn polls(&self, duration: f64, rng: &mut Rng) -> Vec<f64> {
        let (mut now, mut delay) = (0.0, self.delay);
        let mut times = if self.first == First::AtOnce { vec![0.0] } else { vec![] };
        while now < duration {
            now += match self.spread {
                Spread::None => delay,
                Spread::Full => delay * rng.f64(),
                Spread::FromShortest => self.delay + (delay - self.delay) * rng.f64(),
            };
            delay = (delay * self.multiplier).min(self.max_delay);
            times.push(now);
        }
        times
    }
}

/// The clients: when they first poll, and their delay, its factor and its maximum.
pub(super) const PEERS: [Peer; 7] = [
    Peer::new("google-cloud-lro", First::AfterDelay, (1.0, 2.0, 60.0), Spread::None),
    Peer::new("azure_core", First::AfterDelay, (30.0, 1.0, 30.0), Spread::None),
    Peer::new("api-core", First::AtOnce, (1.0, 1.5, 20.0), Spread::Full),
    Peer::new("gax-dotnet", First::AtOnce, (20.0, 1.5, 45.0), Spread::None),
    Peer::new("gax-java", First::AfterDelay, (5.0, 1.5, 45.0), Spread::Full),
    Peer::new("Go", First::AtOnce, (1.0, 2.0, 60.0), Spread::Full),
    Peer::new("AWS waiters", First::AtOnce, (2.0, 2.0, 120.0), Spread::FromShortest),
];
