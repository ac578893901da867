//! Mistakes with services that soon forget that an operation has ended.

use std::time::Duration;

use lro_runtime::{
    Operations, PollSettings, RawOperation, Result,
    dialect::Lxd,
    testing::VirtualClock,
    transport::{Reply, Request},
};
use serde_json::json;

use crate::support::{Server, json_reply, reply, secs};

/// When the work is done, and for how long the daemon remembers that, in seconds.
const DONE: f64 = 22.0;
const REMEMBERED: f64 = 5.0;

/// What the daemon answers at `now`.
fn operation(now: Duration) -> Reply {
    if now > secs(DONE + REMEMBERED) {
        return reply(404, r#"{"type":"error","error":"Operation not found","error_code":404}"#);
    }
    let code = if now < secs(DONE) { 103 } else { 200 };
    json_reply(&json!({ "type": "sync", "metadata": { "status_code": code, "err": "" } }))
}

/// Answers a start call and ordinary polls at once. A held poll is what `hold` makes of it.
fn daemon(
    clock: &VirtualClock,
    hold: impl Fn(Duration, Duration) -> (Duration, Reply) + Send + Sync + 'static,
) -> Server {
    Server::new(clock, move |now, request: &Request| {
        let (latency, reply) = match request.uri().query() {
            Some(query) => {
                let (_, seconds) = query.split_once("timeout=").unwrap();
                hold(now, Duration::from_secs(seconds.parse().unwrap()))
            }
            None if request.method() == http::Method::POST => {
                let started =
                    json!({ "type": "async", "operation": "/1.0/operations/u7", "metadata": { "status_code": 103 } });
                (Duration::ZERO, json_reply(&started))
            }
            None => (Duration::ZERO, operation(now)),
        };
        (latency, Ok(reply))
    })
}

/// Waits for the operation, and returns the outcome, when each poll was sent, and when the wait
/// ended, in seconds.
fn wait(clock: &VirtualClock, server: &Server, settings: PollSettings) -> (Result<RawOperation>, Vec<f64>, f64) {
    let builder = Operations::builder("http://lxd").dialect(Lxd::new()).transport(server.clone());
    let operations = builder.timer(clock.clone()).build().unwrap();
    let outcome = smol::block_on(async {
        let request = http::Request::post("/1.0/instances").body("").unwrap();
        operations.start(request).await?.poll_until_completed(settings).await
    });
    let sent = server.requests().iter().skip(1).map(|(at, _)| at.as_secs_f64()).collect();
    (outcome, sent, clock.elapsed().as_secs_f64())
}

/// A daemon that holds polls, as LXD does.
fn holds(now: Duration, hold: Duration) -> (Duration, Reply) {
    let until = (now + hold).min(secs(DONE).max(now));
    (until.saturating_sub(now), operation(until))
}

#[test]
fn a_result_that_is_soon_forgotten_is_not_lost_to_growing_delays() {
    let clock = VirtualClock::new();
    let server = daemon(&clock, holds);
    let (outcome, sent, ended) = wait(&clock, &server, PollSettings::default());
    assert!(outcome.unwrap().is_succeeded());
    assert!((ended - DONE).abs() < 1e-9, "the end is told at once, at {ended}");
    assert!(sent.len() < 10, "holds grow as delays do: {sent:?}");
    assert!(server.requests()[1..].iter().all(|(_, request)| request.uri().path() == "/1.0/operations/u7/wait"));
}

#[test]
fn where_polls_are_not_held_no_delay_is_longer_than_half_of_what_is_remembered() {
    type Hold = fn(Duration, Duration) -> (Duration, Reply);
    let at_once: Hold = |now, _| (Duration::ZERO, operation(now));
    let unknown: Hold = |_, _| (Duration::ZERO, reply(404, "<html>no route</html>"));
    let cut: Hold = |_, _| (secs(1e6), reply(504, ""));
    let failing: Hold = |_, _| (Duration::ZERO, reply(503, ""));
    let default = PollSettings::default;
    let rare = || default().with_delay(secs(20.0)).with_initial_delay(secs(15.0));
    for (what, hold, settings) in [
        ("a server that answers at once", at_once, default()),
        ("a server without the call", unknown, default()),
        ("a proxy that cuts what is held", cut, default().with_poll_timeout(secs(1.0))),
        ("settings without held polls", holds, default().without_long_poll()),
        ("rare polls", holds, rare().without_long_poll()),
        ("held polls that fail", failing, default()),
    ] {
        let clock = VirtualClock::new();
        let server = daemon(&clock, hold);
        let (outcome, sent, ended) = wait(&clock, &server, settings);
        let gap = sent.windows(2).map(|pair| pair[1] - pair[0]).fold(sent[0], f64::max);
        assert!(gap <= REMEMBERED / 2.0 + 1e-9, "{what}: {sent:?}");
        assert!(outcome.unwrap().is_succeeded(), "{what}");
        assert!(ended <= DONE + REMEMBERED / 2.0, "{what}: {ended}");
    }
}

#[test]
fn a_hold_of_the_settings_goes_before_that_of_the_dialect() {
    let clock = VirtualClock::new();
    let server = daemon(&clock, holds);
    let settings = PollSettings::default().with_long_poll(secs(60.0));
    let (outcome, sent, ended) = wait(&clock, &server, settings);
    assert!(outcome.unwrap().is_succeeded());
    assert_eq!((sent.len(), ended), (1, DONE));
    assert_eq!(server.requests()[1].1.uri().query(), Some("timeout=60"));
}
