//! Whether a [`Store`] does what the trait says.

use std::collections::BTreeMap;

use crate::fleet::{Note, Store, StoreError, StoreErrorKind, Table, Write};

#[cfg(test)]
mod tests;

/// Tests a [`Store`] of a fleet: that it gives back what was written, in the order of the keys, and
/// still does when it is opened again.
///
/// `open` opens one and the same store, and is called several times: the store before is dropped by
/// then. At first it must be empty; afterwards it is not.
///
/// What only shows when the machine fails is not tested: that a commit is carried out whole or not
/// at all, and survives the loss of power.
///
/// ```no_run
/// # use lro_runtime::fleet::{Note, Store, StoreError, Table, Write};
/// # struct Cellar;
/// # impl Cellar { fn open(_: &str) -> Result<Self, StoreError> { Ok(Cellar) } }
/// # impl Store for Cellar {
/// #     fn read(&self, _: Table, _: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> { Ok(()) }
/// #     fn commit(&self, _: &[Write]) -> Result<(), StoreError> { Ok(()) }
/// # }
/// lro_runtime::testing::check_store(|| Cellar::open("cellar.store"));
/// ```
///
/// # Panics
///
/// When the store does otherwise, with the promise that it breaks; and when it returns an error.
#[track_caller]
pub fn check_store<S: Store>(open: impl FnMut() -> Result<S, StoreError>) {
    let mut check = Check { open, known: BTreeMap::new() };
    check.holds("a store is empty at first");
    for (promise, writes) in commits() {
        check.commit(promise, &writes);
    }
    check.stops_reading();
    check.notes();
    check.holds("notes leave the tables alone");
}

/// The commits, with what each of them is to show.
fn commits() -> Vec<(&'static str, Vec<Write>)> {
    const KEYS: [u64; 9] = [256, 0, u64::MAX, 1, 255, 1 << 32, u64::MAX - 1, 65_536, 2];
    let live = |key, value: &[u8]| write(Table::Live, key, Some(value));
    let gone = |key| write(Table::Live, key, None);
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let large: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
    let many = |to: u64, of: &dyn Fn(u64) -> Option<Vec<u8>>| -> Vec<Write> {
        (0..to).map(|key| Write { table: Table::Outcomes, key: key * 7919 % to, value: of(key) }).collect()
    };
    vec![
        ("a commit may be empty", vec![]),
        ("keys are numbers, and are read in ascending order", KEYS.map(|key| live(key, &key.to_be_bytes())).to_vec()),
        ("a later commit replaces what an earlier one wrote", vec![live(1, b"later"), live(255, b"")]),
        (
            "in one commit, the last write of a key counts",
            vec![live(2, b"first"), live(2, b"second"), live(2, b"last")],
        ),
        ("what is deleted and then written is there", vec![gone(0), live(0, b"again")]),
        (
            "what is written and then deleted is gone",
            vec![live(3, b"for a moment"), gone(3), live(256, b"x"), gone(256)],
        ),
        ("what is deleted is gone", vec![gone(u64::MAX), gone(65_536)]),
        ("to delete what is not there changes nothing", vec![gone(u64::MAX), gone(77), gone(3)]),
        (
            "a key has a value in each table",
            Table::ALL.map(|table| write(table, 5, Some(table.name().as_bytes()))).to_vec(),
        ),
        ("a delete is of one table", vec![write(Table::Amendments, 5, None)]),
        (
            "values may be empty, have every byte, and be a MiB long",
            vec![live(10, b""), live(11, &every_byte), live(12, &large), live(13, b"after it")],
        ),
        ("a large value can be replaced by a small one", vec![live(12, b"small")]),
        ("a commit may have thousands of writes", many(5_000, &|key| Some(key.to_be_bytes().repeat(20)))),
        ("thousands can be deleted at once", many(5_000, &|key| (key % 3 == 0).then(|| b"kept".to_vec()))),
    ]
}

fn write(table: Table, key: u64, value: Option<&[u8]>) -> Write {
    Write { table, key, value: value.map(<[u8]>::to_vec) }
}

/// A store under test, and what must be in it.
struct Check<Open> {
    open: Open,
    known: BTreeMap<(Table, u64), Vec<u8>>,
}

impl<S: Store, Open: FnMut() -> Result<S, StoreError>> Check<Open> {
    #[track_caller]
    fn opened(&mut self) -> S {
        succeeded("it can be opened", (self.open)())
    }

    /// Commits, and reads before and after the store is opened again.
    #[track_caller]
    fn commit(&mut self, promise: &str, writes: &[Write]) {
        let store = self.opened();
        succeeded(promise, store.commit(writes));
        for write in writes {
            let place = (write.table, write.key);
            match &write.value {
                Some(value) => drop(self.known.insert(place, value.clone())),
                None => drop(self.known.remove(&place)),
            }
        }
        self.has(&store, promise);
        drop(store);
        self.holds(&format!("{promise}, also when the store is opened again"));
    }

    #[track_caller]
    fn holds(&mut self, promise: &str) {
        let store = self.opened();
        self.has(&store, promise);
    }

    #[track_caller]
    fn has(&self, store: &S, promise: &str) {
        for table in Table::ALL {
            let mut read = vec![];
            let mut each = |key, value: &[u8]| {
                read.push((key, value.to_vec()));
                Ok(())
            };
            succeeded(promise, store.read(table, &mut each));
            let known = self.known.iter().filter(|((of, _), _)| *of == table);
            let known: Vec<(u64, Vec<u8>)> = known.map(|((_, key), value)| (*key, value.clone())).collect();
            if read != known {
                broken(&format!("{promise}: in the table `{}`, {}", table.name(), difference(&read, &known)));
            }
        }
    }

    /// An error of `each` ends the reading, is returned as it is, and harms nothing.
    #[track_caller]
    fn stops_reading(&mut self) {
        const PROMISE: &str = "the first error of `each` ends the reading, and is returned";
        let store = self.opened();
        let mut calls = 0;
        let read = store.read(Table::Live, &mut |_, _| {
            calls += 1;
            if calls < 3 { Ok(()) } else { Err(StoreError::new(StoreErrorKind::Newer, "the third record")) }
        });
        match read {
            Err(error) if error.kind() == StoreErrorKind::Newer && error.to_string() == "the third record" => {}
            other => broken(&format!("{PROMISE}: it returned {other:?}")),
        }
        if calls != 3 {
            broken(&format!("{PROMISE}: after the third record, it passed {} more", calls - 3));
        }
        self.has(&store, "a reading that was ended harms nothing");
    }

    /// Notes are absent, or what was written last.
    #[track_caller]
    fn notes(&mut self) {
        const ROUNDS: [&[(u32, u64)]; 5] = [
            &[],
            &[(0, 7), (1, u64::MAX), (1_000, 1 << 40), (2, 0)],
            &[(1, 5), (70_000, 9), (0, 8)],
            &[(3, 1), (3, 2), (4, 4), (3, 3)],
            &[(u32::MAX, 11), (u32::MAX - 1, 12), (1 << 24, 13)],
        ];
        let mut known = BTreeMap::new();
        for round in ROUNDS {
            let store = self.opened();
            let notes: Vec<Note> = round.iter().map(|&(place, value)| Note { place, value }).collect();
            // Whether they are kept is the store's business.
            let kept = store.write_notes(&notes).is_ok();
            known.extend(round.iter().map(|&(place, value)| (place, kept.then_some(value))));
            has_notes(&store, &known);
            drop(store);
            has_notes(&self.opened(), &known);
        }
    }
}

/// `None` is what may be there or not.
#[track_caller]
fn has_notes<S: Store>(store: &S, known: &BTreeMap<u32, Option<u64>>) {
    let mut wrong = None;
    let _ = store.read_notes(&mut |note| {
        if let Some(Some(value)) = known.get(&note.place)
            && *value != note.value
        {
            wrong = Some((note, *value));
        }
    });
    if let Some((Note { place, value }, written)) = wrong {
        broken(&format!("a note is absent, or as last written: of place {place} it is {value}, {written} was written"));
    }
}

/// The first difference, in words: values may be long.
fn difference(read: &[(u64, Vec<u8>)], known: &[(u64, Vec<u8>)]) -> String {
    let first = read.iter().zip(known).find(|(read, known)| read != known);
    let record = |(key, value): &(u64, Vec<u8>)| match value.get(..24) {
        Some(beginning) => format!("key {key} with {} bytes, \"{}…\"", value.len(), beginning.escape_ascii()),
        None => format!("key {key} with \"{}\"", value.escape_ascii()),
    };
    match first {
        Some((read, known)) => format!("it read {}, and not {}", record(read), record(known)),
        None => format!("it read {} records, and not {}", read.len(), known.len()),
    }
}

#[track_caller]
fn succeeded<T>(promise: &str, result: Result<T, StoreError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => broken(&format!("{promise}: {error}")),
    }
}

#[expect(clippy::panic, reason = "a test of a wrong store must fail, where the store is tested")]
#[track_caller]
fn broken(why: &str) -> ! {
    panic!("wrong store: {why}")
}
