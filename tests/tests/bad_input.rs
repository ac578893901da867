//! Tests with input that no server should send: a clear error of the right kind, no panic, no hot
//! loop, nothing lost.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]
#![expect(unreachable_pub, reason = "shared with other test binaries")]

mod support;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use lro_runtime::{
    Code, Dialect, Error, ErrorKind, Operations, PollSettings, State,
    dialect::{Azure, Compute, Cursor, Declared, Google, Jobs, Lxd, Redfish, Vertex},
    testing::{Script, VirtualClock},
    transport::Reply,
    wire,
};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};

use crate::support::{ExportImageOperation, Image, Progress, Server, Stage, cat, json_reply, percent, reply, secs};

/// Polls once and returns the outcome. The reply has this body.
fn polled(body: impl Into<Bytes>) -> Result<ExportImageOperation, Error> {
    let stage = Stage::new(Script::new().running_with(percent(40)).garbage(body));
    let operation = stage.export();
    let seen = smol::block_on(operation.poll_once());
    if let Err(error) = &seen {
        nothing_is_lost(error);
    }
    seen
}

/// Asserts that the error of a poll still has the snapshot and the token from before.
fn nothing_is_lost(error: &Error) {
    let snapshot = error.snapshot().unwrap();
    assert_eq!((snapshot.state(), snapshot.name()), (State::Running, "operations/1"), "{error}");
    assert_eq!(snapshot.metadata().unwrap().bytes(), br#"{"percent":40}"#);
    assert_eq!(error.token().unwrap().name(), "operations/1");
    assert!(error.to_string().len() < 3000 && !error.to_string().contains('\n'), "{error}");
}

/// Asserts that a reply with this body is a protocol error, and returns its message.
fn refused(body: impl Into<Bytes>) -> String {
    let body = body.into();
    let error = polled(body.clone()).err().unwrap_or_else(|| panic!("{body:?} was read"));
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    error.to_string()
}

/// Returns an operation that is done with this response.
fn done(response: &str) -> ExportImageOperation {
    polled(format!(r#"{{"name":"operations/1","done":true,"response":{response}}}"#)).unwrap()
}

#[test]
fn what_is_not_json_is_refused_with_an_excerpt() {
    for body in [
        "",
        " ",
        "<html><body>502</body></html>",
        "OK",
        "{",
        "}",
        "{]",
        "{\"a\" 1}",
        "{'done': true}",
        "{\"done\":true}{}",
        "{\"done\":tru}",
        "NaN",
    ] {
        refused(body);
    }
    assert!(refused("<html>\r\n<title>").contains(r"<html>\r\n<title>"));
    refused(&[0xff, 0xfe, 0x00][..]);
    refused(&b"{\"done\": \xff}"[..]);
}

#[test]
fn every_truncation_of_a_valid_body_is_refused() {
    let status = json!({ "code": 5, "message": "ä", "details": [{ "@type": "x/y.Z", "a": [1, 2.5e3, null] }] });
    for body in [
        json!({ "name": "operations/1", "metadata": percent(40), "done": true, "response": cat() }),
        json!({ "name": "operations/1", "metadata": { "@type": "a/b.C" }, "done": true, "error": status }),
    ] {
        let text = body.to_string();
        assert!(polled(text.clone()).is_ok());
        for length in 0..text.len() {
            refused(Bytes::copy_from_slice(&text.as_bytes()[..length]));
        }
    }
}

#[test]
fn a_wrong_type_in_a_field_is_refused_by_its_name() {
    let values = [
        json!(null),
        json!(true),
        json!(7),
        json!(-1.5),
        json!("text"),
        json!([]),
        json!([1]),
        json!({}),
        json!({ "a": 1 }),
    ];
    for value in &values {
        let body = |field: &str| json!({ "name": "operations/1", "done": true, field: value });
        let legal = |field: &str| match field {
            "name" => value.is_null() || value.is_string(),
            "done" => value.is_null() || value.is_boolean(),
            // An error of any type says that the operation failed.
            _ => true,
        };
        for field in ["name", "done", "error", "response", "metadata", "unheard_of"] {
            match polled(body(field).to_string()) {
                Ok(operation) => {
                    assert!(legal(field), "{field}: {value}");
                    let has_failed = operation.untyped().state() == State::Failed;
                    assert_eq!(has_failed, field == "error" && !value.is_null(), "{field}: {value}");
                }
                Err(error) => {
                    assert!(!legal(field), "{error}");
                    assert_eq!(error.kind(), ErrorKind::Protocol);
                    assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
                }
            }
        }
        for field in ["code", "message", "details"] {
            let body = json!({ "name": "operations/1", "done": true, "error": { field: value } });
            assert_eq!(polled(body.to_string()).unwrap().untyped().state(), State::Failed, "{field}: {value}");
        }
    }
}

/// The poll replies of a failed operation, with `$` for its error.
fn failed_messages() -> Vec<(Arc<dyn Dialect>, &'static str)> {
    vec![
        (Arc::new(Google::new()), r#"{"name":"o","done":true,"error":$}"#),
        (Arc::new(Vertex::new()), r#"{"name":"o","done":true,"error":$}"#),
        (Arc::new(Jobs::new()), r#"{"name":"o","state":"JOB_STATE_FAILED","error":$}"#),
        (Arc::new(Compute::new()), r#"{"name":"o","status":"DONE","httpErrorStatusCode":500,"error":{"errors":[$]}}"#),
        (Arc::new(Compute::new()), r#"{"name":"o","status":"DONE","httpErrorStatusCode":500,"error":$}"#),
        (Arc::new(Azure::new()), r#"{"status":"Failed","error":$}"#),
        (Arc::new(Lxd::new()), r#"{"type":"sync","metadata":{"id":"1","status_code":400,"err":$}}"#),
        (Arc::new(Redfish), r#"{"TaskState":"Exception","Messages":$}"#),
        (Arc::new(Declared::of::<wire::gke::Operation>()), r#"{"name":"o","status":"DONE","error":$}"#),
        (Arc::new(Declared::of::<wire::cloud_sql::Operation>()), r#"{"name":"o","status":"DONE","error":$}"#),
        (
            Arc::new(Declared::of::<wire::bigquery::Job>()),
            r#"{"id":"p:l.j","jobReference":{"projectId":"p","jobId":"j"},"status":{"state":"DONE","errorResult":$}}"#,
        ),
        (Arc::new(Declared::of::<wire::openai::Response>()), r#"{"id":"1","status":"failed","error":$}"#),
        (Arc::new(Declared::of::<wire::openai::FineTuningJob>()), r#"{"id":"1","status":"failed","error":$}"#),
        (Arc::new(Declared::of::<wire::replicate::Prediction>()), r#"{"id":"1","status":"failed","error":$}"#),
        (Arc::new(Declared::of::<wire::meilisearch::Task>()), r#"{"uid":1,"status":"failed","error":$}"#),
    ]
}

#[test]
fn an_error_of_any_shape_is_a_failed_operation_in_every_dialect() {
    let codes =
        ["7", r#""7""#, "7.0", r#""DISK_FULL""#, "null", "-1", "1e300", "99999999999999999999", "[]", "{}", "true"];
    let mut errors: Vec<_> = codes.iter().map(|code| format!(r#"{{"code":{code},"message":"m"}}"#)).collect();
    errors.extend([
        r#""boom""#.to_owned(),
        "5".to_owned(),
        r#"["boom"]"#.to_owned(),
        r#"{"message":5}"#.to_owned(),
        r#"{"code":3,"message":"m","code":4,"details":7}"#.to_owned(),
        r#"{"\ud800":1,"message":"m"}"#.to_owned(),
    ]);
    for (dialect, message) in failed_messages() {
        for error in &errors {
            let reply = reply(200, message.replace('$', error));
            let seen = dialect.read(&Cursor::new("projects/p/global/operations/o"), &reply);
            let seen = seen.unwrap_or_else(|why| panic!("{} {error}: {why}", dialect.id()));
            assert_eq!(seen.state, State::Failed, "{} {error}", dialect.id());
            assert!(seen.status.is_some(), "{} {error}", dialect.id());
        }
        // Where nothing else says that it failed, an empty list is no error; the wait ends.
        let reply = reply(200, message.replace('$', "[]"));
        let seen = dialect.read(&Cursor::new("projects/p/global/operations/o"), &reply).unwrap();
        assert!(seen.state.is_terminal(), "{}", dialect.id());
    }
}

#[test]
fn json_that_is_not_an_object_is_refused() {
    for body in
        ["null", "true", "7", "\"operations/1\"", "[]", "[null]", r#"["operations/1",null,true,null,{"uri":"u"}]"#]
    {
        refused(body);
    }
}

#[test]
fn null_everywhere_is_absent() {
    let nothing = r#"{"name":null,"metadata":null,"done":null,"error":null,"response":null}"#;
    assert_eq!(polled(nothing).unwrap().untyped().state(), State::Running, "as it was");
    let failed = r#"{"name":null,"metadata":null,"done":true,"error":{"code":null,"message":null,"details":null},"response":null}"#;
    let operation = polled(failed).unwrap();
    assert_eq!(operation.status().unwrap().code(), Code::Unknown);
    let finished = r#"{"name":null,"metadata":null,"done":true,"error":null,"response":null}"#;
    assert_eq!(polled(finished).unwrap().into_result().unwrap_err().kind(), ErrorKind::Decode);
}

/// Returns JSON of this depth: arrays and objects in turn.
fn nested(depth: usize) -> String {
    "[{\"a\":".repeat(depth / 2) + "null" + &"}]".repeat(depth / 2)
}

#[test]
fn nesting_overflows_no_stack_and_fails_only_where_it_is_decoded() {
    for depth in [100, 1000, 100_000] {
        let deep = nested(depth);
        let body = |field: &str| {
            format!(r#"{{"name":"operations/1","metadata":{{"percent":1}},"done":true,"{field}":{deep}}}"#)
        };
        assert!(polled(body("unheard_of")).unwrap().is_completed());
        let operation = polled(body("response")).unwrap();
        assert!(operation.is_completed());
        assert_eq!(operation.clone().into_result().unwrap_err().kind(), ErrorKind::Decode);
        assert_eq!(operation.untyped().response().unwrap().bytes().len(), deep.len(), "nothing lost");
        let metadata = polled(format!(r#"{{"name":"operations/1","metadata":{deep}}}"#)).unwrap();
        assert_eq!(metadata.metadata().unwrap_err().kind(), ErrorKind::Decode);
        refused(body("name"));
        let details = format!(
            r#"{{"done":true,"error":{{"code":3,"message":"m","details":[{deep},{{"@type":"x","d":{deep}}}]}}}}"#
        );
        let failed = polled(details).unwrap();
        assert_eq!(failed.status().unwrap().details().len(), 2);
        assert!(failed.status().unwrap().details()[1].error_info().is_none());
        assert!(failed.token().to_string().parse::<lro_runtime::Token>().is_ok());
        // 128 is the limit of serde_json, for everything but raw values.
        let value = done(&deep).untyped().response().unwrap().decode_json::<Value>();
        assert_eq!(value.is_ok(), depth < 128, "bounded, not overflowing");
        refused("[".repeat(depth));
        refused("{\"name\":".repeat(depth));
    }
}

#[test]
fn a_body_over_the_limit_is_an_error_at_once() {
    let stage = Stage::new(Script::new().running_with(percent(40)).garbage("x".repeat(2000)));
    let operations = Operations::builder("http://scripted.test")
        .transport(stage.transport.clone())
        .timer(stage.clock.clone())
        .max_body(1000)
        .build()
        .unwrap();
    let operation = smol::block_on(operations.post("v1/x", &())).unwrap();
    let error = smol::block_on(operation.poll_until_completed(PollSettings::default())).unwrap_err();
    nothing_is_lost(&error);
    assert!(error.to_string().contains("1000 bytes"), "{error}");
    assert_eq!(error.attempts(), Some(1), "another poll would not mend it");
}

#[test]
fn of_a_member_that_is_there_twice_the_last_counts() {
    let operation = polled(r#"{"name":"operations/1","done":false,"done":true,"done":null}"#).unwrap();
    assert!(operation.is_completed());
    // A payload is the caller's type, which serde reads.
    let operation = done(r#"{"uri":"a","uri":"b"}"#);
    assert_eq!(operation.into_result().unwrap_err().kind(), ErrorKind::Decode);
}

#[test]
fn odd_strings_and_numbers_are_no_harm() {
    // Lone surrogates, surrogates in the wrong order, NUL, the last code point, a right pair.
    for text in [r#""\ud800""#, r#""\udc00\ud800""#, r#""\u0000""#, "\"\u{10ffff}\"", r#""\ud83d\ude00""#] {
        let operation = done(&format!(r#"{{"uri":{text}}}"#));
        let _ = operation.into_result();
        let _ = polled(format!(r#"{{"name":{text},"done":false}}"#));
        let _ = polled(format!(r#"{{"done":true,"error":{{"code":5,"message":{text}}}}}"#));
        assert!(
            polled(format!(r#"{{"done":true,"error":{{"code":5,"details":[{{"@type":{text}}}]}}}}"#))
                .unwrap()
                .is_failed()
        );
    }
    let digits = "9".repeat(5000);
    for number in ["1e400", "-1e400", "1e-400", digits.as_str(), "-0", "9223372036854775808", "1.0"] {
        let _ = polled(format!(r#"{{"name":"operations/1","metadata":{{"percent":{number}}}}}"#)).unwrap().metadata();
        if let Ok(operation) = polled(format!(r#"{{"done":true,"error":{{"code":{number}}}}}"#)) {
            assert!(operation.is_completed());
        }
        assert_eq!(done(&format!(r#"{{"uri":{number}}}"#)).into_result().unwrap_err().kind(), ErrorKind::Decode);
    }
}

#[test]
fn an_any_in_every_odd_form_is_read() {
    let image = |response: &str| done(response).into_result();
    let cat = Image { uri: "u".to_owned() };
    for response in [
        r#"{"uri":"u"}"#,
        r#"{"@type":"type.googleapis.com/example.Image","uri":"u"}"#,
        r#"{"uri":"u","@type":"type.googleapis.com/example.Image"}"#,
        r#"{"typeUrl":"type.googleapis.com/example.Image","value":{"uri":"u"}}"#,
        r#"{"@type":"example.Image","value":"mine","uri":"u"}"#,
        r#"{"@type":"type.googleapis.com/example.Image","uri":"u","unheard_of":{"@type":5}}"#,
        r#"{"@type":7,"uri":"u"}"#,
    ] {
        assert_eq!(image(response).unwrap(), cat, "{response}");
    }
    for response in [
        r#"{"@type":"type.googleapis.com/google.protobuf.Empty"}"#,
        r#"{"typeUrl":"example.Video","value":{}}"#,
        "[]",
        "5",
    ] {
        assert_eq!(image(response).unwrap_err().kind(), ErrorKind::Decode, "{response}");
    }
    let wrapped: Vec<(&str, Value)> = vec![
        (r#"{"@type":"type.googleapis.com/google.protobuf.Struct","value":{"a":1}}"#, json!({ "a": 1 })),
        (r#"{"@type":"type.googleapis.com/google.protobuf.ListValue","value":[1,2]}"#, json!([1, 2])),
        (r#"{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"s"}"#, json!("s")),
        (r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.5s"}"#, json!("1.5s")),
        (r#"{"@type":"type.googleapis.com/google.protobuf.Value","value":null}"#, json!(null)),
        (r#"{"@type":"type.googleapis.com/example.Pair","key":"k","value":"v"}"#, json!({ "key": "k", "value": "v" })),
    ];
    for (response, expected) in wrapped {
        assert_eq!(
            done(response).untyped().response().unwrap().decode_json::<Value>().unwrap(),
            expected,
            "{response}"
        );
    }
    for empty in [
        "{}",
        r#"{"@type":"type.googleapis.com/google.protobuf.Empty"}"#,
        r#"{"@type":"type.googleapis.com/google.protobuf.Empty","value":{}}"#,
    ] {
        let stage = Stage::new(
            Script::new()
                .json(serde_json::from_str::<Value>(&format!(r#"{{"done":true,"response":{empty}}}"#)).unwrap()),
        );
        smol::block_on(stage.client.purge()).unwrap().into_result().unwrap();
    }
}

#[test]
fn odd_names_are_read_encoded_or_refused() {
    for name in [
        "",
        "operations/a\u{0}b",
        "operations/%2e%2e",
        "operations/?x=1",
        "operations/#",
        "a\\b",
        "\u{202e}",
        "..",
        "a/../b",
    ] {
        let stage = Stage::new(Script::new().json(json!({ "name": name, "metadata": {} })).running(1));
        let polled = match smol::block_on(stage.client.export_image()) {
            Ok(operation) => {
                assert_eq!(operation.name(), name);
                assert!(!format!("{operation:?}").contains('\u{0}'));
                smol::block_on(operation.poll_once()).map(drop)
            }
            Err(error) => Err(error),
        };
        if let Err(error) = polled {
            assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::UntrustedUrl), "{name:?}: {error}");
            assert!(!error.to_string().contains(['\n', '\u{0}', '\u{202e}']));
        }
    }
}

#[test]
fn every_http_status_is_a_reply_or_an_error_with_everything_in_it() {
    let bodies = [
        "",
        "<html>",
        "{}",
        r#"{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}"#,
        r#"{"error":"text"}"#,
        r#"{"error":{"code":[]}}"#,
    ];
    for status in 100..=599 {
        for body in bodies {
            let stage = Stage::new(Script::new().running_with(percent(40)).reply(reply(status, body)).running(1));
            let operation = stage.export();
            match smol::block_on(operation.poll_once()) {
                Ok(next) => {
                    assert!(matches!(status, 200..=299) && next.untyped().state() == State::Running, "{status} {body}");
                }
                Err(error) => {
                    nothing_is_lost(&error);
                    let success = (200..=299).contains(&status);
                    let kind = match status {
                        501 => ErrorKind::Unsupported,
                        _ if success => ErrorKind::Protocol,
                        _ => ErrorKind::Poll,
                    };
                    assert_eq!(error.kind(), kind, "{status} {body}: {error}");
                    assert_eq!(error.status().and_then(lro_runtime::Status::http_status), (!success).then_some(status));
                }
            }
            let start = Stage::new(Script::new().reply(reply(status, body)));
            let error = smol::block_on(start.client.export_image()).unwrap_err();
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}

/// Bytes of a reply: random ones, an operation with random fields, or such an operation with one
/// byte changed.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let json = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(false)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        ".{0,8}".prop_map(|text| json!(text)),
        Just(json!("operations/1")),
        Just(percent(50)),
        Just(cat()),
        Just(json!({ "code": 1, "message": "c" })),
        Just(json!({ "code": 8, "message": "e", "details": [1] })),
        Just(json!({ "@type": "type.googleapis.com/example.Video" })),
        Just(json!({ "@type": 1, "value": [] })),
    ];
    let fields = prop_oneof![Just("name"), Just("done"), Just("metadata"), Just("error"), Just("response"), Just("x")];
    let operation = vec((fields, json), 0..6).prop_map(|fields| {
        let fields: Vec<_> = fields.into_iter().map(|(field, value)| format!("{}:{value}", json!(field))).collect();
        format!("{{{}}}", fields.join(",")).into_bytes()
    });
    let damaged = (operation.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, byte)| {
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    prop_oneof![2 => vec(any::<u8>(), 0..40), 6 => operation, 2 => damaged]
}

/// Replies with random status, body, header and latency, many of which are nearly right.
fn fuzzed_replies() -> impl Strategy<Value = (Duration, Reply)> {
    let status =
        prop_oneof![6 => Just(200_u16), 2 => prop_oneof![Just(404_u16), Just(429), Just(503)], 1 => 100_u16..600];
    let names = prop_oneof![
        Just("retry-after"),
        Just("retry-after-ms"),
        Just("location"),
        Just("content-type"),
        Just("operation-location")
    ];
    let values =
        prop_oneof!["-?[0-9]{1,12}(\\.[0-9]{1,3})?", "[ -~]{0,20}", Just("Sun, 06 Nov 2094 08:49:37 GMT".to_owned())];
    (status, bodies(), option::of((names, values)), 0_u64..3000).prop_map(|(status, body, header, millis)| {
        let mut reply = reply(status, body);
        if let Some((name, value)) = header
            && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
        {
            reply.headers_mut().insert(HeaderName::from_static(name), value);
        }
        (Duration::from_millis(millis), reply)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_whole_wait_over_anything_ends_well(replies in vec(fuzzed_replies(), 1..12), garbage_start: bool) {
        let clock = VirtualClock::new();
        let count = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::new(&clock, move |_, request| {
            let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if request.method() == http::Method::POST && !garbage_start {
                return (Duration::ZERO, Ok(json_reply(&json!({ "name": "operations/1", "metadata": percent(40) }))));
            }
            let (latency, reply) = replies[n % replies.len()].clone();
            (latency, Ok(reply))
        });
        let client = server.client();
        let operation = match smol::block_on(client.export_image()) {
            Ok(operation) => operation,
            Err(error) => {
                prop_assert!(garbage_start);
                let legal = [ErrorKind::Start, ErrorKind::Protocol, ErrorKind::UntrustedUrl, ErrorKind::Unsupported];
                prop_assert!(legal.contains(&error.kind()), "{}", error);
                return Ok(());
            }
        };
        let began = clock.elapsed();
        let limit = secs(120.0);
        let outcome = smol::block_on(operation.poll_until_completed(PollSettings::default().with_timeout(limit)));
        prop_assert!(clock.elapsed() <= began + limit, "never late");
        let sent: Vec<_> = server.requests().into_iter().map(|(at, _)| at).collect();
        // Hints are clamped to 0.1 s at least, so that 120 s have room for 1,200 polls.
        prop_assert!(sent.len() < 1300, "no hot loop: {} requests", sent.len());
        match outcome {
            Ok(done) => {
                prop_assert!(done.is_completed());
                let _ = (done.metadata().map(Option::<&Progress>::cloned), done.result().is_ok(), done.progress(), format!("{done:?}"));
                prop_assert!(done.token().to_string().parse::<lro_runtime::Token>().is_ok());
                let _ = done.into_result();
            }
            Err(error) => {
                let legal =
 [ErrorKind::Timeout, ErrorKind::Poll, ErrorKind::Protocol, ErrorKind::UntrustedUrl, ErrorKind::Unsupported];
                prop_assert!(legal.contains(&error.kind()), "{}", error);
                prop_assert!(error.snapshot().is_some_and(|snapshot| !snapshot.is_completed()));
                prop_assert!(error.token().is_some() && error.attempts().is_some());
                prop_assert!(!error.to_string().contains('\n'));
                // The last poll may also fail for good, just at the limit.
                prop_assert!(error.kind() != ErrorKind::Timeout || clock.elapsed() == began + limit, "{}", error);
            }
        }
    }
}
