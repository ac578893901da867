//! Whose turn it is: the operations of one origin that are due, in lanes.
//!
//! The lanes take turns, so that a method with many operations does not keep those of another from
//! their polls. Within a lane, urgent polls go before others, by weight and never strictly: what is
//! only less urgent still gets its share.

use std::collections::{BTreeSet, VecDeque};

use super::{
    ids::{self, GroupId, LaneId, Slot},
    ticket::Ticket,
};

/// How urgent the polls of an operation are, beside those of others.
///
/// It decides who is asked for first where the budget is short. Nothing is strict: of 13 requests
/// that could be sent, 8 are urgent, 4 normal and 1 is in the background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before others. So are, whatever their operation's priority, the last poll before a deadline,
    /// a poll that was asked for, a cancel call, and a poll that confirms what a list has shown.
    Urgent,
    /// As most operations.
    #[default]
    Normal,
    /// After others, such as a backlog.
    Background,
}

impl Priority {
    pub(super) const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::Background];

    /// How many turns of a lane are of this priority, of those that have something to send.
    const fn weight(self) -> i32 {
        match self {
            Self::Urgent => 8,
            Self::Normal => 4,
            Self::Background => 1,
        }
    }
}

/// What stands in a queue. What is queued no more is not searched for, but passed over when its
/// turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queued {
    /// A poll. The number tells it from one that has had the same slot, or the same operation
    /// queued before.
    Poll { slot: Slot, number: u32 },
    /// A cancel call, of which so many have failed.
    Cancel { ticket: Ticket, failures: u8 },
    /// The next request of a group: see [`group`](super::core).
    Group(GroupId),
}

/// Whose turn it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    All,
    Urgent,
    Others,
}

/// The queues of one origin.
#[derive(Default)]
pub(super) struct Lanes {
    all: Vec<Lane>,
    /// The lanes with something in them.
    filled: BTreeSet<LaneId>,
    /// Behind which lane the next turn is, by whose it may be. Each has its own, so that what is
    /// urgent does not take the turn of the rest of its lane.
    turns: [LaneId; 3],
    /// How many stand in all queues, and how many of them in those for what is urgent.
    length: usize,
    urgent: usize,
    /// How far the others are behind their share while only what is urgent is taken.
    passed_over: i32,
}

#[derive(Default)]
struct Lane {
    queues: [VecDeque<Queued>; 3],
    /// What each priority is owed, in parts of a turn.
    owed: [i32; 3],
}

impl Lanes {
    /// Adds a lane, and returns which it is.
    pub(super) fn add(&mut self) -> LaneId {
        self.all.push(Lane::default());
        ids::last(&self.all)
    }

    /// Queues an operation in its lane, behind those of its priority.
    pub(super) fn push(&mut self, lane: LaneId, priority: Priority, queued: Queued) {
        let Some(found) = self.all.get_mut(lane as usize) else { return };
        if let Some(queue) = found.queues.get_mut(priority as usize) {
            queue.push_back(queued);
        }
        self.length += 1;
        self.urgent += usize::from(priority == Priority::Urgent);
        self.filled.insert(lane);
    }

    /// Takes the operation whose turn it is. `None` if there is none. Those of which `is_queued`
    /// says that they are queued no more are dropped.
    pub(super) fn pop(&mut self, of: Of, mut is_queued: impl FnMut(Queued) -> bool) -> Option<Queued> {
        let first = self.turns.get(of as usize).copied()?;
        // Once around, from the lane whose turn it is.
        let mut next = self.filled.range(first..).next().copied();
        let mut is_around = false;
        loop {
            let Some(lane) = next.filter(|lane| !is_around || *lane < first) else {
                if std::mem::replace(&mut is_around, true) {
                    return None;
                }
                next = self.filled.first().copied();
                continue;
            };
            let found = self.all.get_mut(lane as usize)?;
            let (length, urgent) = found.lengths();
            let popped = found.pop(of, &mut is_queued);
            let left = found.lengths();
            self.length -= length - left.0;
            self.urgent -= urgent - left.1;
            if left.0 == 0 {
                self.filled.remove(&lane);
            }
            if popped.is_some() {
                *self.turns.get_mut(of as usize)? = lane + 1;
                return popped;
            }
            next = self.filled.range(lane + 1..).next().copied();
        }
    }

    /// Takes what has its turn where there is room only for what is urgent: that, and as much of
    /// the rest as keeps it from waiting for ever behind it.
    pub(super) fn pop_urgent(&mut self, mut is_queued: impl FnMut(Queued) -> bool) -> Option<Queued> {
        let share = |priority: Priority| priority.weight();
        if self.passed_over >= share(Priority::Urgent) {
            self.passed_over -= share(Priority::Urgent);
            if let Some(queued) = self.pop(Of::Others, &mut is_queued) {
                return Some(queued);
            }
        }
        let popped = self.pop(Of::Urgent, is_queued);
        if popped.is_some() && self.length > self.urgent {
            self.passed_over += share(Priority::Normal) + share(Priority::Background);
        }
        popped
    }

    /// Whether anything urgent is queued. What is queued no more may still count.
    pub(super) fn has_urgent(&self) -> bool {
        self.urgent > 0
    }

    /// Takes everything out, in no order.
    pub(super) fn drain(&mut self) -> Vec<Queued> {
        self.filled.clear();
        (self.length, self.urgent) = (0, 0);
        let lanes = self.all.iter_mut();
        lanes.flat_map(|lane| std::mem::take(&mut lane.queues)).flatten().collect()
    }

    /// Returns what is first in each queue, of that of which `is_queued` says that it still is.
    pub(super) fn fronts(&self, is_queued: impl Fn(Queued) -> bool) -> impl Iterator<Item = Queued> {
        let queues = self.all.iter().flat_map(|lane| &lane.queues);
        queues.filter_map(move |queue| queue.iter().copied().find(|queued| is_queued(*queued)))
    }

    /// Returns all that stands in line.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (LaneId, Priority, Queued)> + '_ {
        let of_lane = |(id, lane): (LaneId, &Lane)| {
            let queues: Vec<_> = Priority::ALL.into_iter().zip(lane.queues.clone()).collect();
            queues.into_iter().flat_map(move |(priority, queue)| queue.into_iter().map(move |it| (id, priority, it)))
        };
        (0..).zip(&self.all).flat_map(of_lane)
    }

    /// Whether nothing is queued. What is queued no more may still count.
    pub(super) fn is_empty(&self) -> bool {
        self.filled.is_empty()
    }
}

impl Lane {
    /// Returns how many stand in all queues, and how many in that for what is urgent.
    fn lengths(&self) -> (usize, usize) {
        (self.queues.iter().map(VecDeque::len).sum(), self.queues.first().map_or(0, VecDeque::len))
    }

    fn pop(&mut self, of: Of, is_queued: &mut impl FnMut(Queued) -> bool) -> Option<Queued> {
        for queue in &mut self.queues {
            while queue.front().is_some_and(|first| !is_queued(*first)) {
                queue.pop_front();
            }
        }
        let urgent = self.queues.first_mut()?;
        if of == Of::Urgent {
            return urgent.pop_front();
        }
        // Smooth weighted round robin: each priority that has something is owed its weight, the one
        // that is owed most is served, and pays for all.
        let (mut sum, mut served) = (0, None);
        for priority in Priority::ALL {
            let (Some(queue), Some(owed)) = (self.queues.get(priority as usize), self.owed.get_mut(priority as usize))
            else {
                continue;
            };
            if of == Of::Others && priority == Priority::Urgent {
                continue;
            }
            if queue.is_empty() {
                *owed = 0;
                continue;
            }
            *owed += priority.weight();
            sum += priority.weight();
            if served.is_none_or(|(_, most)| *owed > most) {
                served = Some((priority, *owed));
            }
        }
        let (priority, _) = served?;
        *self.owed.get_mut(priority as usize)? -= sum;
        self.queues.get_mut(priority as usize)?.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(slot: Slot) -> Queued {
        Queued::Poll { slot, number: 0 }
    }

    fn slot(queued: Queued) -> Slot {
        let Queued::Poll { slot, .. } = queued else { panic!("{queued:?}") };
        slot
    }

    #[test]
    fn lanes_take_turns_however_long_they_are() {
        let mut lanes = Lanes::default();
        let (long, short) = (lanes.add(), lanes.add());
        (0..1_000).for_each(|slot| lanes.push(long, Priority::Urgent, queued(slot)));
        (1_000..1_010).for_each(|slot| lanes.push(short, Priority::Background, queued(slot)));
        let popped: Vec<Slot> = (0..20).map(|_| slot(lanes.pop(Of::All, |_| true).unwrap())).collect();
        let expected: Vec<Slot> = (0..10).flat_map(|turn| [turn, 1_000 + turn]).collect();
        assert_eq!(popped, expected);
    }

    #[test]
    fn no_priority_waits_longer_than_its_weight_says() {
        let mut lanes = Lanes::default();
        let lane = lanes.add();
        for slot in 0..1_300 {
            for priority in Priority::ALL {
                lanes.push(lane, priority, queued(priority as u32 * 10_000 + slot));
            }
        }
        let popped: Vec<Slot> = (0..1_300).map(|_| slot(lanes.pop(Of::All, |_| true).unwrap()) / 10_000).collect();
        let count = |priority: u32| popped.iter().filter(|is| **is == priority).count();
        assert_eq!([count(0), count(1), count(2)], [800, 400, 100]);
        for window in popped.windows(13) {
            assert!((0..3).all(|priority| window.contains(&priority)), "{window:?}");
        }
    }

    #[test]
    fn what_is_urgent_does_not_keep_the_rest_waiting_for_ever() {
        let mut lanes = Lanes::default();
        let (lane, other) = (lanes.add(), lanes.add());
        for slot in 0..1_300 {
            lanes.push(lane, Priority::Urgent, queued(slot));
            lanes.push(lane, Priority::Normal, queued(10_000 + slot));
            lanes.push(other, Priority::Background, queued(20_000 + slot));
        }
        let popped: Vec<Slot> = (0..1_300).map(|_| slot(lanes.pop_urgent(|_| true).unwrap()) / 10_000).collect();
        let count = |priority: u32| popped.iter().filter(|is| **is == priority).count();
        assert_eq!([count(0), count(1), count(2)], [800, 250, 250], "lanes take turns");
    }

    #[test]
    fn a_lane_keeps_its_turn_while_only_what_is_urgent_is_taken() {
        let mut lanes = Lanes::default();
        let (first, second) = (lanes.add(), lanes.add());
        lanes.push(first, Priority::Normal, queued(1));
        (2..4).for_each(|slot| lanes.push(second, Priority::Urgent, queued(slot)));
        assert_eq!(slot(lanes.pop(Of::Urgent, |_| true).unwrap()), 2);
        assert_eq!(slot(lanes.pop(Of::All, |_| true).unwrap()), 1);
        assert_eq!((slot(lanes.pop(Of::All, |_| true).unwrap()), lanes.has_urgent()), (3, false));
    }

    #[test]
    fn what_is_queued_no_more_is_passed_over() {
        let mut lanes = Lanes::default();
        let lane = lanes.add();
        (0..4).for_each(|slot| lanes.push(lane, Priority::Normal, queued(slot)));
        assert_eq!(lanes.pop(Of::Urgent, |_| true), None, "none is urgent");
        assert_eq!(slot(lanes.pop(Of::All, |queued| slot(queued) > 1).unwrap()), 2);
        assert_eq!(lanes.pop(Of::All, |_| false), None);
        assert!(lanes.is_empty());
    }
}
