//! Tests for the promises of the engine, one per promise. Times are in seconds since the wait
//! began.

use std::time::{Duration, SystemTime};

use super::{
    Action, End, MOST_FOLLOWS,
    simulation::{Reply, World, done, follow, hinted, http, running, secs},
};
use crate::{
    hint::Hint,
    settings::{ErrorBudget, Expiration, HintPolicy, Jitter, PollSettings, Verdict},
    status::{Cause, Code, Failure, Status},
    transport::{TransportError, TransportErrorKind},
};

/// Settings that poll at 1, 2, 3, … until 10.
fn every_second() -> PollSettings {
    PollSettings::default().with_delay(secs(1.0)).with_multiplier(1.0).with_timeout(secs(10.0))
}

fn after(seconds: f64) -> Hint {
    Hint::After(secs(seconds))
}

fn transport() -> Reply {
    Reply::Fail(Failure::new(Cause::Transport(TransportError::message(TransportErrorKind::Closed, "closed"))))
}

fn rpc(code: Code) -> Reply {
    Reply::Fail(Failure::new(Cause::Rpc(Status::new(code, ""))))
}

fn with_hint(reply: Reply, seconds: f64) -> Reply {
    match reply {
        Reply::Fail(failure) => Reply::Fail(failure.with_hint(Some(after(seconds)))),
        _ => hinted(Hint::After(secs(seconds))),
    }
}

mod delays {
    use super::*;

    #[test]
    fn grow_by_the_multiplier_up_to_the_longest() {
        let settings = PollSettings::default()
            .with_delay(secs(1.0))
            .with_multiplier(2.0)
            .with_max_delay(secs(5.0))
            .with_timeout(secs(23.0));
        let trace = World::started_now().replies(&settings, &[]);
        // Delays of 1, 2, 4, 5, 5, 5; the last poll is at the deadline.
        assert_eq!(trace.sent(), [1.0, 3.0, 7.0, 12.0, 17.0, 22.0, 23.0]);
    }

    #[test]
    fn count_from_the_reply_not_from_the_request() {
        let trace = World::started_now().replies_in(secs(0.5), &every_second().with_timeout(secs(4.0)), &[]);
        // The replies arrive at 1.5 and 3. The last poll is sent early enough that its reply
        // arrives at the deadline.
        assert_eq!(trace.sent(), [1.0, 2.5, 3.5]);
    }

    #[test]
    fn an_initial_delay_comes_once_after_the_start_and_is_no_part_of_the_growth() {
        let settings = every_second().with_multiplier(2.0).with_initial_delay(secs(4.0)).with_max_delay(secs(3.0));
        let trace = World::started_now().replies(&settings, &[]);
        assert_eq!(trace.sent(), [4.0, 5.0, 7.0, 10.0]);
    }

    #[test]
    fn an_initial_delay_is_not_waited_for_again_by_a_later_wait() {
        let settings = every_second().with_initial_delay(secs(5.0)).with_timeout(secs(3.0));
        let again = World::started_now().with_reply(|reply| reply.answers_start = false).replies(&settings, &[]);
        assert_eq!(again.sent(), [1.0, 2.0, 3.0]);
        let resumed = World::resumed().replies(&settings, &[]);
        assert_eq!(resumed.sent(), [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_zero_initial_delay_is_not_a_hot_loop() {
        let settings = every_second().with_initial_delay(Duration::ZERO).with_timeout(secs(2.0));
        assert_eq!(World::started_now().replies(&settings, &[]).sent(), [0.0, 1.0, 2.0]);
        assert_eq!(World::resumed().replies(&settings, &[]).sent(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn a_resumed_operation_is_polled_at_once() {
        assert_eq!(World::resumed().replies(&every_second(), &[done()]).sent(), [0.0]);
    }

    #[test]
    fn time_that_has_passed_since_the_last_reply_counts() {
        let mut world = World::started_now();
        world.last_reply = world.last_reply.map(|(_, reply)| (secs(0.4), reply));
        assert_eq!(world.replies(&every_second(), &[done()]).sent(), [0.6]);
        world.last_reply = world.last_reply.map(|(_, reply)| (secs(60.0), reply));
        assert_eq!(world.replies(&every_second(), &[done()]).sent(), [0.0]);
    }

    #[test]
    fn jitter_stays_within_its_range_and_the_seed_decides() {
        let settings = PollSettings::default().with_delay(secs(8.0)).with_multiplier(1.0).with_timeout(secs(4000.0));
        for (jitter, least) in [(Jitter::None, 8.0), (Jitter::Full, 0.001), (Jitter::Equal, 4.0)] {
            let run =
                |seed| World::started_now().replies(&settings.clone().with_jitter(jitter).with_seed(seed), &[]).sent();
            let sent = run(1);
            let waits = sent.windows(2).map(|pair| pair[1] - pair[0]);
            // The deadline cuts the last delay.
            for wait in waits.take(sent.len() - 2) {
                assert!((least - 1e-6..=8.0 + 1e-6).contains(&wait), "{jitter:?}: {wait}");
            }
            assert_eq!(run(1), sent, "same seed, same schedule");
            assert_eq!(run(2) == sent, jitter == Jitter::None);
        }
    }

    #[test]
    fn a_jittered_delay_is_never_shorter_than_the_least_delay() {
        for delay in [0.001, 0.0015, 0.002] {
            let settings = PollSettings::default().with_delay(secs(delay)).with_max_delay(secs(delay));
            let settings = settings.with_timeout(secs(0.05));
            for (seed, jitter) in (0..100).flat_map(|seed| [(seed, Jitter::Full), (seed, Jitter::Equal)]) {
                let settings = settings.clone().with_jitter(jitter).with_seed(seed);
                let sent = World::started_now().replies(&settings, &[]).sent();
                let waits = sent.windows(2).map(|pair| pair[1] - pair[0]);
                for wait in waits.take(sent.len() - 2) {
                    assert!(wait >= 0.001 - 1e-9, "{jitter:?}, seed {seed}: {wait} of {delay}");
                }
            }
        }
    }
}

mod expiration {
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
        let Action::Wait(delay) = world.engine(&settings).next(world.began) else { panic!("it is not polled yet") };
        assert!(delay >= Duration::from_secs(3600 * 24 * 365 * 100));
        assert!(world.began.checked_add(delay).is_some());
    }

    #[test]
    fn a_driver_that_comes_too_late_polls_no_more() {
        let world = World::started_now();
        let mut engine = world.engine(&every_second().with_timeout(secs(2.5)));
        assert_eq!(engine.next(world.began + secs(3.0)), Action::Finished);
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
        let trace = World::started_now().run(&every_second().with_timeout(secs(30.0)), |n, _| {
            (if n == 1 { secs(9.0) } else { secs(0.1) }, running())
        });
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
}

mod hints {
    use super::*;

    #[test]
    fn replace_one_wait_each_and_the_first_counts() {
        let world = World::started_now().with_reply(|reply| reply.hint = Some(after(3.0)));
        let trace = world.replies(&every_second(), &[running(), hinted(Hint::After(secs(2.0))), running()]);
        assert_eq!(trace.sent(), [3.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0]);
    }

    #[test]
    fn are_clamped_whatever_they_say() {
        let settings = every_second().with_hint(secs(0.5)..=secs(2.0)).with_timeout(secs(100.0));
        let past = SystemTime::UNIX_EPOCH;
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        for (hint, wait) in [
            (Hint::After(Duration::ZERO), 0.5),
            (Hint::After(secs(1.5)), 1.5),
            (Hint::After(Duration::MAX), 2.0),
            (Hint::At(past), 0.5),
            (Hint::At(far), 2.0),
        ] {
            let trace = World::started_now().replies(&settings, &[hinted(hint), done()]);
            assert_eq!(trace.sent(), [1.0, 1.0 + wait], "{hint:?}");
        }
    }

    #[test]
    fn that_are_dates_are_seen_from_the_wall_clock() {
        let world = World::started_now();
        let trace = world.replies(&every_second(), &[hinted(Hint::At(world.system + secs(4.0))), done()]);
        assert_eq!(trace.sent(), [1.0, 4.0]);
    }

    #[test]
    fn are_ignored_on_request() {
        let world = World::started_now().with_reply(|reply| reply.hint = Some(after(3.0)));
        let settings = every_second().with_hint(HintPolicy::Ignore).with_timeout(secs(2.0));
        assert_eq!(world.replies(&settings, &[hinted(Hint::After(secs(0.5)))]).sent(), [1.0, 2.0]);
    }

    #[test]
    fn do_not_outlast_the_deadline() {
        let trace = World::started_now().replies(&every_second(), &[hinted(Hint::After(secs(500.0)))]);
        assert_eq!(trace.sent(), [1.0, 10.0]);
        assert_eq!(trace.ended, secs(10.0));
    }

    #[test]
    fn beat_the_initial_delay() {
        let world = World::started_now().with_reply(|reply| reply.hint = Some(after(2.0)));
        let trace = world.replies(&every_second().with_initial_delay(secs(5.0)), &[done()]);
        assert_eq!(trace.sent(), [2.0]);
    }

    #[test]
    fn of_failed_polls_are_obeyed_beyond_the_budget() {
        let settings = every_second().with_error_budget((5, secs(3.0))).with_timeout(secs(100.0));
        let trace = World::started_now().replies(&settings, &[with_hint(http(429), 7.0), done()]);
        assert_eq!(trace.sent(), [1.0, 8.0]);
        let grace = every_second().with_not_found_grace(secs(3.0)).with_timeout(secs(100.0));
        let trace = World::started_now().replies(&grace, &[with_hint(http(404), 7.0), done()]);
        assert_eq!(trace.sent(), [1.0, 8.0]);
    }
}

mod failures {
    use super::*;

    #[test]
    fn a_failed_poll_is_polled_again() {
        for reply in [transport(), http(503)] {
            let trace = World::started_now().replies(&every_second(), &[reply, done()]);
            assert_eq!(trace.sent(), [1.0, 2.0]);
            assert!(matches!(trace.end, End::Completed));
        }
    }

    #[test]
    fn which_are_worth_another_poll() {
        for status in 100..600 {
            let retried = matches!(status, 404 | 408 | 429 | 500 | 502 | 503 | 504);
            let trace = World::started_now().replies(&every_second(), &[http(status), done()]);
            assert_eq!(matches!(trace.end, End::Completed), retried, "{status}");
            assert_eq!(matches!(trace.end, End::Permanent(_)), !retried, "{status}");
        }
        for number in 0..=16 {
            let code = Code::from_number(number);
            let retried = [
                Code::Unavailable,
                Code::DeadlineExceeded,
                Code::ResourceExhausted,
                Code::Internal,
                Code::Aborted,
                Code::Unknown,
                Code::NotFound,
            ];
            let trace = World::started_now().replies(&every_second(), &[rpc(code), done()]);
            assert_eq!(matches!(trace.end, End::Completed), retried.contains(&code), "{code}");
        }
    }

    #[test]
    fn a_policy_may_decide_otherwise() {
        let stubborn = every_second().with_failure_policy(|_: &Failure| Verdict::Retry);
        assert!(matches!(World::started_now().replies(&stubborn, &[http(403), done()]).end, End::Completed));
        let strict = every_second().with_failure_policy(|_: &Failure| Verdict::Stop);
        assert!(matches!(World::started_now().replies(&strict, &[http(503), done()]).end, End::Permanent(_)));
    }

    #[test]
    fn have_delays_of_their_own_that_double() {
        let budget = ErrorBudget::new(9).with_delay(secs(0.5)).with_max_delay(secs(3.0));
        let settings = every_second().with_error_budget(budget).with_timeout(secs(60.0));
        let script = [http(503), http(503), http(503), http(503), http(503), done()];
        let trace = World::started_now().replies(&settings, &script);
        assert_eq!(trace.sent(), [1.0, 1.5, 2.5, 4.5, 7.5, 10.5]);
    }

    #[test]
    fn so_many_in_a_row_are_forgiven_and_no_more() {
        for forgiven in [0_u32, 1, 3] {
            let settings = every_second().with_error_budget(forgiven).with_timeout(secs(600.0));
            let trace = World::started_now().run(&settings, |_, _| (Duration::ZERO, http(500)));
            assert!(matches!(trace.end, End::BudgetSpent(_)));
            assert_eq!(trace.attempts, forgiven + 1);
        }
    }

    #[test]
    fn a_success_restores_the_budget() {
        let settings = every_second().with_error_budget(1).with_timeout(secs(600.0));
        let world = World { most_polls: 60, ..World::started_now() };
        let trace = world.run(&settings, |n, _| (Duration::ZERO, if n % 2 == 0 { http(500) } else { running() }));
        assert_eq!(trace.polls.len(), 60);
    }

    #[test]
    fn a_row_is_forgiven_for_so_long_and_no_longer() {
        // The first failure is at 1, so failures are forgiven until 6.
        let budget = ErrorBudget::new(1000).with_elapsed(secs(5.0)).with_delay(secs(2.0)).with_max_delay(secs(2.0));
        let settings = every_second().with_error_budget(budget).with_timeout(secs(600.0));
        let trace = World::started_now().run(&settings, |_, _| (Duration::ZERO, http(500)));
        assert!(matches!(trace.end, End::BudgetSpent(_)));
        assert_eq!(trace.sent(), [1.0, 3.0, 5.0, 6.0], "the last one when the time of the budget ends");
    }

    #[test]
    fn the_end_of_the_budget_is_not_a_hot_loop() {
        // One nanosecond of the budget is left after the third failure. The retry comes after the
        // shortest delay, 1 ms, instead.
        let elapsed = secs(2.0) + Duration::from_nanos(1);
        let budget = ErrorBudget::new(1000).with_elapsed(elapsed).with_delay(secs(1.0)).with_max_delay(secs(1.0));
        let settings = every_second().with_error_budget(budget);
        let trace = World::started_now().run(&settings, |_, _| (Duration::ZERO, http(500)));
        assert_eq!(trace.sent(), [1.0, 2.0, 3.0, 3.001]);
    }

    #[test]
    fn not_found_is_forgiven_within_the_grace_after_the_start_only() {
        let settings = every_second().with_not_found_grace(secs(3.5)).with_timeout(secs(600.0));
        for not_found in [http(404), rpc(Code::NotFound)] {
            let trace = World::started_now().run(&settings, |_, _| (Duration::ZERO, not_found.clone()));
            assert!(matches!(trace.end, End::Permanent(_)));
            assert_eq!(trace.sent(), [1.0, 2.0, 3.0, 3.5]);
            // The grace counts from the start. It is over at the first poll if the start is 3 s
            // old, and never begins if it is unknown.
            let old = World { started: Some(secs(3.0)), ..World::started_now() };
            assert_eq!(old.run(&settings, |_, _| (Duration::ZERO, not_found.clone())).polls.len(), 1);
            assert_eq!(World::resumed().run(&settings, |_, _| (Duration::ZERO, not_found.clone())).polls.len(), 1);
        }
    }

    #[test]
    fn not_found_is_final_once_the_operation_was_found() {
        let settings = every_second().with_not_found_grace(secs(60.0)).with_timeout(secs(600.0));
        for not_found in [http(404), rpc(Code::NotFound)] {
            let script = [not_found.clone(), running(), not_found.clone(), done()];
            let trace = World::started_now().replies(&settings, &script);
            assert!(matches!(trace.end, End::Permanent(_)), "{:?}", trace.end);
            assert_eq!(trace.sent(), [1.0, 2.0, 3.0]);
            // Found by an earlier wait.
            let again = World::started_now().with_reply(|reply| reply.answers_start = false);
            assert_eq!(again.replies(&settings, &[not_found.clone(), done()]).sent(), [1.0]);
            // A reply that leads elsewhere has not found what is there.
            let trace = World::started_now().replies(&settings, &[follow(), not_found, done()]);
            assert!(matches!(trace.end, End::Completed), "{:?}", trace.end);
        }
    }

    #[test]
    fn not_found_within_the_grace_spends_no_budget() {
        let settings = every_second().with_not_found_grace(secs(5.5)).with_error_budget(0);
        let script = [http(404), http(404), http(404), done()];
        assert!(matches!(World::started_now().replies(&settings, &script).end, End::Completed));
    }
}

mod failures_of_the_origin {
    use super::*;

    /// Settings with the library's error budget.
    fn for_an_hour() -> PollSettings {
        PollSettings::default().with_delay(secs(1.0)).with_multiplier(1.0).with_timeout(secs(3600.0))
    }

    fn throttled() -> Vec<Reply> {
        let limited = Status::new(Code::PermissionDenied, "").with_reason("rateLimitExceeded");
        let forbidden = Failure::new(Cause::Http(http::StatusCode::FORBIDDEN, limited));
        let refused = Failure::new(Cause::Transport(TransportError::message(TransportErrorKind::Connect, "refused")));
        vec![
            http(429),
            http(503),
            rpc(Code::ResourceExhausted),
            rpc(Code::Unavailable),
            Reply::Fail(forbidden),
            Reply::Fail(refused),
        ]
    }

    #[test]
    fn an_outage_that_is_shorter_than_the_wait_ends_no_wait() {
        for reply in throttled() {
            for outage in [91.0, 3000.0] {
                let trace = World::started_now().run(&for_an_hour(), |_, poll| {
                    (Duration::ZERO, if poll.at < secs(outage) { reply.clone() } else { done() })
                });
                assert!(matches!(trace.end, End::Completed) && !trace.is_cut, "{reply:?}: {:?}", trace.end);
                assert!(trace.ended < secs(outage + 21.0), "seen soon after it ended: {:?}", trace.ended);
            }
        }
    }

    #[test]
    fn an_outage_that_is_longer_is_a_timeout_with_its_cause() {
        for settings in [for_an_hour(), PollSettings::interactive(), PollSettings::batch()] {
            let trace = World::started_now().run(&settings, |_, _| (Duration::ZERO, http(429)));
            let End::TimedOut(Some(failure)) = trace.end else { panic!("{:?}", trace.end) };
            assert_eq!(failure.to_string(), "HTTP 429: RESOURCE_EXHAUSTED");
        }
    }

    #[test]
    fn hints_are_honoured_throughout() {
        let trace = World::started_now().replies(&for_an_hour(), &vec![with_hint(http(429), 60.0); 30]);
        assert!(trace.polls.windows(2).take(30).all(|pair| pair[1].at == pair[0].at + secs(60.0)), "{trace:?}");
    }

    #[test]
    fn a_refused_certificate_is_not_one_of_them() {
        let refused = || Failure::new(Cause::Transport(TransportError::message(TransportErrorKind::Certificate, "")));
        let trace = World::started_now().run(&for_an_hour(), |_, _| (Duration::ZERO, Reply::Fail(refused())));
        assert!(matches!(trace.end, End::BudgetSpent(_)), "{:?}", trace.end);
        assert_eq!(trace.attempts, 9, "a mistake of the configuration is said within minutes");
    }

    #[test]
    fn a_wait_without_end_ends_when_the_origin_is_gone_for_a_day() {
        let trace = World::started_now().run(&for_an_hour().without_expiration(), |_, _| (Duration::ZERO, http(503)));
        assert!(matches!(trace.end, End::BudgetSpent(_)), "{:?}", trace.end);
        assert_eq!(trace.ended, secs(1.0 + 24.0 * 3600.0));
    }

    #[test]
    fn neither_they_nor_their_time_are_the_operations() {
        // Eight failures of the operation are forgiven, within five minutes. Between them the
        // origin is out for ten minutes each.
        let day = for_an_hour().with_timeout(secs(86_400.0));
        let mut script = Vec::new();
        for _ in 0..8 {
            script.push(http(500));
            script.extend(vec![with_hint(http(503), 60.0); 10]);
        }
        let trace = World::started_now().replies(&day, &[&*script, &[done()]].concat());
        assert!(matches!(trace.end, End::Completed) && trace.polls.len() == script.len() + 1, "{:?}", trace.end);
        let trace = World::started_now().replies(&day, &[&*script, &[http(500)]].concat());
        assert!(matches!(trace.end, End::BudgetSpent(_)) && trace.polls.len() == script.len() + 1, "{:?}", trace.end);
    }

    #[test]
    fn they_count_only_where_a_budget_says_so() {
        let ends_after = |budget: ErrorBudget| {
            let settings = for_an_hour().with_error_budget(budget);
            let trace =
                World::started_now().run(&settings, |n, _| (Duration::ZERO, http(if n == 1 { 500 } else { 429 })));
            assert!(matches!(trace.end, End::BudgetSpent(_)), "{budget:?}: {:?}", trace.end);
            (trace.attempts, trace.ended)
        };
        // The hour ends the wait: a budget with a number is no less patient than the default one.
        for number in [1, 8, 50] {
            let settings = for_an_hour().with_error_budget(number);
            let trace = World::started_now().run(&settings, |_, _| (Duration::ZERO, http(429)));
            assert!(matches!(trace.end, End::TimedOut(_)), "{number}: {:?}", trace.end);
        }
        assert_eq!(ends_after(ErrorBudget::new(0)).0, 1);
        assert_eq!(ends_after(ErrorBudget::new(3).with_origin_counted()).0, 4);
        assert_eq!(ends_after(ErrorBudget::new(3).with_origin_failures(20)).0, 22, "the 500 is not the origin's");
        assert_eq!(ends_after(ErrorBudget::new(3).with_origin_failures(0)).0, 1);
        // The first failure is at 1 s; the second, which is not the origin's, takes a second more.
        assert_eq!(ends_after(ErrorBudget::new(3).with_origin_elapsed(secs(100.0))).1, secs(102.0));
        assert_eq!(ends_after(ErrorBudget::new(0).with_origin_forgiven()).0, 2);
    }
}

mod following {
    use super::*;

    #[test]
    fn is_at_once_but_not_for_ever() {
        let world = World { most_polls: 40, ..World::started_now() };
        let trace = world.run(&every_second().without_expiration(), |_, _| (Duration::ZERO, follow()));
        let at_first = trace.polls.iter().filter(|poll| poll.at == secs(1.0)).count();
        assert_eq!(at_first, 1 + MOST_FOLLOWS as usize);
        let later = trace.polls.iter().filter(|poll| poll.at == secs(2.0)).count();
        assert_eq!(later, 1, "a server that redirects for ever is polled as usual");
    }

    #[test]
    fn is_at_once_though_it_is_the_last_poll_that_fits_before_the_deadline() {
        // Every reply takes 2 s, so that the last poll is for the 8th second. A reply at the 6th
        // that leads elsewhere is followed at once, not two seconds later.
        let trace =
            World::started_now().replies_in(secs(2.0), &every_second(), &[running(), follow(), running(), done()]);
        assert_eq!(trace.sent(), [1.0, 4.0, 6.0]);
    }

    #[test]
    fn of_the_first_reply_is_at_once_too() {
        let world = World::started_now().with_reply(|reply| reply.follow = true);
        assert_eq!(world.replies(&every_second(), &[done()]).sent(), [0.0]);
    }
}

mod long_polls {
    use super::*;

    /// Settings that ask the server to hold each poll for 4 s, with 2 s to answer.
    fn held() -> PollSettings {
        every_second().with_long_poll(secs(4.0)).with_poll_timeout(secs(2.0))
    }

    #[test]
    fn the_server_waits_instead_of_us() {
        let trace = World::started_now().run(&held(), |_, poll| (poll.hold.unwrap_or_default(), running()));
        let holds: Vec<_> =
            trace.polls.iter().map(|poll| (poll.at.as_secs_f64(), poll.hold.map(|hold| hold.as_secs_f64()))).collect();
        assert_eq!(holds, [(0.0, Some(4.0)), (4.0, Some(4.0)), (8.0, Some(2.0))]);
        assert_eq!(trace.polls[0].limit, secs(6.0), "time to hold and time to answer");
        assert_eq!(trace.ended, secs(10.0));
    }

    #[test]
    fn a_server_that_does_not_hold_is_polled_as_usual() {
        let trace = World::started_now().replies(&held().with_timeout(secs(3.0)), &[]);
        assert_eq!(trace.sent(), [0.0, 1.0, 2.0, 3.0], "a held poll that came back at once has not waited");
    }

    #[test]
    fn a_server_that_cannot_hold_is_not_asked_again_and_not_polled_at_once() {
        let trace = World::started_now().replies(&held().with_timeout(secs(3.0)), &[Reply::NoHold]);
        assert_eq!(trace.sent(), [0.0, 1.0, 2.0, 3.0]);
        assert!(trace.polls[1..].iter().all(|poll| poll.hold.is_none()));
        assert_eq!(trace.attempts, 3, "what no server knows is no poll");
    }

    #[test]
    fn one_failure_ends_no_holding_that_the_settings_ask_for() {
        let trace = World::started_now().replies(&held(), &[http(503), done()]);
        assert!(trace.polls.iter().all(|poll| poll.hold == Some(secs(4.0))), "{trace:?}");
        assert_eq!(trace.polls.len(), 2);
    }

    #[test]
    fn a_hold_fits_the_deadline_and_leaves_time_for_a_last_poll() {
        let world = World::started_now().with_reply(|reply| reply.round_trip = secs(0.5));
        // The hold of 100 s is cut to 9: 10 s remain, minus a round trip for the held poll and one
        // for the last poll.
        let settings = held().with_long_poll(secs(100.0)).with_poll_timeout(secs(30.0));
        let trace = world.run(&settings, |_, poll| (poll.hold.unwrap_or_default() + secs(0.5), running()));
        let first = trace.polls[0];
        assert_eq!((first.hold, first.limit), (Some(secs(9.0)), secs(10.0)));
        assert_eq!(trace.sent(), [0.0, 9.5]);
        assert_eq!(trace.ended, secs(10.0));
    }

    #[test]
    fn a_hint_of_the_first_reply_is_obeyed_before_the_first_hold() {
        let world = World::started_now().with_reply(|reply| reply.hint = Some(after(2.0)));
        assert_eq!(world.replies(&held(), &[done()]).sent(), [2.0]);
    }
}
