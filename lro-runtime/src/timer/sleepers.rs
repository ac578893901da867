//! Many sleeps by one timer of async-io.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Wake, Waker},
    time::{Duration, Instant},
};

use super::background::isolated;
use crate::stamp::Stamp;

/// Sleeps end at whole steps of this, the next one after their time, as tokio's do: what ends
/// within a step is woken together. async-io takes some calls of the system for each time that it
/// waits for, and as many sleeps may end within a millisecond as a program has waits.
const STEP: Duration = Duration::from_millis(1);

/// Returns when a sleep of this length from `now` ends; `None` if that is beyond what an `Instant`
/// can hold.
pub(super) fn end_after(now: Instant, duration: Duration) -> Option<Stamp> {
    let end = Stamp::from(now.checked_add(duration)?);
    // One of no length has ended.
    Some(if duration.is_zero() { end } else { end.rounded_up(STEP) })
}

/// Tells the sleeps of one [`Sleepers`] apart that end at the same time.
pub(super) type Id = u64;

/// Sleeps of many tasks, and one timer of async-io that is set for the first of them to end.
///
/// async-io wakes its thread for every timer that is set, even if that ends hours after the one it
/// waits for anyway: about six calls of the system, and one more task for a busy processor. Here a
/// sleep sets the timer only if it ends before all others, which a time limit hardly ever does.
#[derive(Default)]
pub(super) struct Sleepers(Mutex<State>);

#[derive(Default)]
struct State {
    sleeping: BTreeMap<(Stamp, Id), Waker>,
    /// Never used twice, so that a sleep does not meet an older one of the same end.
    last_id: Id,
    /// The timer, and when it fires: not after the first sleep ends.
    set: Option<(async_io::Timer, Stamp)>,
    /// How often it has fired.
    #[cfg(test)]
    fired: u32,
}

impl Sleepers {
    /// Has `waker` woken at `end`. Returns the sleep's id: `id` itself, which had another waker, or
    /// a new one.
    pub(super) fn wake_at(self: &Arc<Self>, end: Stamp, id: Option<Id>, waker: &Waker) -> Id {
        let waker = waker.clone();
        let mut state = self.lock();
        let id = id.unwrap_or_else(|| {
            state.last_id += 1;
            state.last_id
        });
        let last = state.sleeping.insert((end, id), waker);
        let ended = match &state.set {
            Some((_, at)) if *at <= end => vec![],
            _ => state.set(end, self),
        };
        drop(state);
        // Wakers are dropped and woken without the lock: each may be the last to own a task, and
        // that may own sleeps.
        drop(last);
        wake(ended);
        id
    }

    /// Forgets a sleep, and returns its waker unless that has been woken.
    pub(super) fn forget(&self, end: Stamp, id: Id) -> Option<Waker> {
        // The timer stays set, and wakes nobody: to set it costs more.
        self.lock().sleeping.remove(&(end, id))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The timer has fired.
impl Wake for Sleepers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.lock();
        #[cfg(test)]
        {
            state.fired += 1;
        }
        let mut ended = state.ended();
        if let Some(first) = state.first() {
            ended.append(&mut state.set(first, self));
        } else {
            state.set = None;
        }
        drop(state);
        wake(ended);
    }
}

impl State {
    fn first(&self) -> Option<Stamp> {
        self.sleeping.first_key_value().map(|((end, _), _)| *end)
    }

    /// Removes the sleeps that have ended, and returns their wakers.
    fn ended(&mut self) -> Vec<Waker> {
        let now = Stamp::from(Instant::now());
        let mut ended = vec![];
        while let Some(sleep) = self.sleeping.first_entry().filter(|sleep| sleep.key().0 <= now) {
            ended.push(sleep.remove());
        }
        ended
    }

    /// Sets the timer for `first`, and wakes `sleepers` by it. Returns the wakers of what ends
    /// meanwhile.
    fn set(&mut self, first: Stamp, sleepers: &Arc<Sleepers>) -> Vec<Waker> {
        let (mut ended, mut first) = (vec![], Some(first));
        let waker = Waker::from(Arc::clone(sleepers));
        while let Some(end) = first {
            let (timer, at) = self.set.get_or_insert_with(|| (async_io::Timer::never(), end));
            timer.set_at(end.into());
            *at = end;
            if Pin::new(timer).poll(&mut Context::from_waker(&waker)).is_pending() {
                return ended;
            }
            ended.append(&mut self.ended());
            first = self.first();
        }
        self.set = None;
        ended
    }
}

fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        // One that panics keeps none of the others asleep.
        isolated(|| waker.wake());
    }
}

impl fmt::Debug for Sleepers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleepers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::mpsc::{Sender, channel},
    };

    use super::*;

    fn end_in(duration: Duration) -> Option<Stamp> {
        end_after(Instant::now(), duration)
    }

    /// Says its number when it is woken, or panics.
    struct Says(u32, Sender<u32>);

    impl Wake for Says {
        fn wake(self: Arc<Self>) {
            self.1.send(self.0).unwrap();
            assert_ne!(self.0, 13, "out of luck");
        }
    }

    /// Drops a sleep when it is dropped, as a task does that owns one.
    struct Owner(Arc<Sleepers>, Stamp, Id);

    impl Wake for Owner {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Owner {
        fn drop(&mut self) {
            self.0.forget(self.1, self.2);
        }
    }

    fn set_for(sleepers: &Sleepers) -> Option<Stamp> {
        sleepers.lock().set.as_ref().map(|(_, at)| *at)
    }

    #[test]
    fn only_a_sleep_that_ends_before_all_others_sets_the_timer() {
        let (sleepers, hour) = (Arc::<Sleepers>::default(), Duration::from_secs(3_600));
        let first = end_in(hour).unwrap();
        let waker = Waker::noop();
        let id = sleepers.wake_at(first, None, waker);
        for later in 1..100 {
            let end = first + STEP * later;
            let id = sleepers.wake_at(end, None, waker);
            assert_eq!((set_for(&sleepers), sleepers.wake_at(end, Some(id), waker)), (Some(first), id));
            assert!(sleepers.forget(end, id).is_some());
        }
        assert!(sleepers.forget(first, id).is_some());
        assert_eq!(set_for(&sleepers), Some(first), "set anew for a sleep that is forgotten");
        let sooner = end_in(hour / 2).unwrap();
        sleepers.wake_at(sooner, None, waker);
        assert_eq!(set_for(&sleepers), Some(sooner));
        assert_eq!(sleepers.lock().sleeping.len(), 1);
    }

    #[test]
    fn sleeps_end_in_their_order_and_one_whose_waker_panics_keeps_none_asleep() {
        let (sleepers, (say, said)) = (Arc::<Sleepers>::default(), channel());
        let (began, waker) = (Stamp::from(Instant::now()), |number| Waker::from(Arc::new(Says(number, say.clone()))));
        let end = |number: u32| began + Duration::from_millis(5) * number;
        for number in [20, 3, 13, 1, 2] {
            sleepers.wake_at(end(number), None, &waker(number));
        }
        let again = sleepers.wake_at(end(10), None, Waker::noop());
        sleepers.wake_at(end(10), Some(again), &waker(10));
        // Over already: woken at once.
        sleepers.wake_at(began, None, &waker(0));
        for number in [0, 1, 2, 3, 10, 13, 20] {
            assert_eq!(said.recv_timeout(Duration::from_secs(20)), Ok(number));
            assert!(Stamp::from(Instant::now()) >= end(number), "{number} was woken early");
        }
        while set_for(&sleepers).is_some() {
            std::thread::yield_now();
        }
        assert!(sleepers.lock().sleeping.is_empty());
    }

    #[test]
    fn a_sleep_is_as_long_as_it_was_told_and_less_than_a_step_longer() {
        for nanos in [1, 999_999, 1_000_000, 1_000_001, 5_000_000_000] {
            let (duration, before) = (Duration::from_nanos(nanos), Stamp::from(Instant::now()));
            let end = end_in(duration).unwrap();
            let after = Stamp::from(Instant::now());
            assert!(before + duration <= end && end < after + duration + STEP, "{duration:?}");
        }
        assert!(end_in(Duration::ZERO).unwrap() <= Stamp::from(Instant::now()), "it has ended");
        assert_eq!(end_in(Duration::MAX), None);
    }

    #[test]
    fn sleeps_that_end_in_one_step_are_woken_together() {
        const COUNT: u32 = 2_000;
        let (sleepers, (say, said)) = (Arc::<Sleepers>::default(), channel());
        let began = Instant::now();
        let mut ends = BTreeSet::new();
        for number in 100..100 + COUNT {
            // A microsecond between two of them, and what it takes to begin one.
            let end = end_in(Duration::from_millis(20) + Duration::from_micros(number.into())).unwrap();
            ends.insert(end);
            sleepers.wake_at(end, None, &Waker::from(Arc::new(Says(number, say.clone()))));
        }
        // However slow the machine is: an end for each step, in which the first or the last may be.
        let (steps, elapsed) = (ends.len(), began.elapsed() + Duration::from_micros(COUNT.into()));
        assert!(steps as u128 <= elapsed.as_nanos() / STEP.as_nanos() + 2, "{steps} ends in {elapsed:?}");
        for number in 100..100 + COUNT {
            assert_eq!(said.recv_timeout(Duration::from_secs(20)), Ok(number));
        }
        let fired = sleepers.lock().fired;
        assert!(fired as usize <= steps, "fired {fired} times for {steps} ends");
    }

    #[test]
    fn a_waker_that_is_the_last_to_own_sleeps_is_not_dropped_in_the_lock() {
        let (sleepers, end) = (Arc::<Sleepers>::default(), end_in(Duration::from_secs(3_600)).unwrap());
        let other = sleepers.wake_at(end, None, Waker::noop());
        let owner = || Waker::from(Arc::new(Owner(Arc::clone(&sleepers), end, other)));
        let id = sleepers.wake_at(end, None, &owner());
        sleepers.wake_at(end, Some(id), &owner());
        drop(sleepers.forget(end, id));
        let now = end_in(Duration::ZERO).unwrap();
        sleepers.wake_at(now, None, &owner());
        assert_eq!(sleepers.lock().sleeping.len(), 0);
    }
}
