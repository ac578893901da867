//! What an operator asks a core: is it behind, and why.

use std::time::Duration;

use super::{Core, Place};
use crate::{
    engine::Packed,
    fleet::{
        ids::OriginId,
        lanes::Queued,
        moment::{Moment, approximately},
        origin::Why,
    },
};

/// How an origin is.
#[derive(Clone, Debug)]
pub(in crate::fleet) struct PartyHealth {
    /// How many requests are in flight.
    pub(in crate::fleet) in_flight: u32,
    /// How many requests were sent.
    pub(in crate::fleet) requests: u64,
    /// How long ago the oldest poll was due that waits for its turn.
    pub(in crate::fleet) oldest_due: Option<Duration>,
    /// How many requests per second the operations want, by how many there may be.
    pub(in crate::fleet) saturation: f64,
    /// Why nothing is sent for now, and until when, if that is known.
    pub(in crate::fleet) blocked: Option<(Why, Option<Duration>)>,
}

impl Core {
    /// Returns how many operations wait for their end.
    pub(in crate::fleet) fn waiting(&self) -> usize {
        self.rows.0.iter().filter(|row| row.is_live()).count()
    }

    /// Returns how an origin is at this time.
    pub(in crate::fleet) fn health_of(&self, id: OriginId, time: std::time::Instant) -> Option<PartyHealth> {
        let now = self.moment(time);
        let party = self.parties.get(id as usize)?;
        let due = |slot, place| self.rows.get(slot).filter(|row| row.place == place)?.engine.as_ref().map(Packed::due);
        let is_due = |queued| match queued {
            Queued::Poll { slot, number } => due(slot, Place::Ready(number)),
            _ => None,
        };
        let queued = party.lanes.fronts(move |queued| is_due(queued).is_some()).filter_map(is_due);
        let groups = || self.groups.iter().filter(|group| group.origin == id);
        let held =
            groups().filter_map(|group| group.held.iter().find_map(|(slot, number)| due(*slot, Place::Held(*number))));
        let oldest: Option<Moment> = queued.chain(held).min();
        let of_groups: f64 = groups().map(|group| group.requests_per_second(now)).sum();
        Some(PartyHealth {
            in_flight: party.origin.in_flight(),
            requests: party.requests,
            oldest_due: oldest.map(|due| duration(now.saturating_sub(due))),
            saturation: party.origin.saturation(now, approximately(party.demand) / 1e6 + of_groups),
            blocked: party
                .origin
                .blocked(now)
                .map(|(why, until)| (why, until.map(|until| duration(until.saturating_sub(now))))),
        })
    }
}

fn duration(nanos: Moment) -> Duration {
    Duration::from_nanos(nanos.try_into().unwrap_or_default())
}
