//! Properties that hold for every wait, with any settings, server, latencies and clocks.

use std::time::{Duration, Instant, SystemTime};

use proptest::{collection::vec, option, prelude::*};

use super::{
    End, LastReply, MOST_FOLLOWS, PollSuccess,
    simulation::{Reply, Trace, World, http},
};
use crate::{
    hint::Hint,
    settings::{ErrorBudget, Expiration, HintPolicy, Jitter, PollSettings, SHORTEST_DELAY, Schedule},
};

/// Durations from zero to more than any clock can hold. Everyday durations are more frequent.
fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        8 => (0_u64..120_000).prop_map(Duration::from_millis),
        2 => any::<u64>().prop_map(Duration::from_nanos),
        1 => Just(Duration::ZERO),
        1 => Just(Duration::MAX),
        1 => any::<u64>().prop_map(Duration::from_secs),
    ]
}

fn hints() -> impl Strategy<Value = Hint> {
    let date = any::<u32>().prop_map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(seconds)));
    prop_oneof![durations().prop_map(Hint::After), date.prop_map(Hint::At)]
}

fn replies() -> impl Strategy<Value = Reply> {
    let seen = (prop::bool::weighted(0.02), option::weighted(0.2, hints()), prop::bool::weighted(0.1))
        .prop_map(|(completed, hint, follow)| Reply::Success(PollSuccess { completed, hint, follow }));
    let failures = prop_oneof![3 => Just(503_u16), 2 => Just(500), 1 => Just(404), 1 => Just(403)];
    let failed = (failures, option::weighted(0.2, hints()));
    let failed = failed.prop_map(|(status, hint)| match http(status) {
        Reply::Fail(failure) => Reply::Fail(failure.with_hint(hint)),
        other => other,
    });
    prop_oneof![6 => seen, 3 => failed, 1 => Just(Reply::NoHold)]
}

fn latencies() -> impl Strategy<Value = Duration> {
    prop_oneof![3 => Just(Duration::ZERO), 5 => (0_u64..3_000_000_000).prop_map(Duration::from_nanos), 1 => durations()]
}

/// Every legal setting, extremes included. The expiration is finite.
fn settings() -> impl Strategy<Value = PollSettings> {
    let hold = option::of(durations().prop_map(|duration| duration.max(SHORTEST_DELAY)));
    (unheld_settings(), hold).prop_map(|(settings, hold)| hold.into_iter().fold(settings, PollSettings::with_long_poll))
}

/// Every legal setting except long polls, extremes included. The expiration is finite.
fn unheld_settings() -> impl Strategy<Value = PollSettings> {
    let long = || durations().prop_map(|duration| duration.max(SHORTEST_DELAY));
    let multiplier = prop_oneof![Just(1.0), 1.0..3.0, Just(f64::MAX)];
    let jitter = prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal)];
    let hint = prop_oneof![
        Just(HintPolicy::Ignore),
        (long(), durations()).prop_map(|(floor, more)| (floor..=floor.saturating_add(more)).into())
    ];
    let origin = (option::of(0_u32..12), option::of(durations()));
    let budget = (0_u32..12, durations(), long(), durations(), option::of(origin));
    let budget = budget.prop_map(|(failures, elapsed, delay, more, origin)| {
        let budget = ErrorBudget::new(failures).with_elapsed(elapsed).with_delay(delay);
        let budget = budget.with_max_delay(delay.saturating_add(more));
        let Some((failures, elapsed)) = origin else { return budget.with_origin_counted() };
        let budget = failures.into_iter().fold(budget.with_origin_forgiven(), ErrorBudget::with_origin_failures);
        elapsed.into_iter().fold(budget, ErrorBudget::with_origin_elapsed)
    });
    let delays = (option::of(durations()), long(), multiplier, durations(), jitter);
    (delays, (1_u64..100_000).prop_map(Duration::from_millis), long(), hint, budget, durations()).prop_map(
        |((initial, delay, multiplier, more, jitter), timeout, poll_timeout, hint, budget, grace)| {
            let settings = PollSettings::default()
                .with_delay(delay)
                .with_multiplier(multiplier)
                .with_max_delay(delay.saturating_add(more))
                .with_jitter(jitter)
                // Limits a wait to hundreds of polls; with short delays it could have hundreds of
                // thousands.
                .with_timeout(timeout.min(delay.saturating_mul(500).saturating_add(Duration::from_millis(500))))
                .with_poll_timeout(poll_timeout)
                .with_hint(hint)
                .with_error_budget(budget)
                .with_not_found_grace(grace);
            initial.into_iter().fold(settings, PollSettings::with_initial_delay)
        },
    )
}

/// Waits that begin with or without a reply, at any age, with timers that oversleep by up to 50 ms.
fn worlds() -> impl Strategy<Value = World> {
    let reply = (latencies(), any::<bool>(), option::weighted(0.3, hints()), prop::bool::weighted(0.1));
    let age = || (0_u64..100_000).prop_map(Duration::from_millis);
    (option::weighted(0.8, (age(), reply)), option::of(age()), 0_u64..50_000_000, any::<u32>()).prop_map(
        |(reply, started, oversleep, system)| {
            let world = World::started_now();
            let last_reply = reply.map(|(age, (round_trip, answers_start, hint, follow))| {
                (age, LastReply { at: world.began.into(), round_trip, answers_start, hint, follow })
            });
            World {
                // Far enough from the beginning of the clock that ages can be subtracted.
                began: Instant::now() + Duration::from_secs(1_000_000),
                system: SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(system)),
                last_reply,
                started,
                oversleep: Duration::from_nanos(oversleep),
                most_polls: 400_000,
                packs: false,
            }
        },
    )
}

/// A server: its latencies and replies, which it repeats in a circle.
fn servers() -> impl Strategy<Value = Vec<(Duration, Reply)>> {
    vec((latencies(), replies()), 1..40)
}

fn run(world: &World, settings: &PollSettings, server: &[(Duration, Reply)]) -> Trace {
    world.run(settings, |n, _| server[n % server.len()].clone())
}

fn timeout_of(schedule: &Schedule) -> Duration {
    match schedule.expiration {
        Expiration::Timeout(timeout) => timeout,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_wait_ends_by_its_deadline_and_times_out_exactly_on_it(world in worlds(), settings in settings(), server in servers()) {
        let timeout = timeout_of(&settings.clone().resolve().unwrap());
        let prompt = World { oversleep: Duration::ZERO, ..world };
        for world in [world, prompt] {
            let trace = run(&world, &settings, &server);
            prop_assert!(!trace.is_cut, "it ends");
            prop_assert!(trace.ended <= timeout + world.oversleep, "never late");
            if trace.is_timeout() {
                prop_assert!(trace.ended >= timeout, "never early");
            }
            for poll in &trace.polls {
                prop_assert!(poll.ended <= timeout, "a poll in flight is cut to what remains: {poll:?}");
                prop_assert!(poll.at + poll.limit <= timeout, "{poll:?}");
                prop_assert!(poll.hold.is_none_or(|hold| hold <= poll.limit && !hold.is_zero()), "a hold fits: {poll:?}");
            }
        }
    }

    #[test]
    fn the_last_reply_lands_on_the_deadline_if_replies_take_equally_long(
        mut world in worlds(), settings in unheld_settings(), millis in 0_u64..2000, hints in vec(option::of(hints()), 1..5)
    ) {
        world.oversleep = Duration::ZERO;
        let latency = Duration::from_millis(millis);
        if let Some((_, reply)) = &mut world.last_reply {
            (reply.round_trip, reply.follow) = (latency, false);
        }
        let schedule = settings.clone().resolve().unwrap();
        let timeout = timeout_of(&schedule);
        prop_assume!(schedule.poll_timeout > latency && timeout > latency * 4);
        let trace = world.run(&settings, |n, _| {
            (latency, Reply::Success(PollSuccess { hint: hints[n % hints.len()], ..PollSuccess::default() }))
        });
        prop_assert!(trace.is_timeout());
        let last = trace.polls.last().unwrap();
        prop_assert_eq!(last.ended, timeout, "{:?}", last);
        prop_assert_eq!(last.ended, last.at + latency, "not cut");
    }

    #[test]
    fn same_seed_same_schedule(world in worlds(), settings in settings(), server in servers(), seed: u64) {
        let settings = settings.with_seed(seed);
        prop_assert_eq!(run(&world, &settings, &server).polls, run(&world, &settings, &server).polls);
    }

    #[test]
    fn packing_an_engine_between_any_two_calls_changes_nothing(world in worlds(), settings in settings(), server in servers()) {
        let packed = run(&World { packs: true, ..world }, &settings, &server);
        let kept = run(&world, &settings, &server);
        prop_assert_eq!(format!("{packed:?}"), format!("{kept:?}"));
    }

    #[test]
    fn two_polls_at_one_instant_are_a_follow_or_a_last_poll(world in worlds(), settings in settings(), server in servers()) {
        let timeout = timeout_of(&settings.clone().resolve().unwrap());
        let trace = run(&world, &settings, &server);
        let mut in_a_row = 0;
        for (n, pair) in trace.polls.windows(2).enumerate() {
            if pair[1].at >= pair[0].at + SHORTEST_DELAY {
                in_a_row = 0;
                continue;
            }
            in_a_row += 1;
            let reply = &server[n % server.len()].1;
            let follows = matches!(reply, Reply::Success(PollSuccess { follow: true, .. }));
            let no_hold = matches!(reply, Reply::NoHold);
            let remaining = timeout.saturating_sub(pair[1].at);
            // A last poll leads the deadline by at most half the wait, so it is in the second half.
            let last_poll = n + 2 == trace.polls.len() || remaining <= timeout / 2;
            prop_assert!(follows || no_hold || last_poll, "poll {n}, {:?}, after {:?}", pair, reply);
            prop_assert!(in_a_row <= MOST_FOLLOWS + 2, "a hot loop at {n}: {:?}", pair);
        }
    }

    #[test]
    fn a_wait_between_polls_is_within_what_the_settings_say(
        world in worlds(), settings in unheld_settings(), hints in vec(option::of(hints()), 1..20)
    ) {
        let schedule = settings.clone().resolve().unwrap();
        let hint_of = |n: usize| hints[n % hints.len()];
        let trace = world.run(&settings, |n, _| {
            (Duration::ZERO, Reply::Success(PollSuccess { hint: hint_of(n), ..PollSuccess::default() }))
        });
        let last = trace.polls.len().saturating_sub(1);
        for (n, pair) in trace.polls.windows(2).enumerate() {
            let wait = pair[1].at.saturating_sub(pair[0].ended);
            let (least, most) = match (schedule.hint, hint_of(n)) {
                (HintPolicy::Obey { floor, ceiling }, Some(_)) => (floor, ceiling),
                _ => match schedule.jitter {
                    Jitter::None => (schedule.delay, schedule.max_delay),
                    Jitter::Full => (SHORTEST_DELAY, schedule.max_delay),
                    Jitter::Equal => ((schedule.delay / 2).max(SHORTEST_DELAY), schedule.max_delay),
                },
            };
            // The deadline may shorten the last delay. Oversleeping may lengthen every delay.
            prop_assert!(n + 1 == last || wait >= least, "{wait:?} < {least:?}");
            prop_assert!(wait <= most.saturating_add(world.oversleep * 2), "{wait:?} > {most:?}");
        }
    }

    #[test]
    fn failures_in_a_row_end_the_wait_when_the_budget_is_spent(
        world in worlds(), settings in unheld_settings(), latency in latencies(),
        status in prop_oneof![Just(503_u16), Just(500), Just(404)]
    ) {
        // Without a deadline, only the budget or the grace can end the wait.
        let settings = settings.without_expiration();
        let schedule = settings.clone().resolve().unwrap();
        let world = World { most_polls: 2_000, ..world };
        let trace = world.run(&settings, |_, _| (latency, http(status)));
        let budget = schedule.error_budget;
        let timed_out = latency > schedule.poll_timeout;
        let of_origin = budget.origin_limits(false).filter(|_| status == 503 && !timed_out);
        let limits = of_origin.unwrap_or(budget.limits());
        if trace.is_cut {
            let is_counted = limits.failures < 12 && status != 404;
            prop_assert!(trace.polls.len() < world.most_polls || !is_counted, "attempts are bounded");
        } else if status != 404 || timed_out {
            prop_assert!(matches!(trace.end, End::BudgetSpent(_)), "{:?}", trace.end);
            prop_assert!(trace.attempts <= limits.failures.saturating_add(1));
            if trace.attempts <= limits.failures {
                let since = trace.polls[0].ended;
                prop_assert!(trace.ended.saturating_sub(since) >= limits.elapsed, "time of the budget was left");
            }
        } else {
            prop_assert!(matches!(trace.end, End::Permanent(_)), "{:?}", trace.end);
        }
    }

    #[test]
    fn the_operation_pays_for_its_own_failures_and_for_no_outage(
        world in worlds(), settings in unheld_settings(), whose in vec(any::<bool>(), 1..40)
    ) {
        // Without hints every delay is the operation's or the origin's, and can be counted from
        // outside.
        let settings = settings.without_expiration().with_hint(HintPolicy::Ignore);
        let budget = settings.clone().resolve().unwrap().error_budget.with_origin_forgiven();
        let settings = settings.with_error_budget(budget);
        let world = World { most_polls: 2_000, ..world };
        let trace = world.run(&settings, |n, _| (Duration::ZERO, http(if whose[n % whose.len()] { 500 } else { 503 })));
        let is_own = |n: usize| whose[n % whose.len()];
        let own = (0..trace.polls.len()).filter(|n| is_own(*n)).count();
        let waits = trace.polls.windows(2).enumerate().filter(|(n, _)| is_own(*n));
        let spent = waits.fold(Duration::ZERO, |sum, (_, pair)| sum.saturating_add(pair[1].at.saturating_sub(pair[0].at)));
        prop_assert!(own <= budget.failures() as usize + 1, "{own} failures");
        if !trace.is_cut && trace.ended < Duration::from_secs(24 * 3600) {
            prop_assert!(matches!(trace.end, End::BudgetSpent(_)), "{:?}", trace.end);
            prop_assert!(own == budget.failures() as usize + 1 || spent >= budget.elapsed(), "{own} in {spent:?}");
        }
    }

    #[test]
    fn a_success_restores_the_budget(world in worlds(), settings in settings(), failures in 1_u32..12, spare in 0_u32..3) {
        // The budget must forgive failures for longer than their delays take; otherwise the next
        // failure ends the wait.
        let delay = Duration::from_millis(100);
        let budget = ErrorBudget::new(failures + spare).with_delay(delay).with_elapsed(delay * (1 << failures));
        let budget = budget.with_origin_counted();
        let settings = settings.without_expiration().with_error_budget(budget).with_hint(HintPolicy::Ignore);
        let world = World { most_polls: 200, oversleep: Duration::ZERO, ..world };
        let trace = world.run(&settings, |n, _| {
            let good = n % (failures as usize + 1) == failures as usize;
            (Duration::ZERO, if good { Reply::Success(PollSuccess::default()) } else { http(503) })
        });
        prop_assert_eq!(trace.polls.len(), 200, "{:?}", trace.end);
    }

    #[test]
    fn whatever_the_clock_does_nothing_overflows(
        settings in settings(), server in servers(), jumps in vec((any::<bool>(), durations()), 1..60), offset in any::<u32>()
    ) {
        let began = Instant::now() + Duration::from_secs(u64::from(offset));
        let world = World { began, ..World::started_now() };
        let mut engine = world.engine(&settings);
        let (mut now, mut system) = (began, world.system);
        for (n, (back, jump)) in jumps.into_iter().enumerate() {
            let there = if back { now.checked_sub(jump) } else { now.checked_add(jump) };
            now = there.unwrap_or(now);
            system = if back { system.checked_add(jump) } else { system.checked_sub(jump) }.unwrap_or(system);
            if let super::Action::Poll { limit, hold } = engine.next(now.into()) {
                prop_assert!(hold.is_none_or(|hold| hold <= limit));
                match server[n % server.len()].1.clone() {
                    Reply::Success(success) => engine.handle_success(now.into(), system, success),
                    Reply::Fail(failure) => engine.handle_failure(now.into(), system, failure),
                    Reply::NoHold => engine.handle_no_hold(now.into()),
                }
            }
            let _ = engine.elapsed(now.into());
        }
    }
}
