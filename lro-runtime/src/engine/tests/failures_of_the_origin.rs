//! Failures that are the origin's: throttles and outages.

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
        let trace = World::started_now().run(&settings, |n, _| (Duration::ZERO, http(if n == 1 { 500 } else { 429 })));
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
