//! Promises that a history keeps too seldom to be sure of, one by one.

use std::time::Duration;

use super::{
    super::*,
    service::{http, refused},
};
use crate::engine::Opening;
use crate::settings::PollSettings;

const SECOND: Duration = Duration::from_secs(1);

/// A core with one origin and one group, and 10 s between polls.
struct Fleet {
    core: Core,
    epoch: Instant,
    now: Duration,
    origin: OriginId,
    group: GroupId,
    /// Of the group, and of none.
    kinds: [KindId; 2],
}

impl Fleet {
    fn new(shown: Shown, budget: Budget, timeout: Duration) -> Self {
        let epoch = Instant::now();
        let mut core = Core::new(epoch);
        let origin = core.add_origin(budget, epoch);
        let (lane, group) = (core.add_lane(origin).unwrap(), core.add_group(origin, shown).unwrap());
        let settings =
            PollSettings::default().with_delay(10 * SECOND).with_max_delay(10 * SECOND).with_timeout(timeout);
        let schedule = Arc::new(settings.resolve().unwrap());
        let kinds = [Some(group), None].map(|group| {
            let schedule = Arc::clone(&schedule);
            core.add_kind(Kind { schedule, origin, lane, priority: Priority::Normal, group }, None)
        });
        Self { core, epoch, now: SECOND, origin, group, kinds }
    }

    fn time(&self) -> Instant {
        self.epoch + self.now
    }

    fn watch(&mut self, kind: KindId) -> Ticket {
        let opening = Opening {
            now: self.time().into(),
            system_now: SystemTime::UNIX_EPOCH,
            completed: false,
            last_reply: None,
            started: Some(self.time().into()),
            is_found: false,
            seed: 7,
        };
        self.core.add(&opening, kind).unwrap()
    }

    fn watch_many(&mut self, count: u32, kind: KindId) {
        for _ in 0..count {
            self.watch(kind);
        }
    }

    /// Returns what is to be done now.
    fn due(&mut self) -> Vec<Next> {
        let mut due = Vec::new();
        loop {
            match self.core.next(self.time()) {
                Next::Sleep(_) => return due,
                next => due.push(next),
            }
        }
    }

    /// Sleeps as long as the core wants to. Returns what is to be done then.
    fn wake(&mut self) -> Vec<Next> {
        loop {
            match self.core.next(self.time()) {
                Next::Sleep(until) => self.now = until.expect("it waits for something") - self.epoch,
                next => {
                    let mut due = vec![next];
                    due.extend(self.due());
                    return due;
                }
            }
        }
    }

    fn report(&mut self, next: &Next, gave: Gave) {
        let Next::Poll { ticket, .. } = next else { panic!("{next:?} is no poll") };
        self.core.report(*ticket, self.time(), SystemTime::UNIX_EPOCH, gave);
    }

    fn end_page(&mut self, end: PageEnd, members: &[Ticket]) {
        self.core.end_page(self.group, self.time(), SystemTime::UNIX_EPOCH, &end, members.iter().copied());
    }
}

const LIST: Shown = Shown::Listed { page: 100, has_ended: false, has_results: false, visible_after: 0 };
const HOUR: Duration = Duration::from_secs(3_600);

fn plenty() -> Budget {
    Budget::per_origin(1_000.0)
}

fn running() -> Gave {
    Gave::Success(PollSuccess::default())
}

fn silent() -> Gave {
    Gave::Failure(Failure::new(Cause::TimedOut(30 * SECOND)))
}

#[test]
fn an_origin_that_is_silent_is_down() {
    let mut fleet = Fleet::new(LIST, plenty(), HOUR);
    let kind = fleet.kinds[1];
    fleet.watch_many(10, kind);
    let due = fleet.due();
    fleet.now += 30 * SECOND;
    for next in &due {
        fleet.report(next, silent());
    }
    let health = fleet.core.health_of(fleet.origin, fleet.time()).unwrap();
    assert_eq!(health.blocked.map(|(why, _)| why), Some(super::super::super::origin::Why::Down));
}

#[test]
fn polls_that_a_deadline_has_cut_say_nothing_of_their_origin() {
    let mut fleet = Fleet::new(LIST, plenty(), 20 * SECOND);
    let kind = fleet.kinds[1];
    fleet.watch_many(10, kind);
    let due = fleet.due();
    fleet.now += 20 * SECOND;
    for next in &due {
        fleet.report(next, silent());
    }
    assert!(fleet.core.health_of(fleet.origin, fleet.time()).unwrap().blocked.is_none());
}

#[test]
fn an_origin_that_was_given_up_is_asked_again() {
    let mut fleet = Fleet::new(LIST, plenty(), 10 * HOUR);
    fleet.core.set_patience(Some(60 * SECOND));
    let kind = fleet.kinds[1];
    fleet.watch_many(3, kind);
    let mut given_up = 0;
    while given_up < 3 {
        for next in fleet.wake() {
            match next {
                Next::Ended { ticket, end: End::BudgetSpent(_), .. } => {
                    fleet.core.remove(ticket);
                    given_up += 1;
                }
                next => fleet.report(&next, Gave::Failure(refused())),
            }
        }
    }
    assert!((60 * SECOND..180 * SECOND).contains(&fleet.now), "{:?}", fleet.now);
    fleet.now += HOUR;
    let ticket = fleet.watch(kind);
    let due = fleet.due();
    assert!(matches!(&due[..], [Next::Poll { ticket: polled, .. }] if *polled == ticket), "{due:?}");
    fleet.report(&due[0], Gave::Success(PollSuccess { completed: true, ..PollSuccess::default() }));
    assert!(matches!(&fleet.due()[..], [Next::Ended { end: End::Completed, .. }]));
}

#[test]
fn members_that_are_held_back_are_given_up_with_their_origin() {
    let mut fleet = Fleet::new(LIST, plenty(), 10 * HOUR);
    fleet.core.set_patience(Some(60 * SECOND));
    let kinds = fleet.kinds;
    fleet.watch_many(20, kinds[0]);
    let mut given_up = 0;
    while given_up < 20 {
        for next in fleet.wake() {
            match next {
                Next::Ended { end: End::BudgetSpent(_), .. } => given_up += 1,
                Next::Page { .. } => fleet.end_page(PageEnd::Failed(refused()), &[]),
                next => fleet.report(&next, Gave::Failure(refused())),
            }
        }
        assert!(fleet.now < 600 * SECOND, "{given_up}");
    }
}

#[test]
fn a_list_speaks_for_its_own_operations_only() {
    let mut fleet = Fleet::new(LIST, plenty(), HOUR);
    let kinds = fleet.kinds;
    let [own, other] = kinds.map(|kind| fleet.watch(kind));
    assert!(!fleet.core.show(fleet.group, other, fleet.time(), Seen::Ended), "of no group");
    let older = Ticket { generation: own.generation.wrapping_sub(1), ..own };
    assert!(!fleet.core.show(fleet.group, older, fleet.time(), Seen::Ended), "gone");
    assert!(fleet.core.show(fleet.group, own, fleet.time(), Seen::Ended));
    let due = fleet.due();
    let ended = |next: &&Next| matches!(next, Next::Ended { ticket, .. } if *ticket == own);
    assert_eq!(due.iter().filter(ended).count(), 1, "{due:?}");
    assert_eq!(due.len(), 2, "{due:?}");
}

#[test]
fn the_last_look_before_a_deadline_is_a_poll_whatever_a_list_shows() {
    let mut fleet = Fleet::new(LIST, plenty(), 15 * SECOND);
    let kind = fleet.kinds[0];
    let tickets: Vec<Ticket> = (0..2).map(|_| fleet.watch(kind)).collect();
    // One poll of each, so that the last look is a round trip before the deadline.
    for ticket in &tickets {
        assert!(fleet.core.poll_soon(*ticket, fleet.time()));
    }
    let due = fleet.due();
    fleet.now += SECOND;
    for next in &due {
        fleet.report(next, running());
    }
    // At the last look, and before anybody has asked the core.
    fleet.now = SECOND + 14 * SECOND + Duration::from_millis(1);
    for ticket in &tickets {
        assert!(fleet.core.show(fleet.group, *ticket, fleet.time(), Seen::Running));
    }
    fleet.now += Duration::from_millis(20);
    let polled = fleet.due().iter().filter(|next| matches!(next, Next::Poll { .. })).count();
    assert_eq!(polled, 2, "a list may lag");
}

#[test]
fn a_throttled_page_is_asked_for_again_and_not_each_member() {
    let mut fleet = Fleet::new(LIST, plenty(), HOUR);
    let kind = fleet.kinds[0];
    let tickets: Vec<Ticket> = (0..200).map(|_| fleet.watch(kind)).collect();
    // The first one was alone.
    assert!(matches!(&fleet.due()[..], [Next::Poll { .. }, Next::Page { is_first: true, .. }]));
    fleet.end_page(PageEnd::More, &tickets);
    assert!(matches!(&fleet.due()[..], [Next::Page { is_first: false, .. }]));
    fleet.end_page(PageEnd::Failed(http(429)), &tickets);
    let due = fleet.wake();
    assert!(matches!(&due[..], [Next::Page { is_first: false, .. }]), "{} requests", due.len());
}

#[test]
fn a_batch_that_was_given_up_or_throttled_is_sent_again() {
    let shown = Shown::Named { most: 100 };
    for end in [PageEnd::GivenUp, PageEnd::Failed(http(503))] {
        let mut fleet = Fleet::new(shown, plenty(), HOUR);
        let kind = fleet.kinds[0];
        fleet.watch_many(100, kind);
        fleet.due(); // the first one was alone
        let due = fleet.wake();
        let [Next::Batch { members, .. }] = &due[..] else { panic!("{due:?}") };
        fleet.end_page(end, members);
        let again = fleet.wake();
        assert!(matches!(&again[..], [Next::Batch { members, .. }] if members.len() == 99), "{again:?}");
    }
}

#[test]
fn members_of_a_batch_in_flight_do_not_hasten_the_next_one() {
    let mut fleet = Fleet::new(Shown::Named { most: 10 }, plenty(), HOUR);
    let kind = fleet.kinds[0];
    fleet.watch_many(10, kind);
    fleet.watch(kind);
    // The first one was alone.
    assert!(matches!(&fleet.due()[..], [Next::Poll { .. }, Next::Batch { .. }]));
    fleet.watch(kind);
    assert!(fleet.due().is_empty(), "it waits for others");
}

#[test]
fn a_cancel_call_is_sent_once_until_it_is_answered() {
    let mut fleet = Fleet::new(LIST, plenty(), HOUR);
    let kind = fleet.kinds[1];
    let ticket = fleet.watch(kind);
    let cancels = |fleet: &mut Fleet| fleet.due().iter().filter(|next| matches!(next, Next::Cancel { .. })).count();
    assert!(fleet.core.cancel(ticket) && fleet.core.cancel(ticket));
    assert_eq!(cancels(&mut fleet), 1);
    assert!(fleet.core.cancel(ticket));
    assert_eq!(cancels(&mut fleet), 0, "it is in flight");
    fleet.core.report_cancel(ticket, 0, fleet.time(), SystemTime::UNIX_EPOCH, &asked::Cancelled::GivenUp);
    assert_eq!(cancels(&mut fleet), 1, "what was given up is sent again");
    fleet.core.report_cancel(ticket, 0, fleet.time(), SystemTime::UNIX_EPOCH, &asked::Cancelled::Answered);
    assert!(fleet.core.cancel(ticket));
    assert_eq!(cancels(&mut fleet), 1);
}

#[test]
fn an_urgent_poll_does_not_wait_for_the_part_that_is_held_back_for_it() {
    let mut fleet = Fleet::new(LIST, Budget::per_origin(1.0).burst(50), HOUR);
    let kind = fleet.kinds[1];
    let tickets: Vec<Ticket> = (0..100).map(|_| fleet.watch(kind)).collect();
    // All but what is held back; then that as well.
    let due = fleet.due();
    assert_eq!(due.len(), 45);
    for next in &due {
        fleet.report(next, running());
    }
    for ticket in tickets.iter().rev().take(10) {
        assert!(fleet.core.poll_soon(*ticket, fleet.time()));
    }
    let urgent = fleet.due();
    assert!(urgent.len() >= 5, "{}", urgent.len());
    for next in &urgent {
        fleet.report(next, running());
    }
    let before = fleet.now;
    fleet.wake();
    assert!(
        fleet.now <= before + SECOND + Duration::from_millis(10),
        "the next token is for it: {:?}",
        fleet.now - before
    );
}

#[test]
fn a_poll_that_is_asked_for_is_sent_at_once() {
    let mut fleet = Fleet::new(LIST, plenty(), HOUR);
    let kind = fleet.kinds[1];
    let ticket = fleet.watch(kind);
    let due = fleet.due();
    fleet.report(&due[0], running());
    assert!(fleet.due().is_empty(), "10 s later");
    assert!(fleet.core.poll_soon(ticket, fleet.time()));
    assert!(matches!(&fleet.due()[..], [Next::Poll { .. }]));
}

/// A list that shows every operation as running for ever.
#[test]
fn a_list_that_is_frozen_is_not_believed_for_ever() {
    for gave in [Gave::Success(PollSuccess { completed: true, ..PollSuccess::default() }), Gave::Failure(http(404))] {
        let mut fleet = Fleet::new(LIST, plenty(), 1_000 * HOUR);
        let kind = fleet.kinds[0];
        let tickets: Vec<Ticket> = (0..50).map(|_| fleet.watch(kind)).collect();
        let mut ended = 0;
        while ended < tickets.len() {
            for next in fleet.wake() {
                match next {
                    Next::Ended { .. } => ended += 1,
                    Next::Page { group, .. } => {
                        let time = fleet.time();
                        for ticket in &tickets {
                            _ = fleet.core.show(group, *ticket, time, Seen::Running);
                        }
                        fleet.end_page(PageEnd::Last { is_complete: true }, &tickets);
                    }
                    next => fleet.report(&next, gave.clone()),
                }
            }
            assert!(fleet.now < HOUR, "{ended} have ended");
        }
    }
}
