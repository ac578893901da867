//! How long the engine waits between polls.

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
