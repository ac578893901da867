//! Crashes, on a disk that drops, tears and reorders whatever was not synced: at each call that
//! changes something. What a commit returned for is there, and of the one in flight all or nothing.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may fail")]

use lro_redb::RedbStore;
use lro_runtime::fleet::{Store, Table};

mod support;

use self::support::{
    State, apply, batch,
    disk::{Crash, Disk},
    put, state,
};

/// What the disk may have had when it crashed, a few of very many.
fn left(crash: &Crash, random: &mut fastrand::Rng) -> Vec<(&'static str, Disk)> {
    let pending = crash.pending();
    let mut left = vec![("everything", crash.everything())];
    if pending > 0 {
        left.push(("nothing", crash.nothing()));
        left.push(("all but the last", crash.first(pending - 1)));
        left.push(("the last alone", crash.last(1)));
        left.push(("the first ones", crash.first(random.usize(..=pending))));
        left.push(("the last ones", crash.last(random.usize(..=pending))));
        left.push(("some", crash.some(random)));
        left.push(("some", crash.some(random)));
    }
    left
}

/// The states after each commit, and by which of the disk's calls it had returned.
struct History(Vec<(usize, State)>);

impl History {
    /// What there may be after a crash before this call.
    fn possible(&self, call: usize) -> &[(usize, State)] {
        let returned = self.0.iter().filter(|(by, _)| *by <= call).count();
        &self.0[returned - 1..self.0.len().min(returned + 1)]
    }

    #[track_caller]
    fn holds(&self, call: usize, state: &State, what: &str) -> usize {
        let possible = self.possible(call);
        let found = possible.iter().position(|(_, known)| known == state);
        let last = self.0.iter().position(|(_, known)| known == state);
        found.unwrap_or_else(|| {
            panic!(
                "crash before call {call}, of what was not synced {what} remained: it has commit {last:?} of {:?}",
                possible.len()
            )
        })
    }
}

/// Commits, now and then compacts or opens the store again, and records what the disk did.
fn history(seed: u64, commits: usize) -> (History, Vec<Crash>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let disk = Disk::default();
    drop(RedbStore::with_backend(disk.clone()).unwrap());
    let began = disk.calls();
    disk.record();
    let mut store = RedbStore::with_backend(disk.clone()).unwrap();
    let mut known = State::new();
    let mut history = vec![(0, known.clone())];
    for commit in 0..commits {
        let writes = batch(&mut random, &known);
        store.commit(&writes).unwrap();
        apply(&mut known, &writes);
        history.push((disk.calls() - began, known.clone()));
        if commit % 9 == 5 {
            store.compact().unwrap();
        }
        if commit % 7 == 4 {
            drop(store);
            store = RedbStore::with_backend(disk.clone()).unwrap();
        }
    }
    drop(store);
    (History(history), disk.recorded())
}

#[test]
fn after_any_crash_every_commit_that_returned_is_there_and_no_half_of_one() {
    let (history, crashes) = history(1, 24);
    let mut random = fastrand::Rng::with_seed(2);
    let [mut rolled_back, mut carried_out] = [0, 0];
    for (call, crash) in crashes.iter().enumerate() {
        for (what, disk) in left(crash, &mut random) {
            let store = RedbStore::with_backend(disk).unwrap_or_else(|error| {
                panic!("crash before call {call}, of what was not synced {what} remained: {error}")
            });
            match history.holds(call, &state(&store), what) {
                0 => rolled_back += 1,
                _ => carried_out += 1,
            }
        }
    }
    assert!(crashes.len() > 400 && rolled_back > 1_000 && carried_out > 10, "{rolled_back}, {carried_out}");
}

/// What opens after a crash writes, too: it may crash as well, and what follows must last.
#[test]
fn a_crash_while_a_crash_is_repaired_loses_nothing_either() {
    let (history, crashes) = history(3, 12);
    let mut random = fastrand::Rng::with_seed(4);
    for _ in 0..60 {
        let call = random.usize(..crashes.len());
        let disk = crashes[call].some(&mut random);
        disk.record();
        let store = RedbStore::with_backend(disk.clone()).unwrap();
        let found = state(&store);
        history.holds(call, &found, "some");
        let opened = disk.calls();
        store.commit(&[put(Table::Fleet, 1 << 50, b"after the crash")]).unwrap();
        let committed = disk.calls();
        drop(store);

        let mut after = found.clone();
        after.insert((Table::Fleet, 1 << 50), b"after the crash".to_vec());
        let second = disk.recorded();
        for (call, crash) in second.iter().enumerate().step_by(3) {
            let again = state(&RedbStore::with_backend(crash.some(&mut random)).unwrap());
            let right = match call {
                _ if call <= opened => again == found,
                _ if call < committed => again == found || again == after,
                _ => again == after,
            };
            assert!(right, "second crash before call {call}");
        }
    }
}

/// Over a backend, a crash in the first moments may leave what is no store. Then nothing had been
/// committed, and it is an error. (A file gets its name when it is whole.)
#[test]
fn a_crash_while_a_store_is_made_leaves_an_empty_one_or_an_error() {
    let disk = Disk::default();
    disk.record();
    drop(RedbStore::with_backend(disk.clone()).unwrap());
    let mut random = fastrand::Rng::with_seed(5);
    let mut opened = 0;
    for crash in disk.recorded() {
        for (_, disk) in left(&crash, &mut random) {
            if let Ok(store) = RedbStore::with_backend(disk) {
                assert_eq!(state(&store), State::new());
                opened += 1;
            }
        }
    }
    assert!(opened > 10, "{opened}");
}
