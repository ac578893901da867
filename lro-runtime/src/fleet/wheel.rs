//! The timer wheel: which operations are due when, at no memory of its own but their links.
//!
//! A hierarchical wheel (Varghese and Lauck, 1987): four levels of 256 slots. A slot of the lowest
//! level is one tick, a slot of each further level is a whole turn of the one below. An entry
//! stands on the level of the highest digit, to the base of 256, in which its time differs from the
//! present. When time reaches a slot of a higher level, the entries of that slot move down. Adding
//! and removing therefore takes constant time, and an entry moves at most four times.
//!
//! The links of its list are kept in the entry itself, so a wheel of a million entries is not
//! larger than an empty one.

use super::{ids::Slot, moment::Tick};

/// The end of a list.
const NONE: u32 = u32::MAX;

const LEVELS: usize = 4;
const SLOTS: usize = 256;
const BITS: u32 = 8;
/// The list of entries that are further away than a turn of the highest level.
const BEYOND: usize = LEVELS * SLOTS;

/// The place of an entry in its list. Kept by the owner for each of its entries, for as long as the
/// entry is in the wheel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    next: u32,
    /// The entry before; or of the first, the number of its list, counted down from the greatest
    /// number.
    previous: u32,
}

impl Link {
    /// Of an entry that is in no list.
    pub(super) const OUT: Self = Self { next: NONE, previous: NONE };

    #[cfg(test)]
    pub(super) fn is_out(self) -> bool {
        self.previous == NONE
    }
}

/// The owner's table of entries.
pub(super) trait Entries {
    /// Returns when this entry is due. Must not change while the entry is in the wheel.
    fn due(&self, slot: Slot) -> Tick;

    fn link(&self, slot: Slot) -> Link;

    fn link_mut(&mut self, slot: Slot) -> &mut Link;
}

/// See the module.
pub(super) struct Wheel {
    now: Tick,
    /// The first entry of each list, of one level after the other.
    heads: Box<[u32]>,
    /// Which lists of a level have entries: a bit for each.
    occupied: [[u64; SLOTS / 64]; LEVELS],
}

impl Wheel {
    /// Returns an empty wheel at tick zero.
    pub(super) fn new() -> Self {
        Self { now: 0, heads: vec![NONE; BEYOND + 1].into(), occupied: [[0; SLOTS / 64]; LEVELS] }
    }

    /// Adds an entry. One that is due already falls out at the next tick.
    pub(super) fn insert(&mut self, slot: Slot, entries: &mut impl Entries) {
        let due = entries.due(slot).max(self.now.saturating_add(1));
        self.push(self.list_of(due), slot, entries);
    }

    /// Removes an entry. Without effect on one that is in no list.
    pub(super) fn remove(&mut self, slot: Slot, entries: &mut impl Entries) {
        let Link { next, previous } = std::mem::replace(entries.link_mut(slot), Link::OUT);
        if previous == NONE {
            return;
        }
        if next != NONE {
            entries.link_mut(next).previous = previous;
        }
        match list_number(previous) {
            Some(list) => self.set_head(list, next),
            None => entries.link_mut(previous).next = next,
        }
    }

    /// Returns a tick before which no entry falls out, and none needs to be moved: the owner may
    /// sleep until then. `None` if the wheel is empty.
    pub(super) fn next(&self) -> Option<Tick> {
        (0..LEVELS).find_map(|level| self.next_of(level)).or_else(|| {
            // The entries beyond come nearer with the next turn of the highest level.
            (self.head(BEYOND) != NONE).then(|| ((self.now >> TURN) + 1) << TURN)
        })
    }

    /// Moves the time on to `to`, and passes every entry that is due by then to `fall_out`. It is
    /// in the wheel no more.
    ///
    /// Entries fall out in the order of their ticks; those of one tick in no order.
    pub(super) fn advance<E: Entries>(&mut self, to: Tick, entries: &mut E, mut fall_out: impl FnMut(&mut E, Slot)) {
        while let Some(next) = self.next().filter(|next| *next <= to) {
            let before = std::mem::replace(&mut self.now, next);
            // Every digit that has changed is now at a slot of its level whose entries move down.
            // From the highest, so that what moves down moves on.
            if before >> TURN != next >> TURN {
                self.move_down(BEYOND, entries);
            }
            for level in (1..LEVELS).rev().filter(|level| before >> shift(*level) != next >> shift(*level)) {
                self.move_down(level * SLOTS + digit(next, level), entries);
            }
            let list = digit(next, 0);
            while let Some(slot) = self.pop(list, entries) {
                fall_out(entries, slot);
            }
        }
        self.now = self.now.max(to);
    }

    /// Returns the list for an entry that is due at this tick, now or later.
    fn list_of(&self, due: Tick) -> usize {
        let differs = (due ^ self.now).checked_ilog2().unwrap_or(0) / BITS;
        match usize::try_from(differs) {
            Ok(level) if level < LEVELS => level * SLOTS + digit(due, level),
            _ => BEYOND,
        }
    }

    /// Returns the tick of the next list of this level that has entries.
    fn next_of(&self, level: usize) -> Option<Tick> {
        let occupied = self.occupied.get(level)?;
        // Behind the present: what is not, has moved down.
        let from = digit(self.now, level) + 1;
        let (first, bit) = (from / 64, from % 64);
        let digit = (first..occupied.len()).find_map(|word| {
            let bits = occupied.get(word)? & if word == first { u64::MAX << bit } else { u64::MAX };
            (bits != 0).then(|| word * 64 + bits.trailing_zeros() as usize)
        })?;
        let turn = self.now >> shift(level + 1) << shift(level + 1);
        Some(turn | (digit as Tick) << shift(level))
    }

    fn move_down(&mut self, list: usize, entries: &mut impl Entries) {
        let mut moved = self.head(list);
        self.set_head(list, NONE);
        while moved != NONE {
            let slot = moved;
            moved = entries.link(slot).next;
            self.push(self.list_of(entries.due(slot).max(self.now)), slot, entries);
        }
    }

    fn push(&mut self, list: usize, slot: Slot, entries: &mut impl Entries) {
        let next = self.head(list);
        *entries.link_mut(slot) = Link { next, previous: numbered(list) };
        if next != NONE {
            entries.link_mut(next).previous = slot;
        }
        self.set_head(list, slot);
    }

    fn pop(&mut self, list: usize, entries: &mut impl Entries) -> Option<Slot> {
        let slot = Some(self.head(list)).filter(|slot| *slot != NONE)?;
        self.remove(slot, entries);
        Some(slot)
    }

    fn head(&self, list: usize) -> u32 {
        self.heads.get(list).copied().unwrap_or(NONE)
    }

    fn set_head(&mut self, list: usize, slot: u32) {
        if let Some(head) = self.heads.get_mut(list) {
            *head = slot;
        }
        let (level, digit) = (list / SLOTS, list % SLOTS);
        if let Some(word) = self.occupied.get_mut(level).and_then(|words| words.get_mut(digit / 64)) {
            let bit = 1 << (digit % 64);
            *word = if slot == NONE { *word & !bit } else { *word | bit };
        }
    }
}

/// How many bits a tick has below the first that the highest level does not tell.
const TURN: u32 = BITS * 4;

const _: () = assert!(LEVELS == 4, "as many as `TURN` says");

/// How many bits a tick has below the digit of this level.
#[expect(clippy::cast_possible_truncation, reason = "there are four levels")]
fn shift(level: usize) -> u32 {
    BITS * level as u32
}

#[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
fn digit(tick: Tick, level: usize) -> usize {
    (tick >> shift(level)) as usize % SLOTS
}

/// Writes the number of a list as the entry before its first. No owner has so many entries that one
/// could be meant.
#[expect(clippy::cast_possible_truncation, reason = "there are a thousand lists")]
fn numbered(list: usize) -> u32 {
    NONE - 1 - list as u32
}

/// Reads what [`numbered`] wrote; `None` for an entry.
fn list_number(previous: u32) -> Option<usize> {
    let list = (NONE - 1 - previous) as usize;
    (list <= BEYOND).then_some(list)
}

/// The most entries that an owner may have: the numbers above are those of lists.
pub(super) const MOST_ENTRIES: usize = (NONE as usize) - 1 - BEYOND - 1;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[derive(Default)]
    struct Table(Vec<(Tick, Option<Link>)>);

    impl Entries for Table {
        fn due(&self, slot: Slot) -> Tick {
            self.0[slot as usize].0
        }

        fn link(&self, slot: Slot) -> Link {
            self.0[slot as usize].1.unwrap_or(Link::OUT)
        }

        fn link_mut(&mut self, slot: Slot) -> &mut Link {
            self.0[slot as usize].1.get_or_insert(Link::OUT)
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert { after: Tick },
        Remove { which: usize },
        Advance { by: Tick },
        AdvanceToNext,
    }

    /// Distances around the turns of every level, the far end of time included.
    fn distances() -> impl Strategy<Value = Tick> {
        let around = |bits: u32| (0_u64..6).prop_map(move |off| (1_u64 << bits).saturating_sub(3) + off);
        prop_oneof![
            4 => 0_u64..600,
            2 => around(8), 2 => around(16), 2 => around(24), 2 => around(32), 1 => around(40),
            2 => 0_u64..1 << 20,
            1 => 0_u64..1 << 34,
            1 => Just(Tick::MAX),
        ]
    }

    fn steps() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => distances().prop_map(|after| Step::Insert { after }),
            2 => any::<usize>().prop_map(|which| Step::Remove { which }),
            2 => distances().prop_filter("a clock ends", |by| *by < 1 << 41).prop_map(|by| Step::Advance { by }),
            3 => Just(Step::AdvanceToNext),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_falls_out_is_what_a_sorted_list_says(begin in distances(), steps in vec(steps(), 1..120)) {
            let (mut wheel, mut table, mut model) = (Wheel::new(), Table::default(), BTreeSet::new());
            let mut now = begin.min(1 << 41);
            wheel.advance(now, &mut table, |_, _| unreachable!());
            for step in steps {
                let next = wheel.next();
                prop_assert_eq!(next.is_some(), !model.is_empty());
                prop_assert!(next.is_none_or(|next| next > now && next <= model.first().unwrap_or(&(0, 0)).0));
                let to = match step {
                    Step::Insert { after } => {
                        let slot = u32::try_from(table.0.len()).unwrap();
                        let due = now.saturating_add(after);
                        table.0.push((due, None));
                        wheel.insert(slot, &mut table);
                        model.insert((due.max(now + 1), slot));
                        continue;
                    }
                    Step::Remove { which } => {
                        if table.0.is_empty() {
                            continue;
                        }
                        let slot = u32::try_from(which % table.0.len()).unwrap();
                        wheel.remove(slot, &mut table);
                        model.retain(|(_, other)| *other != slot);
                        continue;
                    }
                    Step::Advance { by } => now.saturating_add(by),
                    Step::AdvanceToNext => next.unwrap_or(now).max(now),
                };
                // The end of time is never reached, so what is due there never falls out.
                prop_assume!(to < Tick::MAX);
                let mut fell = Vec::new();
                wheel.advance(to, &mut table, |_, slot| fell.push(slot));
                let later = model.split_off(&(to + 1, 0));
                let due: Vec<(Tick, Slot)> = std::mem::replace(&mut model, later).into_iter().collect();
                let tick_of = |slot: &Slot| due.iter().find(|(_, other)| other == slot).map(|(tick, _)| *tick);
                let ticks: Vec<Option<Tick>> = fell.iter().map(tick_of).collect();
                prop_assert_eq!(ticks, due.iter().map(|(tick, _)| Some(*tick)).collect::<Vec<_>>());
                fell.sort_unstable();
                let mut slots: Vec<Slot> = due.iter().map(|(_, slot)| *slot).collect();
                slots.sort_unstable();
                prop_assert_eq!(fell, slots);
                now = to;
            }
        }
    }

    #[test]
    fn who_falls_out_may_be_added_again_at_once() {
        let (mut wheel, mut table) = (Wheel::new(), Table(vec![(3, None), (3, None)]));
        wheel.insert(0, &mut table);
        wheel.insert(1, &mut table);
        for round in 1..=1_000 {
            let mut fell = 0;
            wheel.advance(wheel.next().unwrap(), &mut table, |_, _| fell += 1);
            if fell == 0 {
                continue; // only moved down
            }
            for slot in 0..2 {
                table.0[slot as usize].0 = round * 1_000;
                wheel.insert(slot, &mut table);
            }
        }
    }

    #[test]
    fn a_year_of_ticks_with_one_entry_takes_few_steps() {
        let (mut wheel, mut table) = (Wheel::new(), Table(vec![(365 * 86_400 * 100, None)]));
        wheel.insert(0, &mut table);
        let mut steps = 0;
        while let Some(next) = wheel.next() {
            steps += 1;
            wheel.advance(next, &mut table, |_, _| ());
        }
        assert!(steps <= LEVELS, "{steps}");
    }
}
