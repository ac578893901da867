//! Polls that lead elsewhere.

use super::*;

#[test]
fn is_at_once_but_not_for_ever() {
    let world = World { most_polls: 40, ..World::started_now() };
    let trace = world.run(&every_second().without_expiration(), |_, _| (Duration::ZERO, follow()));
    let at_first = trace.polls.iter().filter(|poll| poll.at == secs(1.0)).count();
    assert_eq!(at_first, 1 + usize::from(MOST_FOLLOWS));
    let later = trace.polls.iter().filter(|poll| poll.at == secs(2.0)).count();
    assert_eq!(later, 1, "a server that redirects for ever is polled as usual");
}

#[test]
fn is_at_once_though_it_is_the_last_poll_that_fits_before_the_deadline() {
    // Every reply takes 2 s, so that the last poll is for the 8th second. A reply at the 6th
    // that leads elsewhere is followed at once, not two seconds later.
    let trace = World::started_now().replies_in(secs(2.0), &every_second(), &[running(), follow(), running(), done()]);
    assert_eq!(trace.sent(), [1.0, 4.0, 6.0]);
}

#[test]
fn of_the_first_reply_is_at_once_too() {
    let world = World::started_now().with_reply(|reply| reply.follow = true);
    assert_eq!(world.replies(&every_second(), &[done()]).sent(), [0.0]);
}
