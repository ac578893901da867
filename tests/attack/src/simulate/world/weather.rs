//! The weather between the service and its clients: what goes wrong with a request.

use std::time::Duration;

use super::{World, WorldState};
use crate::simulate::speech::{Asked, Place, Tongue};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// No connection.
    Refused,
    /// The connection ends before the reply.
    Reset,
    /// No reply, ever.
    Stall,
    /// An error of this HTTP status.
    Status(u16),
    /// A refusal that another poll would not mend.
    Forbidden,
    Garbage(usize),
    /// The reply of a replica that lags by so much.
    Stale(Duration),
    /// The poll is redirected within the origin.
    Redirect,
    /// The poll is redirected to another origin.
    Astray,
}

impl Fault {
    pub(super) fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::Refused => "fault.refused",
            Self::Reset => "fault.reset",
            Self::Stall => "fault.stall",
            Self::Status(429) => "fault.429",
            Self::Status(503) => "fault.503",
            Self::Status(_) => "fault.5xx",
            Self::Forbidden => "fault.403",
            Self::Garbage(_) => "fault.garbage",
            Self::Stale(_) => "fault.stale",
            Self::Redirect => "fault.redirect",
            Self::Astray => "fault.astray",
        })
    }
}

/// A time in which every request meets the same fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spell {
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) fault: Fault,
}

/// How rough a history is.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    /// How many requests of a thousand meet a fault of their own.
    pub(super) faults: u32,
    /// How many replies of a thousand have a hint.
    pub(super) hints: u32,
    /// How many requests of a thousand are slow.
    pub(super) slow: u32,
    pub(super) spells: Vec<Spell>,
}

impl World {
    /// Decides what goes wrong with a request.
    pub(super) fn fault(&self, state: &mut WorldState, asked: Asked, at: Duration) -> Fault {
        if state.is_calm || matches!(asked, Asked::Cancel(_)) {
            return Fault::None;
        }
        if let Some(spell) = state.weather.spells.iter().find(|spell| spell.from <= at && at < spell.to) {
            return spell.fault;
        }
        if state.rng.u32(..1000) >= state.weather.faults {
            return Fault::None;
        }
        let fault = match state.rng.u32(..32) {
            0..=2 => Fault::Refused,
            3..=5 => Fault::Reset,
            6 => Fault::Stall,
            7..=9 => Fault::Status(429),
            10..=13 => Fault::Status(503),
            14 => Fault::Status(408),
            15..=16 => Fault::Status(500),
            17 => Fault::Status(502),
            18 => Fault::Status(504),
            19 => Fault::Forbidden,
            20..=21 => Fault::Garbage(state.rng.usize(..4)),
            22..=23 => Fault::Redirect,
            24..=25 => Fault::Astray,
            _ => Fault::Stale(Duration::from_millis(state.rng.u64(..120_000))),
        };
        let is_told_apart = match (fault, asked) {
            (Fault::Garbage(_), Asked::Poll(place)) => {
                self.tongue.knows_garbage()
                    || self.tongue == Tongue::AzureMonitor && matches!(place, Place::Operation(_))
            }
            (Fault::Forbidden, _) => self.tongue.knows_refusals(),
            (Fault::Redirect | Fault::Astray, Asked::Poll(Place::Operation(_))) => self.tongue == Tongue::Http,
            (Fault::Stale(_), Asked::Poll(place)) => matches!(place, Place::Operation(_)),
            (Fault::Garbage(_) | Fault::Redirect | Fault::Astray | Fault::Stale(_), _) => false,
            _ => true,
        };
        if is_told_apart { fault } else { Fault::None }
    }
}
