//! A file that is not what was written is an error, or is read as it was written: nothing is passed
//! over, and nothing panics.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]

use std::fs;

use lro_redb::{
    RedbStore,
    redb::{Database, TableDefinition},
};
use lro_runtime::fleet::{Note, Store, StoreError, StoreErrorKind, Table};

mod support;

use self::support::{Folder, State, apply, batch, disk::Disk, put, state};

/// The sector that begins the file: what it says of the commits cannot be checked against anything
/// else.
const HEADER: usize = 320;
/// The byte with the bit that says which commit counts.
const FLAGS: usize = 9;

/// A store with some commits, as it lies on the disk, with what is in it: closed, as when the
/// process was killed, and the file one commit earlier.
struct Written {
    known: State,
    closed: Vec<u8>,
    killed: Vec<u8>,
    earlier: Vec<u8>,
}

fn written(seed: u64) -> Written {
    let mut random = fastrand::Rng::with_seed(seed);
    let disk = Disk::default();
    let store = RedbStore::with_backend(disk.clone()).unwrap();
    let mut known = State::new();
    let mut earlier = vec![];
    for _ in 0..30 {
        earlier = disk.content();
        let writes = batch(&mut random, &known);
        store.commit(&writes).unwrap();
        apply(&mut known, &writes);
    }
    let killed = disk.content();
    drop(store);
    Written { known, closed: disk.content(), killed, earlier }
}

/// Opens and reads what is on a disk.
fn read(content: Vec<u8>) -> Result<State, StoreError> {
    let store = RedbStore::with_backend(Disk::with(content))?;
    let mut state = State::new();
    for table in Table::ALL {
        let mut each = |key, value: &[u8]| {
            state.insert((table, key), value.to_vec());
            Ok(())
        };
        store.read(table, &mut each)?;
    }
    Ok(state)
}

/// How often it was noticed, and how often it did no harm.
#[derive(Debug, Default)]
struct Verdicts {
    damaged: u32,
    harmless: u32,
}

impl Verdicts {
    fn judge(&mut self, known: &State, content: Vec<u8>, what: &str) {
        match read(content) {
            Ok(state) if state == *known => self.harmless += 1,
            Ok(_) => panic!("{what}: other records than were written"),
            Err(error) if error.kind() == StoreErrorKind::Damaged => self.damaged += 1,
            Err(error) => panic!("{what}: {:?}: {error}", error.kind()),
        }
    }
}

#[test]
fn a_bit_that_has_changed_is_noticed_or_does_no_harm() {
    let written = written(1);
    let mut random = fastrand::Rng::with_seed(1);
    for (content, is_closed) in [(&written.closed, true), (&written.killed, false)] {
        let mut verdicts = Verdicts::default();
        let bits = (0..HEADER * 8).chain((0..700).map(|_| random.usize(..content.len() * 8)));
        for bit in bits {
            // The one bit that nothing checks: it says which commit counts, and when a process was
            // killed before its commit did, it looks the same. Closing commits the same once more.
            if !is_closed && bit == FLAGS * 8 {
                continue;
            }
            let mut content = content.clone();
            content[bit / 8] ^= 1 << (bit % 8);
            let what = format!("closed: {is_closed}, bit {} of byte {}", bit % 8, bit / 8);
            verdicts.judge(&written.known, content, &what);
        }
        assert!(verdicts.damaged > 200 && verdicts.harmless > 200, "{verdicts:?}");
    }
}

#[test]
fn a_sector_that_was_lost_moved_or_is_an_old_one_is_noticed_or_does_no_harm() {
    let written = written(3);
    let mut random = fastrand::Rng::with_seed(3);
    let mut verdicts = Verdicts::default();
    for round in 0..1_000 {
        let mut content = written.closed.clone();
        let size = [512, 4_096][round % 2];
        let sectors = content.len() / size;
        let [one, other] = [(); 2].map(|()| random.usize(1..sectors) * size);
        match round % 4 {
            0 => content[one..one + size].fill(0),
            1 => content[one..one + size].fill_with(|| random.u8(..)),
            2 => content.copy_within(one..one + size, other),
            _ => {
                if let Some(old) = written.earlier.get(one..one + size) {
                    content[one..one + size].copy_from_slice(old);
                }
            }
        }
        verdicts.judge(&written.known, content, &format!("round {round}, at {one}, from or to {other}"));
    }
    assert!(verdicts.damaged > 100 && verdicts.harmless > 100, "{verdicts:?}");
}

#[test]
fn a_file_that_was_cut_or_has_grown_is_noticed_or_does_no_harm() {
    let written = written(4);
    let mut random = fastrand::Rng::with_seed(4);
    for content in [&written.closed, &written.killed] {
        let mut verdicts = Verdicts::default();
        let pages = (1..=content.len() / 4_096).map(|page| page * 4_096);
        let lengths = (1..700).chain(pages).chain((0..200).map(|_| random.usize(1..content.len())));
        for length in lengths.filter(|length| *length < content.len()) {
            verdicts.judge(&written.known, content[..length].to_vec(), &format!("{length} bytes"));
        }
        for more in [1, 511, 512, 4_096, 65_536, 1 << 20] {
            let mut content = content.clone();
            content.resize(content.len() + more, 0x5A);
            verdicts.judge(&written.known, content, &format!("{more} bytes more"));
        }
        assert!(verdicts.damaged > 700, "{verdicts:?}");
    }
}

#[test]
fn many_faults_at_once_do_not_panic() {
    let written = written(5);
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..300 {
        let mut content = written.closed.clone();
        for _ in 0..random.usize(2..60) {
            // The magic number stays, so that redb reads on.
            let at = if random.bool() { random.usize(FLAGS..HEADER) } else { random.usize(FLAGS..content.len()) };
            content[at] = random.u8(..);
        }
        if let Err(error) = read(content) {
            assert_eq!(error.kind(), StoreErrorKind::Damaged, "{error}");
        }
    }
}

/// Opens the path, which must fail so, and returns why.
#[track_caller]
fn refused(path: &std::path::Path, kind: StoreErrorKind) -> String {
    let error = RedbStore::open(path).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    let why = error.to_string();
    assert!(why.contains(&path.display().to_string()), "{why}");
    why
}

#[test]
fn what_is_not_a_store_is_refused_by_name_and_left_as_it_is() {
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    let contents: [(&[u8], &str); 5] = [
        (b"", "the file is empty"),
        (b"x", "Not a redb database"),
        (b"operations/cat\noperations/cow\n", "Not a redb database"),
        (&[0; 10_000], "Not a redb database"),
        (b"redb\x1A\x0A\xA9\x0D\x0A", "opening it failed"),
    ];
    for (content, why) in contents {
        fs::write(&path, content).unwrap();
        let told = refused(&path, StoreErrorKind::Damaged);
        assert!(told.contains(why), "{told}");
        assert_eq!(fs::read(&path).unwrap(), content);
        assert!(!folder.path("fleet.redb.due").exists(), "no notes beside what is not ours");
    }
}

#[test]
fn the_database_of_another_program_is_refused() {
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    let other = Database::create(&path).unwrap();
    let writing = other.begin_write().unwrap();
    writing.open_table(TableDefinition::<u64, &[u8]>::new("live")).unwrap().insert(1, b"one".as_slice()).unwrap();
    writing.commit().unwrap();
    drop(other);
    refused(&path, StoreErrorKind::Damaged);

    let other = Database::open(&path).unwrap();
    let reading = lro_redb::redb::ReadableDatabase::begin_read(&other).unwrap();
    assert_eq!(reading.list_tables().unwrap().count(), 1, "nothing was added to it");
}

#[test]
fn the_file_of_a_newer_version_is_refused_as_one() {
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    drop(RedbStore::open(&path).unwrap());
    let database = Database::open(&path).unwrap();
    let writing = database.begin_write().unwrap();
    writing.open_table(TableDefinition::<&str, u64>::new("lro-redb")).unwrap().insert("format", 2).unwrap();
    writing.commit().unwrap();
    drop(database);
    let why = refused(&path, StoreErrorKind::Newer);
    assert!(why.contains("format 2"), "{why}");
}

#[test]
fn a_folder_a_missing_folder_and_a_path_through_a_file_are_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.path("fleet.redb")).unwrap();
    refused(&folder.path("fleet.redb"), StoreErrorKind::Damaged);
    let why = refused(&folder.path("missing/fleet.redb"), StoreErrorKind::Io);
    assert!(why.contains("missing does not exist"), "{why}");
    fs::write(folder.path("file"), "text").unwrap();
    refused(&folder.path("file/fleet.redb"), StoreErrorKind::Io);
}

#[cfg(target_os = "linux")]
#[test]
fn where_nobody_may_write_no_store_is_made() {
    // Not even the superuser makes files there.
    refused(std::path::Path::new("/sys/fleet.redb"), StoreErrorKind::Unwritable);
}

#[test]
fn what_a_crash_left_of_a_store_that_was_being_made_is_in_nobodys_way() {
    let folder = Folder::new();
    for attempt in 0..3 {
        fs::write(folder.path(&format!("fleet.redb.{}-{attempt}.new", std::process::id())), "half").unwrap();
    }
    let store = RedbStore::open(folder.path("fleet.redb")).unwrap();
    store.commit(&[put(Table::Live, 1, b"one")]).unwrap();
    assert_eq!(fs::read_dir(folder.path("")).unwrap().count(), 5, "a store, its notes, and three that it left alone");
}

#[test]
fn notes_are_never_a_reason_not_to_open() {
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    let due = folder.path("fleet.redb.due");
    let store = RedbStore::open(&path).unwrap();
    store.commit(&[put(Table::Live, 1, b"one")]).unwrap();
    let note = Note { place: 3, value: 33 };
    store.write_notes(&[note]).unwrap();
    drop(store);
    let known = fs::read(&due).unwrap();

    let mut random = fastrand::Rng::with_seed(6);
    let garbage: Vec<u8> = (0..300_001).map(|_| random.u8(..)).collect();
    let cuts = [0, 1, 7, 8, 24, 25, 31, 32, 33].map(|length| known[..length].to_vec());
    for content in cuts.into_iter().chain([garbage]) {
        fs::write(&due, &content).unwrap();
        let store = RedbStore::open(&path).unwrap();
        let mut read = vec![];
        store.read_notes(&mut |note| read.push(note)).unwrap();
        assert!(read.len() <= content.len() / 8);
        for Note { place, value } in read {
            let at = place as usize * 8;
            assert_eq!(value.to_le_bytes(), content[at..at + 8]);
        }
        store.write_notes(&[note]).unwrap();
        let mut kept = None;
        store.read_notes(&mut |note| kept = kept.or((note.place == 3).then_some(note.value))).unwrap();
        assert_eq!(kept, Some(33));
        assert_eq!(state(&store).len(), 1);
    }

    // Cut while the store is open.
    let store = RedbStore::open(&path).unwrap();
    fs::OpenOptions::new().write(true).open(&due).unwrap().set_len(5).unwrap();
    store.read_notes(&mut |note| panic!("{note:?}")).unwrap();
    store.write_notes(&[note]).unwrap();
    drop(store);

    fs::remove_file(&due).unwrap();
    RedbStore::open(&path).unwrap().read_notes(&mut |note| panic!("{note:?}")).unwrap();

    fs::remove_file(&due).unwrap();
    fs::create_dir(&due).unwrap();
    let store = RedbStore::open(&path).unwrap();
    let error = store.write_notes(&[note]).unwrap_err();
    assert!(error.to_string().contains("fleet.redb.due"), "{error}");
    store.read_notes(&mut |note| panic!("{note:?}")).unwrap_err();
    store.commit(&[put(Table::Live, 2, b"two")]).unwrap();
    assert_eq!(state(&store).len(), 2);
}
