//! Start calls: every argument stays in its place, what is wrong is said before anything is sent,
//! and a start id is known before the request and after.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]
#![expect(unreachable_pub, reason = "shared with other test binaries")]

#[path = "support/mod.rs"]
mod support;

use std::time::Duration;

use bytes::Bytes;
use lro_runtime::{
    Error, ErrorKind, Operations, OperationsBuilder, RawOperation, Result, StartCall, StartIdIn, block_on,
    http::{HeaderValue, Method, Request},
    long_running,
    testing::{Job, LroServer, VirtualClock},
    transport::{TransportError, TransportErrorKind},
};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Server, drive, json_reply, reply, secs};

const GROUP: &str = "subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/disks/{disk}";

/// Reads the start id of a request.
type Find = fn(&Request<Bytes>) -> String;

/// Adds to a call.
type With = fn(StartCall) -> StartCall;

/// A server that answers every request with a running operation, and a client of it.
fn running() -> (Server, Operations) {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| (Duration::ZERO, Ok(json_reply(&json!({ "name": "operations/1" })))));
    let operations = client(&server, &clock, |builder| builder);
    (server, operations)
}

fn client(
    server: &Server,
    clock: &VirtualClock,
    with: impl FnOnce(OperationsBuilder) -> OperationsBuilder,
) -> Operations {
    let builder = Operations::builder("https://api.test/base").transport(server.clone()).timer(clock.clone());
    with(builder).build().unwrap()
}

/// Sends a call and returns the request that arrived.
fn sent(make: impl FnOnce(&Operations) -> StartCall) -> Request<Bytes> {
    let (server, operations) = running();
    assert!(block_on(make(&operations)).is_ok());
    server.requests().remove(0).1
}

/// Sends a call that must fail before anything is sent.
fn refused(make: impl FnOnce(&Operations) -> StartCall) -> Error {
    let (server, operations) = running();
    let error = block_on(make(&operations)).unwrap_err();
    assert!(server.requests().is_empty(), "{error}");
    assert_eq!(error.kind(), ErrorKind::Start, "{error}");
    error
}

fn disk(operations: &Operations, group: &str) -> StartCall {
    operations.call(Method::PUT, GROUP).path("subscription", "0-0").path("group", group).path("disk", 7)
}

#[test]
fn an_argument_is_encoded_for_where_it_stands() {
    let request = sent(|operations| {
        disk(operations, "a b/c?d#e%2e")
            .query("api-version", "2024&x=y")
            .query("$filter", "a eq 'b'")
            .query_opt("force", Some(true))
            .query_opt("none", None::<&str>)
            .header("x-ms-tags", "a, b")
            .json(&json!({ "sku": 1 }))
    });
    assert_eq!(request.method(), Method::PUT);
    assert_eq!(
        request.uri().to_string(),
        "https://api.test/base/subscriptions/0-0/resourceGroups/a%20b%2Fc%3Fd%23e%252e/providers/Microsoft.Compute/\
         disks/7?api-version=2024%26x%3Dy&$filter=a%20eq%20%27b%27&force=true"
    );
    assert_eq!(request.headers()["x-ms-tags"], "a, b");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(&request.body()[..], br#"{"sku":1}"#);
}

#[test]
fn an_argument_that_is_absent_or_a_list_is_sent_as_often_as_it_has_a_value() {
    let request = sent(|operations| {
        disk(operations, "g")
            .query_each("zone", ["a", "b&c"])
            .query_each("none", Vec::<i64>::new())
            .header_opt("if-match", Some("\"7\""))
            .header_opt("x-none", None::<&str>)
            .no_body()
    });
    assert_eq!(request.uri().query(), Some("zone=a&zone=b%26c"));
    assert_eq!(request.headers()["if-match"], "\"7\"");
    assert!(!request.headers().contains_key("x-none"));
}

#[test]
fn an_argument_cannot_leave_its_segment() {
    for group in ["group/../../..", "..", ".", "", "a\\..\\b", "../x"] {
        let error = refused(|operations| disk(operations, group).no_body());
        assert!(error.to_string().contains(&format!("`group` is `{group}`")), "{error}");
        assert!(
            error.to_string().contains("nothing was sent") || error.to_string().contains("was not sent"),
            "{error}"
        );
    }
    // A path that was put together from arguments: it went to another place before.
    for group in ["group/../../..", "a b", "a#b", "ä", "{x}", "%2e%2E/x"] {
        let (server, operations) = running();
        let path = format!("subscriptions/0-0/resourceGroups/{group}/providers/x");
        let error = block_on(operations.put(path, &json!({}))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Start, "{error}");
        assert!(error.to_string().contains("`path`") || error.to_string().contains("path("), "{error}");
        assert!(server.requests().is_empty(), "{group}");
    }
    for uri in ["/groups/g/../../x", "https://api.test/groups/%2E./x?y=1"] {
        let (server, operations) = running();
        let error = block_on(operations.start(Request::put(uri).body("").unwrap())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Start, "{error}");
        assert!(server.requests().is_empty(), "{uri}");
    }
}

#[test]
fn a_pattern_of_several_segments_is_checked_before_sending() {
    let workflows = |operations: &Operations, parent: &str| {
        operations.call(Method::POST, "v1/{parent=projects/*/locations/*}/workflows").path("parent", parent)
    };
    let request = sent(|operations| workflows(operations, "projects/example.com:p/locations/l 1"));
    assert_eq!(request.uri().path(), "/base/v1/projects/example.com%3Ap/locations/l%201/workflows");
    for parent in [
        "projects/p",
        "projects//locations/l",
        "folders/p/locations/l",
        "projects/p/locations/l/x",
        "projects/p/locations/..",
    ] {
        let said = refused(|operations| workflows(operations, parent)).to_string();
        assert!(said.contains(&format!("`parent` is `{parent}`")), "{said}");
        assert!(said.contains("`projects/*/locations/*`") || said.contains("not legal"), "{said}");
    }
}

#[test]
fn a_missing_and_an_unknown_variable_are_named() {
    let missing = refused(|operations| operations.call(Method::DELETE, "v1/{name}").no_body());
    assert!(missing.to_string().contains("needs a value of `name`: give it with `path(\"name\", …)`"), "{missing}");
    let unknown = refused(|operations| operations.call(Method::DELETE, "v1/{name}").path("name", 1).path("nmae", 2));
    assert!(unknown.to_string().contains("`path(\"nmae\", \"2\")`") && unknown.to_string().contains("has `name`"));
    let header = refused(|operations| operations.call(Method::POST, "v1/x").header("x-a", "hunter2\r\nx-b: 1"));
    assert!(header.to_string().contains("`x-a`") && !header.to_string().contains("hunter2"), "{header}");
    let origin = refused(|operations| operations.call(Method::POST, "https://{host}/x").path("host", "api.test"));
    assert!(origin.to_string().contains("origin"), "{origin}");
}

#[test]
fn an_origin_that_is_not_trusted_gets_no_start_call() {
    let (server, operations) = running();
    let call = operations.call(Method::POST, "https://elsewhere.test/{x}").path("x", 1).no_body();
    assert_eq!(block_on(call).unwrap_err().kind(), ErrorKind::UntrustedUrl);
    assert!(server.requests().is_empty());
    let own = sent(|operations| operations.call(Method::POST, "https://api.test/{x}").path("x", "a/b"));
    assert_eq!(own.uri(), "https://api.test/a%2Fb");
}

#[test]
fn no_body_is_sent_as_no_body() {
    let calls: [fn(&Operations) -> StartCall; 4] = [
        |operations| operations.call(Method::DELETE, "v1/x").no_body(),
        |operations| operations.call(Method::POST, "v1/x").json(&()),
        |operations| operations.call(Method::POST, "v1/x").json(&None::<u8>),
        |operations| operations.call(Method::POST, "v1/x").json(&1).no_body(),
    ];
    for make in calls {
        let request = sent(make);
        assert!(request.body().is_empty() && !request.headers().contains_key("content-type"), "{request:?}");
    }
    let (server, operations) = running();
    assert!(block_on(operations.post("v1/x", &())).is_ok());
    assert!(server.requests()[0].1.body().is_empty());
    let bytes = sent(|operations| operations.call(Method::PATCH, "v1/x").bytes("text/csv", "a,b"));
    assert_eq!((&bytes.body()[..], bytes.headers()["content-type"].as_bytes()), (&b"a,b"[..], &b"text/csv"[..]));
    let merge = sent(|operations| {
        operations.call(Method::PATCH, "v1/x").header("content-type", "application/merge-patch+json").json(&json!({}))
    });
    assert_eq!(merge.headers()["content-type"], "application/merge-patch+json");
    // A real server, over a real connection, reads it as no body as well.
    let server = LroServer::builder().on("v1/x", |request| Job::polls(0).responds(request)).start().unwrap();
    let started = block_on(server.operations().unwrap().post("v1/x", &())).unwrap();
    assert_eq!(started.response().unwrap().bytes(), b"{}");
}

struct Disks {
    operations: Operations,
}

#[long_running(response = (), metadata = ())]
impl Disks {
    #[long_running]
    async fn delete(&self, group: &str) -> Result<RawOperation> {
        disk(&self.operations, group).start_id_in(StartIdIn::Query("requestId")).await
    }

    #[long_running]
    async fn by_hand(&self, uri: &str) -> Result<RawOperation> {
        self.operations.start(Request::post(uri).body("")?).await
    }
}

#[test]
fn a_method_says_its_name_and_every_error_is_ours() {
    let (server, operations) = running();
    let disks = Disks { operations };
    let error = block_on(disks.delete("..")).unwrap_err();
    assert!(error.to_string().starts_with("Disks.delete was not sent: "), "{error}");
    assert_eq!(block_on(disks.by_hand("http://a b")).unwrap_err().kind(), ErrorKind::Start);
    assert!(server.requests().is_empty());
    let started = block_on(disks.delete("g")).unwrap();
    let query = server.requests()[0].1.uri().query().unwrap().to_owned();
    assert_eq!(query, format!("requestId={}", started.start_id().unwrap()));
}

#[test]
fn a_start_id_is_known_before_the_request_and_given_out_after() {
    let places: [(StartIdIn, Find); 4] = [
        (StartIdIn::Header("Operation-Id"), |request| request.headers()["operation-id"].to_str().unwrap().to_owned()),
        (StartIdIn::Query("requestId"), |request| request.uri().query().unwrap().replace("a=1&requestId=", "")),
        (StartIdIn::Body("requestId"), |request| read(request)["requestId"].as_str().unwrap().to_owned()),
        (StartIdIn::Body("job.id"), |request| read(request)["job"]["id"].as_str().unwrap().to_owned()),
    ];
    for (place, find) in places {
        let clock = VirtualClock::new();
        let (server, _) = running();
        let operations = client(&server, &clock, |builder| builder.start_id_in(place));
        let call = operations.call(Method::POST, "v1/x").query("a", 1).json(&json!({ "job": { "n": 1.50 } }));
        let intent = call.start_id().unwrap();
        assert_eq!(call.clone().start_id().as_deref(), Some(intent.as_str()));
        let started = block_on(call).unwrap();
        assert_eq!(started.start_id(), Some(intent.as_str()), "{place:?}");
        assert_eq!(find(&server.requests()[0].1), intent, "{place:?}");
        // A later snapshot has it as well.
        assert_eq!(block_on(started.poll_once()).unwrap().start_id(), Some(intent.as_str()));
        assert_eq!(operations.resume(started.token()).unwrap().start_id(), None, "a token does not keep it");
        // The same start again, as after a crash; and another one has another id.
        let again = operations.call(Method::POST, "v1/x").query("a", 1).with_start_id(&intent);
        assert!(block_on(again).is_ok());
        assert_eq!(find(&server.requests()[2].1), intent, "{place:?}");
        let other = operations.call(Method::POST, "v1/x");
        assert_ne!(other.start_id(), Some(intent));
    }
}

fn read(request: &Request<Bytes>) -> serde_json::Value {
    serde_json::from_slice(request.body()).unwrap()
}

#[test]
fn a_repeatable_request_has_the_time_at_which_it_was_first_sent() {
    let call = |operations: &Operations| {
        operations.call(Method::POST, "v1/x").start_id_in(StartIdIn::Header("Repeatability-Request-ID"))
    };
    let dated = sent(call);
    assert!(dated.headers()["repeatability-first-sent"].to_str().unwrap().ends_with(" GMT"), "{dated:?}");
    let kept = sent(|operations| call(operations).header("repeatability-first-sent", "before"));
    assert_eq!(kept.headers()["repeatability-first-sent"], "before");
    let other = sent(|operations| operations.call(Method::POST, "v1/x").start_id_in(StartIdIn::Header("Operation-Id")));
    assert!(!other.headers().contains_key("repeatability-first-sent"));
}

#[test]
fn an_id_that_the_caller_has_put_there_is_kept() {
    let id = |call: StartCall| (call.start_id(), block_on(call).unwrap().start_id().map(str::to_owned));
    let (_server, operations) = running();
    let own = Some("own".to_owned());
    let call = || operations.call(Method::POST, "v1/x");
    let calls = [
        call().header("idempotency-key", "own").start_id_in(StartIdIn::Header("Idempotency-Key")),
        call().query("id", "own").start_id_in(StartIdIn::Query("id")),
        operations.call(Method::POST, "v1/x?id=own").start_id_in(StartIdIn::Query("id")),
        call().json(&json!({ "id": "own" })).start_id_in(StartIdIn::Body("id")),
        call().json(&json!({ "id": "" })).start_id_in(StartIdIn::Body("id")).with_start_id("own"),
    ];
    for call in calls {
        assert_eq!(id(call), (own.clone(), own.clone()));
    }
    assert_eq!(id(call()), (None, None));
}

#[test]
fn a_start_id_of_the_callers_own_is_not_repeated_on_polls() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, request| {
        let mut accepted = reply(202, "");
        if request.method() == Method::POST {
            accepted.headers_mut().insert("location", HeaderValue::from_static("/jobs/7"));
        }
        (Duration::ZERO, Ok(accepted))
    });
    for of_the_client in [false, true] {
        let place = StartIdIn::Header("X-Request-Token");
        let operations = client(&server, &clock, |builder| {
            let builder = builder.dialect(lro_runtime::dialect::Http::new());
            if of_the_client { builder.start_id_in(place) } else { builder }
        });
        let call = operations.call(Method::POST, "v1/x").header("x-request-token", "own").header("x-mine", "1");
        let call = if of_the_client { call } else { call.start_id_in(place) };
        let started = block_on(call).unwrap();
        assert_eq!(started.start_id(), Some("own"));
        let _running = block_on(started.poll_once()).unwrap();
        let polled = server.requests().pop().unwrap().1;
        assert_eq!((polled.method(), polled.headers()["x-mine"].as_bytes()), (&Method::GET, &b"1"[..]));
        assert!(!polled.headers().contains_key("x-request-token"), "it would name the wrong request");
    }
}

#[test]
fn a_start_id_without_a_place_or_given_twice_is_refused() {
    let cases: [(&str, With); 6] = [
        ("has no place", |call| call.with_start_id("x")),
        ("`a`, and `with_start_id` gives `b`", |call| {
            call.query("id", "a").with_start_id("b").start_id_in(StartIdIn::Query("id"))
        }),
        ("not a JSON object", |call| call.bytes("text/csv", "a,b").start_id_in(StartIdIn::Body("id"))),
        ("not a header name", |call| call.start_id_in(StartIdIn::Header("a b"))),
        ("not legal in a header", |call| call.with_start_id("a\nb").start_id_in(StartIdIn::Header("id"))),
        ("is empty", |call| call.with_start_id("").start_id_in(StartIdIn::Header("id"))),
    ];
    for (said, with) in cases {
        let error = refused(|operations| with(operations.call(Method::POST, "v1/x")));
        assert!(error.to_string().contains(said), "{error}");
    }
    let built = Operations::builder("https://api.test").start_id_in(StartIdIn::Body("a..b")).build();
    assert_eq!(built.unwrap_err().kind(), ErrorKind::InvalidSettings);
}

#[test]
fn a_start_without_an_answer_is_sent_again_with_the_id_of_the_call_and_its_error_names_it() {
    let clock = VirtualClock::new();
    let lost = || TransportError::message(TransportErrorKind::Closed, "lost");
    let server = Server::new(&clock, move |_, _| (Duration::ZERO, Err(lost())));
    let operations = client(&server, &clock, |builder| builder.start_retries(2));
    let error = drive(&clock, operations.call(Method::POST, "v1/x").into_future()).unwrap_err();
    assert_eq!(error.start_id(), None);
    assert_eq!(server.requests().len(), 1, "without an id a second start may start a second operation");
    let call = operations.call(Method::POST, "v1/x").start_id_in(StartIdIn::Header("id")).with_start_id("x7");
    let error = drive(&clock, call.into_future()).unwrap_err();
    assert!(error.to_string().contains("with the start id `x7` failed"), "{error}");
    assert_eq!(error.start_id(), Some("x7"));
    let ids: Vec<_> = server.requests()[1..].iter().map(|(_, request)| request.headers()["id"].clone()).collect();
    assert_eq!(ids, ["x7", "x7", "x7"]);
}

#[test]
fn a_start_that_a_certificate_stopped_was_not_sent_and_says_what_to_check() {
    let clock = VirtualClock::new();
    let refused = || TransportError::message(TransportErrorKind::Certificate, "not for this host");
    let server = Server::new(&clock, move |_, _| (Duration::ZERO, Err(refused())));
    let error = block_on(client(&server, &clock, |builder| builder).call(Method::POST, "v1/x")).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("the server's certificate was refused") && said.contains("check the base URL"), "{said}");
}

#[test]
fn a_call_can_be_cloned_and_sent_to_another_thread_and_shows_no_value() {
    fn fits<T: Clone + Send + Sync + 'static>(call: T) -> T {
        call
    }
    let (_server, operations) = running();
    let call = operations.call(Method::POST, "v1/{x}").path("x", "hunter2").query("y", "hunter2").json("hunter2");
    let call = fits(call.header("z", "hunter2"));
    let debug = format!("{call:?}");
    assert!(debug.contains("v1/{x}") && !debug.contains("hunter2"), "{debug}");
    assert!(std::thread::spawn(move || block_on(call)).join().unwrap().is_ok());
}

#[test]
fn the_time_limit_of_a_start_can_be_set() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| (secs(1000.0), Ok(reply(200, "{}"))));
    let took = |call: StartCall| {
        let before = clock.elapsed();
        let error = drive(&clock, call.into_future()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Start, "{error}");
        clock.elapsed().saturating_sub(before).as_secs()
    };
    let usual = client(&server, &clock, |builder| builder);
    let patient = client(&server, &clock, |builder| builder.start_timeout(secs(600.0)));
    assert_eq!(took(usual.call(Method::POST, "v1/x")), 120);
    assert_eq!(took(patient.call(Method::POST, "v1/x")), 600);
    assert_eq!(took(patient.call(Method::POST, "v1/x").start_timeout(secs(5.0))), 5);
    let none = refused(|operations| operations.call(Method::POST, "v1/x").start_timeout(Duration::ZERO));
    assert!(none.to_string().contains("start_timeout"), "{none}");
    let built = Operations::builder("https://api.test").start_timeout(Duration::ZERO).build();
    assert!(built.unwrap_err().to_string().contains("start_timeout"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_arguments_are_the_call_goes_to_its_place(
        group in "[a./\\\\%2e?&#=:;@ ä\u{0}]{0,8}", value in "\\PC{0,8}",
    ) {
        let (server, operations) = running();
        let call = disk(&operations, &group).query("q", &value).query("last", 1).no_body();
        match block_on(call) {
            Ok(_) => {
                let uri = server.requests()[0].1.uri().clone();
                let segments: Vec<_> = uri.path().split('/').collect();
                prop_assert_eq!(segments.len(), 10);
                prop_assert_eq!((segments[4], segments[6], segments[9]), ("resourceGroups", "providers", "7"));
                let pairs: Vec<_> = uri.query().unwrap().split('&').collect();
                prop_assert_eq!((pairs.len(), pairs[1]), (2, "last=1"));
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Start);
                prop_assert!(server.requests().is_empty());
            }
        }
    }

    #[test]
    fn whatever_the_template_is_the_call_stays_on_its_origin_or_is_not_sent(
        template in "(https://|[{}=*/+.x?&#:@]|\\{x\\}|/v1/|https://api\\.test/|api\\.test|evil\\.test|%2e){0,10}",
        value in "\\PC{0,6}",
    ) {
        let (server, operations) = running();
        let call = operations.call(Method::POST, &template);
        // A value without a variable is refused, and then nothing is left to look at.
        let call = if template.contains("{x") { call.path("x", value) } else { call };
        let error = block_on(call).err();
        prop_assert_eq!(error.is_none(), !server.requests().is_empty());
        for (_, request) in server.requests() {
            prop_assert_eq!(request.uri().authority().unwrap().as_str(), "api.test", "{}", template);
            let refused = template.contains("evil") && template.starts_with("https://evil");
            prop_assert!(!refused && error.is_none(), "{template}");
        }
    }
}
