//! Durations and counts of callers, from nothing to the largest: a clear error or a wait, never a
//! panic.

use std::{
    pin::pin,
    time::{Duration, SystemTime},
};

use lro_runtime::{
    ErrorBudget, ErrorKind, Operations, PollSettings, RawOperation, Timer,
    dialect::{Call, Compute, Cursor, Dialect, Google, GoogleGrpc, Hint, Lxd},
    http,
    testing::{Script, ScriptedTransport, VirtualClock},
    timer::{AsyncIoTimer, TokioTimer},
    transport::{HyperTransport, Transport},
};
use serde_json::json;

use crate::support::{Stage, cat, percent, poll_once, secs};

const ODD: [Duration; 4] = [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(1), Duration::MAX];

/// Waits with these settings for an operation that fails two polls, runs and ends.
fn waited(settings: PollSettings) -> Result<lro_runtime::State, ErrorKind> {
    let script = Script::new().running_with(percent(1)).http(503, "").hint(Duration::MAX).running(2).done(cat());
    let stage = Stage::new(script);
    let done = smol::block_on(stage.export().poll_until_completed(settings));
    done.map(|operation| operation.untyped().state()).map_err(|error| error.kind())
}

#[test]
fn every_duration_of_the_settings_is_waited_for_or_refused() {
    type Set = fn(PollSettings, Duration) -> PollSettings;
    let setters: [(&str, Set); 15] = [
        ("initial_delay", PollSettings::with_initial_delay),
        ("delay", PollSettings::with_delay),
        ("max_delay", PollSettings::with_max_delay),
        ("timeout", PollSettings::with_timeout),
        ("poll_timeout", PollSettings::with_poll_timeout),
        ("not_found_grace", PollSettings::with_not_found_grace),
        ("long_poll", PollSettings::with_long_poll),
        ("hint", |settings, most| settings.with_hint(Duration::from_millis(1)..=most)),
        ("hint_floor", |settings, least| settings.with_hint(least..=Duration::MAX)),
        ("error_budget.elapsed", |settings, d| settings.with_error_budget(ErrorBudget::new(5).with_elapsed(d))),
        ("error_budget.delay", |settings, d| settings.with_error_budget(ErrorBudget::new(5).with_delay(d))),
        ("error_budget.max_delay", |settings, d| settings.with_error_budget(ErrorBudget::new(5).with_max_delay(d))),
        ("origin_elapsed", |settings, d| {
            settings.with_error_budget(ErrorBudget::new(u32::MAX).with_origin_counted().with_origin_elapsed(d))
        }),
        ("deadline", |settings, d| {
            settings.with_deadline(SystemTime::UNIX_EPOCH.checked_add(d).unwrap_or(SystemTime::UNIX_EPOCH))
        }),
        ("delay, grown", |settings, d| settings.with_delay(d).with_max_delay(d).with_multiplier(f64::MAX)),
    ];
    for (name, set) in setters {
        for duration in ODD {
            // An hour, because a virtual clock does not sleep for ever.
            for settings in
                [PollSettings::default().with_timeout(secs(3600.0)), PollSettings::batch().with_timeout(secs(3600.0))]
            {
                let settings = set(settings, duration);
                match (settings.validate(), waited(settings)) {
                    (Err(error), waited) => {
                        assert_eq!(waited, Err(ErrorKind::InvalidSettings), "{name} = {duration:?}");
                        assert!(error.to_string().contains("must be"), "{error}");
                    }
                    (Ok(()), waited) => assert!(
                        matches!(waited, Ok(lro_runtime::State::Succeeded) | Err(ErrorKind::Timeout | ErrorKind::Poll)),
                        "{name} = {duration:?}: {waited:?}"
                    ),
                }
            }
        }
    }
}

#[test]
fn every_dialect_writes_the_longest_hold() {
    let dialects: [(&dyn Dialect, &str); 4] = [
        (&Google::new(), "operations/1"),
        (&GoogleGrpc::new(), "operations/1"),
        (&Lxd::new(), "/1.0/operations/1"),
        (&Compute::new(), "projects/p/global/operations/1"),
    ];
    for (dialect, name) in dialects {
        let cursor = dialect.locate(name, &[]).unwrap();
        let [shortest, .., longest] = ODD.map(|duration| dialect.wait(&cursor, duration).unwrap());
        let written = |call: &Call| (call.target.clone(), call.body.clone());
        // Compute's call takes no time: the server holds it for as long as it likes.
        assert_eq!(written(&shortest) == written(&longest), dialect.id() == "compute", "{}", dialect.id());
    }
    let google = Google::new().wait(&Cursor::new("operations/1"), Duration::MAX).unwrap();
    assert_eq!(google.body, r#"{"timeout":"315576000000.000000000s"}"#, "the longest duration of protobuf");
    let lxd = Lxd::new().wait(&Cursor::new("1.0/operations/1"), Duration::MAX).unwrap();
    assert!(lxd.target.ends_with("timeout=9223372036"), "what a Go server can count: {}", lxd.target);
}

#[test]
fn an_operation_held_without_end_is_polled() {
    for hold in ODD {
        let clock = VirtualClock::new();
        let started = r#"{"type":"async","operation":"/1.0/operations/1","metadata":{"id":"1","status_code":103}}"#;
        let done = r#"{"type":"sync","metadata":{"id":"1","status_code":200}}"#;
        let script = Script::new().http(202, started).http(200, done);
        let transport = ScriptedTransport::new(script).with_clock(&clock);
        let client = Operations::builder("http://lxd").dialect(Lxd::new()).transport(transport).timer(clock).build();
        let operation: RawOperation = smol::block_on(client.unwrap().post("1.0/instances", &json!({}))).unwrap();
        match smol::block_on(operation.wait(hold)) {
            Ok(seen) => assert!(seen.is_succeeded()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidSettings, "{error}"),
        }
    }
}

#[test]
fn timers_sleep_for_ever_without_a_panic_and_can_be_set_anew() {
    let timers: [(&str, &dyn Timer); 3] =
        [("async-io", &AsyncIoTimer), ("tokio", &TokioTimer), ("virtual", &VirtualClock::manual())];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    for (name, timer) in timers {
        assert!(poll_once(pin!(timer.sleep(Duration::MAX))).is_pending(), "{name}");
        let _ = poll_once(pin!(timer.sleep(Duration::ZERO)));
        let mut sleep = timer.reusable_sleep(Duration::ZERO).unwrap();
        for _ in 0..2 {
            runtime.block_on(sleep.as_mut());
            sleep.as_mut().set(Duration::MAX);
            assert!(poll_once(pin!(&mut sleep)).is_pending(), "{name}");
            sleep.as_mut().set(Duration::ZERO);
        }
        runtime.block_on(sleep.as_mut());
        sleep.as_mut().set_from(timer.now(), Duration::MAX);
        assert!(poll_once(pin!(&mut sleep)).is_pending(), "{name}");
        sleep.as_mut().set_from(timer.now(), Duration::ZERO);
        runtime.block_on(sleep.as_mut());
        sleep.as_mut().set_from(timer.now() + secs(3_600.0), Duration::ZERO);
        assert!(poll_once(pin!(&mut sleep)).is_pending(), "{name}: the time that it was told is another");
    }
    let clock = VirtualClock::manual();
    for _ in 0..3 {
        clock.advance(Duration::MAX);
    }
    let _ = clock.now();
    let _ = clock.system_time();
}

#[test]
fn scripts_take_any_duration() {
    for duration in ODD {
        let script = Script::new().running_with(percent(1)).hint(duration).running_for(duration).done(cat());
        let stage = Stage::new(script);
        let waited = smol::block_on(
            stage.export().poll_until_completed(PollSettings::default().with_timeout(duration.min(secs(60.0)))),
        );
        assert!(waited.is_ok() || waited.is_err_and(|error| error.kind() == ErrorKind::Timeout), "{duration:?}");
        let stage = Stage::new(Script::new().running_with(percent(1)).running(1).taking(duration).done(cat()));
        drop(smol::block_on(stage.export().poll_once()));
    }
}

#[test]
fn start_calls_take_any_limit() {
    for duration in ODD {
        let clock = VirtualClock::new();
        let transport = ScriptedTransport::new(Script::new().http(503, "").running_with(percent(1))).with_clock(&clock);
        let client = Operations::builder("http://a.test").transport(transport).timer(clock).start_timeout(duration);
        match client.start_retries(u32::MAX).max_body(usize::MAX).build() {
            Ok(client) => {
                let call = client.call(http::Method::POST, "x").start_timeout(duration);
                let started = smol::block_on(async { call.await });
                assert!(
                    started.is_ok() || started.is_err_and(|error| error.kind() == ErrorKind::Start),
                    "{duration:?}"
                );
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidSettings, "{error}"),
        }
    }
}

#[test]
fn connections_take_any_limit() {
    // Nobody answers at port 1 of this machine, and no other test can be given it.
    for duration in ODD {
        let transport = HyperTransport::builder().connect_timeout(duration).build();
        let request = http::Request::get("http://127.0.0.1:1/").body(bytes::Bytes::new()).unwrap();
        let refused = smol::block_on(transport.send(&request, usize::MAX));
        assert!(refused.is_err());
    }
}

#[test]
fn a_hint_of_any_length_is_a_delay() {
    for duration in ODD {
        assert_eq!(Hint::After(duration).delay(SystemTime::UNIX_EPOCH), duration);
    }
    for date in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(u32::MAX) * 1000)] {
        let _ = Hint::At(date).delay(SystemTime::now());
    }
    let mut headers = http::HeaderMap::new();
    for value in [u64::MAX.to_string(), u128::MAX.to_string(), "-1".to_owned(), i64::MIN.to_string()] {
        for name in ["retry-after", "retry-after-ms", "x-ms-retry-after-ms", "openai-poll-after-ms"] {
            headers.insert(name, value.parse().unwrap());
            assert!(Hint::from_headers(&headers).is_some(), "{name}: {value}");
            headers.clear();
        }
    }
}
