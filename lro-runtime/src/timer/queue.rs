//! Whose turn it is: the queue of the [background](super::background) thread.

use std::collections::{HashMap, VecDeque};

use crate::url::Origin;

/// How many futures run at once. Each may hold a socket, and a process has few of those: often
/// 1,024 files in all.
pub(super) const MOST: usize = 100;

/// How many of them are of one origin: one that does not answer leaves room for the others.
pub(super) const MOST_OF_AN_ORIGIN: usize = 25;

/// What waits for its turn, in the order in which it came, by the origin that it will ask. The
/// origins take turns.
pub(super) struct Queue<T> {
    origins: HashMap<Origin, Turns<T>>,
    /// The origins that have something in the queue and may run more, each once.
    ready: VecDeque<Origin>,
    running: usize,
}

struct Turns<T> {
    queued: VecDeque<T>,
    running: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { origins: HashMap::new(), ready: VecDeque::new(), running: 0 }
    }
}

impl<T> Turns<T> {
    fn may_run(&self) -> bool {
        self.running < MOST_OF_AN_ORIGIN && !self.queued.is_empty()
    }
}

impl<T> Queue<T> {
    pub(super) fn push(&mut self, origin: Origin, item: T) {
        let turns = self.origins.entry(origin.clone()).or_insert_with(|| Turns { queued: VecDeque::new(), running: 0 });
        let was_ready = turns.may_run();
        turns.queued.push_back(item);
        if !was_ready && turns.may_run() {
            self.ready.push_back(origin);
        }
    }

    /// Takes what is next, unless as many run as may. It runs until [`end`](Self::end).
    pub(super) fn begin(&mut self) -> Option<(Origin, T)> {
        if self.running >= MOST {
            return None;
        }
        let origin = self.ready.pop_front()?;
        let turns = self.origins.get_mut(&origin)?;
        let item = turns.queued.pop_front()?;
        turns.running += 1;
        self.running += 1;
        if turns.may_run() {
            self.ready.push_back(origin.clone());
        }
        Some((origin, item))
    }

    /// Says that one of this origin has ended.
    pub(super) fn end(&mut self, origin: &Origin) {
        let Some(turns) = self.origins.get_mut(origin) else { return };
        let was_ready = turns.may_run();
        turns.running -= 1;
        self.running -= 1;
        if !was_ready && turns.may_run() {
            self.ready.push_back(origin.clone());
        }
        if turns.running == 0 && turns.queued.is_empty() {
            self.origins.remove(origin);
        }
    }

    /// Whether nothing runs, and nothing waits for its turn.
    pub(super) fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(number: usize) -> Origin {
        Origin::of(&format!("http://{number}.test").parse().unwrap()).unwrap()
    }

    fn begun(queue: &mut Queue<usize>) -> Vec<usize> {
        std::iter::from_fn(|| queue.begin()).map(|(_, item)| item).collect()
    }

    #[test]
    fn an_origin_that_does_not_answer_leaves_room_for_the_others() {
        let mut queue = Queue::default();
        (0..1000).for_each(|item| queue.push(origin(0), item));
        assert_eq!(begun(&mut queue), (0..MOST_OF_AN_ORIGIN).collect::<Vec<_>>());
        queue.push(origin(1), 2000);
        assert_eq!(begun(&mut queue), [2000]);
        queue.end(&origin(0));
        assert_eq!(begun(&mut queue), [MOST_OF_AN_ORIGIN]);
    }

    #[test]
    fn origins_take_turns_up_to_the_limit_of_all() {
        let mut queue = Queue::default();
        (0..6 * 50).for_each(|item| queue.push(origin(item / 50), item));
        let first = begun(&mut queue);
        assert_eq!(first.len(), MOST);
        assert_eq!(first[..7], [0, 50, 100, 150, 200, 250, 1]);
        // The first four origins have one turn more than the others: 100 of six.
        queue.end(&origin(5));
        assert_eq!(begun(&mut queue), [200 + MOST / 6]);
    }

    #[test]
    fn what_has_ended_leaves_nothing_behind() {
        let mut queue = Queue::default();
        (0..90).for_each(|item| queue.push(origin(item % 3), item));
        let mut all = 0;
        while let Some((origin, _)) = queue.begin() {
            assert!(!queue.is_empty());
            queue.end(&origin);
            all += 1;
        }
        assert!(all == 90 && queue.is_empty() && queue.ready.is_empty() && queue.running == 0);
    }
}
