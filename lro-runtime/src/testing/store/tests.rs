use std::{
    collections::BTreeMap,
    panic::catch_unwind,
    sync::{Arc, Mutex},
};

use super::check_store;
use crate::fleet::{Note, Store, StoreError, StoreErrorKind, Table, Write};

/// How a store in memory is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    None,
    CannotBeOpened,
    BeginsFull,
    SortsAsText,
    SignedKeys,
    ReadsDescending,
    KeepsTheFirst,
    FirstOfACommitCounts,
    DeletesAtTheEnd,
    DeletesFirst,
    ForgetsToDelete,
    RefusesToDeleteNothing,
    OneTable,
    DeletesInEveryTable,
    DropsEmptyValues,
    CutsAtAZero,
    CutsLargeValues,
    LosesTheLastKey,
    LosesWritesAfterAThousand,
    LosesAllWhenClosed,
    ReadsOnAfterAnError,
    HidesTheError,
    EndsAReadingEmpty,
    RefusesEmptyCommits,
    ShiftsNotes,
    OldNotes,
    CutsPlaces,
    NotesAreRecords,
    FirstNoteCounts,
}

#[derive(Default)]
struct Contents {
    records: BTreeMap<(Table, u64), Vec<u8>>,
    notes: BTreeMap<u32, u64>,
}

struct Memory {
    defect: Defect,
    contents: Arc<Mutex<Contents>>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.defect == Defect::LosesAllWhenClosed {
            self.contents.lock().unwrap().records.clear();
        }
    }
}

impl Store for Memory {
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut records: Vec<(u64, Vec<u8>)> = {
            let contents = self.contents.lock().unwrap();
            let of_table = contents.records.iter().filter(|((of, _), _)| *of == table);
            of_table.map(|((_, key), value)| (*key, value.clone())).collect()
        };
        match self.defect {
            Defect::SortsAsText => records.sort_by_key(|(key, _)| key.to_string()),
            Defect::SignedKeys => records.sort_by_key(|(key, _)| key.cast_signed()),
            Defect::ReadsDescending => records.reverse(),
            Defect::LosesTheLastKey => records.retain(|(key, _)| *key != u64::MAX),
            Defect::DropsEmptyValues => records.retain(|(_, value)| !value.is_empty()),
            _ => {}
        }
        for (key, value) in records {
            match each(key, &value) {
                Err(_) if self.defect == Defect::ReadsOnAfterAnError => {}
                Err(_) if self.defect == Defect::HidesTheError => return Ok(()),
                Err(error) => {
                    if self.defect == Defect::EndsAReadingEmpty {
                        self.contents.lock().unwrap().records.clear();
                    }
                    return Err(error);
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let records = &mut self.contents.lock().unwrap().records;
        let refused = |why| Err(StoreError::new(StoreErrorKind::Io, why));
        if writes.is_empty() && self.defect == Defect::RefusesEmptyCommits {
            return refused("nothing to write");
        }
        let mut writes = writes.to_vec();
        match self.defect {
            Defect::FirstOfACommitCounts => writes.reverse(),
            Defect::DeletesAtTheEnd => writes.sort_by_key(|write| write.value.is_none()),
            Defect::DeletesFirst => writes.sort_by_key(|write| write.value.is_some()),
            Defect::LosesWritesAfterAThousand => writes.truncate(1_000),
            _ => {}
        }
        for Write { mut table, key, value } in writes {
            if self.defect == Defect::OneTable {
                table = Table::Live;
            }
            match (value, self.defect) {
                (Some(_), Defect::KeepsTheFirst) if records.contains_key(&(table, key)) => {}
                (Some(mut value), defect) => {
                    match defect {
                        Defect::CutsAtAZero => value.truncate(value.iter().take_while(|byte| **byte != 0).count()),
                        Defect::CutsLargeValues => value.truncate(65_535),
                        _ => {}
                    }
                    records.insert((table, key), value);
                }
                (None, Defect::ForgetsToDelete) => {}
                (None, Defect::RefusesToDeleteNothing) if !records.contains_key(&(table, key)) => {
                    return refused("no such record");
                }
                (None, Defect::DeletesInEveryTable) => records.retain(|(_, of), _| *of != key),
                (None, _) => drop(records.remove(&(table, key))),
            }
        }
        Ok(())
    }

    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        let mut contents = self.contents.lock().unwrap();
        for note in notes {
            let value = if self.defect == Defect::ShiftsNotes { note.value << 1 } else { note.value };
            match self.defect {
                Defect::OldNotes => drop(contents.notes.entry(note.place).or_insert(value)),
                Defect::FirstNoteCounts if notes.iter().find(|of| of.place == note.place) != Some(note) => {}
                Defect::CutsPlaces => drop(contents.notes.insert(note.place & 0xFF_FFFF, value)),
                Defect::NotesAreRecords => {
                    let key = (Table::Fleet, note.place.into());
                    contents.records.insert(key, note.value.to_le_bytes().to_vec());
                }
                _ => drop(contents.notes.insert(note.place, value)),
            }
        }
        Ok(())
    }

    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        let notes = self.contents.lock().unwrap().notes.clone();
        for (place, value) in notes {
            each(Note { place, value });
        }
        Ok(())
    }
}

/// Tests a store with this defect, and returns why it is wrong.
fn verdict(defect: Defect) -> Option<String> {
    let contents = Arc::new(Mutex::new(Contents::default()));
    if defect == Defect::BeginsFull {
        contents.lock().unwrap().records.insert((Table::Fleet, 3), vec![1]);
    }
    let open = move || match defect {
        Defect::CannotBeOpened => Err(StoreError::new(StoreErrorKind::InUse, "somebody has it")),
        _ => Ok(Memory { defect, contents: contents.clone() }),
    };
    let checked = catch_unwind(std::panic::AssertUnwindSafe(|| check_store(open)));
    checked.err().map(|panic| *panic.downcast::<String>().unwrap())
}

#[test]
fn a_right_store_passes() {
    assert_eq!(verdict(Defect::None), None);
}

/// A store that keeps no notes, or loses some of them, is a right one.
#[test]
fn notes_may_be_lost() {
    struct Forgetful(Memory);

    impl Store for Forgetful {
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
            self.0.write_notes(notes.get(1..).unwrap_or_default())?;
            Err(StoreError::new(StoreErrorKind::Unwritable, "one of them was lost"))
        }
    }

    let contents = Arc::new(Mutex::new(Contents::default()));
    check_store(|| Ok(Forgetful(Memory { defect: Defect::None, contents: contents.clone() })));
}

#[test]
fn each_defect_is_told() {
    let told = [
        (Defect::CannotBeOpened, "it can be opened: somebody has it"),
        (Defect::BeginsFull, "a store is empty at first: in the table `fleet`, it read 1 records, and not 0"),
        (Defect::SortsAsText, "in ascending order: in the table `live`, it read key 18446744073709551614"),
        (Defect::SignedKeys, "in ascending order: in the table `live`, it read key 18446744073709551614"),
        (Defect::ReadsDescending, "in ascending order: in the table `live`, it read key 18446744073709551615"),
        (Defect::KeepsTheFirst, "a later commit replaces what an earlier one wrote: "),
        (Defect::FirstOfACommitCounts, "in one commit, the last write of a key counts: "),
        (Defect::DeletesAtTheEnd, "what is deleted and then written is there: "),
        (Defect::DeletesFirst, "what is written and then deleted is gone: "),
        (Defect::ForgetsToDelete, "what is written and then deleted is gone: "),
        (Defect::RefusesToDeleteNothing, "to delete what is not there changes nothing: no such record"),
        (Defect::OneTable, "a key has a value in each table: "),
        (Defect::DeletesInEveryTable, "a delete is of one table: "),
        (Defect::DropsEmptyValues, "a later commit replaces what an earlier one wrote: "),
        (Defect::CutsAtAZero, "it read key 0 with \"\", and not key 0 with \"\\x00\\x00"),
        (Defect::CutsLargeValues, "be a MiB long: in the table `live`, it read key 12 with 65535 bytes"),
        (Defect::LosesTheLastKey, "in ascending order: in the table `live`, it read 8 records, and not 9"),
        (Defect::LosesWritesAfterAThousand, "a commit may have thousands of writes: in the table `outcomes`"),
        (Defect::LosesAllWhenClosed, "in ascending order, also when the store is opened again: "),
        (Defect::ReadsOnAfterAnError, "the first error of `each` ends the reading, and is returned: it returned Ok"),
        (Defect::HidesTheError, "the first error of `each` ends the reading, and is returned: it returned Ok"),
        (Defect::EndsAReadingEmpty, "a reading that was ended harms nothing: "),
        (Defect::RefusesEmptyCommits, "a commit may be empty: nothing to write"),
        (Defect::ShiftsNotes, "a note is absent, or as last written: of place "),
        (Defect::OldNotes, "a note is absent, or as last written: of place "),
        (Defect::CutsPlaces, "a note is absent, or as last written: of place 0 it is 13, 8 was written"),
        (Defect::NotesAreRecords, "notes leave the tables alone: "),
        (Defect::FirstNoteCounts, "a note is absent, or as last written: of place 3 it is 1, 3 was written"),
    ];
    for (defect, why) in told {
        let verdict = verdict(defect).unwrap_or_else(|| panic!("{defect:?} was not noticed"));
        assert!(verdict.starts_with("wrong store: ") && verdict.contains(why), "{defect:?}: {verdict}");
    }
}
