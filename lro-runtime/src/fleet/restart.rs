//! Start calls of a process that died before it knew what came of them: the same request is sent
//! again, with the start id that it had.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime},
};

use super::{
    guard::guarded,
    restarts::Restart,
    shared::Shared,
    ticket::Ticket,
    watch::{self, How},
};
use crate::{
    duration,
    error::{Error, ErrorKind, Result},
    operation::RawOperation,
    settings::Verdict,
    status::Failure,
    transport::BoxFuture,
};

/// The delay before a start call is sent again that has failed, and the longest.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// How many start calls are sent again at once.
const MOST_AT_ONCE: usize = 8;

/// The start calls that one driver has sent again.
pub(super) struct Sent {
    shared: Arc<Shared>,
    calls: Vec<(Ticket, Restart, BoxFuture<'static, Result<RawOperation>>)>,
}

impl Sent {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), calls: Vec::new() }
    }

    /// Whether none is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Sends what is due, unless `is_over` says that nothing is sent any more, and takes in what
    /// has started. Returns when there is more to send.
    pub(super) fn poll(&mut self, now: Instant, is_over: bool, context: &mut Context<'_>) -> Option<Instant> {
        let mut index = 0;
        while let Some((.., call)) = self.calls.get_mut(index) {
            let call = pin!(call);
            match guarded(|| call.poll(context)).unwrap_or_else(|failure| Poll::Ready(Err(panicked(failure)))) {
                Poll::Pending => index += 1,
                Poll::Ready(started) => {
                    let (ticket, restart, _) = self.calls.swap_remove(index);
                    landed(&self.shared, ticket, restart, started);
                }
            }
        }
        if is_over {
            return self.shared.lock().restarts.next(now);
        }
        while self.calls.len() < MOST_AT_ONCE {
            let taken = self.shared.lock().restarts.take(now);
            let (ticket, restart) = match taken {
                Ok(taken) => taken,
                Err(at) => return at,
            };
            let call = restart.client.start_again(&restart.record, restart.method);
            self.calls.push((ticket, restart, call));
            // Polled once, so that it is woken: in the next turn.
            context.waker().wake_by_ref();
        }
        None
    }
}

impl Drop for Sent {
    /// Leaves what was not answered to other drivers.
    fn drop(&mut self) {
        // Code of others is dropped before the state is locked.
        let tickets: Vec<Ticket> = self.calls.drain(..).map(|(ticket, ..)| ticket).collect();
        if tickets.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        for ticket in tickets {
            state.restarts.give_back(ticket);
        }
        drop(state);
        self.shared.wake_drivers();
    }
}

fn panicked(failure: Failure) -> Error {
    Error::from_failure(ErrorKind::Start, "the start call failed", failure)
}

/// Takes in what a start call gave that was sent again.
fn landed(shared: &Arc<Shared>, ticket: Ticket, mut restart: Restart, started: Result<RawOperation>) {
    let under = How::under(Arc::clone(&restart.key));
    let started = started.map(|operation| watch::entrant(&operation, under, shared));
    let mut state = shared.lock();
    if state.core.kind(ticket).is_none() {
        return; // it was removed meanwhile
    }
    let outcome = match started {
        Ok(entrant) => match entrant.and_then(|entrant| state.fill(ticket, entrant)) {
            Ok(_) => {
                state.restarts.remove(ticket);
                drop(state);
                return shared.wake_drivers();
            }
            Err(error) => error,
        },
        // The origin is down or busy, or the call may have arrived: by its id it is one start.
        Err(error) if verdict(&error) == Some(Verdict::Retry) => {
            let delay = FIRST_DELAY.saturating_mul(1 << restart.failures.min(16)).min(LONGEST_DELAY);
            restart.failures = restart.failures.saturating_add(1);
            restart.not_before = shared.timer.now().checked_add(delay);
            state.restarts.insert(ticket, restart);
            return;
        }
        Err(error) => error,
    };
    state.restarts.remove(ticket);
    let outcome = Err(outcome);
    state.write_outcome(ticket, &outcome);
    let number = state.last_change();
    let wakers = state.endings.add(ticket, outcome, Some(restart.key), number);
    drop(state);
    wakers.wake();
}

/// Returns what the failure behind an error means.
fn verdict(error: &Error) -> Option<Verdict> {
    std::error::Error::source(error)?.downcast_ref::<Failure>().map(Failure::verdict)
}

/// Returns the error of a start of which nobody knows whether it happened.
pub(super) fn unknown(why: &str, start_id: Option<String>, began: SystemTime, now: SystemTime) -> Error {
    let ago = now.duration_since(began).unwrap_or_default();
    let ago = Duration::from_secs(ago.as_secs());
    let message = format!(
        "unknown whether it was started: the process that began to start it at {} ({} ago) ended before it knew, and {why}",
        httpdate::fmt_http_date(began),
        duration::format(ago),
    );
    Error::new(ErrorKind::Start, message)
        .with_start_id(start_id.map(Arc::from))
        .with_advice(ErrorKind::Start, "look for the operation before you start again")
}
