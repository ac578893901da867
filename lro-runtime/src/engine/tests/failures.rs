//! Failed polls: which are forgiven, how often and for how long.

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
