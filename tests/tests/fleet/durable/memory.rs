//! A store in memory that outlives its fleet, and that fails when a test says so.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use lro_runtime::fleet::{Note, Store, StoreError, StoreErrorKind, Table, Write};

/// What happens at a commit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    Fails,
    Panics,
}

pub(crate) type Records = BTreeMap<(Table, u64), Vec<u8>>;

/// See the module. Clones are one store.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Inner>);

#[derive(Default)]
struct Inner {
    content: Mutex<Content>,
    changed: Condvar,
}

#[derive(Default)]
struct Content {
    records: Records,
    notes: BTreeMap<u32, u64>,
    /// How many commits there were.
    commits: usize,
    /// What happens from this commit on.
    trouble: Option<(usize, Trouble)>,
    /// Whether commits wait.
    is_held: bool,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns another store that has what this one has now: what a process finds after this one
    /// has crashed.
    pub(crate) fn after_a_crash(&self) -> Self {
        let other = Self::default();
        let content = self.lock();
        (other.lock().records, other.lock().notes) = (content.records.clone(), content.notes.clone());
        drop(content);
        other
    }

    /// Returns how many clones there are.
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn records(&self) -> Records {
        self.lock().records.clone()
    }

    pub(crate) fn set_records(&self, records: Records) {
        self.lock().records = records;
    }

    /// Changes what is stored of a table.
    pub(crate) fn change(&self, table: Table, mut change: impl FnMut(&mut Vec<u8>)) {
        self.lock().records.iter_mut().filter(|((of, _), _)| *of == table).for_each(|(_, value)| change(value));
    }

    /// Replaces a word of the records of a table by one that is as long.
    pub(crate) fn replace(&self, table: Table, from: &str, to: &str) {
        assert_eq!(from.len(), to.len());
        self.change(table, |value| {
            while let Some(at) = value.windows(from.len()).position(|part| part == from.as_bytes()) {
                value[at..at + to.len()].copy_from_slice(to.as_bytes());
            }
        });
    }

    pub(crate) fn count(&self, table: Table) -> usize {
        self.lock().records.keys().filter(|(of, _)| *of == table).count()
    }

    /// Whether these bytes are anywhere in the store.
    pub(crate) fn has(&self, bytes: &str) -> bool {
        self.lock().records.values().any(|value| value.windows(bytes.len()).any(|part| part == bytes.as_bytes()))
    }

    pub(crate) fn change_notes(&self, change: impl FnOnce(&mut BTreeMap<u32, u64>)) {
        change(&mut self.lock().notes);
    }

    /// Has every commit but the next so many fail.
    pub(crate) fn fail_after(&self, commits: usize, trouble: Trouble) {
        let mut content = self.lock();
        content.trouble = Some((content.commits + commits, trouble));
    }

    /// Has commits wait, until they are let go.
    pub(crate) fn hold(&self, is_held: bool) {
        self.lock().is_held = is_held;
        self.0.changed.notify_all();
    }
}

impl Store for Memory {
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let records = self.records();
        records.iter().filter(|((of, _), _)| *of == table).try_for_each(|((_, key), value)| each(*key, value))
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut content = self.lock();
        while content.is_held {
            content = self.0.changed.wait(content).unwrap_or_else(PoisonError::into_inner);
        }
        match content.trouble {
            Some((at, Trouble::Fails)) if content.commits >= at => {
                return Err(StoreError::new(StoreErrorKind::Unwritable, "the disk is full"));
            }
            Some((at, Trouble::Panics)) if content.commits >= at => panic!("out of disks"),
            _ => {}
        }
        content.commits += 1;
        for Write { table, key, value } in writes {
            match value {
                Some(value) => content.records.insert((*table, *key), value.clone()),
                None => content.records.remove(&(*table, *key)),
            };
        }
        Ok(())
    }

    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.lock().notes.extend(notes.iter().map(|note| (note.place, note.value)));
        Ok(())
    }

    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        let notes = self.lock().notes.clone();
        for (place, value) in notes {
            each(Note { place, value });
        }
        Ok(())
    }
}

#[test]
fn the_store_of_these_tests_is_a_store() {
    let store = Memory::default();
    lro_runtime::testing::check_store(|| Ok(store.clone()));
}
