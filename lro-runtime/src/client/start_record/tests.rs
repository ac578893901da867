//! What is sent again is what was sent, byte for byte, and what is written down has no secret.

#![expect(unused_must_use, reason = "what a scripted transport starts need not be polled")]

use std::{
    future::{IntoFuture, poll_fn},
    time::SystemTime,
};

use http::Method as HttpMethod;
use serde_json::{json, value::RawValue};

use super::*;
use crate::{
    client::{
        Credentials, OperationsBuilder, StartIdIn, bearer, current_method,
        start_recorder::tests::{Recorder, recorded},
    },
    dialect::{Acceptor, CallerHeaders, Http, Waiter},
    error::ErrorKind,
    message::Request,
    testing::{Script, ScriptedTransport, VirtualClock},
    timer::park::block_on,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts an operation in one way.
type Start = fn(&Operations) -> BoxFuture<'static, Result<RawOperation>>;

/// A client with everything of its own that a client can have.
fn client(
    script: Script,
    with: impl FnOnce(OperationsBuilder) -> OperationsBuilder,
) -> (VirtualClock, ScriptedTransport, Operations) {
    let clock = VirtualClock::new();
    let transport = ScriptedTransport::new(script).with_clock(&clock);
    let builder = Operations::builder("https://api.test/base")
        .transport(transport.clone())
        .timer(clock.clone())
        .header("x-client-header", "planted-header")
        .query("client-key", "planted-query")
        .credentials(Hook)
        .allow_origin("https://other.test");
    (clock, transport, with(builder).build().unwrap())
}

struct Hook;

impl Credentials for Hook {
    fn headers<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<HeaderMap, crate::client::CredentialsError>> {
        Box::pin(async { Ok(bearer("planted-token")?) })
    }
}

/// All of a request that can differ, with the headers that dialects see as the caller's.
fn parts(request: &Request) -> impl PartialEq + fmt::Debug + use<> {
    let headers = |headers: &HeaderMap| -> Vec<(String, Vec<u8>)> {
        headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
    };
    let by_caller = request.extensions().get().map(|CallerHeaders(by_caller)| headers(by_caller));
    let (method, uri) = (request.method().to_string(), request.uri().to_string());
    (method, uri, request.version(), headers(request.headers()), request.body().clone(), by_caller)
}

/// Starts an operation, and returns the operation, the requests, and what is written down of it, as
/// another process reads it.
fn first(
    transport: &ScriptedTransport,
    start: BoxFuture<'static, Result<RawOperation>>,
) -> (Result<RawOperation>, Vec<Request>, Vec<Result<String, NotKept>>) {
    let recorder = Arc::new(Recorder::default());
    let operation = block_on(recorded(&recorder, start));
    let told = recorder.told().into_iter().map(|told| {
        let record = told.record.map(|record| serde_json::to_string(&record).unwrap());
        if let Ok(json) = &record {
            assert_eq!(read(json).start_id(), told.start_id.as_deref());
        }
        record
    });
    (operation, transport.requests(), told.collect())
}

fn read(json: &str) -> StartRecord {
    let record: StartRecord = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&record).unwrap(), json, "nothing is lost by reading it");
    record
}

fn request_with(method: &str, url: &str, headers: &[(&str, &[u8])], body: &[u8]) -> http::Request<Vec<u8>> {
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    request.body(body.to_vec()).unwrap()
}

const WAYS: &[(&str, Start)] = &[
    ("post", |client| client.post("v1/images:export", &json!({ "text": "ä \" \\ \u{0} \u{1f600}", "n": 7 }))),
    ("post of nothing", |client| client.post("v1/images:export", &())),
    ("post of what was written by hand", |client| {
        let written = r#"{ "n": 1.10, "big": 123456789012345678901234567890, "a": { "z": 1, "a": 2 } }"#;
        client.post("v1/images:export?x=1", &RawValue::from_string(written.to_owned()).unwrap())
    }),
    ("put", |client| client.put("/v1/images/a%20b", &json!({ "tags": ["a", "b"] }))),
    ("patch", |client| client.patch("v1/images/7", &json!({ "tags": [] }))),
    ("call", |client| {
        let call = client.call(HttpMethod::POST, "v1/{parent=projects/*}/images/{image}:export?view=full");
        let call = call.path("parent", "projects/p q").path("image", "a/b?c#d").query("image id", "a&b=c +ä");
        let call = call.query("$filter", "x eq 'y'").query("n", 1).query("n", 2);
        call.header("x-tenant", "ü, 7").header("if-match", "\"1\"").json(&json!({ "a": 1 })).into_future()
    }),
    ("call with a body of text", |client| {
        client.call(HttpMethod::PUT, "v1/table").bytes("text/csv", "a,b\r\n1,\"ä\"\n").into_future()
    }),
    ("call with a body that is no text", |client| {
        let body: Vec<u8> = (0..=255).collect();
        client.call(HttpMethod::POST, "v1/table").bytes("application/x-parquet", body).into_future()
    }),
    ("call without a body", |client| {
        client.call(HttpMethod::DELETE, "v1/images/{image}").path("image", 7).query("etag", "x").no_body().into_future()
    }),
    ("call of another type of JSON", |client| {
        let call = client.call(HttpMethod::PATCH, "v1/images/7").header("content-type", "application/merge-patch+json");
        call.json(&json!({ "a": null })).into_future()
    }),
    ("call with GET", |client| client.call(HttpMethod::GET, "v1/images/7").query("wait", true).into_future()),
    ("call with a method of its own", |client| {
        client.call("EXPORT".parse().unwrap(), "v1/images/7").header("x-a", "").into_future()
    }),
    ("a whole request", |client| {
        let headers: [(&str, &[u8]); 5] =
            [("x-b", b"1"), ("x-a", b"2"), ("x-b", b"3"), ("x-bytes", b"\xff\xfe"), ("x-c", b"")];
        client.start(request_with("POST", "/v1/images:export?a=1&a=2", &headers, b"{ \"a\" : 1 }\n"))
    }),
    ("a whole request with a whole URL", |client| {
        client.start(request_with("PUT", "https://API.test:443/elsewhere/x?y=%7E", &[("x-a", b"1")], b"{}"))
    }),
    ("a whole request to an origin without credentials", |client| {
        let headers: [(&str, &[u8]); 2] = [("x-a", b"1"), ("content-type", b"application/json")];
        client.start(request_with("POST", "https://other.test/x?y=1", &headers, b"{\"a\":1}"))
    }),
    ("a whole request that has the ids", |client| {
        let headers: [(&str, &[u8]); 5] = [
            ("operation-id", b"by hand 1"),
            ("x-a", b"1"),
            ("repeatability-request-id", b"by hand 2"),
            ("repeatability-first-sent", b"Tue, 01 Jan 2030 00:00:00 GMT"),
            ("x-z", b"2"),
        ];
        let body = br#"{"clientToken":"by hand 3","job":{"reference":{"id":4}}}"#;
        client.start(request_with("POST", "/v1/x?requestId=by%20hand", &headers, body))
    }),
];

const PLACES: &[Option<StartIdIn>] = &[
    None,
    Some(StartIdIn::Header("Operation-Id")),
    Some(StartIdIn::Header("Repeatability-Request-ID")),
    Some(StartIdIn::Query("requestId")),
    Some(StartIdIn::Body("clientToken")),
    Some(StartIdIn::Body("job.reference.id")),
];

#[test]
fn what_is_sent_again_is_what_was_sent_byte_for_byte() {
    let mut sent = 0;
    for (way, start) in WAYS {
        for place in PLACES {
            let what = format!("{way}, {place:?}");
            let with_place = |builder: OperationsBuilder| match place {
                Some(place) => builder.start_id_in(*place),
                None => builder,
            };
            let (_, transport, operations) = client(Script::new().running(9), with_place);
            let (operation, requests, mut told) = first(&transport, start(&operations));
            let Ok(operation) = operation else {
                // A body that is no JSON has no member for an id.
                assert!(matches!(place, Some(StartIdIn::Body(_))) && way.contains("with a body"), "{what}");
                assert!(requests.is_empty() && told.is_empty(), "{what}");
                continue;
            };
            assert_eq!((requests.len(), told.len()), (1, 1), "{what}");
            let json = told.remove(0).unwrap();
            assert!(!json.contains("planted"), "{what}: {json}");
            let record = read(&json);
            assert_eq!(record.start_id(), operation.start_id(), "{what}");
            assert_eq!(record.start_id().is_some(), place.is_some(), "{what}");

            // Another process, a day later.
            let (clock, transport, operations) = client(Script::new().running(9), with_place);
            clock.set_system_time(SystemTime::UNIX_EPOCH + 30_000 * DAY);
            let again = block_on(operations.start_again(&record, None)).unwrap();
            assert_eq!(parts(&transport.requests()[0]), parts(&requests[0]), "{what}");
            assert_eq!((again.start_id(), again.name()), (operation.start_id(), operation.name()), "{what}");
            sent += 1;
        }
    }
    let refused = 2 * 2;
    assert_eq!(sent, WAYS.len() * PLACES.len() - refused);
}

#[test]
fn a_call_that_is_made_again_is_another_start() {
    for place in PLACES.iter().flatten() {
        let sent = |system: Duration| {
            let (clock, transport, operations) = client(Script::new().running(9), |b| b.start_id_in(*place));
            clock.set_system_time(SystemTime::UNIX_EPOCH + system);
            block_on(operations.post("v1/images:export", &json!({}))).unwrap();
            transport.requests().remove(0)
        };
        let (one, other) = (sent(20_000 * DAY), sent(30_000 * DAY));
        assert!(parts(&one) != parts(&other), "{place:?}: what the test above compares does differ");
        let date = |request: &Request| request.headers().get("repeatability-first-sent").cloned();
        assert_eq!(date(&one) != date(&other), *place == StartIdIn::Header("Repeatability-Request-ID"));
    }
}

#[test]
fn the_place_and_the_id_of_one_call_are_kept() {
    for place in PLACES.iter().flatten() {
        let (_, transport, operations) = client(Script::new().running(9), |builder| builder);
        let call = operations.call(HttpMethod::POST, "v1/images").start_id_in(*place).with_start_id("my id/1&2");
        let (_, requests, told) = first(&transport, call.into_future());
        let record = read(told[0].as_ref().unwrap());
        assert_eq!(record.start_id(), Some("my id/1&2"));
        // The client of the repeated call has no place for ids.
        let (_, transport, operations) = client(Script::new().running(9), |builder| builder);
        block_on(operations.start_again(&record, None)).unwrap();
        assert_eq!(parts(&transport.requests()[0]), parts(&requests[0]), "{place:?}");
    }
}

#[test]
fn polls_after_a_repeated_start_have_the_same_headers() {
    let accepted = || {
        let script = Script::new().http(202, "").header("location", "/monitors/7");
        script.http(200, "{}").header("content-type", "application/json")
    };
    let build = |builder: OperationsBuilder| builder.dialect(Http).start_id_in(StartIdIn::Header("x-request-key"));
    let (_, transport, operations) = client(accepted(), build);
    let headers: [(&str, &[u8]); 5] =
        [("x-request-key", b"7"), ("x-a", b"1"), ("x-b", b"2"), ("x-a", b"3"), ("if-match", b"*")];
    let start = operations.start(request_with("POST", "/v1/x", &headers, b"{}"));
    let (operation, _, told) = first(&transport, start);
    block_on(operation.unwrap().poll_once()).unwrap();
    let expected = transport.requests();
    assert_eq!(expected[1].headers().get_all("x-a").iter().count(), 2, "the poll repeats the caller's headers");
    assert!(!expected[1].headers().contains_key("x-request-key"));

    let (_, transport, operations) = client(accepted(), build);
    let again = block_on(operations.start_again(&read(told[0].as_ref().unwrap()), None)).unwrap();
    block_on(again.poll_once()).unwrap();
    let requests = transport.requests();
    assert_eq!(requests.iter().map(parts).collect::<Vec<_>>(), expected.iter().map(parts).collect::<Vec<_>>());
}

#[test]
fn a_call_of_a_method_is_sent_again_by_its_dialect() {
    static METHOD: Method = Method::new("Images.export").dialect(|| Arc::new(Http));
    let accepted = || Script::new().http(202, "").header("location", "/monitors/7");
    let (_, transport, operations) = client(accepted(), |builder| builder);
    let mut body = operations.post("v1/x", &json!({ "a": 1 }));
    let body = poll_fn(move |context| current_method::poll_as(&METHOD, body.as_mut(), context));
    let (operation, requests, told) = first(&transport, Box::pin(body));
    let record = read(told[0].as_ref().unwrap());
    assert_eq!((operation.unwrap().method_name(), record.method()), (Some("Images.export"), Some("Images.export")));

    let (_, transport, operations) = client(accepted(), |builder| builder);
    let again = block_on(operations.start_again(&record, Some(&METHOD))).unwrap();
    assert_eq!(parts(&transport.requests()[0]), parts(&requests[0]));
    assert_eq!((again.method_name(), again.name()), (Some("Images.export"), "https://api.test/monitors/7"));
}

#[test]
fn a_waiter_whose_start_call_is_a_get_is_started_again() {
    const READY: Waiter = Waiter::start_url().acceptors(&[Acceptor::success_when("state", "ready")]);
    let script = || Script::new().json(json!({ "state": "busy" })).json(json!({ "state": "ready" }));
    let (_, transport, operations) = client(script(), |builder| builder.dialect(READY));
    let call = operations.call(HttpMethod::GET, "v1/images/{image}").path("image", "a b").query("view", "full");
    let (operation, _, told) = first(&transport, call.header("x-tenant", "7").into_future());
    block_on(operation.unwrap().poll_once()).unwrap();

    let (_, again, operations) = client(script(), |builder| builder.dialect(READY));
    let operation = block_on(operations.start_again(&read(told[0].as_ref().unwrap()), None)).unwrap();
    assert!(block_on(operation.poll_once()).unwrap().is_succeeded());
    let both = [&transport, &again].map(|transport| transport.requests().iter().map(parts).collect::<Vec<_>>());
    assert_eq!(both[0], both[1]);
    assert_eq!(both[0].len(), 2);
}

#[cfg(feature = "grpc")]
#[test]
fn a_message_is_sent_again() {
    use prost::Message as _;

    use crate::{dialect::GoogleGrpc, grpc::longrunning, message::Reply};

    let started = longrunning::Operation { name: "operations/7".to_owned(), ..Default::default() };
    let reply = || Reply::new(started.encode_to_vec().into());
    let build = |builder: OperationsBuilder| builder.dialect(GoogleGrpc).start_id_in(StartIdIn::Header("x-request-id"));
    // Negative numbers are no text.
    for seconds in [0, -1] {
        let (_, transport, operations) = client(Script::new().reply(reply()), build);
        let message = prost_types::Timestamp { seconds, nanos: 0 };
        let call = operations.call_message("/images.v1.Images/Export", &message).routing("parent", "projects/p q");
        let (operation, requests, told) = first(&transport, call.into_future());
        assert_eq!(operation.unwrap().name(), "operations/7");
        assert_eq!(requests[0].body(), &message.encode_to_vec());

        let (_, transport, operations) = client(Script::new().reply(reply()), build);
        block_on(operations.start_again(&read(told[0].as_ref().unwrap()), None)).unwrap();
        assert_eq!(parts(&transport.requests()[0]), parts(&requests[0]));

        let (_, transport, operations) = client(Script::new().reply(reply()), build);
        let (_, _, told) = first(&transport, operations.start_message("/images.v1.Images/Export", &message));
        assert!(told[0].is_ok(), "{told:?}");
    }
}

#[test]
fn a_call_is_sent_again_with_its_own_time_limit_and_by_the_start_policy() {
    let seven = Duration::from_secs(7);
    let (_, transport, operations) = client(Script::new().running(1), |builder| builder);
    let call = operations.call(HttpMethod::POST, "v1/x").start_id_in(StartIdIn::Query("id")).start_timeout(seven);
    let (_, _, told) = first(&transport, call.with_start_id("7").into_future());
    let record = read(told[0].as_ref().unwrap());

    let (clock, transport, operations) = client(Script::new().silence().silence().silence(), |b| b.start_retries(2));
    let error = block_on(operations.start_again(&record, None)).unwrap_err();
    assert_eq!((error.kind(), error.start_id()), (ErrorKind::Start, Some("7")));
    assert!(error.to_string().contains("with the start id `7` failed"), "{error}");
    let requests = transport.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.windows(2).all(|two| parts(&two[0]) == parts(&two[1])));
    let times = transport.request_times();
    assert_eq!(clock.elapsed() - times[2], seven, "{times:?}");
}

#[test]
fn a_call_that_is_sent_again_is_not_written_down_again() {
    let (_, transport, operations) = client(Script::new().running(9), |builder| builder);
    let (_, _, told) = first(&transport, operations.post("v1/x", &1));
    let record = read(told[0].as_ref().unwrap());
    let (again, requests, told) = first(&transport, operations.start_again(&record, None));
    assert!(again.is_ok() && told.is_empty(), "{told:?}");
    assert_eq!(requests.len(), 2);
}

#[test]
fn a_call_with_a_secret_is_sent_and_not_written_down() {
    let secrets: &[(&str, Start)] = &[
        ("the header `authorization`", |client| with_header(client, "Authorization", "Bearer s3cr3t")),
        ("the header `cookie`", |client| with_header(client, "cookie", "a=s3cr3t")),
        ("the header `x-goog-api-key`", |client| with_header(client, "x-goog-api-key", "s3cr3t")),
        ("the header `api-key`", |client| with_header(client, "api-key", "s3cr3t")),
        ("the header `x-vault-token`", |client| with_header(client, "X-Vault-Token", "s3cr3t")),
        ("the header `x-ms-copy-source`", |client| {
            with_header(client, "x-ms-copy-source", "https://x.test/a?sv=1&sig=s3cr3t")
        }),
        ("the header `x-own`", |client| {
            let mut request = request_with("POST", "/v1/x", &[("x-own", b"s3cr3t")], b"");
            request.headers_mut().iter_mut().for_each(|(_, value)| value.set_sensitive(true));
            client.start(request)
        }),
        ("the query parameter `key`", |client| {
            client.call(HttpMethod::POST, "v1/x").query("a", 1).query("key", "s3cr3t").into_future()
        }),
        ("the query parameter `access_token`", |client| client.post("v1/x?access_token=s3cr3t", &())),
        ("the query parameter `sig`", |client| {
            client.start(request_with("PUT", "https://other.test/x?sv=1&sig=s3cr3t&x=1", &[], b""))
        }),
        ("the body", |client| client.post("v1/x", &json!({ "os": { "adminPassword": "s3cr3t" } }))),
        ("the body", |client| client.post("v1/x", &json!({ "from": "https://x.test/a?sv=1&sig=s3cr3t" }))),
        ("the body", |client| {
            let call = client.call(HttpMethod::POST, "v1/x");
            call.bytes("application/x-protobuf", b"\xff\x12\x20https://x.test/a?sig=s3cr3t".to_vec()).into_future()
        }),
    ];
    for (part, start) in secrets {
        let (_, transport, operations) = client(Script::new().running(9), |builder| builder);
        let (operation, requests, told) = first(&transport, start(&operations));
        assert!(operation.is_ok(), "{part}");
        assert_eq!(requests.len(), 1, "{part}");
        assert_eq!(told, [Err(NotKept::Secret((*part).to_owned()))]);
        let why = told[0].as_ref().unwrap_err();
        let shown = format!("{why} {why:?} {}", serde_json::to_string(why).unwrap());
        assert!(!shown.contains("s3cr3t") && why.to_string().starts_with(part), "{shown}");
    }
}

fn with_header(client: &Operations, name: &str, value: &str) -> BoxFuture<'static, Result<RawOperation>> {
    client.call(HttpMethod::POST, "v1/x").header(name, value).into_future()
}

#[test]
fn the_user_info_of_a_url_is_a_secret() {
    let (_, transport, operations) = client(Script::new().running(9), |builder| builder);
    let request = request_with("POST", "https://user:s3cr3t@api.test/x", &[], b"");
    let (_, _, told) = first(&transport, operations.start(request));
    assert_eq!(told, [Err(NotKept::Secret("the user info of the URL".to_owned()))]);
}

#[test]
fn the_header_of_a_start_id_is_no_secret_whatever_it_is_called() {
    let place = StartIdIn::Header("x-amz-client-token");
    let (_, transport, operations) = client(Script::new().running(9), |builder| builder.start_id_in(place));
    let (_, _, told) = first(&transport, operations.post("v1/x", &()));
    assert!(told[0].is_ok(), "{told:?}");
    let (_, _, told) = first(&transport, with_header(&operations, "x-amz-client-token", "7"));
    assert_eq!(read(told[0].as_ref().unwrap()).start_id(), Some("7"));
}

#[test]
fn a_call_of_at_most_a_mebibyte_is_written_down() {
    const MEBIBYTE: usize = 1024 * 1024;
    let target = "/v1/table";
    let (name, value) = ("content-type", "text/csv");
    let room = MEBIBYTE - target.len() - name.len() - value.len();
    for (size, expected) in [(room, Ok(())), (room + 1, Err(NotKept::TooLarge(MEBIBYTE + 1)))] {
        let (_, transport, operations) = client(Script::new().running(9), |builder| builder);
        let call = operations.call(HttpMethod::PUT, target).bytes(value, vec![b','; size]);
        let (operation, requests, told) = first(&transport, call.into_future());
        assert!(operation.is_ok());
        assert_eq!(requests[0].body().len(), size);
        assert_eq!(told[0].clone().map(drop), expected);
    }
    let why = NotKept::TooLarge(MEBIBYTE + 1).to_string();
    assert_eq!(why, "the start call has 1048577 bytes: at most 1048576 are stored");
}

#[test]
fn a_record_that_is_damaged_is_refused_and_sends_nothing() {
    let whole = json!({
        "http_method": "POST", "target": "/v1/x", "headers": [["x-a", { "text": "1" }]], "by_caller": ["x-a"],
        "body": { "text": "{}" }, "start_id": "7", "timeout": { "secs": 7, "nanos": 0 }, "method": "m",
    });
    let (_, transport, operations) = client(Script::new().running(9), |builder| builder);
    let record: StartRecord = serde_json::from_value(whole.clone()).unwrap();
    assert!(block_on(operations.start_again(&record, None)).is_ok());
    let cases = [
        ("http_method", json!("P ST"), "`P ST` is not an HTTP method"),
        ("target", json!("/v1/../x"), "the segment `.` or `..`"),
        ("headers", json!([["x a", { "text": "1" }]]), "`x a` is not a header name"),
        ("headers", json!([["x-a", { "text": "a\nb" }]]), "the value of its header `x-a` is not legal"),
        ("headers", json!([["x-a", { "base64": "?" }]]), "the value of its header `x-a` is not legal"),
        ("by_caller", json!(["x a"]), "`x a` is not a header name"),
        ("body", json!({ "base64": "?" }), "its body is not base64"),
        ("timeout", json!({ "secs": 0, "nanos": 0 }), "its time limit is zero"),
    ];
    for (member, value, why) in cases {
        let mut damaged = whole.clone();
        damaged[member] = value;
        let record: StartRecord = serde_json::from_value(damaged).unwrap();
        let error = block_on(operations.start_again(&record, None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Start);
        let text = error.to_string();
        assert!(
            text.contains("the start call was not sent again: its record cannot be read") && text.contains(why),
            "{text}"
        );
    }
    let mut other = whole;
    other["unknown"] = json!(1);
    assert!(serde_json::from_value::<StartRecord>(other).is_err());
    assert_eq!(transport.requests().len(), 1);
}

#[test]
fn debug_output_of_a_record_shows_no_value() {
    let (_, transport, operations) = client(Script::new().running(9), |builder| builder);
    let call = operations.call(HttpMethod::POST, "v1/x").query("unknown", "hidden").header("x-own", "hidden");
    let (_, _, told) = first(&transport, call.json(&json!({ "a": "hidden" })).into_future());
    let shown = format!("{:?}", read(told[0].as_ref().unwrap()));
    assert!(shown.contains("/v1/x?unknown=") && !shown.contains("hidden"), "{shown}");
}
