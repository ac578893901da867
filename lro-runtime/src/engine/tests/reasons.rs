//! What a delay is said to come from.

use std::{sync::Arc, time::Instant};

use super::*;
use crate::{
    engine::{Engine, Opening, PollSuccess, Why},
    stamp::Stamp,
};

/// Returns why the wait sleeps after each of the replies: `Ok` with a hint, or a failure. The first
/// takes `took`.
fn reasons_after(took: f64, settings: &PollSettings, replies: Vec<Result<Option<Hint>, Failure>>) -> Vec<Why> {
    let (mut now, system_now) = (Stamp::from(Instant::now()), SystemTime::UNIX_EPOCH);
    let (last_reply, started) = (None, Some(now));
    let opening = Opening { now, system_now, completed: false, last_reply, started, is_found: false, seed: 1 };
    let mut engine = Engine::new(Arc::new(settings.clone().resolve().unwrap()), &opening);
    let (mut reasons, mut last_hint) = (vec![], None);
    for reply in replies {
        while let Action::Wait(delay) = engine.next(now) {
            now = now + delay;
        }
        if reasons.is_empty() {
            now = now + secs(took);
        }
        match reply {
            Ok(hint) => {
                last_hint = hint;
                engine.handle_success(now, system_now, PollSuccess { hint, ..PollSuccess::default() });
            }
            Err(failure) => engine.handle_failure(now, system_now, failure),
        }
        assert!(matches!(engine.next(now), Action::Wait(_)));
        reasons.push(engine.why(last_hint));
    }
    reasons
}

fn reasons(settings: &PollSettings, replies: Vec<Result<Option<Hint>, Failure>>) -> Vec<Why> {
    reasons_after(0.0, settings, replies)
}

fn failure(code: Code, hint: Option<Hint>) -> Failure {
    Failure::new(Cause::Rpc(Status::new(code, ""))).with_hint(hint)
}

#[test]
fn a_delay_is_computed_or_the_servers_or_a_failures() {
    let replies = vec![
        Ok(None),
        Ok(Some(after(2.0))),
        Err(failure(Code::Unavailable, None)),
        Err(failure(Code::Unavailable, Some(after(1.0)))),
        Ok(None),
        Err(failure(Code::Internal, None)),
    ];
    let expected = [Why::Computed, Why::Hint, Why::Failure, Why::Hint, Why::Computed, Why::Failure];
    assert_eq!(reasons(&every_second().with_timeout(secs(60.0)), replies), expected);
}

#[test]
fn a_hint_that_is_ignored_is_no_reason() {
    let settings = every_second().with_hint(HintPolicy::Ignore);
    assert_eq!(reasons(&settings, vec![Ok(Some(after(2.0)))]), [Why::Computed]);
}

#[test]
fn a_delay_that_the_deadline_cuts_says_so_and_so_does_one_without_another_poll() {
    let settings = every_second().with_delay(secs(4.0)).with_timeout(secs(6.0));
    assert_eq!(reasons(&settings, vec![Ok(None), Ok(Some(after(4.0)))]), [Why::Computed, Why::Deadline]);
    // The last poll is sent two seconds before the deadline and fails at once.
    let replies = vec![Ok(None), Err(failure(Code::Internal, None))];
    assert_eq!(reasons_after(2.0, &settings, replies), [Why::Deadline, Why::Expiry]);
}

#[test]
fn a_poll_is_as_late_as_the_timer_overslept() {
    let (now, system_now) = (Stamp::from(Instant::now()), SystemTime::UNIX_EPOCH);
    let opening =
        Opening { now, system_now, completed: false, last_reply: None, started: None, is_found: true, seed: 1 };
    let mut engine = Engine::new(Arc::new(every_second().resolve().unwrap()), &opening);
    assert!(matches!(engine.next(now), Action::Poll { .. }));
    assert_eq!(engine.lateness(), Duration::ZERO);
    engine.handle_success(now, system_now, PollSuccess::default());
    assert_eq!(engine.next(now), Action::Wait(secs(1.0)));
    assert!(matches!(engine.next(now + secs(1.25)), Action::Poll { .. }));
    assert_eq!(engine.lateness(), secs(0.25));
}
