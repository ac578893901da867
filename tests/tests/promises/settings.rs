//! Promises of settings: which values are legal, whose value counts, and how they are written as
//! text.

use std::time::{Duration, SystemTime};

use lro_runtime::{
    Deadline, ErrorBudget, ErrorKind, Expiration, Failure, HintPolicy, Jitter, Operations, PollSettings, UnknownStatus,
    Verdict, testing::Script,
};
use proptest::{option, prelude::*};
use serde_json::json;

use crate::support::{ImageClient, Stage, cat, percent, secs};

const MS: Duration = Duration::from_millis(1);

#[test]
fn what_is_not_legal_is_named_with_what_was_found_and_what_is_legal() {
    let settings = PollSettings::default;
    let cases = [
        (settings().with_multiplier(0.5), "multiplier = 0.5: must be at least 1"),
        (settings().with_multiplier(f64::NAN), "multiplier = NaN: must be at least 1"),
        (settings().with_multiplier(f64::INFINITY), "multiplier = inf: must be"),
        (settings().with_delay(Duration::ZERO), "delay = 0s: must be at least 1ms"),
        (settings().with_delay(2 * MS).with_max_delay(MS), "max_delay = 1ms: must be at least 2ms"),
        (settings().with_max_delay(Duration::ZERO), "delay = 0s: must be at least 1ms"),
        (settings().with_poll_timeout(Duration::ZERO), "poll_timeout = 0s: must be at least 1ms"),
        (settings().with_hint(Duration::ZERO..=MS), "hint_floor = 0s: must be at least 1ms"),
        (settings().with_hint(2 * MS..=MS), "hint_ceiling = 1ms: must be at least 2ms"),
        (settings().with_long_poll(Duration::ZERO), "long_poll = 0s: must be at least 1ms"),
        (settings().with_error_budget(ErrorBudget::new(1).with_delay(Duration::ZERO)), "error_budget.delay = 0s"),
        (
            settings().with_error_budget(ErrorBudget::new(1).with_delay(2 * MS).with_max_delay(MS)),
            "error_budget.max_delay = 1ms",
        ),
    ];
    for (settings, said) in cases {
        let error = settings.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSettings);
        assert!(error.to_string().contains(said), "{error}");
        let built = Operations::builder("http://a.test").poll_settings(settings.clone()).build().unwrap_err();
        assert_eq!(built.kind(), ErrorKind::InvalidSettings);
        let stage = Stage::new(Script::new().running_with(percent(1)));
        let waited = smol::block_on(stage.export().poll_until_completed(settings)).unwrap_err();
        assert_eq!((waited.kind(), stage.requests()), (ErrorKind::InvalidSettings, 1), "and nothing is sent");
    }
}

#[test]
fn a_lone_value_beyond_its_neighbours_default_moves_it() {
    for settings in [
        PollSettings::default().with_delay(secs(3600.0)),
        PollSettings::default().with_max_delay(MS),
        PollSettings::default().with_error_budget(ErrorBudget::new(3).with_delay(secs(60.0))),
        PollSettings::default(),
        PollSettings::interactive(),
        PollSettings::batch(),
    ] {
        settings.validate().unwrap();
    }
}

#[test]
fn settings_are_equal_where_every_one_of_them_is() {
    let settings = PollSettings::default;
    let changed = [
        settings(),
        settings().with_initial_delay(MS),
        settings().with_delay(MS),
        settings().with_multiplier(3.0),
        settings().with_max_delay(MS),
        settings().with_jitter(Jitter::Equal),
        settings().with_seed(7),
        settings().with_timeout(MS),
        settings().with_poll_timeout(MS),
        settings().with_hint(HintPolicy::Ignore),
        settings().with_error_budget(3),
        settings().with_not_found_grace(MS),
        settings().with_long_poll(MS),
        settings().with_unknown_status(UnknownStatus::Error),
        settings().with_failure_policy(|_: &Failure| Verdict::Stop),
        settings().with_failure_policy(|_: &Failure| Verdict::Stop),
    ];
    for (n, one) in changed.iter().enumerate() {
        for (m, other) in changed.iter().enumerate() {
            assert_eq!(one == other, n == m, "{one:?} and {other:?}");
        }
        assert_eq!(one.clone(), *one, "a clone has the same policy");
    }
}

#[test]
fn a_budget_says_what_it_forgives_however_it_is_made() {
    let budget = ErrorBudget::new(5).with_elapsed(secs(90.0));
    assert_eq!((budget.failures(), budget.elapsed()), (5, secs(90.0)));
    assert_eq!(ErrorBudget::from((5, secs(90.0))), budget);
    assert_eq!(ErrorBudget::from(5), ErrorBudget::new(5));
}

/// Returns when the polls of a wait with these settings are sent, in seconds.
fn schedule(settings: PollSettings, polls: usize) -> Vec<f64> {
    let script = (0..polls).fold(Script::new().running_with(percent(1)), |script, _| script.running(1)).done(cat());
    let stage = Stage::new(script);
    let settings = settings.or(PollSettings::default().without_expiration());
    let _ = smol::block_on(stage.export().poll_until_completed(settings));
    stage.sent()
}

#[test]
fn presets_are_as_documented() {
    let waits = |settings| {
        let sent = schedule(settings, 40);
        sent.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
    };
    let close = |one: f64, two: f64| assert!((one - two).abs() < 1e-6, "{one} {two}");
    for (settings, first, last) in [(PollSettings::default(), 1.0, 20.0), (PollSettings::interactive(), 0.1, 5.0)] {
        let waits = waits(settings);
        close(waits[0], first);
        close(waits[1], first * 1.5);
        close(*waits.last().unwrap(), last);
    }
    let batch = waits(PollSettings::batch());
    assert!(
        (5.0..=10.0).contains(&batch[0]) && batch.iter().skip(20).all(|wait| (30.0..=60.0).contains(wait)),
        "{batch:?}"
    );
    for (settings, limit) in [
        (PollSettings::default(), 3600.0),
        (PollSettings::interactive(), 15.0 * 60.0),
        (PollSettings::batch(), 24.0 * 3600.0),
    ] {
        let stage = Stage::new(Script::new().running_with(percent(1)).running(9999));
        let error = smol::block_on(stage.export().poll_until_completed(settings)).unwrap_err();
        assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Timeout, Some(secs(limit))));
    }
}

/// Returns when `purge` is polled, given the settings of the argument and of the client.
///
/// The method's own settings are a delay of 7 s, multiplier 1 and a timeout of 20 s.
fn purge(argument: PollSettings, of_client: PollSettings) -> Vec<f64> {
    let stage = Stage::new(Script::new().running_with(json!({})).running(99));
    let operations = Operations::builder("http://scripted.test")
        .transport(stage.transport.clone().with_clock(&stage.clock))
        .timer(stage.clock.clone())
        .poll_settings(of_client)
        .build()
        .unwrap();
    let operation = smol::block_on(ImageClient { operations }.purge()).unwrap();
    assert_eq!(smol::block_on(operation.poll_until_completed(argument)).unwrap_err().kind(), ErrorKind::Timeout);
    stage.transport.request_times().iter().map(Duration::as_secs_f64).collect()
}

#[test]
fn argument_before_method_before_client_before_library_field_by_field() {
    let none = PollSettings::default;
    assert_eq!(purge(none(), none()), [0.0, 7.0, 14.0, 20.0], "the method's");
    let client = none().with_delay(secs(1.0)).with_timeout(secs(2.0)).with_initial_delay(secs(3.0));
    assert_eq!(
        purge(none(), client.clone()),
        [0.0, 3.0, 10.0, 17.0, 20.0],
        "the client's where the method says nothing"
    );
    let argument = none().with_timeout(secs(12.0)).with_multiplier(2.0).with_max_delay(secs(8.0));
    assert_eq!(purge(argument, client), [0.0, 3.0, 10.0, 12.0], "the argument's first");
}

/// Any duration, often one of less than ten seconds.
fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        any::<u64>().prop_map(Duration::from_nanos),
        (any::<u64>(), 0_u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        (0_u64..10_000).prop_map(Duration::from_millis),
    ]
}

/// Settings with any values, most of them not legal together: writing and reading must not depend
/// on that.
fn settings() -> impl Strategy<Value = PollSettings> {
    let jitter = prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal)];
    let system = (0_u64..1 << 40, 0_u32..1_000_000_000).prop_map(|(secs, nanos)| {
        Expiration::Deadline(Deadline::System(SystemTime::UNIX_EPOCH + Duration::new(secs, nanos)))
    });
    let expiration = prop_oneof![durations().prop_map(Expiration::Timeout), system, Just(Expiration::Never)];
    let hint = prop_oneof![
        Just(HintPolicy::Ignore),
        (durations(), durations()).prop_map(|(floor, ceiling)| HintPolicy::Obey { floor, ceiling }),
    ];
    let origin = option::of((option::of(any::<u32>()), option::of(durations())));
    let budget = (any::<u32>(), durations(), durations(), durations(), origin);
    let budget = budget.prop_map(|(failures, elapsed, delay, max, origin)| {
        let budget = ErrorBudget::new(failures).with_elapsed(elapsed).with_delay(delay).with_max_delay(max);
        let Some((failures, elapsed)) = origin else { return budget.with_origin_counted() };
        let budget = failures.into_iter().fold(budget.with_origin_forgiven(), ErrorBudget::with_origin_failures);
        elapsed.into_iter().fold(budget, ErrorBudget::with_origin_elapsed)
    });
    let unknown = prop_oneof![Just(UnknownStatus::Running), Just(UnknownStatus::Error)];
    let one = (
        option::of(durations()),
        option::of(durations()),
        option::of(durations()),
        option::of((100_u32..100_000).prop_map(|hundredths| f64::from(hundredths) / 100.0)),
        option::of(jitter),
    );
    let two = (option::of(any::<u64>()), option::of(expiration), option::of(durations()), option::of(hint));
    let three = (option::of(budget), option::of(durations()), option::of(durations()), option::of(unknown));
    (one, two, three).prop_map(|((initial, delay, max, multiplier, jitter), (seed, expiration, poll, hint), (budget, grace, hold, unknown))| {
        let mut all = PollSettings::default();
        macro_rules! set {
            ($($value:ident => $with:ident),*) => { $(if let Some(value) = $value { all = all.$with(value); })* };
        }
        set!(initial => with_initial_delay, delay => with_delay, max => with_max_delay, multiplier => with_multiplier, jitter => with_jitter,
            seed => with_seed, expiration => with_expiration, poll => with_poll_timeout, hint => with_hint, budget => with_error_budget,
            grace => with_not_found_grace, hold => with_long_poll, unknown => with_unknown_status);
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back_exactly(settings in settings()) {
        let text = serde_json::to_string(&settings).unwrap();
        let back: PollSettings = serde_json::from_str(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        prop_assert_eq!(&back, &settings, "{}", text);
        prop_assert_ne!(format!("{:?}", settings), "");
    }
}

#[test]
fn a_written_budget_has_the_origins_share_of_its_setters() {
    let read = |text: &str| serde_json::from_str::<ErrorBudget>(text).unwrap();
    assert_eq!(read(r#"{"failures": 5}"#), ErrorBudget::new(5));
    assert_eq!(read(r#"{"failures": 0}"#), ErrorBudget::new(0));
    assert_eq!(read("{}"), ErrorBudget::default());
    for forgiven in [r#"{"failures": 0, "origin": "forgiven"}"#, r#"{"failures": 0, "origin": {}}"#] {
        assert_eq!(read(forgiven), ErrorBudget::new(0).with_origin_forgiven());
    }
    assert_eq!(read(r#"{"failures": 5, "origin": "counted"}"#), ErrorBudget::new(5).with_origin_counted());
    let ten_minutes = ErrorBudget::new(5).with_origin_elapsed(secs(600.0)).with_origin_failures(9);
    assert_eq!(read(r#"{"failures": 5, "origin": {"failures": 9, "elapsed": "10m"}}"#), ten_minutes);
    for wrong in [r#""often""#, r#"{"failure": 9}"#, "9"] {
        let error = serde_json::from_str::<ErrorBudget>(&format!(r#"{{"origin": {wrong}}}"#)).unwrap_err();
        assert!(error.to_string().contains("`forgiven`, `counted`"), "{wrong}: {error}");
    }
    for budget in [ErrorBudget::default(), ErrorBudget::new(0), ErrorBudget::new(5).with_origin_counted(), ten_minutes]
    {
        let text = serde_json::to_string(&budget).unwrap();
        assert_eq!(read(&text), budget, "{text}");
    }
}

#[test]
fn held_polls_are_a_duration_or_never() {
    let never = PollSettings::default().without_long_poll();
    assert_eq!(serde_json::to_string(&never).unwrap(), r#"{"long_poll":"never"}"#);
    let read = |text: &str| serde_json::from_str::<PollSettings>(text);
    assert_eq!(read(r#"{"long_poll":"never"}"#).unwrap(), never);
    assert_eq!(read(r#"{"long_poll":"30s"}"#).unwrap(), PollSettings::default().with_long_poll(secs(30.0)));
    assert_eq!(read(r#"{"long_poll":1.5}"#).unwrap(), PollSettings::default().with_long_poll(secs(1.5)));
    let error = read(r#"{"long_poll":"Never"}"#).unwrap_err().to_string();
    assert!(error.contains("`Never` is not a duration"), "{error}");
    assert!(format!("{never:?}").contains("long_poll: never"), "{never:?}");
}

#[test]
fn durations_are_written_for_people() {
    let read = |text: &str| serde_json::from_str::<PollSettings>(text);
    let settings =
        read(r#"{"delay": "1m 30s", "max_delay": "2h", "poll_timeout": 1.5, "expiration": {"timeout": "1d 2h 3ms"}}"#)
            .unwrap();
    let expected = PollSettings::default()
        .with_delay(secs(90.0))
        .with_max_delay(secs(7200.0))
        .with_poll_timeout(secs(1.5))
        .with_timeout(Duration::from_millis(93_600_003));
    assert_eq!(settings, expected);
    for wrong in [
        r#"{"delay": "soon"}"#,
        r#"{"delay": "5"}"#,
        r#"{"delay": -1}"#,
        r#"{"delay": 1e300}"#,
        r#"{"delay": [1]}"#,
        r#"{"delay": ""}"#,
    ] {
        let said = read(wrong).unwrap_err().to_string();
        assert!(said.contains("1m 30s") || said.contains("seconds"), "{wrong}: {said}");
    }
}

#[test]
fn an_unknown_field_is_an_error_that_names_it() {
    for (text, field) in [
        (r#"{"dealy": "1s"}"#, "dealy"),
        (r#"{"error_budget": {"failures": 1, "elapst": "1s"}}"#, "elapst"),
        (r#"{"hint": {"obey": {"floor": "1s", "ceiling": "2s", "roof": "3s"}}}"#, "roof"),
        (r#"{"jitter": "some"}"#, "some"),
        (r#"{"expiration": "sometimes"}"#, "sometimes"),
    ] {
        let said = serde_json::from_str::<PollSettings>(text).unwrap_err().to_string();
        assert!(said.contains(field), "{said}");
    }
}

#[test]
fn a_monotonic_deadline_is_not_written_down() {
    let settings = PollSettings::default().with_deadline(std::time::Instant::now());
    let said = serde_json::to_string(&settings).unwrap_err().to_string();
    assert!(said.contains("SystemTime"), "{said}");
}

#[test]
fn a_failure_policy_lives_no_longer_than_what_was_given_it() {
    let held = std::sync::Arc::new(());
    let stage = Stage::new(Script::new().running_with(percent(1)).done(cat()));
    let operation = smol::block_on(stage.client.export_image()).unwrap();
    let in_policy = std::sync::Arc::clone(&held);
    let policy = move |failure: &Failure| {
        drop(std::sync::Arc::clone(&in_policy));
        failure.verdict()
    };
    let settings = PollSettings::default().with_failure_policy(policy);
    assert!(smol::block_on(operation.poll_until_completed(settings)).unwrap().is_succeeded());
    assert_eq!(std::sync::Arc::strong_count(&held), 1, "the client keeps nothing of it");
}
