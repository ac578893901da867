//! Observers: who wants to know while somebody waits.

use crate::{dialect::Payload, operation::RawOperation};

/// When an observer of progress is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notify {
    /// When the state, the status word or the metadata is not what it was.
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

    /// The wait begins at `first`, which counts as a change.
    pub(crate) fn begin(&mut self, first: &RawOperation) {
        self.tell(first);
    }

    /// Whether nobody wants to know.
    pub(crate) fn is_empty(&self) -> bool {
        self.progress.is_empty() && self.completed.is_empty()
    }

    /// A poll gave `next` after `last`.
    pub(crate) fn seen(&mut self, last: &RawOperation, next: &RawOperation) {
        let changed = last.state() != next.state()
            || last.raw_status() != next.raw_status()
            || last.metadata().map(Payload::bytes) != next.metadata().map(Payload::bytes);
        if changed || self.notify == Notify::EveryPoll {
            self.tell(next);
        } else if next.is_completed() {
            self.complete(next);
        }
    }

    fn tell(&mut self, snapshot: &RawOperation) {
        for observer in &mut self.progress {
            observer(snapshot);
        }
        if snapshot.is_completed() {
            self.complete(snapshot);
        }
    }

    fn complete(&mut self, snapshot: &RawOperation) {
        for observer in self.completed.drain(..) {
            observer(snapshot);
        }
    }
}
