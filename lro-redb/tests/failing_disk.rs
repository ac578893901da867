//! A disk that is full or fails: at each of its calls. The commit says so, everything after it says
//! so too, and when the store is opened again it has the last state.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use lro_redb::{RedbStore, redb::StorageBackend};
use lro_runtime::fleet::{Store, StoreErrorKind, Table};

mod support;

use self::support::{
    State, apply, batch,
    disk::{Disk, Fault, How},
    gone, put, state,
};

/// What a disk has that was used for a while.
fn used() -> (Vec<u8>, State) {
    let mut random = fastrand::Rng::with_seed(1);
    let disk = Disk::default();
    let store = RedbStore::with_backend(disk.clone()).unwrap();
    let mut known = State::new();
    for _ in 0..6 {
        let writes = batch(&mut random, &known);
        store.commit(&writes).unwrap();
        apply(&mut known, &writes);
    }
    drop(store);
    (disk.content(), known)
}

/// How many calls of a disk the commits below take.
const CALLS: usize = 90;

/// Commits until one fails, from a call of the disk's on.
fn fails_and_says_so(how: How, kind: StoreErrorKind) {
    let (content, begun) = used();
    let mut failed = 0;
    for at in 0..CALLS {
        let mut random = fastrand::Rng::with_seed(2);
        let disk = Disk::with(content.clone());
        let store = RedbStore::with_backend(disk.clone()).unwrap();
        disk.fail(Some(Fault { at: disk.calls() + at, how }));
        let mut known = begun.clone();
        let mut next = known.clone();
        let error = (0..12).find_map(|_| {
            let writes = batch(&mut random, &known);
            next = known.clone();
            apply(&mut next, &writes);
            let committed = store.commit(&writes);
            // A disk that lost what it should have synced must not have gone unnoticed.
            assert_eq!(committed.is_err(), disk.failures() > 0, "at {at}");
            if committed.is_ok() {
                known.clone_from(&next);
            }
            committed.err()
        });
        let Some(error) = error else {
            assert_eq!(disk.failures(), 0);
            continue;
        };
        failed += 1;
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(std::error::Error::source(&error).is_some(), how != How::Panics);

        // The disk works again; the store does not.
        disk.fail(None);
        let calls = disk.calls();
        for _ in 0..3 {
            let later = store.commit(&[put(Table::Live, 1, b"later")]).unwrap_err();
            assert_eq!(later.kind(), kind);
            assert!(later.to_string().contains(&error.to_string()), "{later}");
        }
        store.commit(&[]).unwrap_err();
        store.read(Table::Live, &mut |_, _| Ok(())).unwrap_err();
        store.compact().unwrap_err();
        assert_eq!(disk.calls(), calls, "it touched the disk again");
        drop(store);

        // What the process sees that opens it again, and what there is after the loss of power.
        for content in [disk.content(), disk.durable()] {
            let disk = Disk::with(content);
            let store = RedbStore::with_backend(disk).unwrap();
            let found = state(&store);
            assert!(found == known || found == next, "at {at}: neither before nor after the commit that failed");
            store.commit(&[put(Table::Live, 1, b"again")]).unwrap();
        }
    }
    assert!(failed >= 12, "{how:?}: only {failed} of {CALLS} faults met a commit");
}

#[test]
fn a_full_disk() {
    fails_and_says_so(How::Full, StoreErrorKind::Unwritable);
}

#[test]
fn a_broken_disk() {
    fails_and_says_so(How::Broken, StoreErrorKind::Io);
}

#[test]
fn a_disk_that_fails_once() {
    fails_and_says_so(How::Once, StoreErrorKind::Io);
}

#[test]
fn a_sync_that_fails_and_loses_what_it_should_have_written() {
    fails_and_says_so(How::LostSync, StoreErrorKind::Io);
}

#[test]
fn opening_on_a_disk_that_fails_is_an_error_and_harms_nothing() {
    let (content, known) = used();
    for how in [How::Full, How::Broken, How::Once, How::LostSync] {
        let mut failed = 0;
        for at in 0..20 {
            let disk = Disk::with(content.clone());
            disk.fail(Some(Fault { at, how }));
            let opened = RedbStore::with_backend(disk.clone());
            if let Err(error) = opened {
                let kind = if how == How::Full { StoreErrorKind::Unwritable } else { StoreErrorKind::Io };
                assert_eq!(error.kind(), kind, "{error}");
                failed += 1;
            }
            for content in [disk.content(), disk.durable()] {
                assert_eq!(state(&RedbStore::with_backend(Disk::with(content)).unwrap()), known, "{how:?} at {at}");
            }
        }
        assert!(failed > 0, "{how:?}");
    }
}

#[test]
fn compacting_on_a_disk_that_fails_is_an_error_and_loses_nothing() {
    let (content, mut known) = used();
    let disk = Disk::with(content);
    let store = RedbStore::with_backend(disk.clone()).unwrap();
    let writes: Vec<_> = (0..300).map(|key| put(Table::Outcomes, key, &[5; 700])).collect();
    let deletes: Vec<_> = (0..290).map(|key| gone(Table::Outcomes, key)).collect();
    for writes in [writes, deletes] {
        store.commit(&writes).unwrap();
        apply(&mut known, &writes);
    }
    drop(store);
    let content = disk.content();

    let mut failed = 0;
    for at in (0..200).step_by(4) {
        let disk = Disk::with(content.clone());
        let store = RedbStore::with_backend(disk.clone()).unwrap();
        disk.fail(Some(Fault { at: disk.calls() + at, how: How::Broken }));
        match store.compact() {
            Ok(_) => assert_eq!(disk.failures(), 0),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Io, "{error}");
                store.commit(&[put(Table::Live, 1, b"later")]).unwrap_err();
                failed += 1;
            }
        }
        drop(store);
        for content in [disk.content(), disk.durable()] {
            assert_eq!(state(&RedbStore::with_backend(Disk::with(content)).unwrap()), known, "at {at}");
        }
    }
    assert!(failed > 5, "{failed}");
}

/// A panic below is an error of the store, as damage is, and the program goes on.
#[test]
fn a_panic_below_is_an_error() {
    fails_and_says_so(How::Panics, StoreErrorKind::Damaged);

    let (content, known) = used();
    for at in 0..6 {
        let disk = Disk::with(content.clone());
        disk.fail(Some(Fault { at, how: How::Panics }));
        if let Err(error) = RedbStore::with_backend(disk.clone()) {
            assert_eq!(error.kind(), StoreErrorKind::Damaged);
            assert!(error.to_string().contains("the rules are broken"), "{error}");
        }
        assert!(disk.failures() > 0);
        assert_eq!(state(&RedbStore::with_backend(Disk::with(disk.content())).unwrap()), known);
    }
}

#[test]
fn a_disk_that_cannot_tell_its_length_is_an_error() {
    #[derive(Debug)]
    struct Mute;

    impl StorageBackend for Mute {
        fn len(&self) -> std::io::Result<u64> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
        fn read(&self, _: u64, _: &mut [u8]) -> std::io::Result<()> {
            Err(std::io::ErrorKind::Other.into())
        }
        fn set_len(&self, _: u64) -> std::io::Result<()> {
            Err(std::io::ErrorKind::Other.into())
        }
        fn sync_data(&self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::Other.into())
        }
        fn write(&self, _: u64, _: &[u8]) -> std::io::Result<()> {
            Err(std::io::ErrorKind::Other.into())
        }
    }

    assert_eq!(RedbStore::with_backend(Mute).unwrap_err().kind(), StoreErrorKind::Unwritable);
}
