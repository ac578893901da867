//! Groups whose lists are honest: how many requests they save.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;

use super::super::*;
use crate::engine::Opening;
use crate::settings::{Jitter, PollSettings};

/// How many requests a thousand or more operations take, of which one that ends makes room for the
/// next, for an hour: each is watched for ten minutes in the mean, with 15 s between its polls.
/// Every request is answered after 100 ms.
fn requests(members: usize, shown: Option<Shown>, seed: u64) -> (u64, u64) {
    let mut rng = Rng::with_seed(seed);
    let epoch = Instant::now();
    let mut core = Core::new(epoch);
    let origin = core.add_origin(Budget::per_origin(1e6).burst(1_000_000).concurrency(1_000_000), epoch);
    let group = shown.map(|shown| core.add_group(origin, shown).unwrap());
    let settings = PollSettings::default()
        .with_delay(Duration::from_secs(15))
        .with_max_delay(Duration::from_secs(15))
        .with_jitter(Jitter::Equal)
        .with_expiration(crate::Expiration::Never);
    let schedule = Arc::new(settings.resolve().unwrap());
    let lane = core.add_lane(origin).unwrap();
    let kind = core.add_kind(Kind { schedule, origin, lane, priority: Priority::Normal, group }, None);
    let (mut now, mut requests, mut completed) = (Duration::ZERO, 0, 0);
    let latency = Duration::from_millis(100);
    // When each operation ends, what is in flight, and the list that the sweep on its way reads.
    let mut ends = BTreeMap::<Ticket, Duration>::new();
    let mut flights = VecDeque::<(Duration, Next)>::new();
    let (mut list, mut at) = (Vec::new(), 0);
    while now < Duration::from_secs(3_600) {
        let (time, system_now) = (epoch + now, SystemTime::UNIX_EPOCH + now);
        while ends.len() < members {
            // Over a while, so that they do not begin together.
            if completed == 0 && ends.len() as f64 > now.as_secs_f64() / 600.0 * members as f64 {
                break;
            }
            let opening = Opening {
                now: time.into(),
                system_now,
                completed: false,
                last_reply: None,
                started: Some(time.into()),
                is_found: false,
                seed: rng.u64(..),
            };
            ends.insert(
                core.add(&opening, kind).unwrap(),
                now + Duration::from_secs_f64(-600.0 * (1.0 - rng.f64()).ln()),
            );
        }
        let wakes = loop {
            match core.next(time) {
                Next::Ended { ticket, .. } => {
                    core.remove(ticket);
                    ends.remove(&ticket);
                    completed += 1;
                }
                Next::Sleep(until) => break until.map(|until| until - epoch),
                next => {
                    requests += 1;
                    flights.push_back((now + latency, next));
                }
            }
        };
        let lands = flights.front().map(|(at, _)| *at);
        let arrives = (completed == 0).then_some(now + Duration::from_millis(50));
        now = wakes.into_iter().chain(lands).chain(arrives).min().unwrap();
        let time = epoch + now;
        while flights.front().is_some_and(|(at, _)| *at <= now) {
            let (_, next) = flights.pop_front().unwrap();
            match next {
                Next::Poll { ticket, .. } => {
                    let success = PollSuccess { completed: ends[&ticket] <= now, ..PollSuccess::default() };
                    core.report(ticket, time, system_now, Gave::Success(success));
                }
                Next::Page { group, is_first } => {
                    let Some(Shown::Listed { page, has_ended, has_results, .. }) = shown else { unreachable!() };
                    if is_first {
                        (list, at) = (ends.keys().copied().collect::<Vec<_>>(), 0);
                        list.retain(|ticket| has_ended || ends[ticket] > now);
                    }
                    let to = (at + page as usize).min(list.len());
                    for ticket in &list[at..to] {
                        let entry = match ends.get(ticket) {
                            Some(ends) if *ends > now => Seen::Running,
                            Some(_) if has_results => Seen::Ended,
                            _ => Seen::EndedElsewhere,
                        };
                        core.show(group, *ticket, time, entry);
                    }
                    at = to;
                    let end = if at < list.len() { PageEnd::More } else { PageEnd::Last { is_complete: true } };
                    core.end_page(group, time, system_now, &end, ends.keys().copied());
                }
                Next::Batch { group, members } => {
                    for ticket in &members {
                        let entry = if ends[ticket] > now { Seen::Running } else { Seen::Ended };
                        core.show(group, *ticket, time, entry);
                    }
                    let end = PageEnd::Last { is_complete: true };
                    core.end_page(group, time, system_now, &end, members.into_iter());
                }
                next => unreachable!("{next:?}"),
            }
        }
    }
    (requests, completed)
}

/// How many times fewer requests an operation takes than by gets alone.
fn factor(members: usize, shown: Shown) -> f64 {
    // Each for itself: the more there are, the longer it takes to find the same.
    let (gets, without) = requests(200, None, 1);
    let (asked, with) = requests(members, Some(shown), 1);
    let factor = (gets as f64 / without as f64) / (asked as f64 / with as f64);
    eprintln!(
        "{members} of {shown:?}: {gets} gets for {without}, {asked} requests for {with}: {factor:.1} times fewer"
    );
    factor
}

const LISTED: Shown = Shown::Listed { page: 500, has_ended: false, has_results: true, visible_after: 0 };

#[test]
fn a_list_of_those_that_run_saves_all_but_the_last_poll_of_each() {
    // 54 gets an operation, of which one is left.
    assert!(factor(2_000, LISTED) > 44.0);
}

#[test]
fn a_list_with_results_saves_every_poll() {
    let shown = Shown::Listed { page: 500, has_ended: true, has_results: true, visible_after: 0 };
    // 500 on a page, less what comes due while the sweep goes on.
    assert!(factor(2_000, shown) > 300.0);
}

#[test]
fn a_call_that_takes_names_saves_what_it_takes() {
    assert!(factor(2_000, Shown::Named { most: 100 }) > 80.0);
}
