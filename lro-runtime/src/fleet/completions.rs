//! What a fleet hands out when waits have ended.

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures_core::Stream;

use super::{endings::Ending, journal::Waiting, shared::Shared, ticket::Ticket};
use crate::{
    error::{Error, Result},
    operation::{Handle, LongRunning, Method, OperationState, RawOperation},
};

/// The end of the wait for one operation: its terminal snapshot, or why the fleet waits no longer.
///
/// It is handed out again until it is [acknowledged](Self::ack): a consumer that dies, or drops it,
/// loses nothing.
pub struct Completion {
    shared: Arc<Shared>,
    ticket: Ticket,
    key: Option<Arc<str>>,
    outcome: Result<RawOperation>,
    deliveries: u32,
}

impl Completion {
    /// Returns the ticket of the operation.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Returns the key that the operation was watched or started under.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Returns the name of the operation.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.outcome {
            Ok(operation) => operation.name(),
            Err(error) => error.snapshot().map(RawOperation::name).unwrap_or_default(),
        }
    }

    /// Returns how the wait ended, as
    /// [`poll_until_completed`](RawOperation::poll_until_completed) would: a terminal snapshot,
    /// also of an operation that failed; an error if the wait expired or polling failed for good,
    /// which has the last snapshot and the token.
    ///
    /// # Errors
    ///
    /// As [`poll_until_completed`](RawOperation::poll_until_completed).
    pub fn outcome(&self) -> Result<&RawOperation, &Error> {
        self.outcome.as_ref()
    }

    /// Returns how the wait ended, with the operation as one of the method whose operations are
    /// `O`, such as `ExportImageOperation`; `None` if it is of another method.
    #[must_use]
    pub fn operation<O: LongRunning + Handle>(&self) -> Option<Result<O>> {
        let of = |operation: &RawOperation| {
            operation.method_name().is_none_or(|name| name == <O::State as OperationState>::METHOD.name())
        };
        match &self.outcome {
            Ok(operation) if of(operation) => {
                let method: &'static Method = <O::State as OperationState>::METHOD;
                Some(Ok(O::from_raw_operation(operation.clone().taken_by(method))))
            }
            Err(error) if error.snapshot().is_some_and(of) => Some(Err(error.clone())),
            _ => None,
        }
    }

    /// Returns how often this completion was handed out: 1, or more if it was not acknowledged in
    /// time.
    #[must_use]
    pub fn deliveries(&self) -> u32 {
        self.deliveries
    }

    /// Says that the completion was dealt with: it is not handed out again, and the fleet forgets
    /// the operation and its key.
    ///
    /// In a fleet with a store, this waits until that is durable: then it is not handed out after a
    /// restart either.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](crate::ErrorKind::Store) if it was not written down: this process does not
    /// hand it out again, and the next one may. None for a fleet in memory.
    pub async fn ack(self) -> Result<()> {
        self.shared.forget(self.ticket);
        let number = self.shared.lock().last_change();
        let durable = self.shared.durable(number).await;
        durable.map_err(|error| match self.outcome.as_ref().map_or_else(Error::snapshot, Some) {
            Some(operation) => error.with_operation(operation),
            None => error,
        })
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("ticket", &self.ticket)
            .field("outcome", &self.outcome)
            .field("deliveries", &self.deliveries)
            .finish_non_exhaustive()
    }
}

/// The completions of a fleet, as a [`Stream`] and by [`next`](Self::next): made by
/// [`Fleet::completions`](super::Fleet::completions).
///
/// Consumers compete: each completion goes to one of them. The stream ends when the fleet is
/// [closed](super::Fleet::close) and every completion was acknowledged.
#[must_use = "a stream does nothing unless polled"]
pub struct Completions {
    shared: Arc<Shared>,
    /// Waits for the end that is handed out next to be durable; `None` for a fleet in memory.
    waiting: Option<Waiting>,
}

impl Completions {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let waiting = shared.journal.as_ref().map(Waiting::new);
        Self { shared, waiting }
    }

    /// Returns the next completion; `None` when the fleet is closed and there will be none.
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Completion> {
        poll_fn(|context| self.poll_completion(context)).await
    }

    /// Returns the next completion if there is one now.
    pub fn try_next(&mut self) -> Option<Completion> {
        match self.poll_completion(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(completion) => completion,
            Poll::Pending => None,
        }
    }

    fn poll_completion(&mut self, context: &mut Context<'_>) -> Poll<Option<Completion>> {
        let now = self.shared.timer.now();
        let mut state = self.shared.lock();
        let waiting = &mut self.waiting;
        let is_settled = |number| waiting.as_mut().is_none_or(|waiting| waiting.poll(number, context).is_ready());
        let Some((ticket, ending)) = state.endings.deliver(now, is_settled) else {
            if state.is_over() {
                return Poll::Ready(None);
            }
            state.endings.consumers.register(context.waker());
            return Poll::Pending;
        };
        let Ending { outcome, key, deliveries, .. } = ending.clone();
        drop(state);
        // What comes back unacknowledged is the driver's to notice.
        self.shared.wake_drivers();
        Poll::Ready(Some(Completion { shared: Arc::clone(&self.shared), ticket, key, outcome, deliveries }))
    }
}

impl Stream for Completions {
    type Item = Completion;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Completion>> {
        self.poll_completion(context)
    }
}

impl fmt::Debug for Completions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completions").finish_non_exhaustive()
    }
}
