//! How long the core takes to decide about a poll. Printed and not asserted.

use super::super::*;
use crate::engine::Opening;
use crate::settings::PollSettings;

/// Polls so many operations, one every 15 s, for a while of virtual time, and prints what a poll
/// costs: `next`, which begins it, and `report`.
#[test]
#[ignore = "prints a figure: LRO_OPERATIONS=1000000 cargo test --release -p lro-runtime --lib --features fleet figures -- --ignored --nocapture"]
fn a_poll_costs_the_core_so_much() {
    let operations: u32 = std::env::var("LRO_OPERATIONS").ok().and_then(|number| number.parse().ok()).unwrap_or(10_000);
    let epoch = Instant::now();
    let mut core = Core::new(epoch);
    let origin = core.add_origin(Budget::per_origin(1e9).burst(u32::MAX).concurrency(u32::MAX), epoch);
    let lane = core.add_lane(origin).unwrap();
    let delay = Duration::from_secs(15);
    let settings = PollSettings::default().with_delay(delay).with_max_delay(delay).without_expiration();
    let schedule = Arc::new(settings.resolve().unwrap());
    let kind = core.add_kind(Kind { schedule, origin, lane, priority: Priority::Normal, group: None }, None);
    let system_now = SystemTime::UNIX_EPOCH;
    for number in 0..operations {
        // They begin evenly over a delay, as they do in a fleet that has run for a while.
        let now = epoch + delay.mul_f64(f64::from(number) / f64::from(operations));
        let (now, last_reply, seed) = (now.into(), None, number.into());
        let started = Some(now);
        core.add(&Opening { now, system_now, completed: false, last_reply, started, is_found: false, seed }, kind);
    }
    let (mut now, mut polls, mut due) = (epoch + delay, 0_u64, Vec::new());
    let rounds = 4 * u64::from(operations);
    let mut began = Instant::now();
    while polls < rounds {
        if polls < u64::from(operations) {
            began = Instant::now(); // the first round makes the tables warm
        }
        match core.next(now) {
            Next::Poll { ticket, .. } => {
                due.push(ticket);
                polls += 1;
                // As many are in flight as usual.
                if due.len() >= 64 {
                    for ticket in due.drain(..) {
                        core.report(ticket, now, system_now, Gave::Success(PollSuccess::default()));
                    }
                }
            }
            Next::Sleep(until) => {
                for ticket in due.drain(..) {
                    core.report(ticket, now, system_now, Gave::Success(PollSuccess::default()));
                }
                now = until.unwrap_or(now).max(now);
            }
            next => panic!("{next:?}"),
        }
    }
    let spent = began.elapsed().as_secs_f64() / (rounds - u64::from(operations)) as f64;
    println!("bench=fleet variant=core metric=decision operations={operations} value={:.3} unit=us", spent * 1e6);
}
