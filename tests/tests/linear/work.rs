//! What work costs: memory, and the time of the thread's own CPU clock, as ratios between a length
//! and four times that length.

use std::{hint::black_box, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// Time that a thread has computed. Unlike the time of a clock on the wall it does not pass while
/// other threads run.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or_default(), now.tv_nsec.try_into().unwrap_or_default())
}

/// Work shorter than this says nothing of its growth.
const SHORTEST: Duration = Duration::from_millis(4);

/// What one run of some work costs.
pub(crate) struct Cost {
    pub(crate) time: Duration,
    /// How often memory was allocated, and how many bytes in all.
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    /// The most bytes at one time.
    pub(crate) peak: u64,
}

impl Cost {
    /// Adds the cost of more work, that is done after this.
    pub(crate) fn add(&mut self, more: &Self) {
        self.time += more.time;
        self.allocations += more.allocations;
        self.bytes += more.bytes;
        self.peak = self.peak.max(more.peak);
    }
}

pub(crate) fn cost(work: impl FnOnce()) -> Cost {
    let before = cpu_time();
    let memory = allocation_counter::measure(work);
    let time = cpu_time().saturating_sub(before);
    Cost { time, allocations: memory.count_total, bytes: memory.bytes_total, peak: memory.bytes_max }
}

/// How many times the cost of a length four times the length may cost. What is linear costs four
/// times as much, because the cases make four times as many parts of the same length; the square is
/// sixteen times.
///
/// Allocations are counted, so that only what is made once comes on top. Time has noise that the
/// least of several runs does not remove: the shorter input may fit into a cache, or into memory
/// that is free, where the longer does not.
const MOST_ALLOCATIONS: u64 = 5;
const MOST_TIME: u32 = 8;

/// In how many runs the time must be too long.
const RUNS: usize = 10;

/// Asserts that `work` of `4 * length` costs about four times what it costs for `length`.
#[track_caller]
pub(crate) fn grows_linearly(name: &str, length: usize, work: &mut dyn FnMut(usize) -> Cost) -> Cost {
    // The longer one first: it finds the caches cold. Were it the shorter one, growth would seem
    // less than it is.
    let (mut long, short) = (work(4 * length), work(length));
    // Five copies of the text are in proportion to it, whatever became of the shorter one: a URL
    // that is folded into `/`, for example, and beyond the length of URLs is refused.
    let copies = 5 * u64::try_from(4 * length).unwrap_or(u64::MAX);
    let memory = |long: &Cost| {
        (
            long.allocations <= MOST_ALLOCATIONS * short.allocations + 256,
            long.bytes <= (MOST_ALLOCATIONS * short.bytes + 65_536).max(copies),
        )
    };
    assert_eq!(
        memory(&long),
        (true, true),
        "{name}: {} allocations of {} bytes, then {} of {}",
        short.allocations,
        short.bytes,
        long.allocations,
        long.bytes
    );
    // Memory that comes from the system is cleared, a page at a time: up to a nanosecond a byte.
    let says_something = SHORTEST + Duration::from_nanos(long.bytes);
    // The least of several runs, because others share the machine. Work that grows with the square
    // fails in all of them.
    let mut best = short.time;
    let is_linear = |long: Duration, best: Duration| long < says_something || long < MOST_TIME * best;
    for _ in 1..RUNS {
        if is_linear(long.time, best) {
            return long;
        }
        best = best.min(work(length).time);
        let again = work(4 * length);
        if again.time < long.time {
            long = again;
        }
    }
    assert!(is_linear(long.time, best), "{name}: {best:?} for {length} bytes, {:?} for four times as many", long.time);
    long
}

/// Takes one case: its name, and what does its work for a length.
pub(crate) type Visit<'a> = dyn FnMut(&str, &mut dyn FnMut(usize) -> Cost) + 'a;

/// Asserts that each `every`th of the cases [`grows_linearly`], and returns how many there are.
pub(crate) fn all_grow_linearly(each_case: impl FnOnce(&mut Visit<'_>), every: usize, length: usize) -> usize {
    let mut cases = 0;
    each_case(&mut |name, work| {
        cases += 1;
        if cases % every == 0 {
            grows_linearly(name, length, work);
        }
    });
    cases
}

/// Compares every part with every other one, as a reader does that begins anew for each.
fn by_the_square(parts: usize) -> usize {
    (0..parts).map(|part| (0..parts).filter(|other| black_box(*other) == part).count()).sum()
}

#[test]
#[should_panic(expected = "for four times as many")]
fn time_that_grows_with_the_square_is_found() {
    grows_linearly("comparing", 1 << 9, &mut |parts| {
        cost(|| {
            black_box(by_the_square(parts));
        })
    });
}

#[test]
#[should_panic(expected = "allocations of")]
fn memory_that_grows_with_the_square_is_found() {
    grows_linearly("copying", 1 << 10, &mut |parts| cost(|| (1..parts).for_each(|part| drop(vec![0_u8; part]))));
}
