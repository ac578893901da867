//! A fleet of one operation against a wait of one.

use fastrand::Rng;
use http::StatusCode;

use super::super::*;

use crate::{
    engine::{Action, Opening},
    fleet::moment::tick_after,
    settings::PollSettings,
    status::{Code, Status},
};

/// An operation that has its origin to itself is polled exactly when its engine says, at the end of
/// the tick.
#[test]
fn a_fleet_of_one_polls_as_a_wait_of_one_does() {
    for seed in 1..=200 {
        let mut rng = Rng::with_seed(seed);
        let settings = PollSettings::default()
            .with_delay(Duration::from_millis(rng.u64(1..3_000)))
            .with_max_delay(Duration::from_secs(rng.u64(3..40)))
            .with_timeout(Duration::from_millis(rng.u64(1..400_000)));
        let schedule = Arc::new(settings.resolve().unwrap());
        let epoch = Instant::now();
        let mut core = Core::new(epoch);
        let origin = core.add_origin(Budget::per_origin(1e9).burst(u32::MAX), epoch);
        let (lane, priority) = (core.add_lane(origin).unwrap(), Priority::Normal);
        let kind = Kind { schedule: Arc::clone(&schedule), origin, lane, priority, group: None };
        let kind = core.add_kind(kind, None);
        let mut now = epoch + Duration::from_millis(rng.u64(0..1_000_000));
        let (system_now, started) = (SystemTime::UNIX_EPOCH, Some(now.into()));
        let opening = Opening {
            now: now.into(),
            system_now,
            completed: false,
            last_reply: None,
            started,
            is_found: false,
            seed: seed * 3,
        };
        let ticket = core.add(&opening, kind).unwrap();
        let mut alone = Engine::new(schedule, &opening);
        loop {
            // The wait, with a timer that wakes at the ends of ticks.
            let due = alone.clone().pack(epoch.into()).ok().map(|packed| packed.due()).unwrap();
            let begun = now.max(epoch + Duration::from_millis(10) * u32::try_from(tick_after(due)).unwrap());
            let expected = alone.next(if due <= core.moment(now) { now } else { begun }.into());
            let next = loop {
                match core.next(now) {
                    Next::Sleep(until) => now = until.expect("it waits for something"),
                    next => break next,
                }
            };
            match (next, expected) {
                (Next::Poll { limit, hold, .. }, Action::Poll { limit: expected, hold: none }) => {
                    assert_eq!((limit, hold), (expected, none), "seed {seed}");
                }
                (Next::Ended { end: End::TimedOut(_), .. }, Action::Finished) => break,
                (next, expected) => panic!("seed {seed}: {next:?} is not {expected:?}"),
            }
            now += Duration::from_millis(rng.u64(0..500));
            if rng.u8(..) < 50 {
                let failure = Failure::new(Cause::Http(StatusCode::BAD_GATEWAY, Status::new(Code::Unavailable, "")));
                alone.handle_failure(now.into(), system_now, failure.clone());
                core.report(ticket, now, system_now, Gave::Failure(failure));
            } else {
                let success = PollSuccess { completed: rng.u8(..) < 4, hint: None, follow: rng.u8(..) < 10 };
                alone.handle_success(now.into(), system_now, success);
                core.report(ticket, now, system_now, Gave::Success(success));
            }
            match alone.end() {
                None => {}
                Some(end) => {
                    let Next::Ended { end: seen, .. } = core.next(now) else { panic!("seed {seed}: ended") };
                    assert_eq!(format!("{seen:?}"), format!("{end:?}"));
                    break;
                }
            }
        }
    }
}
