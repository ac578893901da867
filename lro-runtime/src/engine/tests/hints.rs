//! What a server's wishes do to the delays.

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
