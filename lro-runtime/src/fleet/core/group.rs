//! Groups: operations that one request shows together, and the arithmetic of when that request is
//! cheaper than a poll of each.
//!
//! Of a group that is listed, one *sweep* requests every page of the list. It shows all members, so
//! the price of a sweep (its pages) stands against the polls that it saves. Of a group whose
//! service takes several names in one call, a *batch* has as many of the due members as fit.
//!
//! A member that is due is held back for a while, at most half of its own delay, because others
//! will be due by then and one request serves all. Half of the members are enough to wait for no
//! more.

use std::collections::VecDeque;

use crate::fleet::{
    ids::{LaneId, OriginId, Slot},
    moment::{Moment, approximately},
};

/// For how long the lists of a service that has refused one are not asked for.
pub(super) const REFUSED_FOR: Moment = 24 * 3600 * SECOND;

/// For how long a group rests whose requests fail: at first, and at most.
const FIRST_REST: Moment = 10 * SECOND;
const LONGEST_REST: Moment = 600 * SECOND;

/// How many requests in a row may fail before that.
const MOST_FAILURES: u32 = 3;

/// How many sweeps there are for each of which one entry is checked by a poll, and how many such
/// polls in a row must find an operation ended that the list shows as running before it is not
/// believed.
const SWEEPS_PER_CHECK: u32 = 8;
const MOST_WRONG: u32 = 2;

/// After how long a group whose list was found too long asks how long it is now.
const FORGOTTEN_AFTER: Moment = 24 * 3600 * SECOND;

/// The longest time for which a due member of a batch is held back.
const LONGEST_BATCH_HOLD: Moment = SECOND / 2;

const SECOND: Moment = 1_000_000_000;

/// Which request shows the members of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::fleet) enum Shown {
    /// A list of so many entries a page: whether it has those that have ended, with their results.
    /// A new operation may be missing from it for a while.
    Listed { page: u32, has_ended: bool, has_results: bool, visible_after: Moment },
    /// A call that takes up to so many names.
    Named { most: u32 },
}

/// See the module.
pub(super) struct Group {
    pub(super) shown: Shown,
    pub(super) origin: OriginId,
    pub(super) lane: LaneId,
    pub(super) members: u32,
    /// How often the members that wait would be polled by themselves, in polls per 10⁶ seconds.
    pub(super) demand: u64,
    /// The members that are due and held back, and the numbers under which.
    pub(super) held: VecDeque<(Slot, u32)>,
    /// How many of them are held still, and not asked for.
    pub(super) waiting: u32,
    /// When to decide about those, if that is on the agenda.
    pub(super) decides_at: Option<Moment>,
    /// Whether the next request stands in line.
    pub(super) is_queued: bool,
    /// How many of its requests are in flight.
    pub(super) in_flight: u32,
    pub(super) sweep: Option<Sweep>,
    pub(super) refused_until: Moment,
    /// Requests in a row that have failed.
    failures: u32,
    /// Sweeps since an entry was checked, and checks in a row that have found the list wrong.
    unchecked: u32,
    wrong: u32,
    last: Option<LastSweep>,
    /// How many polls a sweep costs beside its own, because it does not show members that go on.
    missed_per_sweep: f64,
    /// Those since the last sweep.
    missed: u32,
    /// How long members last, in nanoseconds; `None` before one has ended.
    lasts: Option<f64>,
}

/// A sweep whose last page has not come.
pub(super) struct Sweep {
    pub(super) began: Moment,
    /// How many pages have come.
    pub(super) pages: u32,
    pub(super) seen: Vec<Slot>,
    /// How many of those go on.
    pub(super) going_on: u32,
}

/// What the last sweep that was ended, or was given up because it was too long, has taught.
#[derive(Clone, Copy)]
struct LastSweep {
    began: Moment,
    pages: u32,
}

impl Group {
    pub(super) fn new(shown: Shown, origin: OriginId, lane: LaneId) -> Self {
        Self {
            shown,
            origin,
            lane,
            members: 0,
            demand: 0,
            held: VecDeque::new(),
            waiting: 0,
            decides_at: None,
            is_queued: false,
            in_flight: 0,
            sweep: None,
            refused_until: Moment::MIN,
            failures: 0,
            unchecked: 0,
            wrong: 0,
            last: None,
            missed_per_sweep: 0.0,
            missed: 0,
            lasts: None,
        }
    }

    /// Whether nothing would be lost if it were gone: it has no members and no request, and knows
    /// of no refusal.
    pub(super) fn is_idle(&self, now: Moment) -> bool {
        self.members == 0 && self.in_flight == 0 && !self.is_queued && self.sweep.is_none() && self.refused_until <= now
    }

    /// Whether a member that is due is held back, to be shown together with others.
    pub(super) fn holds(&self, now: Moment) -> bool {
        if now < self.refused_until {
            return false;
        }
        match self.shown {
            Shown::Named { most } => most > 1 && self.members > 1,
            Shown::Listed { .. } => self.sweep.is_some() || f64::from(self.members) * self.saved() > self.price(now),
        }
    }

    /// Returns until when a member is held back at most that was due at this time, with this delay
    /// between its polls.
    pub(super) fn held_until(&self, due: Moment, delay: Moment) -> Moment {
        let enough = match self.shown {
            Shown::Named { most } => self.waiting >= most,
            Shown::Listed { .. } => self.waiting >= self.members / 2,
        };
        let hold = match self.shown {
            _ if enough => 0,
            Shown::Named { .. } => (delay / 8).min(LONGEST_BATCH_HOLD),
            Shown::Listed { .. } => delay / 2,
        };
        due.saturating_add(hold)
    }

    /// Whether a sweep that begins now is cheaper than a poll of each that is held.
    ///
    /// A sweep also puts off the next one: of its price, it gives back as much as has passed of the
    /// time between two.
    pub(super) fn is_sweep_cheaper(&self, now: Moment) -> bool {
        let since = self.last.map_or(0.0, |last| approximately(now.abs_diff(last.began)) / self.rhythm());
        f64::from(self.waiting) * self.saved() > self.price(now) * (1.0 - since.min(1.0))
    }

    /// The price of a sweep, in polls.
    fn price(&self, now: Moment) -> f64 {
        f64::from(self.pages(now)) + self.missed_per_sweep
    }

    /// How many pages a sweep has: as many as the last one, or as the members fill.
    fn pages(&self, now: Moment) -> u32 {
        let page = match self.shown {
            Shown::Listed { page, .. } => page.max(1),
            Shown::Named { .. } => 1,
        };
        let known = self.last.filter(|last| now.saturating_sub(last.began) < FORGOTTEN_AFTER);
        known.map_or(self.members.div_ceil(page), |last| last.pages).max(1)
    }

    /// Which part of the polls a sweep saves. One poll of each operation remains where a list does
    /// not show results: of as many as its delay fits into its time.
    fn saved(&self) -> f64 {
        match (self.shown, self.lasts) {
            (Shown::Listed { has_ended: true, has_results: true, .. } | Shown::Named { .. }, _) | (_, None) => 1.0,
            (_, Some(lasts)) => (1.0 - self.rhythm() / lasts).max(0.0),
        }
    }

    /// The mean delay between the polls of a member, in nanoseconds.
    fn rhythm(&self) -> f64 {
        1e15 * f64::from(self.members) / approximately(self.demand.max(1))
    }

    /// How often the members would be polled by themselves, and are asked for instead, in requests
    /// per second.
    pub(super) fn requests_per_second(&self, now: Moment) -> f64 {
        let polls = approximately(self.demand) / 1e6;
        match self.shown {
            _ if self.members == 0 => 0.0,
            Shown::Listed { .. } if self.holds(now) => self.price(now) * 1e9 / self.rhythm(),
            Shown::Named { most } if self.holds(now) => polls / f64::from(most.min(self.members).max(1)),
            _ => polls,
        }
    }

    /// Whether the sweep need not go on: a list of all that the service remembers may be long, and
    /// has shown every member that goes on.
    pub(super) fn has_shown_all(&self) -> bool {
        matches!(self.shown, Shown::Listed { has_ended: true, .. })
            && self.sweep.as_ref().is_some_and(|sweep| sweep.going_on >= self.members)
    }

    /// Whether the sweep has gone on for longer than it may be worth: foreign operations fill the
    /// list.
    pub(super) fn is_too_long(&self) -> bool {
        self.sweep.as_ref().is_some_and(|sweep| sweep.pages > self.members.saturating_add(1))
    }

    /// Ends a sweep, of which as many pages have come as it counts. Returns it.
    pub(super) fn end_sweep(&mut self) -> Option<Sweep> {
        let sweep = self.sweep.take()?;
        self.last = Some(LastSweep { began: sweep.began, pages: sweep.pages.max(1) });
        self.missed_per_sweep = f64::midpoint(self.missed_per_sweep, f64::from(self.missed));
        (self.missed, self.failures) = (0, 0);
        Some(sweep)
    }

    /// Whether to poll one of those that the sweep that has ended showed as running. A list that is
    /// frozen shows them so for ever.
    pub(super) fn is_check_due(&mut self) -> bool {
        self.unchecked += 1;
        let is_due = self.unchecked >= SWEEPS_PER_CHECK;
        if is_due {
            self.unchecked = 0;
        }
        is_due
    }

    /// Learns whether the list was wrong about one that it showed as running. Once it may have
    /// ended since.
    pub(super) fn check(&mut self, is_wrong: bool, now: Moment) {
        self.wrong = if is_wrong { self.wrong + 1 } else { 0 };
        if self.wrong >= MOST_WRONG {
            self.wrong = 0;
            self.refused_until = self.refused_until.max(now.saturating_add(LONGEST_REST));
        }
    }

    /// Counts a request that has failed. Returns whether to send it again, if the failure was its
    /// origin's: polls of each member would fail as well.
    pub(super) fn may_try_again(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.failures < MOST_FAILURES
    }

    /// Gives up a request that has failed, after counting it.
    pub(super) fn fail(&mut self, now: Moment) {
        self.sweep = None;
        if let Some(more) = self.failures.checked_sub(MOST_FAILURES) {
            let rest = FIRST_REST.saturating_mul(1 << more.min(10)).min(LONGEST_REST);
            self.refused_until = self.refused_until.max(now.saturating_add(rest));
        }
    }

    /// Counts a request that has not failed.
    pub(super) fn succeed(&mut self) {
        self.failures = 0;
    }

    /// Counts a poll of a member that the list did not show, and that goes on.
    pub(super) fn miss(&mut self) {
        self.missed = self.missed.saturating_add(1);
    }

    /// Learns how long a member has lasted.
    pub(super) fn outlive(&mut self, lasted: Moment) {
        let lasted = approximately(lasted.max(1).unsigned_abs());
        self.lasts = Some(self.lasts.map_or(lasted, |lasts| lasts + (lasted - lasts) / 16.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_cheaper_only_than_more_polls_than_it_has_pages() {
        let listed = Shown::Listed { page: 100, has_ended: true, has_results: true, visible_after: 0 };
        let mut group = Group::new(listed, 0, 0);
        // Each is polled every 15 s.
        (group.members, group.demand) = (1_000, 1_000 * 1_000_000 / 15);
        let mut is_cheaper = |waiting, now| {
            group.waiting = waiting;
            group.is_sweep_cheaper(now)
        };
        assert!(!is_cheaper(10, 0), "ten pages for ten polls");
        assert!(is_cheaper(11, 0));
        group.sweep = Some(Sweep { began: 0, pages: 10, seen: Vec::new(), going_on: 0 });
        group.end_sweep();
        let mut is_cheaper = |waiting, seconds| {
            group.waiting = waiting;
            group.is_sweep_cheaper(seconds * SECOND)
        };
        // It puts off the next one: at half of the time between two it costs half.
        assert!(!is_cheaper(4, 7) && is_cheaper(6, 8));
        assert!(is_cheaper(1, 16) && !is_cheaper(0, 16));
    }
}
