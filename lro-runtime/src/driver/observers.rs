//! The observers of one wait, and the rule by which they are called.

use crate::{dialect::Payload, operation::RawOperation};

/// When observers of progress are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notify {
    /// When the state, the status word or the metadata has changed.
    #[default]
    OnChange,
    /// After every poll that gave a snapshot.
    EveryPoll,
}

type OnProgress = Box<dyn FnMut(&RawOperation) + Send>;
type OnCompleted = Box<dyn FnOnce(&RawOperation) + Send>;

/// The observers of one wait.
#[derive(Default)]
pub(crate) struct Observers {
    notify: Notify,
    progress: Vec<OnProgress>,
    completed: Vec<OnCompleted>,
}

impl Observers {
    pub(crate) fn add_progress(&mut self, observer: impl FnMut(&RawOperation) + Send + 'static) {
        self.progress.push(Box::new(observer));
    }

    pub(crate) fn add_completed(&mut self, observer: impl FnOnce(&RawOperation) + Send + 'static) {
        self.completed.push(Box::new(observer));
    }

    pub(crate) fn notify(&mut self, notify: Notify) {
        self.notify = notify;
    }

    /// Calls the observers with the snapshot that the wait begins with, which counts as a change.
    pub(crate) fn begin(&mut self, first: &RawOperation) {
        self.call_all(first);
    }

    /// Whether there is no observer.
    pub(crate) fn is_empty(&self) -> bool {
        self.progress.is_empty() && self.completed.is_empty()
    }

    /// Calls the observers with `next`, which a poll gave after `last`, if [`Notify`] asks for it.
    pub(crate) fn notify_poll(&mut self, last: &RawOperation, next: &RawOperation) {
        // Metadata is compared as raw bytes: it need not decode, and nothing is decoded for a
        // comparison.
        let changed = last.state() != next.state()
            || last.raw_status() != next.raw_status()
            || last.metadata().map(Payload::bytes) != next.metadata().map(Payload::bytes);
        if changed || self.notify == Notify::EveryPoll {
            self.call_all(next);
        } else if next.is_completed() {
            // A safeguard, because the end is a change of state: an observer of completion must not
            // be missed.
            self.complete(next);
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
