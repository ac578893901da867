//! Operations that are asked for elsewhere than at first, and in what order they go on.

use std::sync::{Arc, Mutex};

use lro_runtime::{
    Budget, Operations,
    dialect::Azure,
    fleet::{Priority, Service, Table},
    testing::VirtualClock,
    transport::{Reply, Request},
};
use serde_json::json;

use super::{SECOND, World, every};

/// A client of a service whose operations begin at `/v1/a`, go on at `/v1/b` from the first poll
/// on, and end after a minute.
fn client(clock: &VirtualClock, log: &Arc<Mutex<Vec<String>>>) -> Operations {
    let (service, log) = (clock.clone(), Arc::clone(log));
    let answer = move |request: Request| {
        let path = request.uri().path().to_owned();
        log.lock().unwrap().push(path.clone());
        let is_over = path == "/v1/b" && service.elapsed() >= SECOND * 60;
        let body = if is_over { json!({ "of": "b" }).to_string() } else { String::new() };
        let mut reply = Reply::new(body.into());
        if !is_over {
            *reply.status_mut() = 202.try_into().unwrap();
            let next = if path == "/v1/images" { "/v1/a" } else { "/v1/b" };
            let next = format!("https://api.example.com{next}").try_into().unwrap();
            reply.headers_mut().insert("location", next);
        }
        std::future::ready(Ok(reply))
    };
    let builder = Operations::builder("https://api.example.com").dialect(Azure::new());
    builder.transport(answer).timer(clock.clone()).build().unwrap()
}

#[test]
fn an_operation_that_has_moved_goes_on_where_it_has_moved_to() {
    let world = World::new();
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let open = || {
        let client = client(&world.clock, &log);
        let fleet = world.builder().service(Service::new("images", &client)).build().unwrap();
        super::Process { clock: world.clock.clone(), client, fleet }
    };
    let process = open();
    let operation = lro_runtime::block_on(process.client.post("v1/images", &json!({}))).unwrap();
    let ticket = process.fleet.watch(&operation).key("order-17").poll_settings(every(10)).try_now().unwrap();
    process.run(35);
    drop(process);
    let before = std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(before[..3], ["/v1/images", "/v1/a", "/v1/b"]);
    assert_eq!(world.store.count(Table::Amendments), 1, "once, and not for each poll");
    let process = open();
    process.run(60);
    let after = log.lock().unwrap().clone();
    assert!(!after.is_empty() && after.iter().all(|path| path == "/v1/b"), "{after:?}");
    let completion = process.take().pop().unwrap();
    assert_eq!((completion.ticket(), completion.key()), (ticket, Some("order-17")));
    assert_eq!(completion.outcome().unwrap().response().unwrap().bytes(), br#"{"of":"b"}"#);
}

#[test]
fn what_is_urgent_is_asked_for_before_what_is_not_in_the_next_process_too() {
    let world = World::new();
    let process = world.process();
    for number in 0..40 {
        for (kind, priority) in [("background", Priority::Background), ("urgent", Priority::Urgent)] {
            let name = format!("operations/{kind}-{number}");
            world.cloud.add(&name, SECOND * 1000);
            let watch = process.fleet.watch(&process.operation(&name)).priority(priority);
            watch.poll_settings(every(100)).try_now().unwrap();
        }
    }
    drop(process);
    let slow = Budget::per_origin(10.0).burst(1).concurrency(1);
    world.process_of(world.client(|client| client), |fleet| fleet.budget(slow)).run(4);
    let (urgent, background) = (world.sent("GET /v1/operations/u"), world.sent("GET /v1/operations/b"));
    assert!(urgent > 2 * background && background > 0, "{urgent} urgent, {background} in the background");
}
