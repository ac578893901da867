//! Secrets are never in a store.

use lro_runtime::{
    Operations, RawOperation, Result, StartIdIn, bearer,
    fleet::{Service, Table},
    http::Request,
};
use serde_json::json;

use super::{SECOND, World, dies_at};

/// Whether these bytes are in the first request.
fn was_sent(world: &World, secret: &str) -> bool {
    let request = &world.requests.lock().unwrap()[0];
    let mut parts = request.headers().values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    parts.any(|part| part.contains(secret)) || request.uri().to_string().contains(secret)
}

/// Returns what a store has of a start call, while nobody knows what came of it.
fn stored(make: impl AsyncFnOnce(Operations) -> Result<RawOperation>) -> World {
    let world = World::new();
    let client = world.client(|client| {
        let client = client.start_id_in(StartIdIn::Header("x-request-id")).header("x-tenant", "planted-tenant");
        client.query("subscription", "planted-query").credentials(|| async { Ok(bearer("planted-bearer")?) })
    });
    let fleet = world.builder().service(Service::new("images", &client)).build().unwrap();
    world.is_mute.store(true, std::sync::atomic::Ordering::Relaxed);
    let start = fleet.start("order-17", || make(client.clone()));
    let crashed = dies_at(&world, start, || world.sent("POST") == 1);
    assert_eq!(crashed.store.count(Table::Live), 1);
    assert!(crashed.store.has("order-17"));
    for secret in ["planted-tenant", "planted-query", "planted-bearer"] {
        assert!(!crashed.store.has(secret), "`{secret}` is in the store");
        assert!(was_sent(&world, secret), "`{secret}` was not sent");
    }
    crashed
}

#[test]
fn what_a_client_adds_is_not_in_a_start_call_that_is_stored() {
    let world = stored(async |client| client.post("v1/images:export?size=7", &json!({ "of": "plain-cat" })).await);
    // What is no secret is, so that the call can be sent again.
    assert!(world.store.has("plain-cat") && world.store.has("size=7"));
}

#[test]
fn a_start_call_with_a_secret_of_the_caller_is_not_stored_and_the_completion_says_so() {
    type Make = fn(Operations) -> std::pin::Pin<Box<dyn Future<Output = Result<RawOperation>> + Send>>;
    let cases: [(Make, &str); 3] = [
        (
            |client| Box::pin(async move { client.post("v1/images:export?sig=planted-sig", &json!({})).await }),
            "the query parameter `sig`",
        ),
        (
            |client| {
                Box::pin(async move {
                    let call = Request::post("https://api.example.com/v1/images:export")
                        .header("authorization", "planted-sig")
                        .body("")
                        .unwrap();
                    client.start(call).await
                })
            },
            "the header `authorization`",
        ),
        (
            |client| {
                Box::pin(async move { client.post("v1/images:export", &json!({ "password": "planted-sig" })).await })
            },
            "the body",
        ),
    ];
    for (make, part) in cases {
        let world = stored(make);
        assert!(!world.store.has("planted-sig"), "{part}");
        let client = world.client(|client| client.start_id_in(StartIdIn::Header("x-request-id")));
        let process = world.process_of(client, |fleet| fleet);
        let completion = process.take().pop().unwrap();
        let error = completion.outcome().unwrap_err();
        assert!(error.to_string().contains(&format!("{part} of the start call is a secret or has one")), "{error}");
        let sent = world.requests.lock().unwrap()[0].headers()["x-request-id"].to_str().unwrap().to_owned();
        assert_eq!(error.start_id(), Some(&*sent), "by which the service knows it");
    }
}

#[test]
fn nothing_that_a_client_adds_is_in_the_record_of_an_operation_or_its_end() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 5);
    let client = world.client(|client| {
        let client = client.header("x-tenant", "planted-tenant").query("subscription", "planted-query");
        client.credentials(|| async { Ok(bearer("planted-bearer")?) })
    });
    let process = world.process_of(client, |fleet| fleet);
    let ticket = process.watch("operations/1", super::every(10));
    process.fleet.cancel(ticket).unwrap();
    process.run(30);
    assert_eq!(process.take().len(), 1);
    for secret in ["planted-tenant", "planted-query", "planted-bearer"] {
        assert!(!world.store.has(secret) && was_sent(&world, secret), "`{secret}`");
    }
}
