//! Operations that go on in another process.

use lro_runtime::{ErrorKind, PollSettings, fleet::Priority};

use super::{SECOND, World, every};

#[test]
fn an_operation_goes_on_under_its_ticket_and_its_key_in_the_next_process() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 105);
    let process = world.process();
    let watch = process.fleet.watch(&process.operation("operations/1")).key("order-17").lane("tenant-4");
    let ticket = watch.priority(Priority::Urgent).poll_settings(every(10)).try_now().unwrap();
    process.run(35);
    drop(process);
    let process = world.process();
    let recovered = process.fleet.recovered();
    assert_eq!((recovered.waiting, recovered.ended, recovered.unbound.len()), (1, 0, 0));
    assert_eq!(process.fleet.ticket_of("order-17"), Some(ticket));
    let snapshot = process.fleet.snapshot(ticket).unwrap();
    assert_eq!(snapshot.name(), "operations/1");
    // A second watch of the key is the first.
    let again = process.fleet.watch(&process.operation("operations/1")).key("order-17").try_now().unwrap();
    assert_eq!(again, ticket);
    process.run(100);
    let completion = process.take().pop().unwrap();
    assert_eq!((completion.ticket(), completion.key()), (ticket, Some("order-17")));
    assert!(completion.outcome().unwrap().is_succeeded());
    let times: Vec<u64> = world.cloud.lock().log.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, (0..=11).map(|poll| poll * 10).collect::<Vec<_>>(), "as without a restart");
}

#[test]
fn no_ticket_is_given_twice_however_many_processes_there_are() {
    let world = World::new();
    let mut tickets = std::collections::BTreeSet::new();
    for round in 0..20 {
        let process = world.process();
        for number in 0..5 {
            let ticket = process.watch(&format!("operations/{round}-{number}"), every(10));
            assert!(tickets.insert(ticket), "{ticket} is another operation's");
            assert!(number % 2 == 0 || process.fleet.remove(ticket));
        }
    }
    assert_eq!(world.process().fleet.recovered().waiting, 60);
}

#[test]
fn a_timeout_counts_from_the_first_watch() {
    for (down_until, polls) in [(50, 5..8), (150, 1..3)] {
        let world = World::new();
        world.cloud.add("operations/1", SECOND * 10_000);
        let process = world.process();
        process.watch("operations/1", every(10).with_timeout(SECOND * 100));
        drop(process);
        world.clock.advance(SECOND * down_until);
        let process = world.process();
        process.run(120);
        let completion = process.take().pop().unwrap();
        let error = completion.outcome().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert_eq!(error.token().unwrap().name(), "operations/1");
        let elapsed = error.elapsed().unwrap().as_secs();
        let expected = down_until.max(100).into();
        assert!((expected..expected + 11).contains(&elapsed), "{elapsed} s, down until {down_until}");
        assert!(polls.contains(&world.sent("GET")), "{} polls, down until {down_until}", world.sent("GET"));
    }
}

#[test]
fn what_has_ended_while_nobody_ran_is_completed_although_its_deadline_has_passed() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 60);
    let process = world.process();
    process.watch("operations/1", every(10).with_timeout(SECOND * 100));
    process.run(20);
    drop(process);
    world.clock.advance(SECOND * 1000);
    let process = world.process();
    process.run(20);
    assert!(process.take().pop().unwrap().outcome().unwrap().is_succeeded());
}

#[test]
fn a_wait_that_has_expired_is_not_polled_as_if_it_had_not() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 10_000);
    let process = world.process();
    process.watch("operations/1", every(1).with_timeout(SECOND * 100));
    drop(process);
    world.clock.advance(SECOND * 150);
    let process = world.process();
    process.run(60);
    assert_eq!(process.take().pop().unwrap().outcome().unwrap_err().kind(), ErrorKind::Timeout);
    let times: Vec<u64> = world.cloud.lock().log.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times[0], 150, "at once");
    assert!(times.len() <= 2 && times.iter().all(|at| *at <= 160), "and at the end of the time for that: {times:?}");
}

#[test]
fn a_wait_that_has_expired_is_looked_at_once_however_often_the_process_is_restarted() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 10_000);
    let process = world.process();
    process.watch("operations/1", every(10).with_timeout(SECOND * 100));
    drop(process);
    world.clock.advance(SECOND * 150);
    let mut ended = 0;
    for _ in 0..10 {
        let process = world.process();
        // Long enough for the poll, and too short for the end of the wait.
        process.run(1);
        ended += process.take().len();
    }
    assert_eq!(world.sent("GET"), 1);
    assert!(ended > 0);
}

#[test]
fn what_was_polled_is_not_polled_again_before_it_is_due() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 10_000);
    let process = world.process();
    process.watch("operations/1", every(100));
    process.run(150);
    assert_eq!(world.sent("GET"), 2, "at once, and 100 s later");
    drop(process);
    for _ in 0..4 {
        world.process().run(10);
    }
    assert_eq!(world.sent("GET"), 2, "190 s after the watch");
    world.process().run(30);
    assert_eq!(world.sent("GET"), 3, "220 s after the watch");
}

#[test]
fn without_notes_all_are_polled_and_with_wrong_ones_after_the_longest_delay() {
    for has_notes in [false, true] {
        let world = World::new();
        world.cloud.add("operations/1", SECOND * 10_000);
        let process = world.process();
        process.watch("operations/1", every(100));
        process.run(150);
        drop(process);
        world.store.change_notes(|notes| {
            if has_notes {
                // Due in a thousand years.
                for note in notes.values_mut() {
                    *note |= u64::MAX << 28;
                }
            } else {
                notes.clear();
            }
        });
        let process = world.process();
        process.run(1);
        assert_eq!(world.sent("GET"), if has_notes { 2 } else { 3 });
        process.run(100);
        assert!(world.sent("GET") >= 3, "no later than the longest delay");
    }
}

#[test]
fn a_cancel_call_that_was_asked_for_is_sent_after_a_crash_and_one_that_was_answered_is_not() {
    for is_answered in [false, true] {
        let world = World::new();
        world.cloud.add("operations/1", SECOND * 300);
        let process = world.process();
        let ticket = process.watch("operations/1", every(10));
        assert!(process.fleet.cancel(ticket).unwrap());
        lro_runtime::block_on(process.fleet.flush()).unwrap();
        if is_answered {
            process.run(5);
            lro_runtime::block_on(process.fleet.flush()).unwrap();
        }
        let world = world.after_a_crash();
        drop(process);
        let before = world.sent("POST /v1/operations/1:cancel");
        assert_eq!(before, usize::from(is_answered));
        let process = world.process();
        process.run(30);
        assert_eq!(world.sent("POST /v1/operations/1:cancel"), 1);
        assert!(process.take().pop().unwrap().outcome().unwrap().is_cancelled());
    }
}

#[test]
fn what_was_removed_is_gone_when_the_fleet_was_dropped() {
    let world = World::new();
    let process = world.process();
    let tickets = [process.watch("operations/1", every(10)), process.watch("operations/2", every(10))];
    process.fleet.remove(tickets[0]);
    drop(process);
    let process = world.process();
    assert_eq!(process.fleet.recovered().waiting, 1);
    assert!(process.fleet.snapshot(tickets[0]).is_none() && process.fleet.snapshot(tickets[1]).is_some());
}

#[test]
fn a_deadline_is_the_same_time_in_every_process() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 10_000);
    let process = world.process();
    let at = lro_runtime::Timer::now(&world.clock) + SECOND * 100;
    process.watch("operations/1", every(10).with_deadline(at));
    drop(process);
    world.clock.advance(SECOND * 60);
    let process = world.process();
    process.run(39);
    assert!(process.take().is_empty());
    process.run(2);
    assert_eq!(process.take().pop().unwrap().outcome().unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn an_operation_without_settings_of_its_own_has_those_of_the_client_of_its_process() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 10_000);
    drop({
        let process = world.process();
        process.watch("operations/1", PollSettings::default());
        process
    });
    let client = world.client(|client| client.poll_settings(every(10).with_timeout(SECOND * 40)));
    let process = world.process_of(client, |fleet| fleet);
    process.run(60);
    assert_eq!(process.take().pop().unwrap().outcome().unwrap_err().kind(), ErrorKind::Timeout);
}
