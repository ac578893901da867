//! Who waits for a change, and for how long.

use std::{
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::Wake,
};

use super::*;

/// Keeps nothing.
struct Nothing;

/// Keeps nothing, and counts how often it is asked to.
struct Asked(Arc<AtomicUsize>);

impl Store for Asked {
    fn read(&self, _: Table, _: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&self, _: &[Write]) -> Result<(), StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Store for Nothing {
    fn read(&self, _: Table, _: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&self, _: &[Write]) -> Result<(), StoreError> {
        Ok(())
    }
}

#[derive(Default)]
struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A journal that nobody writes.
fn journal() -> Arc<Journal> {
    Arc::new(Journal::new(Box::new(Nothing), None, Keep::Body, false))
}

#[test]
fn who_waits_has_one_place_however_often_it_is_polled_and_none_when_it_is_dropped() {
    let journal = journal();
    journal.put(Table::Live, 1, None);
    let waker = Waker::noop();
    {
        let mut one = pin!(journal.durable(1));
        let mut other = pin!(journal.durable(1));
        for _ in 0..100 {
            assert!(one.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
            assert!(other.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        }
        assert_eq!(journal.lock().waiting.len(), 2);
    }
    assert_eq!(journal.lock().waiting.len(), 0);
}

#[test]
fn a_commit_wakes_those_whose_change_it_has_and_nobody_else() {
    let journal = journal();
    let counts: Vec<Arc<Counted>> = (0..2).map(|_| Arc::default()).collect();
    let mut waiting: Vec<Waiting> = (0..2).map(|_| Waiting::new(&journal)).collect();
    for (number, (count, waiting)) in (1..).zip(counts.iter().zip(&mut waiting)) {
        journal.put(Table::Live, number, Some(Ok(vec![0; MOST_BYTES])));
        let waker = Arc::clone(count).into();
        assert!(waiting.poll(number, &mut Context::from_waker(&waker)).is_pending());
    }
    let woken = || counts.iter().map(|count| count.0.load(Ordering::Relaxed)).collect::<Vec<_>>();
    for expected in [[1, 0], [1, 1]] {
        journal.commit(journal.lock());
        assert_eq!(woken(), expected);
    }
}

#[test]
fn what_does_not_serialize_is_never_taken_for_durable() {
    let journal = journal();
    journal.put(Table::Live, 1, None);
    journal.commit(journal.lock());
    assert!(journal.durable_blocking(journal.last()).is_ok());
    journal.put(Table::Live, 2, Some(Err(StoreError::new(StoreErrorKind::Io, "it does not serialize"))));
    assert!(journal.durable_blocking(journal.last()).is_err());
    journal.put(Table::Live, 3, None);
    assert!(journal.durable_blocking(journal.last()).is_err());
    assert!(journal.durable_blocking(1).is_ok(), "it was durable before");
}

#[test]
fn a_store_is_asked_no_more_when_a_record_could_not_be_written() {
    let asked = Arc::new(AtomicUsize::new(0));
    let journal = Journal::new(Box::new(Asked(Arc::clone(&asked))), None, Keep::Body, true);
    journal.put(Table::Live, 1, None);
    journal.put(Table::Live, 2, Some(Err(StoreError::new(StoreErrorKind::Io, "it does not serialize"))));
    journal.put(Table::Live, 3, None);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(journal.health().failure.unwrap().to_string(), "it does not serialize");
}
