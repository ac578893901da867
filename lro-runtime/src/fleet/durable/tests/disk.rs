//! A disk: what is left of a store when its process has died.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use super::world::Effects;
use crate::fleet::store::{Note, Store, StoreError, StoreErrorKind, Table, Write};

/// Clones are one disk.
#[derive(Clone, Default)]
pub(super) struct Disk(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    records: BTreeMap<(Table, u64), Vec<u8>>,
    notes: BTreeMap<u32, u64>,
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap()
    }

    /// Whether it has how the wait for this operation has ended.
    pub(super) fn has_outcome(&self, name: &str) -> bool {
        let word = format!("\"{name}\"");
        let has_word = |record: &Vec<u8>| record.windows(word.len()).any(|bytes| bytes == word.as_bytes());
        let is_outcome =
            |((table, _), record): (&(Table, u64), &Vec<u8>)| *table == Table::Outcomes && has_word(record);
        self.lock().records.iter().any(is_outcome)
    }

    pub(super) fn count(&self, tables: &[Table]) -> usize {
        self.lock().records.keys().filter(|(table, _)| tables.contains(table)).count()
    }
}

/// The store of one process, which may die at any commit.
pub(super) struct DiskStore {
    pub(super) disk: Disk,
    pub(super) effects: Arc<Effects>,
}

impl Store for DiskStore {
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let records = self.disk.lock().records.clone();
        records.iter().filter(|((of, _), _)| *of == table).try_for_each(|((_, key), value)| each(*key, value))
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let what = |write: &Write| {
            let deed = if write.value.is_some() { "write to" } else { "delete from" };
            format!("{deed} {}", write.table.name())
        };
        let what: Vec<String> = writes.iter().map(what).collect();
        let done = self.effects.act(&what.join(", "), || {
            let mut content = self.disk.lock();
            for Write { table, key, value } in writes {
                match value {
                    Some(value) => content.records.insert((*table, *key), value.clone()),
                    None => content.records.remove(&(*table, *key)),
                };
            }
        });
        done.ok_or_else(dead)
    }

    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        let notes = notes.iter().map(|note| (note.place, note.value));
        self.effects.act("notes", || self.disk.lock().notes.extend(notes)).ok_or_else(dead)
    }

    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        let notes = self.disk.lock().notes.clone();
        for (place, value) in notes {
            each(Note { place, value });
        }
        Ok(())
    }
}

fn dead() -> StoreError {
    StoreError::new(StoreErrorKind::Io, "the process is dead")
}
