//! A global allocator that counts allocations while a figure is taken.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
};

static COUNTING: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);

/// The system's allocator, with counters.
pub struct Counting;

// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller upholds the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTING.load(Relaxed) {
            LIVE.fetch_sub(signed(layout.size()), Relaxed);
        }
        // SAFETY: the caller upholds the contract, which is the same.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size, layout.size());
        // SAFETY: the caller upholds the contract, which is the same.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Counts one allocation of `size` bytes, which replaces one of `before` bytes.
fn note(size: usize, before: usize) {
    if COUNTING.load(Relaxed) {
        CALLS.fetch_add(1, Relaxed);
        BYTES.fetch_add(size as u64, Relaxed);
        LIVE.fetch_add(signed(size) - signed(before), Relaxed);
    }
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// The allocations while something ran. A reallocation counts as one.
#[derive(Clone, Copy, Debug)]
pub struct Allocated {
    pub calls: u64,
    pub bytes: u64,
    /// Bytes that were allocated and not freed.
    pub live: i64,
}

/// Runs `work` and counts the allocations of all threads meanwhile.
pub fn allocated<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    begin();
    let output = work();
    (output, end())
}

/// Begins to count the allocations of all threads.
pub fn begin() {
    for counter in [&CALLS, &BYTES] {
        counter.store(0, Relaxed);
    }
    LIVE.store(0, Relaxed);
    COUNTING.store(true, Relaxed);
}

/// Returns what was counted since [`begin`], and counts no longer.
pub fn end() -> Allocated {
    COUNTING.store(false, Relaxed);
    Allocated { calls: CALLS.load(Relaxed), bytes: BYTES.load(Relaxed), live: LIVE.load(Relaxed) }
}
