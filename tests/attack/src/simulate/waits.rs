//! Checks one wait against the record of its requests.

use std::time::Duration;

use lro_runtime::{Error, ErrorKind};

use super::{
    plan::Plan,
    promises::{Promise, broken, holds},
    speech::Tongue,
    world::{Class, Sent, Wish},
};

/// The reply that the snapshot before a wait was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// The operation was resumed, and not polled since.
    Nothing,
    Reply {
        at: Duration,
        wish: Wish,
        follow: bool,
    },
    /// One that the service did not mean.
    Unknown,
}

/// How a wait is over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Over<'a> {
    /// It was dropped.
    GivenUp,
    /// It gave the terminal snapshot.
    Done,
    Failed(&'a Error),
}

impl<'a, T> From<Option<&'a Result<T, Error>>> for Over<'a> {
    fn from(outcome: Option<&'a Result<T, Error>>) -> Self {
        match outcome {
            None => Self::GivenUp,
            Some(Ok(_)) => Self::Done,
            Some(Err(error)) => Self::Failed(error),
        }
    }
}

/// A wait that has ended.
pub(super) struct Waited<'a> {
    pub(super) tongue: Tongue,
    pub(super) plan: &'a Plan,
    pub(super) polls: &'a [Sent],
    pub(super) before: Before,
    /// Whether a poll had found the operation before; `None` after a reply that only the dialect
    /// could say was one of it.
    pub(super) found: Option<bool>,
    /// When the operation was started, if the client knows that for sure.
    pub(super) started: Option<Duration>,
    pub(super) began: Duration,
    pub(super) ended: Duration,
    pub(super) overslept: Duration,
    pub(super) longest: Duration,
    pub(super) end: Over<'a>,
}

impl Waited<'_> {
    /// Checks everything that holds for a wait.
    pub(super) fn check(&self) {
        self.check_time();
        self.check_ends();
        // A held poll takes the place of delays.
        if self.plan.hold.is_none() && !self.tongue.prefers_held_polls() {
            self.check_delays();
            self.check_failures();
        }
    }

    fn deadline(&self) -> Option<Duration> {
        self.plan.timeout.map(|timeout| self.began.saturating_add(timeout))
    }

    fn check_time(&self) {
        let Some(deadline) = self.deadline() else { return };
        holds(Promise::DeadlineIsKept, self.ended <= deadline + self.overslept, || {
            format!("the wait of {:?} ended after {:?}", self.plan.timeout, self.ended.saturating_sub(self.began))
        });
        if let Over::Failed(error) = self.end
            && error.kind() == ErrorKind::Timeout
        {
            holds(Promise::DeadlineIsKept, self.ended >= deadline, || {
                format!(
                    "the wait of {:?} timed out after {:?}",
                    self.plan.timeout,
                    self.ended.saturating_sub(self.began)
                )
            });
        }
    }

    fn check_ends(&self) {
        let last = self.polls.len().wrapping_sub(1);
        for (n, poll) in self.polls.iter().enumerate() {
            holds(Promise::NothingAfterTheEnd, n == last || !poll.is_end || poll.class != Class::Good, || {
                format!("poll {n} of {} said that it has ended", self.polls.len())
            });
        }
        let last = self.polls.last();
        match self.end {
            Over::GivenUp => {}
            Over::Done => holds(Promise::EndsForAReason, last.is_none_or(|last| last.is_end), || {
                "the wait is over, and no reply said so".to_owned()
            }),
            Over::Failed(error) if error.kind() == ErrorKind::Timeout => {
                holds(Promise::EndsForAReason, self.plan.timeout.is_some(), || {
                    "a wait without end timed out".to_owned()
                });
            }
            Over::Failed(error) => {
                let is_good = last.is_some_and(|last| last.class == Class::Good && last.is_intact);
                holds(Promise::EndsForAReason, !is_good, || format!("a good reply ended it: {error}"));
            }
        }
        if let Over::Failed(error) = self.end
            && self.plan.hold.is_none()
            && !self.tongue.prefers_held_polls()
        {
            let attempts = error.attempts().map(|attempts| attempts as usize);
            // A poll that is refused before it is sent counts.
            let refused = usize::from(error.kind() == ErrorKind::UntrustedUrl);
            holds(Promise::RequestsAreCounted, attempts == Some(self.polls.len() + refused), || {
                format!("{} polls, and the error counts {attempts:?}", self.polls.len())
            });
        }
    }

    /// Whether a poll at this time may be the one that is to land on the deadline.
    fn may_be_last(&self, at: Duration) -> bool {
        self.deadline().is_some_and(|deadline| at.saturating_add(self.longest + self.overslept) >= deadline)
    }

    fn check_delays(&self) {
        let least_end = |from: Duration, (least, most): (Duration, Duration), at: Duration| {
            let gap = at.saturating_sub(from);
            holds(Promise::NoPollBeforeItsTime, gap >= least || self.may_be_last(at), || {
                format!("a poll {gap:?} after the reply at {from:?}, instead of {least:?}; {:?}", self.plan)
            });
            let most = most.saturating_add(self.overslept);
            holds(Promise::NoDelayBeyondItsTime, gap <= most || self.may_be_last(at), || {
                format!("a poll {gap:?} after the reply at {from:?}, instead of {most:?}; {:?}", self.plan)
            });
        };
        let waits = |bounds: (Duration, Duration)| match self.tongue.remembers() {
            Some(kept) => (bounds.0.min(kept / 2), bounds.1.min(kept / 2)),
            None => bounds,
        };
        if let Some(first) = self.polls.first() {
            match self.before {
                Before::Unknown => {}
                Before::Nothing | Before::Reply { follow: true, .. } => {
                    holds(Promise::NoDelayBeyondItsTime, first.at <= self.began + self.overslept, || {
                        format!("the first poll is {:?} late", first.at.saturating_sub(self.began))
                    });
                }
                Before::Reply { at, wish, .. } => {
                    let (least, most) = waits(self.plan.after_reply(wish));
                    // Time that has passed before the wait counts.
                    let most = most.max(self.began.saturating_sub(at));
                    least_end(at, (least, most), first.at);
                }
            }
        }
        let mut follows = 0;
        for (prev, next) in self.polls.iter().zip(self.polls.iter().skip(1)) {
            let Some(from) = prev.answered else { continue };
            follows = if prev.follow { follows + 1 } else { 0 };
            let bounds = match prev.class {
                Class::Good if prev.follow && follows <= 8 => (Duration::ZERO, Duration::ZERO),
                Class::Good => self.plan.after_reply(prev.wish),
                Class::Garbage => continue,
                Class::Missing | Class::Dropped | Class::Own => self.plan.after_failure(prev.wish, true),
                Class::Origin => self.plan.after_failure(prev.wish, self.plan.counts_origin),
                Class::Astray => broken(Promise::StaysOnItsOrigin, "a poll after one that led elsewhere"),
                Class::Permanent => broken(Promise::EndsForAReason, "a poll after one that no other could mend"),
            };
            least_end(from, waits(bounds), next.at);
        }
    }

    fn check_failures(&self) {
        // A shared wait that nobody waits for begins again, with a new budget.
        let ends = match self.end {
            Over::GivenUp => return,
            Over::Done => false,
            Over::Failed(error) => error.kind() != ErrorKind::Timeout,
        };
        let (mut own, mut origin) = (Spent::default(), Spent::default());
        let mut since: Option<(bool, Duration)> = None;
        let mut found = self.found;
        let last = self.polls.len().wrapping_sub(1);
        for (n, poll) in self.polls.iter().enumerate() {
            let is_last = n == last;
            let now = poll.answered.unwrap_or(poll.at);
            let (counted, of_origin) = match poll.class {
                Class::Good | Class::Garbage => {
                    (own, origin, since) = (Spent::default(), Spent::default(), None);
                    found = match poll.class {
                        Class::Good if !poll.follow => Some(true),
                        Class::Good => found,
                        _ => None,
                    };
                    continue;
                }
                Class::Permanent | Class::Astray => continue,
                Class::Missing => {
                    let forgiven =
                        found == Some(false) && self.started.is_some_and(|started| now < started + self.plan.grace);
                    let knows = found.is_some_and(|found| found || self.started.is_some());
                    if is_last && ends && found.is_some() {
                        holds(Promise::GraceIsKept, !forgiven, || format!("ended at {now:?}, {:?}", self.plan));
                    } else if !is_last && knows {
                        holds(Promise::GraceIsKept, forgiven, || format!("forgave at {now:?}, {:?}", self.plan));
                    }
                    continue;
                }
                Class::Origin if !self.plan.counts_origin => (false, true),
                Class::Origin | Class::Own | Class::Dropped => (true, false),
            };
            if let Some((was_origin, at)) = since.replace((of_origin, now)) {
                let spent = if was_origin { &mut origin } else { &mut own };
                spent.elapsed += now.saturating_sub(at);
            }
            (if of_origin { &mut origin } else { &mut own }).failures += 1;
            if is_last && ends && of_origin {
                let day = Duration::from_secs(86_400);
                let patient = self.plan.timeout.is_some() || origin.elapsed < day;
                holds(Promise::OriginIsForgiven, !patient, || format!("an outage ended the wait at {now:?}"));
            }
            if counted {
                let is_spent = own.failures > self.plan.failures || own.elapsed >= self.plan.elapsed;
                let is_over = self.deadline().is_some_and(|deadline| now >= deadline);
                if is_last && ends {
                    holds(Promise::BudgetIsKept, is_spent, || format!("{own:?} of {:?} ended the wait", self.plan));
                } else if !is_last {
                    holds(Promise::BudgetIsKept, !is_spent || is_over, || format!("{own:?} of {:?}", self.plan));
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    failures: u32,
    elapsed: Duration,
}
