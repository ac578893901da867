//! Places at which a test ends the process, or has it wait.

/// Ends the process here, if the feature `fail-points` is on and `LRO_RESTATE_DIES_AT` names this
/// place: at once, or with `place:3` when it is reached for the third time. Has it wait for three
/// seconds where `LRO_RESTATE_WAITS_AT` does, and says so before: time for a test to end others.
#[cfg(feature = "fail-points")]
pub(crate) fn at(place: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static REACHED: AtomicUsize = AtomicUsize::new(0);
    let named = |variable| std::env::var(variable).ok();
    let is_here = |named: &str| {
        let (name, count) = named.split_once(':').unwrap_or((named, "1"));
        name == place && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == count.parse().unwrap_or(1)
    };
    if named("LRO_RESTATE_DIES_AT").is_some_and(|named| is_here(&named)) {
        // As `kill -9` does: nothing is flushed, no destructor runs.
        std::process::abort();
    }
    if named("LRO_RESTATE_WAITS_AT").is_some_and(|named| is_here(&named)) {
        println!("waits at {place}");
        std::thread::sleep(std::time::Duration::from_secs(3));
    }
}

#[cfg(not(feature = "fail-points"))]
pub(crate) fn at(_: &str) {}
