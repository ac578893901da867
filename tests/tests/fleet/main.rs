//! The fleet, as its users see it: on a virtual clock, against a simulated service.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]
#![expect(clippy::unchecked_time_subtraction, reason = "the times of a log grow")]

use std::{collections::BTreeSet, time::Duration};

use futures_lite::future::{block_on, or, poll_once, zip};
use lro_runtime::{
    Budget, ErrorKind, Fleet, Operations, PollSettings, RawOperation, Ticket,
    fleet::{Change, FleetBuilder, Lagged, PauseReason, Priority},
    testing::VirtualClock,
};

mod cloud;
mod consumers;
mod drivers;
mod durable;
mod lists;
mod mixed;
mod named;
mod panics;
mod sockets;
mod trouble;

use cloud::{Cloud, beside, take_all};

const SECOND: Duration = Duration::from_secs(1);

/// A fleet, its service, and a client of it.
struct World {
    clock: VirtualClock,
    cloud: Cloud,
    client: Operations,
    fleet: Fleet,
}

fn world(settle: impl FnOnce(FleetBuilder) -> FleetBuilder) -> World {
    let clock = VirtualClock::new();
    let cloud = Cloud::new(&clock);
    let client = cloud.operations("https://api.example.com");
    let fleet = settle(Fleet::builder().timer(clock.clone())).build().unwrap();
    World { clock, cloud, client, fleet }
}

impl World {
    /// Adds an operation that ends after so many seconds, and watches it.
    fn watch(&self, name: &str, seconds: u64) -> Ticket {
        self.fleet.try_watch(&self.operation(name, seconds)).unwrap()
    }

    fn operation(&self, name: &str, seconds: u64) -> RawOperation {
        self.cloud.add(name, SECOND * u32::try_from(seconds).unwrap());
        self.client.resume(name).unwrap()
    }

    /// Takes and acknowledges every completion of a fleet that is closed, beside its driver.
    fn drain(&self) -> Vec<(String, Result<RawOperation, lro_runtime::Error>)> {
        self.fleet.close();
        let mut ended = Vec::new();
        let consumer = take_all(&self.fleet, |completion| {
            ended.push((completion.name().to_owned(), completion.outcome().cloned().map_err(Clone::clone)));
        });
        lro_runtime::block_on(zip(self.fleet.run(), consumer));
        ended
    }
}

#[test]
fn every_operation_is_completed_once_with_what_the_service_said_last() {
    let world = world(|fleet| fleet.budget(Budget::per_origin(1000.0)));
    let names: BTreeSet<String> = (0..200).map(|n| format!("operations/{n}")).collect();
    for (name, seconds) in names.iter().zip(0..) {
        world.watch(name, seconds);
    }
    let ended = world.drain();
    assert_eq!(ended.len(), 200);
    assert_eq!(ended.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(), names);
    for (name, outcome) in ended {
        let operation = outcome.unwrap();
        assert!(operation.is_succeeded());
        let response: serde_json::Value = serde_json::from_slice(operation.response().unwrap().bytes()).unwrap();
        assert_eq!(response["of"], *name);
    }
}

#[test]
fn no_window_has_more_requests_than_the_budget() {
    let world = world(|fleet| fleet.budget(Budget::per_origin(20.0).burst(5).concurrency(3)));
    world.cloud.lock().has_no_lists = true;
    for n in 0..100 {
        world.watch(&format!("operations/{n}"), 60);
    }
    assert_eq!(world.drain().len(), 100);
    let log = &world.cloud.lock().log;
    for (first, (from, _)) in log.iter().enumerate() {
        for (count, (until, _)) in (1..).zip(&log[first..]) {
            let most = 20.0 * (*until - *from).as_secs_f64() + 5.0;
            assert!(f64::from(count) <= most + 1.0, "{count} requests in {:?}", *until - *from);
        }
    }
}

#[test]
fn a_driver_may_be_dropped_at_any_time_and_loses_nothing() {
    let world = world(|fleet| fleet.budget(Budget::per_origin(100.0)));
    for n in 0..50 {
        world.watch(&format!("operations/{n}"), n);
    }
    for polls in 1..40 {
        let mut run = world.fleet.run();
        for _ in 0..polls {
            block_on(poll_once(&mut run));
        }
    }
    assert_eq!(world.drain().len(), 50);
}

#[test]
fn a_key_is_started_once_however_often_it_is_asked_for() {
    let world = world(|fleet| fleet);
    let start = || world.fleet.start("order-17", || world.client.post("v1/images:export", &"cat"));
    let (one, other) = beside(world.fleet.run(), zip(start(), start()));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other);
    assert_eq!(block_on(start()).unwrap(), one);
    assert_eq!(world.fleet.ticket_of("order-17"), Some(one));
    assert_eq!(world.cloud.requests("POST"), 1);
    world.drain();
    assert_eq!(world.fleet.ticket_of("order-17"), None, "acknowledged");
}

#[test]
fn a_start_that_fails_leaves_its_key_and_its_place_free() {
    let world = world(|fleet| fleet.max_operations(1));
    world.cloud.lock().refuses = Some((Duration::ZERO, SECOND, 400, None));
    let start = || world.fleet.start("order-17", || world.client.post("v1/images:export", &"cat"));
    assert_eq!(lro_runtime::block_on(start()).unwrap_err().kind(), ErrorKind::Start);
    drop(poll_once(start()));
    world.cloud.lock().refuses = None;
    lro_runtime::block_on(start()).unwrap();
    assert_eq!(world.drain().len(), 1);
}

#[test]
fn a_full_fleet_refuses_at_once_or_waits_for_room() {
    let world = world(|fleet| fleet.max_operations(1));
    world.watch("operations/1", 5);
    let second = world.operation("operations/2", 5);
    let error = world.fleet.try_watch(&second).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(error.snapshot().unwrap().name(), "operations/2");
    assert_eq!(
        error.to_string(),
        "operation `operations/2`: the fleet is full: it has room for 1 operations; acknowledge completions, or raise \
         `max_operations`"
    );
    beside(world.fleet.run(), async {
        let first = async { world.fleet.completions().next().await.unwrap().ack().await.unwrap() };
        zip(world.fleet.watch(&second).into_future(), first).await.0.unwrap();
    });
    assert_eq!(world.drain().len(), 1);
}

#[test]
fn who_waits_for_one_operation_learns_its_end_whoever_takes_the_completion() {
    let world = world(|fleet| fleet);
    let ticket = world.watch("operations/1", 5);
    let waiting = async { world.fleet.wait_for(ticket).await.unwrap().unwrap() };
    let taking = async { world.fleet.completions().next().await.unwrap().ack().await.unwrap() };
    let (operation, ()) = beside(world.fleet.run(), zip(waiting, taking));
    assert!(operation.is_succeeded());
    assert!(block_on(world.fleet.wait_for(ticket)).is_none(), "acknowledged");
    assert!(world.fleet.snapshot(ticket).is_none());
    assert!(!world.fleet.remove(ticket) && !world.fleet.poll_soon(ticket) && !world.fleet.cancel(ticket).unwrap());
    let next = world.watch("operations/2", 5);
    assert_ne!(ticket, next, "a ticket is never of another operation");
    let text = serde_json::to_string(&next).unwrap();
    assert_eq!(serde_json::from_str::<Ticket>(&text).unwrap(), next);
    assert_eq!(size_of::<Ticket>(), 8);
}

#[test]
fn a_wait_that_expires_is_a_completion_with_a_token_and_the_last_reply() {
    let world = world(|fleet| fleet);
    let operation = world.operation("operations/1", 1000);
    let settings = PollSettings::default().with_timeout(SECOND * 30);
    world.fleet.watch(&operation).poll_settings(settings).try_now().unwrap();
    let (_, outcome) = world.drain().pop().unwrap();
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(world.clock.elapsed().as_secs(), 30);
    assert!(error.token().is_some() && error.attempts().unwrap() > 3);
    assert_eq!(error.elapsed().unwrap().as_secs(), 30);
    let snapshot = error.snapshot().unwrap();
    assert!(snapshot.metadata().is_some(), "as of the last poll");
}

#[test]
fn a_completion_is_handed_out_again_until_it_is_acknowledged() {
    let world = world(|fleet| fleet.redeliver_after(SECOND * 7));
    world.watch("operations/1", 1);
    beside(world.fleet.run(), async {
        let mut completions = world.fleet.completions();
        let first = completions.next().await.unwrap();
        assert_eq!(first.deliveries(), 1);
        let taken = world.clock.elapsed();
        drop(first);
        assert!(completions.try_next().is_none());
        let second = completions.next().await.unwrap();
        assert_eq!(second.deliveries(), 2);
        assert!(world.clock.elapsed() >= taken + SECOND * 7);
        second.ack().await.unwrap();
        lro_runtime::Timer::sleep(&world.clock, SECOND * 30).await;
        assert!(completions.try_next().is_none());
    });
}

#[test]
fn a_cancel_call_is_sent_until_it_is_answered_and_the_completion_says_what_came_of_it() {
    let world = world(|fleet| fleet);
    let ticket = world.watch("operations/1", 10_000);
    world.cloud.lock().refuses = Some((Duration::ZERO, SECOND * 20, 503, None));
    assert!(world.fleet.cancel(ticket).unwrap());
    let (_, outcome) = world.drain().pop().unwrap();
    assert!(outcome.unwrap().is_cancelled());
    assert!(world.cloud.requests("POST /v1/operations/1:cancel") > 1);
    assert!(world.clock.elapsed() < SECOND * 120);
}

#[test]
fn a_cancel_call_that_the_dialect_does_not_have_is_an_error_before_any_request() {
    let world = world(|fleet| fleet);
    let client = Operations::builder("https://api.example.com").dialect(lro_runtime::dialect::Compute::new());
    let client = client.transport(world.cloud.clone()).timer(world.clock.clone()).build().unwrap();
    let operation = client.resume("projects/p/global/operations/o").unwrap();
    let ticket = world.fleet.try_watch(&operation).unwrap();
    assert_eq!(world.fleet.cancel(ticket).unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(world.cloud.lock().log.is_empty());
}

#[test]
fn a_poll_that_is_asked_for_comes_ahead_of_its_time() {
    let world = world(|fleet| fleet);
    let operation = world.operation("operations/1", 3);
    let settings = PollSettings::default().with_delay(SECOND * 1000).with_max_delay(SECOND * 1000);
    let ticket = world.fleet.watch(&operation).poll_settings(settings).try_now().unwrap();
    beside(world.fleet.run(), async {
        lro_runtime::Timer::sleep(&world.clock, SECOND * 5).await;
        assert!(world.fleet.poll_soon(ticket));
        assert!(world.fleet.wait_for(ticket).await.unwrap().unwrap().is_succeeded());
    });
    assert!(world.clock.elapsed() < SECOND * 6);
}

#[test]
fn what_is_removed_is_not_polled_and_completes_nowhere() {
    let world = world(|fleet| fleet);
    let tickets = [world.watch("operations/1", 50), world.watch("operations/2", 5)];
    beside(world.fleet.run(), async {
        lro_runtime::Timer::sleep(&world.clock, SECOND).await;
        assert!(world.fleet.remove(tickets[0]));
        assert!(!world.fleet.remove(tickets[0]));
        assert!(or(world.fleet.wait_for(tickets[0]), async { panic!("it is known at once") }).await.is_none());
    });
    assert_eq!(world.drain().len(), 1);
    assert!(world.clock.elapsed() < SECOND * 20);
}

#[test]
fn changes_are_told_to_every_reader_and_a_slow_one_is_told_what_it_lost() {
    let world = world(|fleet| fleet.budget(Budget::per_origin(100_000.0).burst(10_000).concurrency(10_000)));
    let (mut quick, mut slow) = (world.fleet.changes(), world.fleet.changes());
    for n in 0..400 {
        world.watch(&format!("operations/{n}"), 20);
    }
    let mut seen = 0;
    let mut count = |change: Result<Change, Lagged>| {
        assert!(change.unwrap().operation.name().starts_with("operations/"));
        seen += 1;
    };
    world.fleet.close();
    let consumer = take_all(&world.fleet, |_| {});
    let reader = async {
        loop {
            count(quick.next().await);
        }
    };
    assert_eq!(beside(world.fleet.run(), or(reader, consumer)), 400);
    while let Some(change) = block_on(poll_once(quick.next())) {
        count(change);
    }
    assert!(seen >= 2000, "each has run, moved on and ended: {seen}");
    let lagged = block_on(slow.next()).unwrap_err();
    assert!(lagged.lost >= 900, "{lagged}");
    assert!(block_on(slow.next()).is_ok());
}

#[test]
fn health_says_who_is_behind_and_why() {
    let world = world(|fleet| fleet.budget(Budget::per_origin(1.0).burst(1)).max_unacknowledged(1));
    assert_eq!(world.fleet.health().drivers, 0);
    world.cloud.lock().has_no_lists = true;
    for n in 0..100 {
        world.watch(&format!("operations/{n}"), 1_000);
    }
    beside(world.fleet.run(), lro_runtime::Timer::sleep(&world.clock, Duration::from_millis(60_500)));
    let health = world.fleet.health();
    assert_eq!((health.waiting, health.unacknowledged, health.is_held), (100, 0, false));
    let origin = &health.origins[0];
    assert_eq!(origin.origin, "https://api.example.com:443");
    assert!(origin.saturation > 2.0, "{origin:?}");
    assert!(health.oldest_due.unwrap() > SECOND * 5, "{health:?}");
    assert_eq!(origin.pause.unwrap().why, PauseReason::Budget);
    assert!((50..70).contains(&origin.requests), "{origin:?}");
}

#[test]
fn nothing_is_looked_for_while_too_many_completions_wait_but_deadlines_go_on() {
    let world = world(|fleet| fleet.max_unacknowledged(2));
    for n in 0..3 {
        world.watch(&format!("operations/{n}"), 1);
    }
    let late = world.operation("operations/late", 10_000);
    let settings = PollSettings::default().with_timeout(SECOND * 300);
    let late = world.fleet.watch(&late).poll_settings(settings).try_now().unwrap();
    beside(world.fleet.run(), lro_runtime::Timer::sleep(&world.clock, SECOND * 100));
    assert!(world.fleet.health().is_held);
    let polled = world.cloud.lock().log.len();
    beside(world.fleet.run(), lro_runtime::Timer::sleep(&world.clock, SECOND * 100));
    assert_eq!(world.cloud.lock().log.len(), polled);
    let ended = beside(world.fleet.run(), world.fleet.wait_for(late));
    assert_eq!(ended.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(world.clock.elapsed().as_secs(), 300);
}

#[test]
fn a_lane_with_few_operations_does_not_wait_for_one_with_many() {
    let world = world(|fleet| fleet.budget(Budget::per_origin(10.0).burst(1).concurrency(1)));
    world.cloud.lock().has_no_lists = true;
    for n in 0..500 {
        let operation = world.operation(&format!("operations/many-{n}"), 10_000);
        world.fleet.watch(&operation).lane("many").priority(Priority::Normal).try_now().unwrap();
    }
    let few = world.operation("operations/few", 10);
    let few = world.fleet.watch(&few).lane("few").try_now().unwrap();
    let ended = beside(world.fleet.run(), world.fleet.wait_for(few));
    assert!(ended.unwrap().unwrap().is_succeeded());
    assert!(world.clock.elapsed() < SECOND * 20, "{:?}", world.clock.elapsed());
}

#[test]
fn a_driver_runs_on_a_thread_without_an_executor() {
    let server = lro_runtime::testing::LroServer::builder().start().unwrap();
    let client = server.operations().unwrap();
    let fleet = Fleet::builder().budget(Budget::per_origin(10_000.0)).build().unwrap();
    for _ in 0..50 {
        let name = server.add(lro_runtime::testing::Job::polls(2).hint(Duration::from_millis(1)));
        fleet.try_watch(&client.resume(name).unwrap()).unwrap();
    }
    fleet.close();
    std::thread::scope(|scope| {
        scope.spawn(|| fleet.run_blocking());
        let taken = block_on(take_all(&fleet, |completion| assert!(completion.outcome().unwrap().is_succeeded())));
        assert_eq!(taken, 50);
    });
}

#[test]
fn bad_input_is_refused_with_what_is_legal() {
    let refused = |builder: FleetBuilder| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSettings);
        error.to_string()
    };
    let fleet = Fleet::builder;
    assert_eq!(
        refused(fleet().budget(Budget::per_origin(0.0))),
        "the budget's rate is 0 requests per second: must be at least one in 11 days (1e-6); correct the setting"
    );
    assert_eq!(
        refused(fleet().budget_of("api.example.com", Budget::per_origin(1.0))),
        "the origin `api.example.com` is none: expected a scheme and a host, such as `https://api.example.com`; \
         correct the setting"
    );
    assert_eq!(
        refused(fleet().budget_of("https://api.example.com", Budget::per_origin(1.0).concurrency(0))),
        "of `https://api.example.com`, the budget's concurrency is 0: must be at least 1; correct the setting"
    );
    assert_eq!(refused(fleet().max_operations(0)), "`max_operations` is 0: must be at least 1; correct the setting");
    assert_eq!(
        refused(fleet().redeliver_after(Duration::ZERO)),
        "`redeliver_after` is 0 s: must be more, for a consumer to deal with a completion; correct the setting"
    );
    let world = world(|fleet| fleet);
    let operation = world.operation("operations/1", 1);
    let illegal = PollSettings::default().with_multiplier(0.5);
    let error = world.fleet.watch(&operation).poll_settings(illegal).try_now().unwrap_err();
    assert_eq!((error.kind(), error.token()), (ErrorKind::InvalidSettings, Some(operation.token())));
    world.fleet.close();
    let error = world.fleet.try_watch(&operation).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.token().is_some());
}
