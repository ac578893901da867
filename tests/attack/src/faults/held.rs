//! What the process holds: file descriptors, threads, memory.

use std::{
    fs,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::round::Counts;

/// How much memory a round may take more than it took once warm, in KiB.
const GROWTH: u64 = 16 * 1024;

/// The time after which pools have forgotten as much as comes new: they keep what belonged to a
/// server for 90 seconds.
const WARM_UP: Duration = Duration::from_secs(200);

/// The level of a suite, which every case must come back to.
pub(super) struct Idle(Mutex<Option<Level>>);

#[derive(Debug)]
struct Level {
    fds: usize,
    threads: usize,
    since: Instant,
    /// The most memory that was resident while it was not warm, in KiB.
    rss: u64,
    /// The largest growth so far, which the counts of the cases have together.
    growth: u64,
}

impl Idle {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Waits until the process holds no more than after the first case. Does nothing where there is
    /// no `/proc`.
    ///
    /// # Panics
    ///
    /// If it still holds more after ten seconds, or if the memory has grown.
    pub(super) fn assert_reached(&self, counts: &mut Counts) {
        if rss().is_none() {
            return;
        }
        let mut level = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(level) = &mut *level else {
            // What ends a little later than the case must not be in the level.
            thread::sleep(Duration::from_millis(300));
            *level = Some(Level { fds: fds(), threads: threads(), since: Instant::now(), rss: 0, growth: 0 });
            return;
        };
        let began = Instant::now();
        while fds() > level.fds || threads() > level.threads {
            let waited = began.elapsed();
            assert!(
                waited < Duration::from_secs(10),
                "{} file descriptors and {} threads ({}) are left after the case, {level:?} after the first",
                fds(),
                threads(),
                names_of_threads().join(", "),
            );
            thread::sleep(Duration::from_millis(1));
        }
        let rss = rss().unwrap_or_default();
        if level.since.elapsed() < WARM_UP {
            level.rss = level.rss.max(rss);
            return;
        }
        let growth = rss.saturating_sub(level.rss);
        assert!(growth <= GROWTH, "{rss} KiB of memory: {growth} KiB more than once warm");
        counts.add("rss_growth_kib", growth.saturating_sub(level.growth));
        level.growth = level.growth.max(growth);
    }
}

/// Waits until no thread has a name that begins so. Passes where there is no `/proc`.
///
/// # Panics
///
/// If there still is one after ten seconds.
pub(super) fn assert_ended(name: &str) {
    let began = Instant::now();
    while threads_named(name).is_some_and(|threads| threads > 0) {
        assert!(began.elapsed() < Duration::from_secs(10), "a thread `{name}` has not ended");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns how many threads have a name that begins so; `None` where there is no `/proc`.
pub(super) fn threads_named(name: &str) -> Option<usize> {
    let names = names_of_threads();
    // This thread is always there.
    (!names.is_empty()).then(|| names.iter().filter(|thread| thread.starts_with(name)).count())
}

/// Returns how many file descriptors the process may hold; `None` where nothing says so.
pub(super) fn max_fds() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    // The first number is the soft limit, the one in force.
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn fds() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

fn names_of_threads() -> Vec<String> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect()
}

/// Returns how much memory is resident, in KiB.
fn rss() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
