//! When a wait ends because its time is over.

use super::*;

#[test]
fn the_last_poll_lands_on_the_deadline_and_it_fires_neither_early_nor_late() {
    let trace = World::started_now().replies(&every_second().with_timeout(secs(2.5)), &[]);
    assert_eq!(trace.sent(), [1.0, 2.0, 2.5]);
    assert!(trace.is_timeout());
    assert_eq!(trace.ended, secs(2.5));
}

#[test]
fn the_reply_of_the_last_poll_lands_on_the_deadline() {
    let trace = World::started_now().replies_in(secs(0.2), &every_second().with_timeout(secs(3.0)), &[]);
    assert_eq!(trace.sent(), [1.0, 2.2, 2.8]);
    assert_eq!(trace.polls.last().unwrap().ended, secs(3.0));
    assert_eq!(trace.ended, secs(3.0));
}

#[test]
fn a_poll_that_would_leave_no_time_for_a_last_one_is_the_last_one() {
    // The second poll is due at 2.2 and its reply would arrive at 2.4. A last poll, whose reply
    // arrives at 2.5, must be sent at 2.3, before that.
    let trace = World::started_now().replies_in(secs(0.2), &every_second().with_timeout(secs(2.5)), &[]);
    assert_eq!(trace.sent(), [1.0, 2.3]);
    assert_eq!(trace.ended, secs(2.5));
}

#[test]
fn what_is_done_at_the_deadline_is_seen() {
    let trace = World::started_now().run(&every_second().with_timeout(secs(2.5)), |_, poll| {
        (Duration::ZERO, if poll.at >= secs(2.5) { done() } else { running() })
    });
    assert!(matches!(trace.end, End::Completed));
    let trace = World::started_now().run(&every_second().with_timeout(secs(2.5)), |_, poll| {
        (secs(0.2), if poll.at >= secs(2.3) { done() } else { running() })
    });
    assert!(matches!(trace.end, End::Completed));
}

#[test]
fn a_poll_in_flight_is_cut_to_what_remains() {
    let settings = every_second().with_poll_timeout(secs(30.0)).with_timeout(secs(5.0));
    let trace = World::started_now().replies_in(secs(100.0), &settings, &[]);
    assert_eq!(trace.sent(), [1.0]);
    assert_eq!(trace.polls[0].limit, secs(4.0));
    assert!(trace.is_timeout(), "cut by the expiration, which is no failure of the poll: {:?}", trace.end);
    assert_eq!(trace.ended, secs(5.0));
}

#[test]
fn a_poll_that_the_expiration_cuts_is_a_timeout_whatever_the_budget_and_the_policy_say() {
    let settings = every_second().with_timeout(secs(5.0)).with_error_budget(0);
    assert!(World::started_now().replies_in(secs(100.0), &settings, &[]).is_timeout());
    let settings = settings.with_failure_policy(|_: &Failure| Verdict::Stop);
    assert!(World::started_now().replies_in(secs(100.0), &settings, &[]).is_timeout());
}

#[test]
fn a_poll_that_its_own_limit_cuts_is_a_failed_poll() {
    let settings = every_second().with_poll_timeout(secs(2.0)).with_error_budget(0);
    let trace = World::started_now().replies_in(secs(100.0), &settings, &[]);
    assert!(matches!(trace.end, End::BudgetSpent(_)));
    assert_eq!(trace.ended, secs(3.0));
}

#[test]
fn a_deadline_in_the_past_sends_nothing() {
    let world = World::started_now();
    for world in [world, World { last_reply: None, ..world }] {
        let past = world.began.checked_sub(secs(5.0)).unwrap();
        let monotonic = world.replies(&every_second().with_deadline(past), &[done()]);
        let system = world.replies(&every_second().with_deadline(world.system - secs(5.0)), &[done()]);
        for trace in [monotonic, system] {
            assert!(trace.is_timeout());
            assert_eq!((trace.ended, trace.polls.len(), trace.attempts), (Duration::ZERO, 0, 0));
        }
    }
}

#[test]
fn a_zero_timeout_polls_once() {
    for world in [World::started_now(), World::resumed()] {
        let trace = world.replies(&every_second().with_timeout(Duration::ZERO), &[]);
        assert!(trace.is_timeout());
        assert_eq!((trace.ended, trace.sent()), (Duration::ZERO, vec![0.0]));
        let trace = world.replies(&every_second().with_timeout(Duration::ZERO), &[done()]);
        assert!(matches!(trace.end, End::Completed));
    }
}

#[test]
fn a_deadline_on_either_clock_is_the_same_deadline() {
    let world = World::started_now();
    let monotonic = world.replies(&every_second().with_deadline(world.began + secs(2.5)), &[]);
    let system = world.replies(&every_second().with_deadline(world.system + secs(2.5)), &[]);
    assert_eq!(monotonic.sent(), [1.0, 2.0, 2.5]);
    assert_eq!(system.sent(), monotonic.sent());
}

#[test]
fn never_and_what_no_clock_can_hold_go_on() {
    let world = World { most_polls: 50, ..World::started_now() };
    for expiration in [Expiration::Never, Expiration::Timeout(Duration::MAX)] {
        let trace = world.replies(&every_second().with_expiration(expiration), &[]);
        assert_eq!(trace.polls.len(), 50);
        assert_eq!(trace.ended, secs(50.0));
    }
}

#[test]
fn a_delay_that_no_clock_can_hold_is_one_of_centuries() {
    let world = World::started_now();
    let settings = every_second().with_initial_delay(Duration::MAX).with_expiration(Expiration::Never);
    let Action::Wait(delay) = world.engine(&settings).next(world.began.into()) else { panic!("it is not polled yet") };
    assert!(delay >= Duration::from_secs(3600 * 24 * 365 * 100));
    assert!(world.began.checked_add(delay).is_some());
}

#[test]
fn a_driver_that_comes_too_late_polls_no_more() {
    let world = World::started_now();
    let mut engine = world.engine(&every_second().with_timeout(secs(2.5)));
    assert_eq!(engine.next((world.began + secs(3.0)).into()), Action::Finished);
    assert!(matches!(engine.end(), Some(End::TimedOut(None))));
    assert_eq!(engine.attempts(), 0);
}

#[test]
fn a_first_reply_that_took_longer_than_the_whole_wait_does_not_prevent_polls() {
    let world = World::started_now().with_reply(|reply| reply.round_trip = secs(30.0));
    let trace = world.replies_in(secs(0.1), &every_second().with_timeout(secs(2.0)), &[]);
    assert_eq!(trace.sent(), [1.0, 1.9], "the start call says little about polls, the first poll says more");
    assert_eq!(trace.ended, secs(2.0));
}

#[test]
fn one_slow_reply_does_not_bring_the_last_poll_forward_for_good() {
    // After the slow reply the engine allows 9 s for the last poll. That poll comes back fast,
    // and the wait polls on.
    let trace = World::started_now()
        .run(&every_second().with_timeout(secs(30.0)), |n, _| (if n == 1 { secs(9.0) } else { secs(0.1) }, running()));
    assert_eq!(trace.polls.last().unwrap().ended, secs(30.0), "{trace:?}");
}

#[test]
fn a_timer_that_oversleeps_does_not_lose_the_last_poll() {
    let world = World { oversleep: secs(0.02), ..World::started_now() };
    let trace = world.replies_in(secs(0.1), &every_second().with_timeout(secs(5.0)), &[]);
    let last = trace.polls.last().unwrap();
    assert_eq!(last.ended, secs(5.0), "{trace:?}");
    assert_eq!(last.ended, last.at + secs(0.1), "not cut");
}

#[test]
fn a_last_poll_that_fails_is_the_cause_of_the_timeout() {
    let script = [running(), running(), http(503)];
    let trace = World::started_now().replies(&every_second().with_timeout(secs(2.5)), &script);
    let End::TimedOut(Some(failure)) = trace.end else { panic!("{:?}", trace.end) };
    assert_eq!(failure.to_string(), "HTTP 503: UNAVAILABLE");
}

#[test]
fn a_last_poll_that_fails_at_once_is_not_repeated() {
    let world = World::started_now();
    // The failure arrives before the deadline, but another poll could not be answered in time.
    let trace = world.run(&every_second().with_timeout(secs(3.0)), |_, poll| {
        if poll.at < secs(2.8) { (secs(0.2), running()) } else { (Duration::ZERO, http(503)) }
    });
    assert_eq!(trace.sent(), [1.0, 2.2, 2.8]);
    assert_eq!(trace.ended, secs(3.0));
}

#[test]
fn a_failure_that_was_mended_is_not_the_cause_of_the_timeout() {
    // One failed poll, then successful ones until the deadline.
    let trace = World::started_now().replies(&every_second().with_timeout(secs(4.0)), &[http(503)]);
    assert!(matches!(trace.end, End::TimedOut(None)));
}

#[test]
fn a_last_poll_that_is_refused_for_good_says_so() {
    let script = [running(), running(), http(403)];
    let trace = World::started_now().replies(&every_second().with_timeout(secs(2.5)), &script);
    assert!(matches!(trace.end, End::Permanent(_)));
}
