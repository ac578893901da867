//! Services: what a fleet must have to go on with an operation.

use lro_runtime::{
    ErrorKind, Failure, Fleet, Verdict,
    fleet::{Service, Table},
};

use super::{Images, SECOND, World, every};

#[test]
fn an_operation_of_no_service_is_refused_before_anything_is_sent_or_stored() {
    let world = World::new();
    let process = world.process();
    let other = world.client(|client| client);
    let error = process.fleet.try_watch(&other.resume("operations/1").unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    assert_eq!(
        error.to_string(),
        "operation `operations/1`: its client is of no service of the fleet, so that it could not be polled after a \
         restart: add one with `FleetBuilder::service`; correct the setting"
    );
    assert_eq!(error.token().unwrap().name(), "operations/1");
    let images = Images { operations: other };
    let start = process.fleet.start("order-17", || async move { images.export_image("cat").await });
    let error = lro_runtime::block_on(start).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    assert!(error.to_string().contains("its client is of no service of the fleet"), "{error}");
    assert!(error.to_string().contains("`FleetBuilder::service`"), "{error}");
    assert_eq!(process.fleet.ticket_of("order-17"), None);
    drop(process);
    assert_eq!((world.requests.lock().unwrap().len(), world.store.count(Table::Live)), (0, 0));
}

#[test]
fn an_operation_of_a_method_that_the_service_lacks_is_refused() {
    let world = World::new();
    let client = world.client(|client| client);
    let fleet = world.builder().service(Service::new("images", &client)).build().unwrap();
    let images = Images { operations: client };
    let operation = lro_runtime::block_on(images.export_image("cat")).unwrap();
    let error = fleet.try_watch(&operation).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    assert!(
        error.to_string().contains("the service `images` does not have its method `Images.export_image`"),
        "{error}"
    );
    assert!(error.to_string().contains("`Service::with`"), "{error}");
    let before = world.sent("POST");
    let start = fleet.start("order-17", || async move { images.export_image("cat").await });
    assert_eq!(lro_runtime::block_on(start).unwrap_err().kind(), ErrorKind::InvalidSettings);
    drop(fleet);
    assert_eq!((world.sent("POST"), world.store.count(Table::Live)), (before, 0));
}

#[test]
fn settings_that_no_store_can_keep_are_refused() {
    let world = World::new();
    let process = world.process();
    let settings = every(10).with_failure_policy(|_: &Failure| Verdict::Stop);
    let watch = process.fleet.watch(&process.operation("operations/1")).poll_settings(settings);
    let error = watch.try_now().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    assert!(error.to_string().contains("set it on the client"), "{error}");
    drop(process);
    assert_eq!(world.store.count(Table::Live), 0);
}

#[test]
fn services_of_one_name_or_one_client_are_refused() {
    let world = World::new();
    let (one, other) = (world.client(|client| client), world.client(|client| client));
    let refused = |services: [Service; 2]| {
        let [one, other] = services;
        let error = Fleet::builder().timer(world.clock.clone()).service(one).service(other).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSettings);
        error.to_string()
    };
    let named = Service::new;
    assert!(refused([named("images", &one), named("images", &other)]).contains("two services have the name `images`"));
    assert!(refused([named("images", &one), named("films", &one)]).contains("is that of another service as well"));
    assert!(refused([named("", &one), named("films", &other)]).contains("must have 1 to 256"));
}

#[test]
fn operations_of_a_service_that_is_not_there_are_kept_and_go_on_when_it_is() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 30);
    let process = world.process();
    let watch = process.fleet.watch(&process.operation("operations/1")).key("order-17");
    let ticket = watch.poll_settings(every(10)).try_now().unwrap();
    let images = Images { operations: process.client.clone() };
    let typed = lro_runtime::block_on(images.export_image("cat")).unwrap();
    let typed = process.fleet.watch(&typed).poll_settings(every(10)).try_now().unwrap();
    drop(process);
    let before = world.store.records();

    let without = world.builder().max_operations(1).build().unwrap();
    let recovered = without.recovered();
    assert_eq!((recovered.waiting, recovered.unbound.len()), (0, 2));
    let unbound = &recovered.unbound[&ticket];
    assert_eq!((&*unbound.service, &*unbound.method, unbound.key.as_deref()), ("images", "", Some("order-17")));
    assert_eq!(unbound.token.as_ref().unwrap().name(), "operations/1");
    assert_eq!(without.ticket_of("order-17"), Some(ticket));
    assert!(without.snapshot(ticket).is_none() && !without.poll_soon(ticket) && !without.cancel(ticket).unwrap());
    // They take no room, and keep no driver.
    assert_eq!(without.health().waiting, 0);
    without.close();
    without.run_blocking();
    drop(without);
    assert_eq!(world.store.records(), before, "nothing is written");

    // With the client and without the method, that one waits still.
    let client = world.client(|client| client);
    let half = world.builder().service(Service::new("images", &client)).build().unwrap();
    let recovered = half.recovered();
    assert_eq!((recovered.waiting, recovered.unbound.len()), (1, 1));
    assert_eq!(recovered.unbound[&typed].method, "Images.export_image");
    drop(half);

    let process = world.process();
    assert_eq!(process.fleet.recovered().waiting, 2);
    process.run(60);
    assert_eq!(process.take_and_ack(), 2);
}

#[test]
fn what_is_of_no_service_can_be_removed() {
    let world = World::new();
    let process = world.process();
    let watch = process.fleet.watch(&process.operation("operations/1")).key("order-17");
    let ticket = watch.try_now().unwrap();
    drop(process);
    let without = world.builder().build().unwrap();
    assert!(without.remove(ticket));
    assert!(!without.remove(ticket) && without.recovered().unbound.is_empty());
    assert_eq!(without.ticket_of("order-17"), None);
    drop(without);
    assert_eq!(world.store.count(Table::Live), 0);
    assert_eq!(world.process().fleet.recovered().waiting, 0);
}
