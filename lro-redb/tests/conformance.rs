//! The store does what every store does, in a file and over a backend.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may fail")]

use std::{fs, sync::Arc, thread};

use lro_redb::{
    RedbStore,
    redb::{StorageBackend, backends::InMemoryBackend},
};
use lro_runtime::{
    fleet::{Note, Store, StoreErrorKind, Table},
    testing::check_store,
};

mod support;

use self::support::{Folder, gone, put, records};

#[test]
fn a_file_is_a_store() {
    let folder = Folder::new();
    check_store(|| RedbStore::open(folder.path("fleet.redb")));
}

#[test]
fn a_backend_is_a_store() {
    /// One that outlives the store, as a disk does.
    #[derive(Debug, Clone)]
    struct Disk(Arc<InMemoryBackend>);

    impl StorageBackend for Disk {
        fn len(&self) -> std::io::Result<u64> {
            self.0.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
            self.0.read(offset, out)
        }
        fn set_len(&self, len: u64) -> std::io::Result<()> {
            self.0.set_len(len)
        }
        fn sync_data(&self) -> std::io::Result<()> {
            self.0.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
            self.0.write(offset, data)
        }
    }

    let disk = Disk(Arc::new(InMemoryBackend::new()));
    check_store(|| RedbStore::with_backend(disk.clone()));
}

#[test]
fn a_new_store_leaves_its_file_and_the_notes_alone_in_the_folder() {
    let folder = Folder::new();
    drop(RedbStore::open(folder.path("fleet.redb")).unwrap());
    let mut names: Vec<_> =
        fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["fleet.redb", "fleet.redb.due"]);
}

#[test]
fn of_many_that_make_the_same_store_at_once_one_has_it_and_nothing_is_lost() {
    for _ in 0..10 {
        let folder = Folder::new();
        let path = folder.path("fleet.redb");
        let threads: Vec<_> = (0..8)
            .map(|key| {
                let path = path.clone();
                thread::spawn(move || match RedbStore::open(path) {
                    Ok(store) => store.commit(&[put(Table::Live, key, b"x")]).map(|()| Some(key)),
                    Err(error) if error.kind() == StoreErrorKind::InUse => Ok(None),
                    Err(error) => Err(error),
                })
            })
            .collect();
        let mut written: Vec<u64> = threads.into_iter().filter_map(|thread| thread.join().unwrap().unwrap()).collect();
        written.sort_unstable();
        assert!(!written.is_empty());
        let kept: Vec<u64> = records(&RedbStore::open(&path).unwrap(), Table::Live).into_keys().collect();
        assert_eq!(kept, written);
    }
}

#[test]
fn each_may_commit_and_sees_what_there_was() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.path("fleet.redb")).unwrap();
    store.commit(&[put(Table::Live, 1, b"one"), put(Table::Live, 2, b"two")]).unwrap();
    let mut seen = vec![];
    store
        .read(Table::Live, &mut |key, _| {
            seen.push(key);
            store.commit(&[put(Table::Live, key + 10, b"later")])
        })
        .unwrap();
    assert_eq!(seen, [1, 2]);
    assert_eq!(records(&store, Table::Live).len(), 4);
}

#[test]
#[should_panic(expected = "a bug of the caller's")]
fn a_panic_of_each_stays_a_panic() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.path("fleet.redb")).unwrap();
    store.commit(&[put(Table::Live, 1, b"one")]).unwrap();
    let _ = store.read(Table::Live, &mut |_, _| panic!("a bug of the caller's"));
}

#[test]
fn a_file_shrinks_when_it_is_compacted_and_keeps_what_it_has() {
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    let store = RedbStore::open(&path).unwrap();
    let value = [7; 1_000];
    store.commit(&(0..4_000).map(|key| put(Table::Live, key, &value)).collect::<Vec<_>>()).unwrap();
    store.commit(&(0..3_990).map(|key| gone(Table::Live, key)).collect::<Vec<_>>()).unwrap();
    let grown = fs::metadata(&path).unwrap().len();
    assert!(store.compact().unwrap());
    let compact = fs::metadata(&path).unwrap().len();
    assert!(compact * 4 < grown, "{grown} bytes, and then {compact}");

    let kept = records(&store, Table::Live);
    assert_eq!(kept.keys().copied().collect::<Vec<_>>(), (3_990..4_000).collect::<Vec<_>>());
    store.commit(&[put(Table::Fleet, 1, b"after it")]).unwrap();
    drop(store);
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(records(&store, Table::Live), kept);
    assert_eq!(records(&store, Table::Fleet).len(), 1);
}

#[test]
fn a_store_that_is_read_is_not_compacted_and_still_works() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.path("fleet.redb")).unwrap();
    store.commit(&[put(Table::Live, 1, b"one")]).unwrap();
    store
        .read(Table::Live, &mut |_, _| {
            assert_eq!(store.compact().unwrap_err().kind(), StoreErrorKind::Io);
            Ok(())
        })
        .unwrap();
    store.commit(&[put(Table::Live, 2, b"two")]).unwrap();
    store.compact().unwrap();
}

#[test]
fn notes_are_kept_by_place_without_a_sync_and_those_of_a_deleted_store_are_forgotten() {
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    let notes = |store: &RedbStore| {
        let mut notes = vec![];
        store.read_notes(&mut |note| notes.push((note.place, note.value))).unwrap();
        notes
    };
    let store = RedbStore::open(&path).unwrap();
    let written = [(9, 90), (3, 30), (4, 40), (8_191, 5), (8_192, 6), (4, 41), (16_777_216, 1)];
    store.write_notes(&written.map(|(place, value)| Note { place, value })).unwrap();
    let kept = [(3, 30), (4, 41), (9, 90), (8_191, 5), (8_192, 6)];
    assert_eq!(notes(&store), kept);
    assert_eq!(fs::metadata(folder.path("fleet.redb.due")).unwrap().len(), 2 * 65_536, "it grows in steps");
    store.write_notes(&[Note { place: 16_777_215, value: 7 }]).unwrap();
    assert_eq!(fs::metadata(folder.path("fleet.redb.due")).unwrap().len(), 128 << 20, "and no longer than this");
    drop(store);
    assert_eq!(notes(&RedbStore::open(&path).unwrap()).len(), 6);

    fs::remove_file(&path).unwrap();
    assert_eq!(notes(&RedbStore::open(&path).unwrap()), []);
}

#[test]
fn what_is_printed_for_debugging_names_the_file_and_no_record() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.path("fleet.redb")).unwrap();
    store.commit(&[put(Table::Live, 1, b"secret")]).unwrap();
    let text = format!("{store:?}");
    assert!(text.contains("fleet.redb") && !text.contains("secret"), "{text}");
}
