//! The journal of a fleet: what it writes down, in the order in which it happened.
//!
//! A change is queued while the state of the fleet is locked, so that the order of the queue is
//! that of the changes. One thread takes all that is queued, up to a bound, and commits it
//! together: while one commit waits for the disk the next gathers. Who must not go on before a
//! change is durable waits for its number.

use std::{
    collections::{BTreeMap, HashMap},
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use super::{
    guard::words_of_panic,
    store::{Note, Seal, Store, StoreError, StoreErrorKind, Table, Write},
};
use crate::error::{Error, ErrorKind, Result};

pub(super) mod note;
pub(super) mod record;

/// How much of a response is kept until its completion is acknowledged: see
/// [`FleetBuilder::outcomes`](super::FleetBuilder::outcomes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Keep {
    /// Only how it ended: after a restart a completion has the state, and no words of the service.
    Nothing,
    /// How it ended, and the status of a failure: after a restart a completion has no response, and
    /// no metadata.
    Status,
    /// Everything, the body of the last reply included: the user's data. After a restart a
    /// completion is as it was.
    #[default]
    Body,
}

/// How many writes go into one commit at most, and how many bytes.
const MOST_WRITES: usize = 1024;
const MOST_BYTES: usize = 4 << 20;

/// For how long notes are gathered.
const NOTES_AFTER: Duration = Duration::from_millis(250);

/// The number of a change: those with smaller numbers are durable when it is.
pub(super) type Number = u64;

/// See the module.
pub(super) struct Journal {
    store: Box<dyn Store>,
    seal: Option<Box<dyn Seal>>,
    pub(super) keep: Keep,
    queue: Mutex<Queue>,
    /// Wakes the thread that writes.
    work: Condvar,
    /// Wakes the threads that wait for a change.
    done: Condvar,
    /// Whether each change is committed by whoever queues it.
    is_inline: bool,
}

#[derive(Default)]
struct Queue {
    writes: Vec<Write>,
    notes: HashMap<u32, u64>,
    queued: Number,
    committed: Number,
    failure: Option<StoreError>,
    /// Those who wait for a change, by its number and theirs.
    waiting: BTreeMap<(Number, u64), Waker>,
    /// The number of the last who came to wait.
    last_waiting: u64,
    last_commit: Option<Duration>,
    is_closing: bool,
}

/// What is known of the store: see [`StoreHealth`](super::StoreHealth).
pub(super) struct JournalHealth {
    pub(super) unwritten: usize,
    pub(super) last_commit: Option<Duration>,
    pub(super) failure: Option<StoreError>,
}

impl Journal {
    pub(super) fn new(store: Box<dyn Store>, seal: Option<Box<dyn Seal>>, keep: Keep, is_inline: bool) -> Self {
        let (queue, work, done) = Default::default();
        Self { store, seal, keep, queue, work, done, is_inline }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the record of `key`: what `value` encodes to, or nothing any more.
    pub(super) fn put(&self, table: Table, key: u64, value: Option<Result<Vec<u8>, StoreError>>) {
        let sealed = match (value, &self.seal) {
            (Some(Ok(plain)), Some(seal)) => Some(guarded(|| Ok(seal.seal(table, key, plain)))),
            (value, _) => value,
        };
        let mut queue = self.lock();
        // Counted also if it is never written, so that nobody takes it for durable.
        queue.queued += 1;
        if queue.failure.is_some() {
            return;
        }
        match sealed.transpose() {
            Ok(value) => queue.writes.push(Write { table, key, value }),
            Err(error) => {
                queue.fail(error);
                self.done.notify_all();
            }
        }
        if self.is_inline {
            self.commit(queue);
        } else {
            self.work.notify_one();
        }
    }

    /// Queues a note.
    pub(super) fn note(&self, place: u32, value: u64) {
        let mut queue = self.lock();
        queue.notes.insert(place, value);
        if self.is_inline {
            self.write_notes(queue);
        } else if queue.notes.len() == 1 {
            self.work.notify_one();
        }
    }

    /// Returns the number of the last change.
    pub(super) fn last(&self) -> Number {
        self.lock().queued
    }

    /// Whether this change is durable, or never will be.
    pub(super) fn is_settled(&self, number: Number) -> bool {
        self.lock().settled(number).is_some()
    }

    /// Waits until this change is durable.
    ///
    /// # Errors
    ///
    /// Of kind [`Store`](ErrorKind::Store) when it never will be.
    pub(super) async fn durable(self: &Arc<Self>, number: Number) -> Result<()> {
        let mut waiting = Waiting::new(self);
        poll_fn(|context| waiting.poll(number, context)).await
    }

    /// As [`durable`](Self::durable), on this thread.
    pub(super) fn durable_blocking(&self, number: Number) -> Result<()> {
        let mut queue = self.lock();
        loop {
            if let Some(settled) = queue.settled(number) {
                return settled;
            }
            queue = self.done.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn health(&self) -> JournalHealth {
        let queue = self.lock();
        let unwritten = usize::try_from(queue.queued - queue.committed).unwrap_or(usize::MAX);
        JournalHealth { unwritten, last_commit: queue.last_commit, failure: queue.failure.clone() }
    }

    /// Reads a table.
    ///
    /// # Errors
    ///
    /// Those of the store, of the seal, and of `each`.
    #[expect(clippy::type_complexity, reason = "as that of the store")]
    pub(super) fn read(
        &self,
        table: Table,
        each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        guarded(|| {
            self.store.read(table, &mut |key, value| match &self.seal {
                Some(seal) => each(key, &seal.open(table, key, value)?),
                None => each(key, value),
            })
        })
    }

    /// Reads the notes. What cannot be read is not there.
    pub(super) fn read_notes(&self, each: &mut dyn FnMut(Note)) {
        // Without notes operations are polled sooner, and nothing else.
        drop(guarded(|| self.store.read_notes(each)));
    }

    /// Commits what is queued until the journal is closed, and then the rest.
    fn write(&self) {
        let mut noted = Instant::now();
        loop {
            let mut queue = self.lock();
            while queue.writes.is_empty() && !queue.is_closing && !queue.has_news() {
                if queue.notes.is_empty() {
                    queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                let Some(left) = NOTES_AFTER.checked_sub(noted.elapsed()).filter(|left| !left.is_zero()) else { break };
                queue = self.work.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            if queue.has_news() {
                let waiting = std::mem::take(&mut queue.waiting);
                drop(queue);
                wake(waiting);
                continue;
            }
            let (has_writes, is_closing) = (!queue.writes.is_empty(), queue.is_closing);
            if !queue.notes.is_empty() && (is_closing || noted.elapsed() >= NOTES_AFTER) {
                self.write_notes(queue);
                noted = Instant::now();
                queue = self.lock();
            }
            if has_writes {
                self.commit(queue);
            } else if is_closing {
                return;
            }
        }
    }

    /// Has the thread that writes end, once all is written.
    pub(super) fn close(&self) {
        self.lock().is_closing = true;
        self.work.notify_one();
    }

    /// Commits the first of what is queued.
    fn commit(&self, mut queue: MutexGuard<'_, Queue>) {
        let mut bytes = 0;
        let fits = |write: &&Write| {
            bytes += write.value.as_ref().map_or(0, Vec::len);
            bytes <= MOST_BYTES
        };
        // One that is too large for any commit has one of its own.
        let count = queue.writes.iter().take(MOST_WRITES).take_while(fits).count().max(1).min(queue.writes.len());
        let writes: Vec<Write> = queue.writes.drain(..count).collect();
        drop(queue);
        let began = Instant::now();
        // There is none where the journal has failed meanwhile: then the store is asked no more.
        let outcome = if writes.is_empty() { Ok(()) } else { guarded(|| self.store.commit(&writes)) };
        let mut queue = self.lock();
        match outcome {
            Ok(()) if count == 0 => {}
            Ok(()) => {
                queue.last_commit = Some(began.elapsed());
                queue.committed += Number::try_from(count).unwrap_or_default();
            }
            Err(error) => queue.fail(error),
        }
        let ready = queue.take_ready();
        drop(queue);
        self.done.notify_all();
        wake(ready);
    }

    fn write_notes(&self, mut queue: MutexGuard<'_, Queue>) {
        let notes: Vec<Note> = queue.notes.drain().map(|(place, value)| Note { place, value }).collect();
        drop(queue);
        // A note that is lost costs a poll after a restart.
        drop(guarded(|| self.store.write_notes(&notes)));
    }
}

impl Queue {
    /// Has nothing written from now on. A second attempt could seem to succeed: after a failed
    /// sync, a system may take what was not written for written.
    fn fail(&mut self, error: StoreError) {
        self.failure.get_or_insert(error);
        self.writes = Vec::new();
    }

    /// Whether there are some who wait for what will never be. The thread that writes tells them:
    /// whoever finds that out has the state of the fleet locked, and wakers are code of others.
    fn has_news(&self) -> bool {
        self.failure.is_some() && !self.waiting.is_empty()
    }

    /// Takes those out who need not wait any more.
    fn take_ready(&mut self) -> BTreeMap<(Number, u64), Waker> {
        if self.failure.is_some() {
            return std::mem::take(&mut self.waiting);
        }
        let waiting = self.waiting.split_off(&(self.committed.saturating_add(1), 0));
        std::mem::replace(&mut self.waiting, waiting)
    }

    /// Returns what became of a change; `None` while it waits to be written.
    fn settled(&self, number: Number) -> Option<Result<()>> {
        if self.committed >= number {
            return Some(Ok(()));
        }
        self.failure.as_ref().map(|failure| Err(failed(failure)))
    }
}

/// Somebody who waits for changes to be durable, until it is dropped.
pub(super) struct Waiting {
    journal: Arc<Journal>,
    id: u64,
    /// For which change.
    number: Option<Number>,
}

impl Waiting {
    pub(super) fn new(journal: &Arc<Journal>) -> Self {
        let mut queue = journal.lock();
        queue.last_waiting += 1;
        Self { journal: Arc::clone(journal), id: queue.last_waiting, number: None }
    }

    /// Waits for this change, and for no other any more.
    pub(super) fn poll(&mut self, number: Number, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut queue = self.journal.lock();
        if let Some(settled) = queue.settled(number) {
            return Poll::Ready(settled);
        }
        // Wakers are code of others: none is dropped while the queue is locked.
        let before = self.number.replace(number).and_then(|number| queue.waiting.remove(&(number, self.id)));
        queue.waiting.insert((number, self.id), context.waker().clone());
        drop(queue);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let waker = self.journal.lock().waiting.remove(&(number, self.id));
        drop(waker);
    }
}

/// Returns the error of a store that failed.
pub(super) fn failed(failure: &StoreError) -> Error {
    Error::new(ErrorKind::Store, format!("the store failed: {failure}")).with_source(failure.clone())
}

/// Wakes those who wait. A waker that panics ends neither the thread that writes nor the others'
/// wait.
fn wake(waiting: BTreeMap<(Number, u64), Waker>) {
    for waker in waiting.into_values() {
        drop(catch_unwind(AssertUnwindSafe(|| waker.wake())));
    }
}

/// Calls code of a store or a seal. One that panics has failed.
fn guarded<T>(call: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let words = words_of_panic(&*panic);
        Err(StoreError::new(StoreErrorKind::Io, format!("the store or the seal has panicked: `{words}`")))
    })
}

/// Starts the thread that writes. It ends when the journal is closed.
///
/// # Errors
///
/// When the system has no thread to give.
pub(super) fn start_writer(journal: &Arc<Journal>) -> std::io::Result<std::thread::JoinHandle<()>> {
    let journal = Arc::clone(journal);
    std::thread::Builder::new().name("lro-fleet-store".to_owned()).spawn(move || journal.write())
}

#[cfg(test)]
mod tests;
