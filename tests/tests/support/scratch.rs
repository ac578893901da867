//! Directories for the files and sockets of tests.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// What the names of all directories begin with.
const PREFIX: &str = "lro-test-";

/// No test takes so long.
const STALE: Duration = Duration::from_secs(60 * 60);

/// A directory of one test's own. It goes with this value, however the test ends. What is left by a
/// process that was killed goes when a later one creates a directory.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let parent = env::temp_dir();
        remove_stale(&parent);
        // Short, because the path of a socket has about a hundred bytes at most.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{}-{number}", process::id()));
        // A process that was killed may have had the same id.
        drop(fs::remove_dir_all(&path));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Returns the path of a file in the directory.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn remove_stale(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let age = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if is_ours && age().is_some_and(|age| age > STALE) {
            // What is another user's stays.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}
