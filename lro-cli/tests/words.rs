//! What the command says: nothing that nobody has seen, and only what a reader in a shell can use.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use lro_runtime::testing::{Job, LroServer};
use support::{Stub, ran};

/// A host that refuses every connection.
const NOWHERE: &str = "http://127.0.0.1:9";

#[test]
fn a_state_is_shown_only_after_a_reply_was_read() {
    let server = LroServer::builder().bearer("right").start().unwrap();
    let (refused, empty) = (server.url(), LroServer::builder().start().unwrap());
    for base in [NOWHERE, &refused, &empty.url()] {
        let get = ["get", "--base", base, "operations/nope"];
        let text = ran(&get);
        assert!(text.code == Some(5) && !text.stdout.contains("state"), "{text:?}");
        let json = ran(&[&get[..], &["--json"]].concat());
        assert!(json.objects()[0].get("state").is_none() && json.objects()[0].get("error").is_some(), "{json:?}");
        let wait = ["wait", "--base", base, "operations/nope", "--timeout", "50ms", "--interval", "10ms"];
        let text = ran(&wait);
        assert!(!format!("{}{}", text.stdout, text.stderr).contains("pending"), "{text:?}");
    }
}

#[test]
fn a_watch_begins_with_the_first_reply() {
    let replies = [
        ("503 Busy", ""),
        ("200 OK", r#"{"name":"a"}"#),
        ("200 OK", r#"{"name":"a"}"#),
        ("200 OK", r#"{"name":"a","done":true,"response":{}}"#),
    ];
    let watch = |form: &[&str]| {
        let stub = Stub::new(&replies);
        ran(&[&["watch", "--base", &stub.url, "operations/1", "--interval", "5ms"], form].concat())
    };
    let json = watch(&["--json"]).objects();
    let states: Vec<_> = json.iter().map(|object| object.get("state").and_then(|state| state.as_str())).collect();
    assert_eq!(states, [None, Some("pending"), Some("succeeded")], "{json:?}");
    assert!(json[0]["failed_poll"].as_str().unwrap().contains("503"), "{json:?}");
    let text = watch(&[]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("operations/1: poll 1 failed: HTTP 503"), "{text}");
    assert_eq!(lines[1..], ["operations/1 pending", "operations/1 succeeded"]);
}

#[test]
fn a_cancel_and_a_delete_claim_no_state() {
    let server = LroServer::builder().start().unwrap();
    let (name, url) = (server.add(Job::polls(1).responds("done")), server.url());
    assert_eq!(ran(&["wait", "-q", "--base", &url, &name]).code, Some(0));
    for command in ["cancel", "delete"] {
        let asked = ran(&[command, "--json", "--base", &url, &name]);
        let object = &asked.objects()[0];
        assert!(object["asked"] == command && object.get("state").is_none(), "{asked:?}");
    }
}

#[test]
fn the_state_of_a_token_is_known() {
    let server = LroServer::builder().start().unwrap();
    let (name, url) = (server.add(Job::endless()), server.url());
    let token = ran(&["get", "--json", "--base", &url, &name]).objects()[0]["token"].as_str().unwrap().to_owned();
    let elsewhere = ran(&["get", "--base", NOWHERE, &token]);
    assert!(elsewhere.stdout.contains("state     running\n"), "{elsewhere:?}");
}

#[test]
fn an_operation_that_is_gone_is_not_gone_on_with() {
    let server = LroServer::builder().start().unwrap();
    let (name, url) = (server.add(Job::endless().expires_at(3)), server.url());
    for name in ["operations/nope", &name] {
        let ran = ran(&["wait", "--base", &url, name, "--interval", "5ms"]);
        assert!(ran.code == Some(5) && ran.stderr.contains("may have expired"), "{ran:?}");
        assert!(!ran.stderr.contains("to go on") && ran.stdout.contains("token     lro1-"), "{ran:?}");
    }
    let gone = Stub::new(&[("410 Gone", "")]);
    let ran = ran(&["wait", "--base", &gone.url, "operations/1"]);
    assert!(ran.code == Some(5) && !ran.stderr.contains("to go on"), "{ran:?}");
}
