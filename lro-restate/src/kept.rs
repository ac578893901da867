//! The store of a turn's fleet: the state of the object, in memory.
//!
//! The state has records and notes in chunks, so that a turn writes what has changed and not all
//! that there is: 128 operations are 30 to 60 KiB. What is empty is not there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use bytes::{Buf, BufMut, Bytes};
use lro_runtime::fleet::{Note, Store, StoreError, StoreErrorKind, Table, Write};

use crate::meta::Meta;

/// How many operations have their records in one chunk.
const RECORDS: u32 = 128;
/// How many operations have their notes in one chunk.
const NOTES: u32 = 4096;
/// How many chunks of a kind there are at most.
const MOST_CHUNKS: u32 = 256;
/// How many operations a group has room for.
pub(crate) const MOST_OPERATIONS: usize = (RECORDS * MOST_CHUNKS) as usize;

/// The version of the chunks that this library writes, and the newest that it reads.
const VERSION: u8 = 1;

/// A part of the state that is read and written as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chunk {
    Ops(u32),
    Due(u32),
}

/// The names of all chunks: the SDK wants names that outlive the call.
static NAMES: LazyLock<[Vec<String>; 2]> =
    LazyLock::new(|| ["ops", "due"].map(|kind| (0..MOST_CHUNKS).map(|number| format!("{kind}/{number}")).collect()));

impl Chunk {
    /// Returns the key of the object's state; `None` for a chunk that cannot be.
    pub(crate) fn name(self) -> Option<&'static str> {
        let [ops, due] = &*NAMES;
        let name = match self {
            Self::Ops(number) => ops.get(number as usize),
            Self::Due(number) => due.get(number as usize),
        };
        name.map(String::as_str)
    }

    /// Returns the chunks with what is known of the operation in this slot.
    pub(crate) fn of_slot(slot: u32) -> [Self; 2] {
        [Self::Ops(slot / RECORDS), Self::Due(slot / NOTES)]
    }

    /// Returns the chunks that there are.
    pub(crate) fn all(meta: &Meta) -> impl Iterator<Item = Self> {
        meta.ops.iter().map(|number| Self::Ops(*number)).chain(meta.due.iter().map(|number| Self::Due(*number)))
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Content>);

#[derive(Default)]
struct Content {
    records: BTreeMap<(Table, u64), Vec<u8>>,
    notes: BTreeMap<u32, u64>,
    changed: BTreeSet<Chunk>,
}

/// The slot of a ticket.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is the slot")]
pub(crate) fn slot_of(key: u64) -> u32 {
    key as u32
}

fn damaged(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, message.into())
}

impl Kept {
    /// Reads what is stored of a group.
    ///
    /// # Errors
    ///
    /// When it was not written by this library, or by a newer version.
    pub(crate) fn read_from(meta: &Meta, chunks: &[(Chunk, Bytes)]) -> Result<Self, StoreError> {
        let mut content = Content::default();
        content.records.extend(meta.fleet.iter().map(|(key, value)| ((Table::Fleet, *key), value.clone())));
        for (chunk, bytes) in chunks {
            let mut bytes = bytes.clone();
            let version = bytes.try_get_u8().unwrap_or_default();
            if version > VERSION {
                let message = format!("a chunk has the version {version}: this library reads up to {VERSION}");
                return Err(StoreError::new(StoreErrorKind::Newer, message));
            }
            let read = match chunk {
                Chunk::Ops(_) => content.read_records(bytes),
                Chunk::Due(_) => content.read_notes(bytes),
            };
            read.ok_or_else(|| damaged(format!("the chunk {chunk:?} of the state is damaged")))?;
        }
        Ok(Self(Mutex::new(content)))
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the chunks that have changed since the last call, `None` for what is gone; and
    /// enters in `meta` what there is.
    pub(crate) fn changes(&self, meta: &mut Meta) -> Vec<(Chunk, Option<Bytes>)> {
        let mut content = self.lock();
        let touched = std::mem::take(&mut content.changed);
        let changes: Vec<_> = touched.into_iter().map(|chunk| (chunk, content.written(chunk))).collect();
        for (chunk, bytes) in &changes {
            let (list, number) = match chunk {
                Chunk::Ops(number) => (&mut meta.ops, *number),
                Chunk::Due(number) => (&mut meta.due, *number),
            };
            list.retain(|known| *known != number);
            if bytes.is_some() {
                list.push(number);
                list.sort_unstable();
            }
        }
        let of_fleet = content.records.range((Table::Fleet, 0)..);
        meta.fleet = of_fleet.map(|((_, key), value)| (*key, value.clone())).collect();
        meta.operations = content.records.keys().filter(|(table, _)| *table == Table::Live).count() as u64;
        changes
    }
}

impl Content {
    fn read_records(&mut self, mut bytes: Bytes) -> Option<()> {
        while bytes.has_remaining() {
            let table = *Table::ALL.get(usize::from(bytes.try_get_u8().ok()?))?;
            let key = bytes.try_get_u64().ok()?;
            let length = bytes.try_get_u32().ok()? as usize;
            if bytes.remaining() < length {
                return None;
            }
            self.records.insert((table, key), bytes.split_to(length).to_vec());
        }
        Some(())
    }

    fn read_notes(&mut self, mut bytes: Bytes) -> Option<()> {
        while bytes.has_remaining() {
            let (place, value) = (bytes.try_get_u32().ok()?, bytes.try_get_u64().ok()?);
            self.notes.insert(place, value);
        }
        Some(())
    }

    /// Writes a chunk; `None` if it is empty.
    fn written(&mut self, chunk: Chunk) -> Option<Bytes> {
        let mut bytes = vec![VERSION];
        match chunk {
            Chunk::Ops(number) => {
                let of_chunk = |key: u64| slot_of(key) / RECORDS == number;
                for ((table, key), value) in &self.records {
                    if *table == Table::Fleet || !of_chunk(*key) {
                        continue;
                    }
                    let code = Table::ALL.iter().position(|known| known == table).unwrap_or_default();
                    bytes.put_u8(u8::try_from(code).unwrap_or_default());
                    bytes.put_u64(*key);
                    bytes.put_u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
                    bytes.put_slice(value);
                }
            }
            Chunk::Due(number) => {
                let records = &self.records;
                let live: BTreeSet<u32> = records
                    .range((Table::Live, 0)..=(Table::Live, u64::MAX))
                    .map(|((_, key), _)| slot_of(*key))
                    .collect();
                // What is over needs no note.
                self.notes.retain(|place, _| place / NOTES != number || live.contains(place));
                for (place, value) in self.notes.range(number * NOTES..(number + 1).saturating_mul(NOTES)) {
                    bytes.put_u32(*place);
                    bytes.put_u64(*value);
                }
            }
        }
        (bytes.len() > 1).then(|| bytes.into())
    }
}

impl Store for Kept {
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let content = self.lock();
        content.records.range((table, 0)..=(table, u64::MAX)).try_for_each(|((_, key), value)| each(*key, value))
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut content = self.lock();
        for Write { table, key, value } in writes {
            let is_change = match value {
                Some(value) => {
                    content.records.insert((*table, *key), value.clone());
                    true
                }
                None => content.records.remove(&(*table, *key)).is_some(),
            };
            if is_change && *table != Table::Fleet {
                content.changed.extend(Chunk::of_slot(slot_of(*key)));
            }
        }
        Ok(())
    }

    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        let mut content = self.lock();
        for Note { place, value } in notes {
            content.notes.insert(*place, *value);
            content.changed.insert(Chunk::Due(place / NOTES));
        }
        Ok(())
    }

    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        self.lock().notes.iter().for_each(|(place, value)| each(Note { place: *place, value: *value }));
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn write(table: Table, key: u64, value: &[u8]) -> Write {
        Write { table, key, value: Some(value.to_vec()) }
    }

    fn chunks(changes: Vec<(Chunk, Option<Bytes>)>) -> Vec<(Chunk, Bytes)> {
        changes.into_iter().filter_map(|(chunk, bytes)| Some((chunk, bytes?))).collect()
    }

    #[test]
    fn what_was_written_is_read_again_and_what_is_gone_leaves_no_chunk() {
        let (kept, mut meta) = (Kept::default(), Meta::default());
        let of_second = 200 + (7 << 32);
        kept.commit(&[write(Table::Fleet, 1, b"fleet"), write(Table::Live, 3, b"cat")]).unwrap();
        kept.commit(&[write(Table::Live, of_second, b"dog"), write(Table::Amendments, 3, b"")]).unwrap();
        kept.write_notes(&[Note { place: 3, value: 17 }, Note { place: 5, value: 18 }]).unwrap();
        let written = chunks(kept.changes(&mut meta));
        assert_eq!((meta.ops.clone(), meta.due.clone(), meta.operations), (vec![0, 1], vec![0], 2));
        assert!(kept.changes(&mut meta).is_empty(), "each change is told once");

        let again = Kept::read_from(&meta, &written).unwrap();
        let mut notes = Vec::new();
        again.read_notes(&mut |note| notes.push((note.place, note.value))).unwrap();
        assert_eq!(notes, [(3, 17)], "there is no operation in the place 5");
        for (table, expected) in [(Table::Live, 2), (Table::Amendments, 1), (Table::Fleet, 1), (Table::Outcomes, 0)] {
            let mut count = 0;
            again
                .read(table, &mut |_, _| {
                    count += 1;
                    Ok(())
                })
                .unwrap();
            assert_eq!(count, expected, "{table:?}");
        }
        let gone = |table, key| Write { table, key, value: None };
        let all = [gone(Table::Live, 3), gone(Table::Live, of_second), gone(Table::Amendments, 3)];
        again.commit(&all).unwrap();
        assert!(again.changes(&mut meta).iter().all(|(_, bytes)| bytes.is_none()));
        assert_eq!((meta.ops.len(), meta.due.len(), meta.operations), (0, 0, 0));
    }

    #[test]
    fn a_damaged_chunk_is_an_error() {
        let (kept, mut meta) = (Kept::default(), Meta::default());
        kept.commit(&[write(Table::Live, 3, b"cat")]).unwrap();
        let written = chunks(kept.changes(&mut meta));
        for length in 2..written[0].1.len() {
            let cut = [(Chunk::Ops(0), written[0].1.slice(..length))];
            let error = Kept::read_from(&meta, &cut).err().unwrap();
            assert_eq!(error.kind(), StoreErrorKind::Damaged, "{length}");
        }
        let newer = [(Chunk::Ops(0), Bytes::from_static(&[VERSION + 1]))];
        assert_eq!(Kept::read_from(&meta, &newer).err().unwrap().kind(), StoreErrorKind::Newer);
    }

    type Stored = Arc<Mutex<(Meta, BTreeMap<Chunk, Bytes>)>>;

    /// A group in memory, whose changes are stored when it is dropped.
    struct InMemory(Kept, Stored);

    impl Drop for InMemory {
        fn drop(&mut self) {
            let (meta, chunks) = &mut *self.1.lock().unwrap();
            for (chunk, bytes) in self.0.changes(meta) {
                match bytes {
                    Some(bytes) => chunks.insert(chunk, bytes),
                    None => chunks.remove(&chunk),
                };
            }
        }
    }

    impl Store for InMemory {
        fn read(
            &self,
            table: Table,
            each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>,
        ) -> Result<(), StoreError> {
            self.0.read(table, each)
        }

        fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
            self.0.commit(writes)
        }

        fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
            self.0.write_notes(notes)
        }

        fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
            self.0.read_notes(each)
        }
    }

    #[test]
    fn the_state_of_an_object_keeps_what_every_store_promises() {
        let stored = Stored::default();
        lro_runtime::testing::check_store(|| {
            let (meta, chunks) = &*stored.lock().unwrap();
            let chunks: Vec<_> = chunks.iter().map(|(chunk, bytes)| (*chunk, bytes.clone())).collect();
            Ok(InMemory(Kept::read_from(meta, &chunks)?, Arc::clone(&stored)))
        });
    }

    #[test]
    fn every_chunk_that_can_be_has_a_name() {
        assert_eq!(Chunk::Ops(MOST_CHUNKS).name(), None);
        assert_eq!(Chunk::Ops(MOST_CHUNKS - 1).name(), Some("ops/255"));
    }
}
