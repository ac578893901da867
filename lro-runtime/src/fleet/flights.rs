//! Requests in flight: a set of futures of which only those that were woken are polled.

use std::{
    sync::{Arc, Mutex, PoisonError},
    task::{Wake, Waker},
};

/// A set of things that are polled, each with a waker of its own.
pub(super) struct Flights<F> {
    slots: Vec<Option<F>>,
    wakers: Vec<Waker>,
    free: Vec<usize>,
    woken: Arc<Woken>,
}

/// Which flights were woken, and the task that polls them.
#[derive(Default)]
struct Woken {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    list: Vec<usize>,
    task: Option<Waker>,
}

struct FlightWaker {
    index: usize,
    woken: Arc<Woken>,
}

impl Wake for FlightWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.woken.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.list.push(self.index);
        let task = state.task.take();
        drop(state);
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl<F> Flights<F> {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), wakers: Vec::new(), free: Vec::new(), woken: Arc::default() }
    }

    /// Adds a flight, which counts as woken. Returns where it is.
    pub(super) fn insert(&mut self, flight: F) -> usize {
        let index = self.free.pop().unwrap_or_else(|| {
            let (index, woken) = (self.slots.len(), Arc::clone(&self.woken));
            self.slots.push(None);
            self.wakers.push(Waker::from(Arc::new(FlightWaker { index, woken })));
            index
        });
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some(flight);
        }
        self.lock().list.push(index);
        index
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    /// Takes a flight out, to be polled with its waker. It is put back with [`put`](Self::put), or
    /// its place is given up with [`remove`](Self::remove).
    pub(super) fn take(&mut self, index: usize) -> Option<(F, Waker)> {
        let flight = self.slots.get_mut(index)?.take()?;
        Some((flight, self.wakers.get(index)?.clone()))
    }

    pub(super) fn put(&mut self, index: usize, flight: F) {
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some(flight);
        }
    }

    /// Gives up the place of a flight that was taken. A wake-up that comes late is one too many for
    /// the next flight there, which is harmless.
    pub(super) fn remove(&mut self, index: usize) {
        self.free.push(index);
    }

    /// Returns which flights were woken since the last call. Has `task` woken when another is.
    pub(super) fn woken(&mut self, task: &Waker) -> Vec<usize> {
        let mut state = self.lock();
        if !state.task.as_ref().is_some_and(|known| known.will_wake(task)) {
            state.task = Some(task.clone());
        }
        std::mem::take(&mut state.list)
    }

    /// Takes all flights out.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = F> + '_ {
        self.slots.iter_mut().filter_map(Option::take)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.woken.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
