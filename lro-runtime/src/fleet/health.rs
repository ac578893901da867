//! What an operator looks at: is the fleet behind, and why.

use std::time::Duration;

use super::{journal::JournalHealth, origin::Why, shared::Shared, store::StoreError};

/// How a fleet is at one time: made by [`Fleet::health`](super::Fleet::health).
///
/// Two numbers are worth an alarm: `drivers` of 0, because nobody polls, and a `saturation` above
/// 1, because the origin's budget is less than what the operations want, so that all their waits
/// stretch by that factor.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// How many operations the fleet waits for.
    pub waiting: usize,
    /// How many waits have ended whose completions were not acknowledged.
    pub unacknowledged: usize,
    /// Whether nothing is polled until some of those are acknowledged. Deadlines go on.
    pub is_held: bool,
    /// How many polls are in flight.
    pub in_flight: usize,
    /// How long ago the oldest poll was due that was not sent yet; `None` if none is due.
    pub oldest_due: Option<Duration>,
    /// How many futures of [`run`](super::Fleet::run) there are.
    pub drivers: usize,
    /// The origins that were asked, sorted by their address.
    pub origins: Vec<OriginHealth>,
    /// How the store is; `None` for a fleet in memory.
    pub store: Option<StoreHealth>,
}

/// How the store of a fleet is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreHealth {
    /// How many changes wait to be written.
    pub unwritten: usize,
    /// How long the last commit took.
    pub last_commit: Option<Duration>,
    /// Why nothing is written any more. Worth an alarm: polls go on, and what they see is lost with
    /// the process.
    pub failure: Option<StoreError>,
}

/// How one origin is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OriginHealth {
    /// Its address, such as `https://images.example.com:443`.
    pub origin: String,
    /// How many requests are in flight.
    pub in_flight: u32,
    /// How many requests it was sent.
    pub requests: u64,
    /// How long ago the oldest poll was due that was not sent yet; `None` if none is due.
    pub oldest_due: Option<Duration>,
    /// How many requests the operations want, as a share of how many may be sent: above 1, waits
    /// stretch by this factor.
    pub saturation: f64,
    /// Why nothing is sent now but what is urgent.
    pub pause: Option<Pause>,
}

/// Why an origin is not asked, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// Why.
    pub why: PauseReason,
    /// For how much longer, if that is known.
    pub left: Option<Duration>,
}

/// Why an origin is not asked for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PauseReason {
    /// Its budget is spent for the moment.
    Budget,
    /// As many requests are in flight as may be.
    Concurrency,
    /// It has asked for a pause.
    Throttled,
    /// It does not answer. It is probed by one request at a time.
    Down,
}

impl From<Why> for PauseReason {
    fn from(why: Why) -> Self {
        match why {
            Why::Budget => Self::Budget,
            Why::Concurrency => Self::Concurrency,
            Why::Throttled => Self::Throttled,
            Why::Down => Self::Down,
        }
    }
}

/// Looks at a fleet.
pub(super) fn of(shared: &Shared) -> Health {
    let now = shared.timer.now();
    let state = shared.lock();
    let of_origin = |(origin, id): (&crate::url::Origin, _)| {
        let health = state.core.health_of(id, now)?;
        Some(OriginHealth {
            origin: origin.to_string(),
            in_flight: health.in_flight,
            requests: health.requests,
            oldest_due: health.oldest_due,
            saturation: health.saturation,
            pause: health.blocked.map(|(why, left)| Pause { why: why.into(), left }),
        })
    };
    let mut origins: Vec<OriginHealth> = state.origins().filter_map(of_origin).collect();
    origins.sort_by(|one, other| one.origin.cmp(&other.origin));
    Health {
        waiting: state.core.waiting(),
        unacknowledged: state.endings.len(),
        is_held: state.is_held(),
        in_flight: state.core.in_flight(),
        oldest_due: origins.iter().filter_map(|origin| origin.oldest_due).max(),
        drivers: state.drivers(),
        origins,
        store: shared.journal.as_ref().map(|journal| {
            let JournalHealth { unwritten, last_commit, failure } = journal.health();
            StoreHealth { unwritten, last_commit, failure }
        }),
    }
}
