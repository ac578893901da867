//! The ends of waits that were not acknowledged yet, and those who wait for them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::{journal::Number, ticket::Ticket};
use crate::{error::Result, operation::RawOperation};

/// Those who wait for the same thing.
#[derive(Default)]
pub(super) struct Wakers(Vec<Waker>);

impl Wakers {
    pub(super) fn register(&mut self, waker: &Waker) {
        if !self.0.iter().any(|known| known.will_wake(waker)) {
            self.0.push(waker.clone());
        }
    }

    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub(super) fn wake(self) {
        self.0.into_iter().for_each(Waker::wake);
    }
}

/// Somebody who waits for the end of one operation.
#[derive(Default)]
pub(super) struct Waiter(Mutex<Told>);

/// What somebody learns who waits for an end.
enum News {
    Ended(Result<RawOperation>),
    /// The operation was removed: nobody will know.
    Forgotten,
}

#[derive(Default)]
struct Told {
    news: Option<News>,
    waker: Option<Waker>,
}

impl Waiter {
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<RawOperation>>> {
        let mut told = self.lock();
        match told.news.take() {
            Some(News::Ended(outcome)) => return Poll::Ready(Some(outcome)),
            Some(News::Forgotten) => return Poll::Ready(None),
            None => {}
        }
        told.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a wait that was not acknowledged yet.
#[derive(Clone)]
pub(super) struct Ending {
    pub(super) outcome: Result<RawOperation>,
    pub(super) key: Option<Arc<str>>,
    pub(super) deliveries: u32,
    /// The number of the change that it is.
    number: Number,
    /// When it was handed out last; `None` while it stands in line.
    delivered: Option<Instant>,
}

/// The ends of waits that were not acknowledged yet.
pub(super) struct Endings {
    by_ticket: HashMap<Ticket, Ending>,
    queue: VecDeque<Ticket>,
    /// Those that were handed out, the longest ago first.
    delivered: VecDeque<(Instant, Ticket)>,
    redeliver_after: Duration,
    pub(super) consumers: Wakers,
    /// Those who wait for the end of one operation.
    waiters: HashMap<Ticket, Vec<Arc<Waiter>>>,
}

impl Endings {
    pub(super) fn new(redeliver_after: Duration) -> Self {
        Self {
            by_ticket: HashMap::new(),
            queue: VecDeque::new(),
            delivered: VecDeque::new(),
            redeliver_after,
            consumers: Wakers::default(),
            waiters: HashMap::new(),
        }
    }

    /// Adds the end of a wait, and returns whom to wake.
    pub(super) fn add(
        &mut self,
        ticket: Ticket,
        outcome: Result<RawOperation>,
        key: Option<Arc<str>>,
        number: Number,
    ) -> Wakers {
        let mut wakers = self.consumers.take();
        self.tell_waiters(ticket, Some(&outcome), &mut wakers);
        self.by_ticket.insert(ticket, Ending { outcome, key, deliveries: 0, number, delivered: None });
        self.queue.push_back(ticket);
        wakers
    }

    /// Tells those who wait for one operation how it has ended, or that nobody will know.
    fn tell_waiters(&mut self, ticket: Ticket, outcome: Option<&Result<RawOperation>>, wakers: &mut Wakers) {
        for waiter in self.waiters.remove(&ticket).into_iter().flatten() {
            let mut told = waiter.lock();
            told.news = Some(outcome.cloned().map_or(News::Forgotten, News::Ended));
            wakers.0.extend(told.waker.take());
        }
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&Ending> {
        self.by_ticket.get(&ticket)
    }

    /// Returns a place where the end of this operation will be told, also if it is acknowledged at
    /// once.
    pub(super) fn wait(&mut self, ticket: Ticket) -> Arc<Waiter> {
        let waiter = Arc::default();
        let of_operation = self.waiters.entry(ticket).or_default();
        // Those who wait no more are nobody else's.
        of_operation.retain(|waiter| Arc::strong_count(waiter) > 1);
        of_operation.push(Arc::clone(&waiter));
        waiter
    }

    /// Forgets an operation. Returns whom to wake: those who wait for its end, which will not come.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Wakers {
        self.by_ticket.remove(&ticket);
        let mut wakers = Wakers::default();
        self.tell_waiters(ticket, None, &mut wakers);
        wakers
    }

    /// Returns how many ends were not acknowledged.
    pub(super) fn len(&self) -> usize {
        self.by_ticket.len()
    }

    /// Returns the end that is handed out next, if `is_settled` says that it is durable or never
    /// will be.
    pub(super) fn deliver(
        &mut self,
        now: Instant,
        mut is_settled: impl FnMut(Number) -> bool,
    ) -> Option<(Ticket, &Ending)> {
        loop {
            let ticket = *self.queue.front()?;
            // What was acknowledged meanwhile is passed over.
            let known = self.by_ticket.get_mut(&ticket);
            if known.as_ref().is_some_and(|ending| !is_settled(ending.number)) {
                return None;
            }
            self.queue.pop_front();
            let Some(ending) = known else { continue };
            (ending.delivered, ending.deliveries) = (Some(now), ending.deliveries.saturating_add(1));
            self.delivered.push_back((now, ticket));
            return self.by_ticket.get(&ticket).map(|ending| (ticket, ending));
        }
    }

    /// Puts what was handed out too long ago in line again. Returns who waits for that, and when to
    /// ask again.
    pub(super) fn redeliver(&mut self, now: Instant) -> (Wakers, Option<Instant>) {
        let mut has_some = false;
        let next = loop {
            let Some((at, ticket)) = self.delivered.front().copied() else { break None };
            // Acknowledged, or handed out again since.
            let is_out = self.by_ticket.get(&ticket).is_some_and(|ending| ending.delivered == Some(at));
            match at.checked_add(self.redeliver_after) {
                _ if !is_out => {}
                Some(until) if until <= now => {
                    if let Some(ending) = self.by_ticket.get_mut(&ticket) {
                        ending.delivered = None;
                    }
                    self.queue.push_back(ticket);
                    has_some = true;
                }
                until => break until,
            }
            self.delivered.pop_front();
        };
        (if has_some { self.consumers.take() } else { Wakers::default() }, next)
    }
}
