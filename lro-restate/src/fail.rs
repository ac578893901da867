//! Places at which a test ends the process.

/// Ends the process here, if the feature `fail-points` is on and `LRO_RESTATE_DIES_AT` names this
/// place: at once, or with `place:3` when it is reached for the third time.
#[cfg(feature = "fail-points")]
pub(crate) fn at(place: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static REACHED: AtomicUsize = AtomicUsize::new(0);
    let Ok(named) = std::env::var("LRO_RESTATE_DIES_AT") else { return };
    let (name, count) = named.split_once(':').unwrap_or((&named, "1"));
    if name == place && REACHED.fetch_add(1, Ordering::Relaxed) + 1 == count.parse().unwrap_or(1) {
        // As `kill -9` does: nothing is flushed, no destructor runs.
        std::process::abort();
    }
}

#[cfg(not(feature = "fail-points"))]
pub(crate) fn at(_: &str) {}
