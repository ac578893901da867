//! Several processes: one has the file, and when it is killed nothing that it committed is lost.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use lro_redb::RedbStore;
use lro_runtime::fleet::{Note, Store, StoreErrorKind, Table};

mod support;

use self::support::{Folder, put, records};

/// Names the file to the process that a test starts.
const PATH: &str = "LRO_REDB_TEST_PATH";

/// Starts this program again, for one of its tests alone.
fn again(program: &Path, test: &str, path: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(PATH, path).stdout(Stdio::piped());
    command
}

/// Commits one after the other, and says so after each, until it is killed.
fn commit_for_ever(path: &Path) {
    let store = RedbStore::open(path).unwrap();
    let first = records(&store, Table::Live).len() as u64;
    for number in first.. {
        let value = number.to_be_bytes().repeat(1 + usize::try_from(number % 90).unwrap());
        let mut writes = vec![put(Table::Live, number, &value), put(Table::Outcomes, number, &value)];
        writes.extend((0..number % 20).map(|key| put(Table::Amendments, key, &number.to_be_bytes())));
        store.commit(&writes).unwrap();
        store.write_notes(&[Note { place: 1, value: number + 1 }]).unwrap();
        println!("\ncommitted {number}");
    }
}

fn number(line: &str) -> Option<u64> {
    line.strip_prefix("committed ")?.parse().ok()
}

/// Reads until so many commits were told, and returns the last of them.
fn last_told(output: &mut impl BufRead, count: usize) -> Option<u64> {
    output.lines().map_while(Result::ok).filter_map(|line| number(&line)).take(count).last()
}

/// Ends with the test, also with one that fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_killed_process_leaves_all_that_it_committed_and_the_file_to_the_next() {
    if let Some(path) = env::var_os(PATH) {
        return commit_for_ever(Path::new(&path));
    }
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    let mut expected = 0;
    for round in 0..6 {
        let test = "a_killed_process_leaves_all_that_it_committed_and_the_file_to_the_next";
        let mut child = Killed(again(&env::current_exe().unwrap(), test, &path).spawn().unwrap());
        let mut output = BufReader::new(child.0.stdout.take().unwrap());
        let first = last_told(&mut output, 20 + round * 7).unwrap();

        let error = RedbStore::open(&path).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::InUse, "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");

        child.0.kill().unwrap();
        child.0.wait().unwrap();
        let last = last_told(&mut output, usize::MAX).unwrap_or(first);

        let store = RedbStore::open(&path).unwrap();
        let live = records(&store, Table::Live);
        let count = live.len() as u64;
        assert!((last + 1..=last + 2).contains(&count), "{last} was told, and there are {count}");
        assert!(live.keys().copied().eq(0..count));
        assert_eq!(live, records(&store, Table::Outcomes), "no half of a commit");
        let mut notes = vec![];
        store.read_notes(&mut |note| notes.push(note)).unwrap();
        assert!(notes.iter().all(|note| note.place == 1 && (last..=last + 2).contains(&note.value)), "{notes:?}");
        assert!(last > expected);
        expected = last;
    }
}

#[test]
fn a_process_has_a_file_once() {
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    let store = RedbStore::open(&path).unwrap();
    let error = RedbStore::open(&path).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InUse, "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    store.commit(&[put(Table::Live, 1, b"one")]).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&path, folder.path("other.redb")).unwrap();
        assert_eq!(RedbStore::open(folder.path("other.redb")).unwrap_err().kind(), StoreErrorKind::InUse);
    }
    drop(store);
    RedbStore::open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn without_the_permission_to_write_the_error_says_so() {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};

    const NAMES: [&str; 2] = ["fleet.redb", "new.redb"];

    fn is_refused(folder: &Path) {
        for path in NAMES.map(|name| folder.join(name)) {
            let error = RedbStore::open(&path).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unwritable, "{error}");
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
    }

    if let Some(folder) = env::var_os(PATH) {
        return is_refused(Path::new(&folder));
    }
    let folder = Folder::new();
    let path = folder.path("fleet.redb");
    drop(RedbStore::open(&path).unwrap());
    let allow = |path: PathBuf, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let program = folder.path("program");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    allow(program.clone(), 0o755);
    allow(path.clone(), 0o444);
    allow(folder.path(""), 0o555);
    if fs::OpenOptions::new().write(true).open(&path).is_ok() {
        // The superuser may write everything; nobody may not.
        let test = "without_the_permission_to_write_the_error_says_so";
        let output = again(&program, test, &folder.path("")).uid(65_534).gid(65_534).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
    } else {
        is_refused(&folder.path(""));
    }
    allow(folder.path(""), 0o755);
}
