//! What happens to the operations of a fleet while it waits.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    hash::{BuildHasher, RandomState},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;

use super::ticket::Ticket;
use crate::{dialect::Payload, operation::RawOperation};

/// How many changes are kept for a reader that is slow.
const MOST: usize = 1024;

/// A change of the state or the metadata of an operation, as a poll or a list has shown it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// Which operation.
    pub ticket: Ticket,
    /// The operation as it is now.
    pub operation: RawOperation,
}

/// What a reader of [`Changes`] is told that was too slow: the oldest changes were dropped here. It
/// may go on reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lagged {
    /// How many changes were dropped.
    pub lost: u64,
}

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reader was too slow: {} changes were dropped; read faster, or look at `health()`", self.lost)
    }
}

impl std::error::Error for Lagged {}

/// The changes of a fleet's operations, as a [`Stream`] and by [`next`](Self::next): made by
/// [`Fleet::changes`](super::Fleet::changes).
///
/// Every reader gets every change. It is for dashboards, not for books: of a reader that is slow
/// the oldest changes are dropped, and it is told how many; completions are never dropped.
#[must_use = "a stream does nothing unless polled"]
pub struct Changes(Arc<Mutex<Reader>>);

#[derive(Default)]
struct Reader {
    queue: VecDeque<Change>,
    lost: u64,
    waker: Option<Waker>,
}

impl Changes {
    /// Returns the next change; never ends.
    ///
    /// # Errors
    ///
    /// How many changes were dropped before the next one, if the reader was too slow.
    pub async fn next(&mut self) -> Result<Change, Lagged> {
        poll_fn(|context| self.poll_change(context)).await
    }

    fn poll_change(&self, context: &mut Context<'_>) -> Poll<Result<Change, Lagged>> {
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reader.lost > 0 {
            return Poll::Ready(Err(Lagged { lost: std::mem::take(&mut reader.lost) }));
        }
        if let Some(change) = reader.queue.pop_front() {
            return Poll::Ready(Ok(change));
        }
        reader.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Stream for Changes {
    type Item = Result<Change, Lagged>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_change(context).map(Some)
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}

/// Those who are told of changes.
#[derive(Default)]
pub(super) struct Changed {
    readers: Vec<Weak<Mutex<Reader>>>,
    hasher: RandomState,
}

impl Changed {
    pub(super) fn subscribe(&mut self) -> Changes {
        let reader = Arc::default();
        self.readers.push(Arc::downgrade(&reader));
        Changes(reader)
    }

    /// Whether anybody is told.
    pub(super) fn has_readers(&mut self) -> bool {
        self.readers.retain(|reader| reader.strong_count() > 0);
        !self.readers.is_empty()
    }

    /// Returns a number by which the metadata of an operation is known again.
    pub(super) fn hash(&self, operation: &RawOperation) -> u32 {
        let metadata = operation.metadata().map(Payload::bytes);
        (self.hasher.hash_one(metadata) >> 32) as u32
    }

    /// Tells the readers of a change. Returns whom to wake.
    pub(super) fn tell(&self, ticket: Ticket, operation: &RawOperation) -> Vec<Waker> {
        let tell = |reader: Arc<Mutex<Reader>>| {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            if reader.queue.len() >= MOST {
                reader.queue.pop_front();
                reader.lost += 1;
            }
            reader.queue.push_back(Change { ticket, operation: operation.clone() });
            reader.waker.take()
        };
        self.readers.iter().filter_map(Weak::upgrade).filter_map(tell).collect()
    }
}
