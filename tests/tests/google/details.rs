//! Tests of error details: JSON and protobuf give the same types, and unknown details are kept.

use std::time::Duration;

use lro_runtime::{Status, details::Detail, testing::VirtualClock};
use prost::Message;
use serde_json::{json, value::RawValue};
use tonic_types::pb;

use crate::answers::Answers;

fn any(name: &str, message: &impl Message) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/google.rpc.{name}"), value: message.encode_to_vec() }
}

/// Returns one detail of each type of `google.rpc`, in protobuf.
fn in_protobuf() -> Vec<Detail> {
    let text = str::to_owned;
    let metadata = [(text("zone"), text("a"))].into_iter().collect();
    let delay = prost_types::Duration { seconds: 1, nanos: 500_000_000 };
    let quota = pb::quota_failure::Violation {
        subject: text("project:p"),
        description: text("too many"),
        quota_metric: text("cpus"),
        quota_value: 24,
        future_quota_value: Some(48),
        ..Default::default()
    };
    let localized = pb::LocalizedMessage { locale: text("fr-CH"), message: text("non") };
    let field = pb::bad_request::FieldViolation {
        field: text("image.uri"),
        description: text("no such thing"),
        reason: text("MISSING"),
        localized_message: Some(localized.clone()),
    };
    let terms = pb::precondition_failure::Violation { r#type: text("TOS"), subject: text("s"), description: text("d") };
    let link = pb::help::Link { description: text("how"), url: text("https://example.com") };
    let resource = pb::ResourceInfo {
        resource_type: text("t"),
        resource_name: text("n"),
        owner: text("o"),
        description: text("d"),
    };
    let anys = [
        any("ErrorInfo", &pb::ErrorInfo { reason: text("R"), domain: text("D"), metadata }),
        any("RetryInfo", &pb::RetryInfo { retry_delay: Some(delay) }),
        any("QuotaFailure", &pb::QuotaFailure { violations: vec![quota] }),
        any("BadRequest", &pb::BadRequest { field_violations: vec![field] }),
        any("PreconditionFailure", &pb::PreconditionFailure { violations: vec![terms] }),
        any("ResourceInfo", &resource),
        any("RequestInfo", &pb::RequestInfo { request_id: text("1"), serving_data: text("x") }),
        any("Help", &pb::Help { links: vec![link] }),
        any("LocalizedMessage", &localized),
        any("DebugInfo", &pb::DebugInfo { stack_entries: vec![text("a"), text("b")], detail: text("d") }),
    ];
    anys.into_iter().map(|any| Detail::from_message(any.type_url, any.value)).collect()
}

/// Returns the same details in protobuf's JSON: 64-bit integers are strings, durations are
/// `1.500s`.
fn in_json() -> Vec<Detail> {
    let localized = json!({ "locale": "fr-CH", "message": "non" });
    let messages = [
        ("ErrorInfo", json!({ "reason": "R", "domain": "D", "metadata": { "zone": "a" } })),
        ("RetryInfo", json!({ "retryDelay": "1.500s" })),
        (
            "QuotaFailure",
            json!({ "violations": [{ "subject": "project:p", "description": "too many", "quotaMetric": "cpus", "quotaValue": "24", "futureQuotaValue": "48" }] }),
        ),
        (
            "BadRequest",
            json!({ "fieldViolations": [{ "field": "image.uri", "description": "no such thing", "reason": "MISSING", "localizedMessage": localized }] }),
        ),
        ("PreconditionFailure", json!({ "violations": [{ "type": "TOS", "subject": "s", "description": "d" }] })),
        ("ResourceInfo", json!({ "resourceType": "t", "resourceName": "n", "owner": "o", "description": "d" })),
        ("RequestInfo", json!({ "requestId": "1", "servingData": "x" })),
        ("Help", json!({ "links": [{ "description": "how", "url": "https://example.com" }] })),
        ("LocalizedMessage", localized.clone()),
        ("DebugInfo", json!({ "stackEntries": ["a", "b"], "detail": "d" })),
    ];
    let detail = |(name, message): (&str, serde_json::Value)| {
        Detail::new(
            format!("type.googleapis.com/google.rpc.{name}"),
            RawValue::from_string(message.to_string()).unwrap(),
        )
    };
    messages.into_iter().map(detail).collect()
}

/// Returns the debug output of every typed view that the detail has.
fn readings(detail: &Detail) -> Vec<String> {
    let all = [
        detail.error_info().map(|it| format!("{it:?}")),
        detail.retry_info().map(|it| format!("{it:?}")),
        detail.quota_failure().map(|it| format!("{it:?}")),
        detail.bad_request().map(|it| format!("{it:?}")),
        detail.precondition_failure().map(|it| format!("{it:?}")),
        detail.resource_info().map(|it| format!("{it:?}")),
        detail.request_info().map(|it| format!("{it:?}")),
        detail.help().map(|it| format!("{it:?}")),
        detail.localized_message().map(|it| format!("{it:?}")),
        detail.debug_info().map(|it| format!("{it:?}")),
    ];
    all.into_iter().flatten().collect()
}

#[test]
fn every_type_reads_the_same_from_both_encodings_and_as_nothing_else() {
    let (protobuf, json) = (in_protobuf(), in_json());
    assert_eq!(protobuf.len(), 10);
    for (one, two) in protobuf.iter().zip(&json) {
        assert_eq!(readings(one).len(), 1, "{one:?}");
        assert_eq!(readings(one), readings(two));
    }
}

#[test]
fn a_status_with_details_of_either_encoding_survives_a_token() {
    let details: Vec<_> = in_protobuf().into_iter().chain(in_json()).collect();
    let status = Status::new(lro_runtime::Code::Internal, "broken").with_details(details);
    let written = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<Status>(&written).unwrap(), status);
}

#[test]
fn what_does_not_decode_is_kept_and_reads_as_nothing() {
    let url = "type.googleapis.com/google.rpc.RetryInfo";
    let cut = Detail::from_message(url, b"\x0a\xff".to_vec());
    assert!(cut.retry_info().is_none());
    assert_eq!(cut.message(), b"\x0a\xff");
    let wrong = Detail::new(url, RawValue::from_string(r#"{"retryDelay": {"seconds": 1}}"#.to_owned()).unwrap());
    assert!(wrong.retry_info().is_none());
    let unknown = Detail::from_message("type.googleapis.com/who.Knows", b"\x10\x01".to_vec());
    assert!(readings(&unknown).is_empty());
    assert_eq!(unknown.decode_message::<pb::RetryInfo>("who.Knows"), Some(pb::RetryInfo::default()));
}

#[test]
fn negative_delays_are_zero_and_huge_ones_do_not_panic() {
    for (seconds, nanos, expected) in [(-5, 0, Duration::ZERO), (0, -1, Duration::ZERO), (i64::MIN, 0, Duration::ZERO)]
    {
        let info = pb::RetryInfo { retry_delay: Some(prost_types::Duration { seconds, nanos }) };
        let detail = Detail::from_message("/google.rpc.RetryInfo", info.encode_to_vec());
        assert_eq!(detail.retry_info().unwrap().retry_delay, Some(expected));
    }
    let info = pb::RetryInfo { retry_delay: Some(prost_types::Duration { seconds: i64::MAX, nanos: i32::MAX }) };
    assert!(Detail::from_message("/google.rpc.RetryInfo", info.encode_to_vec()).retry_info().is_some());
}

#[test]
fn any_with_a_url_of_any_form_is_told_by_what_follows_the_last_slash() {
    let body = |url: &str| {
        format!(
            r#"{{"name": "operations/1", "done": true, "error": {{"code": 8, "details": [{{"@type": "{url}", "retryDelay": "2s"}}]}}}}"#
        )
    };
    let urls = [
        ("google.rpc.RetryInfo", true),
        ("/google.rpc.RetryInfo", true),
        ("https://h/p/google.rpc.RetryInfo", true),
        ("", false),
        ("google.rpc.RetryInfo/", false),
        ("///", false),
    ];
    for (url, is_retry) in urls {
        let (operations, _): (_, VirtualClock) =
            Answers::new(|_, _| "{}").operations("https://h.example.com", lro_runtime::dialect::Google::new());
        let done = operations.adopt(body(url)).unwrap();
        assert_eq!(done.status().unwrap().retry_delay().is_some(), is_retry, "{url}");
        assert_eq!(done.status().unwrap().details().len(), 1);
    }
}
