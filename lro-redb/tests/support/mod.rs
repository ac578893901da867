//! What the tests share.

#![allow(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use lro_runtime::fleet::{Store, Table, Write};

pub(crate) mod disk;

/// A folder of one test, which is deleted at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("lro-redb-test-{}-{count}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn put(table: Table, key: u64, value: &[u8]) -> Write {
    Write { table, key, value: Some(value.to_vec()) }
}

pub(crate) fn gone(table: Table, key: u64) -> Write {
    Write { table, key, value: None }
}

pub(crate) type Records = BTreeMap<u64, Vec<u8>>;

/// Reads a table.
pub(crate) fn records(store: &impl Store, table: Table) -> Records {
    let mut records = Records::new();
    let mut each = |key, value: &[u8]| {
        records.insert(key, value.to_vec());
        Ok(())
    };
    store.read(table, &mut each).unwrap();
    records
}

pub(crate) type State = BTreeMap<(Table, u64), Vec<u8>>;

/// Reads all tables.
pub(crate) fn state(store: &impl Store) -> State {
    let of = |table| records(store, table).into_iter().map(move |(key, value)| ((table, key), value));
    Table::ALL.into_iter().flat_map(of).collect()
}

/// Carries the writes out on what is known.
pub(crate) fn apply(state: &mut State, writes: &[Write]) {
    for Write { table, key, value } in writes {
        match value {
            Some(value) => drop(state.insert((*table, *key), value.clone())),
            None => drop(state.remove(&(*table, *key))),
        }
    }
}

/// A commit of about the shape of a fleet's: some new records, some changed, some gone, now and
/// then a large one.
pub(crate) fn batch(random: &mut fastrand::Rng, known: &State) -> Vec<Write> {
    let writes = random.usize(1..12);
    let one = |random: &mut fastrand::Rng| {
        let table = Table::ALL[random.usize(..Table::ALL.len())];
        let old: Vec<_> = known.keys().filter(|(of, _)| *of == table).collect();
        let key = match random.u8(..4) {
            0 | 1 if !old.is_empty() => old[random.usize(..old.len())].1,
            2 => random.u64(..),
            _ => random.u64(..200),
        };
        if random.u8(..4) == 0 {
            return gone(table, key);
        }
        let length = match random.u8(..24) {
            0 => random.usize(5_000..40_000),
            _ => random.usize(..600),
        };
        put(table, key, &vec![random.u8(..); length])
    };
    (0..writes).map(|_| one(random)).collect()
}
