//! The observers of one wait, and the rule by which they are called.

use crate::{dialect::Payload, error::Error, operation::RawOperation, status::Failure};

/// When observers of progress are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notify {
    /// When the state, the status word, the status message or the metadata has changed.
    #[default]
    OnChange,
    /// After every poll that gave a snapshot.
    EveryPoll,
}

/// A poll that failed during a wait: given to an observer of [failed
/// polls](super::Observed::on_failed_poll).
#[derive(Clone, Copy, Debug)]
pub struct FailedPoll<'a> {
    operation: &'a RawOperation,
    failure: &'a Failure,
    attempt: u32,
}

impl<'a> FailedPoll<'a> {
    pub(crate) fn new(operation: &'a RawOperation, failure: &'a Failure, attempt: u32) -> Self {
        Self { operation, failure, attempt }
    }

    /// Returns the last snapshot, which the failed poll has not changed.
    pub fn operation(&self) -> &'a RawOperation {
        self.operation
    }

    /// Returns why the poll failed.
    #[must_use]
    pub fn failure(&self) -> &'a Failure {
        self.failure
    }

    /// Returns how many polls the wait has sent, this one included: the first is 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// An observer of whole waits: of every poll, whatever [`Notify`] says, and of a wait that is left
/// before its operation has ended.
#[cfg(feature = "indicatif")]
pub(crate) trait ObserveWait: Send {
    /// Is called with the snapshot that a wait begins with, and with that of every poll.
    fn snapshot(&mut self, operation: &RawOperation);

    /// Is called for each poll that fails.
    fn failed_poll(&mut self, failed: FailedPoll<'_>);

    /// Is called when a wait ends without a terminal snapshot: with its error, or without one if it
    /// was dropped.
    fn left(&mut self, error: Option<&Error>);
}

type OnProgress = Box<dyn FnMut(&RawOperation) + Send>;
type OnCompleted = Box<dyn FnOnce(&RawOperation) + Send>;
type OnFailedPoll = Box<dyn FnMut(FailedPoll<'_>) + Send>;

/// The observers of one operation. A wait borrows them, so that they outlive a wait that ends
/// before the operation does.
#[derive(Default)]
pub(crate) struct Observers {
    notify: Notify,
    progress: Vec<OnProgress>,
    completed: Vec<OnCompleted>,
    failed_poll: Vec<OnFailedPoll>,
    #[cfg(feature = "indicatif")]
    whole_waits: Vec<Box<dyn ObserveWait>>,
    /// Whether a wait has begun that has not ended.
    is_waiting: bool,
}

/// An untyped operation with its observers: what a wait borrows, and where it leaves its last
/// snapshot.
pub(crate) struct ObservedRaw {
    pub(super) latest: RawOperation,
    pub(super) observers: Observers,
}

impl ObservedRaw {
    pub(super) fn new(latest: RawOperation) -> Self {
        Self { latest, observers: Observers::default() }
    }
}

impl Observers {
    pub(crate) fn add_progress(&mut self, observer: impl FnMut(&RawOperation) + Send + 'static) {
        self.progress.push(Box::new(observer));
    }

    pub(crate) fn add_completed(&mut self, observer: impl FnOnce(&RawOperation) + Send + 'static) {
        self.completed.push(Box::new(observer));
    }

    pub(crate) fn add_failed_poll(&mut self, observer: impl FnMut(FailedPoll<'_>) + Send + 'static) {
        self.failed_poll.push(Box::new(observer));
    }

    #[cfg(feature = "indicatif")]
    pub(crate) fn add_whole_wait(&mut self, observer: impl ObserveWait + 'static) {
        self.whole_waits.push(Box::new(observer));
    }

    pub(crate) fn notify(&mut self, notify: Notify) {
        self.notify = notify;
    }

    /// Calls the observers with the snapshot that the wait begins with, which counts as a change.
    pub(crate) fn begin(&mut self, first: &RawOperation) {
        self.is_waiting = true;
        self.show(first);
        self.call_all(first);
    }

    /// Tells the observers of whole waits that a wait has ended, unless it has ended with its
    /// operation.
    pub(crate) fn leave(&mut self, error: Option<&Error>) {
        if !std::mem::take(&mut self.is_waiting) {
            return;
        }
        #[cfg(feature = "indicatif")]
        for observer in &mut self.whole_waits {
            observer.left(error);
        }
        #[cfg(not(feature = "indicatif"))]
        let _ = error;
    }

    /// Calls the observers of whole waits.
    fn show(&mut self, snapshot: &RawOperation) {
        self.is_waiting &= !snapshot.is_completed();
        #[cfg(feature = "indicatif")]
        for observer in &mut self.whole_waits {
            observer.snapshot(snapshot);
        }
    }

    /// Whether no observer is called with snapshots.
    pub(crate) fn ignore_snapshots(&self) -> bool {
        #[cfg(feature = "indicatif")]
        if !self.whole_waits.is_empty() {
            return false;
        }
        self.progress.is_empty() && self.completed.is_empty()
    }

    /// Calls the observers of failed polls.
    pub(crate) fn notify_failed_poll(&mut self, failed: FailedPoll<'_>) {
        #[cfg(feature = "indicatif")]
        for observer in &mut self.whole_waits {
            observer.failed_poll(failed);
        }
        for observer in &mut self.failed_poll {
            observer(failed);
        }
    }

    /// Calls the observers with `next`, which a poll gave after `last`, if [`Notify`] asks for it.
    pub(crate) fn notify_poll(&mut self, last: &RawOperation, next: &RawOperation) {
        // Metadata is compared as raw bytes: it need not decode, and nothing is decoded for a
        // comparison.
        let changed = last.state() != next.state()
            || last.raw_status() != next.raw_status()
            || last.status_message() != next.status_message()
            || last.metadata().map(Payload::bytes) != next.metadata().map(Payload::bytes);
        self.show(next);
        if changed || self.notify == Notify::EveryPoll {
            self.call_all(next);
        }
    }

    /// Calls the observers of progress, and those of completion if the snapshot is terminal.
    fn call_all(&mut self, snapshot: &RawOperation) {
        for observer in &mut self.progress {
            observer(snapshot);
        }
        if snapshot.is_completed() {
            self.complete(snapshot);
        }
    }

    /// Calls the observers of completion and removes them, so that each is called once.
    fn complete(&mut self, snapshot: &RawOperation) {
        for observer in self.completed.drain(..) {
            observer(snapshot);
        }
    }
}
