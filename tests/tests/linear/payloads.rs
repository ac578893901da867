//! Payloads and details: what callers have decoded of an operation, each as a type of its own.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use lro_runtime::{
    Dialect, Operations, Payload, RawOperation, Status, block_on,
    details::Detail,
    dialect::{Compute, Encoding, Google, Http, Lxd},
    testing::VirtualClock,
    transport::{Reply, Request},
};
use prost::Message;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    SAMPLE, SHORT,
    hostile::{GROWTHS, Growth, HOLE},
    work::{Cost, Visit, all_grow_linearly, cost},
};

/// A type with what types of callers have: optional members, lists, maps, and others of its kind.
#[expect(dead_code, reason = "only decoding it counts")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    a: Option<Value>,
    code: Option<String>,
    message: Option<String>,
    details: Option<Vec<Image>>,
    #[serde(default)]
    error: Option<Box<Image>>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A message of protobuf with the same, as fields 1 to 5.
#[derive(Clone, PartialEq, prost::Message)]
struct Export {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", repeated, tag = "2")]
    parts: Vec<Vec<u8>>,
    #[prost(btree_map = "string, string", tag = "3")]
    labels: BTreeMap<String, String>,
    #[prost(message, optional, boxed, tag = "4")]
    inner: Option<Box<Export>>,
    #[prost(int64, repeated, tag = "5")]
    sizes: Vec<i64>,
}

/// Reads a payload in every way in which callers do.
pub(crate) fn look_at_payload(payload: Payload<'_>) {
    let said = |error: lro_runtime::Error| format!("{error} {error:?}");
    drop(payload.type_url());
    drop(format!("{payload:?}"));
    drop(payload.decode_json::<Value>().map_err(said));
    drop(payload.decode_json::<Image>().map_err(said));
    drop(payload.decode_json::<Box<RawValue>>().map_err(said));
    drop(payload.decode_json::<Vec<u8>>().map_err(said));
    drop(payload.decode_message::<Export>().map_err(said));
    drop(payload.decode_message::<prost_types::Struct>().map_err(said));
}

/// Reads a status and its details in every way in which callers do.
pub(crate) fn look_at_status(status: &Status) {
    drop(format!("{status} {status:?}"));
    let _ = status.retry_delay();
    status.details().iter().for_each(look_at_detail);
}

fn look_at_detail(detail: &Detail) {
    drop(format!("{detail:?}"));
    drop((detail.error_info(), detail.quota_failure(), detail.bad_request(), detail.precondition_failure()));
    drop((detail.resource_info(), detail.request_info(), detail.help(), detail.localized_message()));
    drop((detail.retry_info(), detail.debug_info()));
    drop(detail.decode::<Image>("a.Image"));
    drop(detail.decode_message::<Export>("a.Image"));
}

fn look_at_operation(operation: &RawOperation) {
    drop(format!("{operation:?}"));
    let _ = (operation.progress(), operation.status_message());
    operation.metadata().into_iter().chain(operation.response()).for_each(look_at_payload);
    operation.status().into_iter().for_each(look_at_status);
}

/// Where the value that grows stands in a payload.
const PAYLOADS: &[&str] = &[
    "$",
    r#"{"a":$}"#,
    r#"{"@type":$}"#,
    r#"{"@type":"t/a.Image","a":$}"#,
    r#"{"a":$,"@type":"t/a.Image"}"#,
    r#"{"@type":"t\u002fa.Image","a":$,"b":$}"#,
    r#"{"@type":"t/a.Image","a":{"@type":"t/a.Image","a":$}}"#,
    r#"{"@type":"t/google.protobuf.Struct","value":$}"#,
    r#"{"value":$,"@type":"t/google.protobuf.ListValue"}"#,
    r#"{"typeUrl":"t/a.Image","value":$}"#,
    r#"{"value":{},"typeUrl":$}"#,
    r#"{"code":$,"message":$,"details":[$]}"#,
];

/// Details of each type, with the value that grows in each of their members.
const DETAILS: &[&str] = &[
    r#"{"@type":"t/google.rpc.ErrorInfo","reason":$,"domain":"d"}"#,
    r#"{"@type":"t/google.rpc.ErrorInfo","reason":"r","metadata":$}"#,
    r#"{"@type":"t/google.rpc.RetryInfo","retryDelay":$}"#,
    r#"{"@type":"t/google.rpc.QuotaFailure","violations":$}"#,
    r#"{"@type":"t/google.rpc.QuotaFailure","violations":[{"quotaDimensions":$,"quotaValue":"1"}]}"#,
    r#"{"@type":"t/google.rpc.QuotaFailure","violations":[{"quotaValue":$}]}"#,
    r#"{"@type":"t/google.rpc.BadRequest","fieldViolations":$}"#,
    r#"{"@type":"t/google.rpc.BadRequest","fieldViolations":[{"field":"f","description":$}]}"#,
    r#"{"@type":"t/google.rpc.PreconditionFailure","violations":$}"#,
    r#"{"@type":"t/google.rpc.ResourceInfo","resourceName":$}"#,
    r#"{"@type":"t/google.rpc.RequestInfo","servingData":$}"#,
    r#"{"@type":"t/google.rpc.Help","links":$}"#,
    r#"{"@type":"t/google.rpc.LocalizedMessage","locale":"de","message":$}"#,
    r#"{"@type":"t/google.rpc.DebugInfo","stackEntries":$}"#,
    r#"{"@type":"t/a.Image","a":$}"#,
    r#"{"@type":$}"#,
];

/// What grows in payloads and details besides [`GROWTHS`].
const MORE: &[Growth] = &[
    Growth { head: r#"{"x":0"#, part: r#","k#":"v""#, tail: r#","@type":"t/a.Image"}"#, close: "" },
    Growth { head: r#"{"@type":"t\u002fa.Image""#, part: r#","k#":"v""#, tail: "}", close: "" },
    Growth { head: r#"{"k":"v""#, part: r#","k#":"v""#, tail: "}", close: "" },
    Growth { head: r#"{"@type":"t/a.B""#, part: r#","@type":"t/a.B""#, tail: "}", close: "" },
    Growth { head: "[", part: r#"{"subject":"s","field":"f","url":"u","type":"t"},"#, tail: "{}]", close: "" },
    Growth { head: r#"["a""#, part: r#","at f (a.rs:7)""#, tail: "]", close: "" },
    Growth { head: r#""1"#, part: "0", tail: "s\"", close: "" },
    Growth { head: r#""1."#, part: "0", tail: "s\"", close: "" },
];

/// What grows as an `Any` itself.
fn each_any(visit: &mut Visit<'_>) {
    for growth in MORE {
        visit(&format!("an Any of `{}`", growth.part()), &mut |length| {
            let json = growth.of_length(length);
            cost(|| look_at_payload(Payload::new(json.as_bytes(), Encoding::JsonAny)))
        });
    }
}

fn growths() -> impl Iterator<Item = &'static Growth> {
    GROWTHS.iter().chain(MORE)
}

fn each_payload(visit: &mut Visit<'_>) {
    for encoding in [Encoding::Json, Encoding::JsonAny] {
        for payload in PAYLOADS {
            for growth in growths() {
                visit(&format!("{encoding:?} {payload} of `{}`", growth.part()), &mut |length| {
                    let json = payload.replace(HOLE, &growth.of_length(length / payload.matches(HOLE).count()));
                    cost(|| look_at_payload(Payload::new(json.as_bytes(), encoding)))
                });
            }
        }
    }
}

/// A dialect, the name of an operation, and its message, with the payload or the detail in place of
/// `$`.
type Answered = (fn() -> Arc<dyn Dialect>, &'static str, &'static str);

const MESSAGES: &[Answered] = &[
    (google, "operations/1", r#"{"name":"o","metadata":$}"#),
    (google, "operations/1", r#"{"name":"o","done":true,"response":$}"#),
    (google, "operations/1", r#"{"name":"o","done":true,"error":{"code":3,"message":"m","details":[$,$]}}"#),
    (
        || Arc::new(Compute::new()),
        "projects/p/global/operations/1",
        r#"{"name":"o","status":"DONE","error":{"errors":[{"code":"c","errorDetails":[$]}]}}"#,
    ),
    (|| Arc::new(Http::new()), "operations/1", "$"),
    (|| Arc::new(Lxd::new()), "1", r#"{"type":"sync","metadata":{"id":"1","status_code":103,"metadata":$}}"#),
];

fn google() -> Arc<dyn Dialect> {
    Arc::new(Google::new())
}

/// Polls an operation that is answered so, and looks at all of it.
fn poll_and_look(&(dialect, name, _): &Answered, body: String) -> Cost {
    let body = Bytes::from(body);
    let transport = move |_: Request| std::future::ready(Ok(Reply::new(body.clone())));
    let client = Operations::builder("https://h.test").dialect(dialect()).transport(transport);
    let operation = client.timer(VirtualClock::new()).build().unwrap().resume(name).unwrap();
    cost(|| {
        let Ok(operation) = block_on(operation.poll_once()) else { return };
        look_at_operation(&operation);
        drop(operation.token().to_string());
    })
}

fn each_operation(visit: &mut Visit<'_>) {
    for message in MESSAGES {
        for inner in PAYLOADS.iter().chain(DETAILS) {
            let body = message.2.replace(HOLE, inner);
            for growth in growths() {
                visit(&format!("an operation {body} of `{}`", growth.part()), &mut |length| {
                    let value = growth.of_length(length / body.matches(HOLE).count());
                    poll_and_look(message, body.replace(HOLE, &value))
                });
            }
        }
    }
}

fn each_case(visit: &mut Visit<'_>) {
    each_payload(visit);
    each_operation(visit);
}

#[test]
fn a_sample_of_hostile_payloads_is_decoded_in_linear_time_and_memory() {
    let cases = all_grow_linearly(each_case, SAMPLE, SHORT);
    assert!(cases > 5000, "{cases}");
}

#[test]
fn an_any_of_many_members_is_decoded_in_linear_time_and_memory() {
    let cases = all_grow_linearly(each_any, 1, SHORT);
    assert_eq!(cases, MORE.len());
}

#[test]
#[ignore = "several minutes"]
fn a_third_of_hostile_payloads_is_decoded_in_linear_time_and_memory() {
    all_grow_linearly(each_case, 3, SHORT);
}

#[test]
#[ignore = "several minutes"]
fn a_sample_of_hostile_payloads_of_one_mebibyte_is_decoded_in_linear_time_and_memory() {
    all_grow_linearly(each_case, 3 * SAMPLE, 256 << 10);
}

/// What would be linear because nothing is read is no case.
#[test]
fn every_type_of_detail_is_decoded_where_it_is_looked_at() {
    let json = |text: &str| Detail::new("t/google.rpc.ErrorInfo", serde_json::from_str(text).unwrap());
    let info = json(r#"{"reason":"r","metadata":{"k":"v"}}"#).error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.metadata.len()), ("r", 1));
    let export = Export { name: "x".to_owned(), ..Export::default() };
    let detail = Detail::from_message("t/a.Image", export.encode_to_vec());
    assert_eq!(detail.decode_message::<Export>("a.Image"), Some(export));
}
