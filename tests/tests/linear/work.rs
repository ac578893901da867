//! What work costs: memory, and the time of the thread's own CPU clock, as ratios between a length
//! and four times that length.

use std::time::Duration;

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

/// Asserts that `work` of `4 * length` costs about four times what it costs for `length`: the
/// square would be sixteen times.
#[track_caller]
pub(crate) fn grows_linearly(name: &str, length: usize, work: &mut dyn FnMut(usize) -> Cost) -> Cost {
    let (short, mut long) = (work(length), work(4 * length));
    // Four copies of the text are in proportion to it, whatever became of the shorter one: a URL
    // that is folded into `/`, for example, and beyond the length of URLs is refused.
    let copies = 4 * u64::try_from(4 * length).unwrap_or(u64::MAX);
    let memory = |long: &Cost| {
        (long.allocations <= 6 * short.allocations + 256, long.bytes <= (6 * short.bytes + 65_536).max(copies))
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
    // The least of many runs, because the first may find caches cold, and others share the machine.
    // Work that grows with the square fails in all of them.
    let mut best = short.time;
    for _ in 0..20 {
        if long.time < SHORTEST || long.time < 12 * best {
            return long;
        }
        best = best.min(work(length).time);
        let again = work(4 * length);
        if again.time < long.time {
            long = again;
        }
    }
    assert!(long.time < 12 * best, "{name}: {best:?} for {length} bytes, {:?} for four times as many", long.time);
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
