//! Polls that the server holds.

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
