//! Operations that are looked at by the lists of their service.

use lro_runtime::{Budget, PollSettings};

use crate::{SECOND, world};

#[test]
fn many_operations_of_one_collection_are_listed_instead_of_polled() {
    let requests = |has_lists: bool| {
        let world = world(|fleet| fleet.budget(Budget::per_origin(10_000.0).concurrency(1000)));
        world.cloud.lock().has_no_lists = !has_lists;
        let settings = PollSettings::default().with_delay(SECOND * 15).with_max_delay(SECOND * 15).with_multiplier(1.0);
        for n in 0..1000 {
            let operation = world.operation(&format!("projects/p/operations/{n:04}"), 600);
            world.fleet.watch(&operation).poll_settings(settings.clone()).try_now().unwrap();
        }
        assert_eq!(world.drain().len(), 1000);
        let count = world.cloud.lock().log.len();
        (count, world.cloud.requests("GET /v1/projects/p/operations?"))
    };
    let ((polled, _), (swept, pages)) = (requests(false), requests(true));
    assert!(swept * 20 < polled, "{swept} requests instead of {polled}");
    // One poll of each fetches its result.
    assert!(swept - pages <= 1100, "{} polls beside {pages} pages", swept - pages);
}

#[test]
fn an_operation_that_no_list_shows_is_polled_and_not_taken_for_completed() {
    let world = world(|fleet| fleet.budget(Budget::per_origin(1000.0)));
    for n in 0..100 {
        let name = format!("projects/p/operations/{n:03}");
        if n % 10 == 0 {
            world.cloud.lock().unlisted.push(name.clone());
        }
        world.watch(&name, 300);
    }
    let ended = world.drain();
    assert_eq!(ended.len(), 100);
    assert!(ended.into_iter().all(|(_, outcome)| outcome.unwrap().is_succeeded()));
    assert!(world.clock.elapsed() >= SECOND * 300);
}

#[test]
fn a_list_that_ignores_its_filter_completes_operations_without_a_poll_of_each() {
    let world = world(|fleet| fleet.budget(Budget::per_origin(1000.0)));
    world.cloud.lock().ignores_filter = true;
    for n in 0..100 {
        world.watch(&format!("projects/p/operations/{n:03}"), 60);
    }
    let ended = world.drain();
    assert!(ended.into_iter().all(|(name, outcome)| {
        let operation = outcome.unwrap();
        operation.is_succeeded() && operation.raw().len() < 200 && operation.name() == name
    }));
    assert!(world.cloud.requests("GET /v1/projects/p/operations/") < 50, "few are polled alone");
}
