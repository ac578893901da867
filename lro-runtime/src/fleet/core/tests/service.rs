//! The simulated services: what each request gives, and when.

use std::time::Duration;

use fastrand::Rng;
use http::StatusCode;

use super::{
    super::*,
    world::{InFlight, What, World},
};
use crate::{
    fleet::core::asked::Cancelled,
    hint::Hint,
    status::{Code, Status, TransportError, TransportErrorKind},
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// How the service of a group shows its operations, truthfully or not.
pub(super) struct Service {
    pub(super) shown: Shown,
    pub(super) origin: OriginId,
    /// The kinds of this group's operations: one for each schedule.
    pub(super) kinds: [KindId; 3],
    /// How far its list is behind.
    lag: Duration,
    /// How long a new operation is missing, at most.
    missing_for: Duration,
    /// Of 256 entries, how many it passes over between two pages, and how many operations it never
    /// shows.
    skips: u8,
    pub(super) loses: u8,
    ignores_filter: bool,
    forgets_after: Option<Duration>,
    /// Of 256 requests, how many it refuses, and how many fail.
    refuses: u8,
    fails: u8,
    /// Of 256 last pages, how many say that a part of the service was silent.
    partial: u8,
    /// Operations of others in the list.
    foreign: usize,
    /// Whether its list has no end.
    is_endless: bool,
    is_hostile: bool,
    latency: u64,
    /// What the sweep that is on its way reads: the entries, and where it is. `None` is foreign.
    list: Vec<Option<Ticket>>,
    at: usize,
}

impl Service {
    pub(super) fn new(rng: &mut Rng, shown: Shown, origin: OriginId, kinds: [KindId; 3]) -> Self {
        let visible_after = match shown {
            Shown::Listed { visible_after, .. } => Duration::from_nanos(visible_after.unsigned_abs()),
            Shown::Named { .. } => Duration::ZERO,
        };
        let is_honest = rng.u8(..) < 64;
        let mut of = |most: u8| if is_honest || rng.bool() { 0 } else { rng.u8(0..most) };
        let (skips, loses, refuses, fails, partial) = (of(60), of(60), of(60), of(200), of(200));
        let mut does = |chance: u8| !is_honest && rng.u8(..) < chance;
        let (ignores_filter, is_endless, is_hostile) = (does(40), does(20), does(60));
        let (is_flooded, is_late, lags, forgets) = (does(60), does(60), does(100), does(60));
        let is_frozen = does(50) && matches!(shown, Shown::Listed { .. });
        Self {
            shown,
            origin,
            kinds,
            lag: match () {
                () if is_frozen => HOUR * 1_000,
                () if lags => Duration::from_millis(rng.u64(0..60_000)),
                () => Duration::ZERO,
            },
            missing_for: visible_after + if is_late { 20 * SECOND } else { Duration::ZERO },
            skips,
            loses,
            ignores_filter,
            forgets_after: forgets.then(|| Duration::from_secs(rng.u64(0..100))),
            refuses,
            fails,
            partial,
            foreign: if is_flooded { rng.usize(0..100) } else { 0 },
            is_endless,
            is_hostile,
            latency: if rng.u8(..) < 90 { 10_000 } else { 300 },
            list: Vec::new(),
            at: 0,
        }
    }
}

/// Something that went wrong, by a name.
pub(super) fn http(status: u16) -> Failure {
    let code = StatusCode::from_u16(status).unwrap();
    Failure::new(Cause::Http(code, Status::new(Code::from_http_status(status), "")))
}

pub(super) fn refused() -> Failure {
    Failure::new(Cause::Transport(TransportError::new(TransportErrorKind::Connect, "refused")))
}

impl World {
    /// What any request to this origin gives that does not come to what it asks for.
    fn trouble(&mut self, origin: OriginId, limit: Duration) -> Option<(Duration, Failure)> {
        let latency = Duration::from_millis(self.weather.u64(0..300));
        if self.is_down(origin) {
            self.count("unreached");
            let is_silent = self.weather.u8(..) < 80;
            let failure = if is_silent { Failure::new(Cause::TimedOut(limit)) } else { refused() };
            return Some((self.now + if is_silent { limit } else { latency.min(limit) }, failure));
        }
        let failure = match self.weather.u8(0..200) {
            0..5 => {
                self.count("throttles");
                let hint = Hint::After(Duration::from_millis(self.weather.u64(10..20_000)));
                http(429).with_hint(Some(hint).filter(|_| self.weather.bool()))
            }
            5..8 => http(503),
            8..14 => http(500),
            14 => refused(),
            _ => return None,
        };
        self.count("failures");
        Some((self.now + latency.min(limit), failure))
    }

    /// What the poll of an operation that is sent now gives, and when.
    pub(super) fn answer_poll(&mut self, ticket: Ticket, limit: Duration) -> InFlight {
        let origin = self.subjects[&ticket].origin;
        if let Some((ends, failure)) = self.trouble(origin, limit) {
            return InFlight { ends, origin, what: What::Poll(ticket, Gave::Failure(failure)) };
        }
        let slowest = if self.weather.u8(..) < 10 { 40_000 } else { 300 };
        let latency = Duration::from_millis(self.weather.u64(0..slowest));
        let subject = &self.subjects[&ticket];
        let ends = self.now + latency.min(limit);
        let gave = if latency >= limit {
            self.count("slow polls");
            Gave::Failure(Failure::new(Cause::TimedOut(limit)))
        } else if subject.is_broken {
            Gave::Failure(http(500))
        } else {
            let completed = subject.ends <= ends;
            let hint = Hint::After(Duration::from_millis(self.weather.u64(10..20_000)));
            let hint = Some(hint).filter(|_| self.weather.u8(..) < 30);
            Gave::Success(PollSuccess { completed, hint, follow: self.weather.u8(..) < 5 })
        };
        InFlight { ends, origin, what: What::Poll(ticket, gave) }
    }

    pub(super) fn answer_cancel(&mut self, ticket: Ticket, failures: u8) -> InFlight {
        let origin = self.subjects[&ticket].origin;
        let (ends, gave) = if let Some((ends, failure)) = self.trouble(origin, 30 * SECOND) {
            (ends, Cancelled::Failed(failure))
        } else {
            let ends = self.now + Duration::from_millis(self.weather.u64(0..2_000));
            if self.weather.bool() {
                // It ends of that, a little later.
                let subject = self.subjects.get_mut(&ticket).unwrap();
                subject.ends = subject.ends.min(ends);
            }
            (ends, Cancelled::Answered)
        };
        InFlight { ends, origin, what: What::Cancel { ticket, failures, gave } }
    }

    /// What the list or the batch of a service says of an operation now; `None` if it is not there.
    fn shows(&self, service: &Service, ticket: Ticket) -> Option<Seen> {
        let subject = self.subjects.get(&ticket)?;
        if subject.is_lost || self.now < subject.watched + service.missing_for.mul_f64(subject.share) {
            return None;
        }
        let seen_at = self.now.saturating_sub(service.lag);
        if subject.ends > seen_at {
            return Some(Seen::Running);
        }
        if service.forgets_after.is_some_and(|after| subject.ends + after < self.now) {
            return None;
        }
        match service.shown {
            Shown::Listed { has_ended: false, .. } if !service.ignores_filter => None,
            Shown::Listed { has_results: false, .. } => Some(Seen::EndedElsewhere),
            _ => Some(Seen::Ended),
        }
    }

    /// What a page of a group's list gives, and when.
    pub(super) fn answer_page(&mut self, group: GroupId, is_first: bool) -> InFlight {
        let origin = self.services[group as usize].origin;
        let gives = |ends, shows, end| InFlight { ends, origin, what: What::Page { group, shows, end } };
        if let Some((ends, failure)) = self.trouble(origin, 30 * SECOND) {
            self.count("failed pages");
            return gives(ends, Vec::new(), PageEnd::Failed(failure));
        }
        let mut service = self.services.swap_out(group);
        let rng = &mut self.weather;
        let ends = self.now + Duration::from_millis(rng.u64(0..service.latency));
        if is_first {
            service.list = self
                .subjects
                .keys()
                .filter(|key| self.subjects[key].group == Some(group))
                .map(|key| Some(*key))
                .collect();
            service.list.extend((0..service.foreign).map(|_| None));
            rng.shuffle(&mut service.list);
            service.at = 0;
        }
        let Shown::Listed { page, .. } = service.shown else { unreachable!("it is no list") };
        let (refuses, fails) = (rng.u8(..) < service.refuses, rng.u8(..) < service.fails);
        let mut shows = Vec::new();
        let end = if refuses {
            self.count("refused pages");
            PageEnd::Refused(http(if self.weather.bool() { 403 } else { 501 }))
        } else if fails {
            self.count("failed pages");
            PageEnd::Failed(http(if self.weather.bool() { 500 } else { 503 }))
        } else {
            let to = (service.at + page as usize).min(service.list.len());
            let entries: Vec<Option<Ticket>> = service.list[service.at.min(to)..to].to_vec();
            for ticket in entries {
                if self.weather.u8(..) < service.skips {
                    self.count("skipped entries");
                    continue;
                }
                let Some(ticket) = ticket else {
                    self.count("foreign entries");
                    continue;
                };
                if let Some(seen) = self.shows(&service, ticket) {
                    shows.push((ticket, seen));
                    if service.is_hostile {
                        self.count("hostile entries");
                        shows.push((ticket, seen));
                        shows.push((Ticket { generation: ticket.generation.wrapping_sub(1), ..ticket }, Seen::Ended));
                    }
                }
            }
            if service.is_hostile {
                shows.extend(self.gone.iter().map(|ticket| (*ticket, Seen::Ended)));
            }
            service.at = to;
            if to < service.list.len() {
                PageEnd::More
            } else if service.is_endless {
                self.count("endless lists");
                service.at = 0;
                PageEnd::More
            } else {
                PageEnd::Last { is_complete: self.weather.u8(..) >= service.partial }
            }
        };
        self.services.swap_in(group, service);
        gives(ends, shows, end)
    }

    /// What a call with so many names gives, and when.
    pub(super) fn answer_batch(&mut self, group: GroupId, members: Vec<Ticket>) -> InFlight {
        let origin = self.services[group as usize].origin;
        let trouble = self.trouble(origin, 30 * SECOND);
        let service = self.services.swap_out(group);
        let fails = self.weather.u8(..) < service.fails;
        let latency = Duration::from_millis(self.weather.u64(0..3 * service.latency));
        let mut shows = Vec::new();
        let (ends, end) = match trouble {
            Some((ends, failure)) => (ends, PageEnd::Failed(failure)),
            None if fails => (self.now + latency, PageEnd::Failed(http(500))),
            None if self.weather.u8(..) < service.refuses => (self.now + latency, PageEnd::Refused(http(501))),
            None => {
                for ticket in &members {
                    if self.weather.u8(..) >= service.skips {
                        shows.extend(self.shows(&service, *ticket).map(|seen| (*ticket, seen)));
                    }
                }
                (self.now + latency, PageEnd::Last { is_complete: true })
            }
        };
        if matches!(end, PageEnd::Failed(_) | PageEnd::Refused(_)) {
            self.count("failed batches");
        } else if shows.len() < members.len() {
            self.count("batches that left some out");
        }
        self.services.swap_in(group, service);
        InFlight { ends, origin, what: What::Batch { group, members, shows, end } }
    }
}

/// Lends a service out while the world is changed.
pub(super) struct Services(Vec<Option<Service>>);

impl Services {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn push(&mut self, service: Service) {
        self.0.push(Some(service));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn swap_out(&mut self, group: GroupId) -> Service {
        self.0[group as usize].take().unwrap()
    }

    fn swap_in(&mut self, group: GroupId, service: Service) {
        self.0[group as usize] = Some(service);
    }
}

impl std::ops::Index<usize> for Services {
    type Output = Service;

    fn index(&self, index: usize) -> &Service {
        self.0[index].as_ref().unwrap()
    }
}
