//! What the command says: nothing that nobody has seen, and only what a reader in a shell can use.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use std::{net::TcpListener, sync::LazyLock};

use lro_runtime::testing::{Job, LroServer};
use support::{Stub, ran};

/// A port of loopback on which nobody listens any longer.
static NOWHERE: LazyLock<String> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
});

#[test]
fn a_state_is_shown_only_after_a_reply_was_read() {
    let server = LroServer::builder().bearer("right").start().unwrap();
    let (refused, empty) = (server.url(), LroServer::builder().start().unwrap());
    for base in [&*NOWHERE, &refused, &empty.url()] {
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
    let elsewhere = ran(&["get", "--base", &NOWHERE, &token]);
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

#[test]
fn a_time_that_cannot_be_read_comes_with_one_advice() {
    let cases = [
        ("--timeout", "10", "`10` is not a duration: `10` has no unit; write `10s` for seconds\n"),
        ("--interval", "soon", "`soon` does not begin with a number; write it like `1m 30s`\n"),
        ("--deadline", "tomorrow", "`tomorrow` is not a time; write it like `2026-11-30T18:00:00Z`\n"),
        ("--deadline", "2026-13-01T00:00:00Z", "is not a time; write it like `2026-11-30T18:00:00Z`\n"),
    ];
    for (option, value, said) in cases {
        let ran = ran(&["wait", "operations/1", "--base", &NOWHERE, option, value]);
        assert!(ran.code == Some(4) && ran.stderr.contains(said), "{ran:?}");
    }
}

#[test]
fn no_message_advises_what_only_a_program_can_do() {
    let server = LroServer::builder().bearer("right").start().unwrap();
    let (name, url) = (server.add(Job::endless()), server.url());
    let cases: [&[&str]; 9] = [
        &["get", "--base", &NOWHERE, "operations/1"],
        &["get", "--json", "--base", &NOWHERE, "operations/1"],
        &["wait", "--base", &NOWHERE, "operations/1", "--timeout", "20ms"],
        &["watch", "--base", &NOWHERE, "operations/1", "--timeout", "20ms"],
        &["cancel", "--base", &NOWHERE, "operations/1"],
        &["get", "--base", &url, &name],
        &["get", "--base", "images.example.com", "operations/1"],
        &["get", "--base", &NOWHERE, "lro1-00000000-broken"],
        &["list", "--base", &NOWHERE, "--dialect", "azure"],
    ];
    for arguments in cases {
        let ran = ran(arguments);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let words = ["snapshot", "resume", "the setting", "the token;", "base_url", "from the name"];
        for word in words {
            assert!(!said.contains(word), "{arguments:?}: {said}");
        }
    }
    let base = ran(&["get", "--base", "images.example.com", "operations/1"]);
    assert!(base.stderr.starts_with("lro: --base = `images.example.com`: expected an absolute http"), "{base:?}");
    let query = ran(&["get", "--base", "http://127.0.0.1:9/?a=b", "operations/1"]);
    assert!(query.stderr.ends_with("what every request has in its query is set by `--query`\n"), "{query:?}");
    let origin = ran(&["get", "--base", &NOWHERE, "--allow-origin", "nonsense", "operations/1"]);
    assert!(origin.stderr.starts_with("lro: --allow-origin = `nonsense`: "), "{origin:?}");
    let interval = ran(&["wait", "--base", &NOWHERE, "--interval", "0s", "operations/1"]);
    assert_eq!(interval.stderr, "lro: --interval = 0s: must be at least 1ms\n");
    let unauthorized = ran(&["get", "--base", &url, &name]);
    assert!(unauthorized.stderr.ends_with("; check the credentials\n"), "{unauthorized:?}");
    let elsewhere = ran(&["get", "--base", &NOWHERE, "--dialect", "azure", "https://b.example.com/x"]);
    assert!(elsewhere.stderr.contains("allow it with `--allow-origin`"), "{elsewhere:?}");
}

#[test]
fn a_name_that_cannot_be_used_is_told_with_the_dialect() {
    let name = |dialect: &str, name: &str| ran(&["get", "--base", &NOWHERE, "--dialect", dialect, name]).stderr;
    let words = "expected `projects/…/{global | regions/… | zones/…}/operations/…`\n";
    assert_eq!(name("compute", "X"), format!("lro: `X` is not an operation's name in the dialect `compute`: {words}"));
    let left = name("google", "a/../b");
    let words = "lro: `a/../b` is not an operation's name in the dialect `google`: ";
    assert_eq!(left, format!("{words}the name `a/../b` would leave its collection\n"));
    assert!(name("lxd", "x/y").starts_with("lro: `x/y` is not an operation's name in the dialect `lxd`: "));
}

#[test]
fn a_token_of_another_dialect_says_which_option_is_right() {
    let token = |dialect: &str, name: &str| {
        let got = ran(&["get", "--json", "--base", &NOWHERE, "--dialect", dialect, name]);
        got.objects()[0]["token"].as_str().unwrap().to_owned()
    };
    let (google, batch) = (token("google", "operations/1"), token("openai-batch", "b_1"));
    let ran = |dialect: &str, token: &str| ran(&["get", "--base", &NOWHERE, "--dialect", dialect, token]).stderr;
    assert_eq!(
        ran("azure", &google),
        "lro: the token belongs to the dialect `google`, not to `azure`: say `--dialect google`\n"
    );
    let said = "lro: the token belongs to the dialect `openai-batch`, not to `google`: say `--dialect openai-batch`\n";
    assert_eq!(ran("google", &batch), said);
}

#[test]
fn a_success_that_looks_like_a_running_operation_of_google_comes_with_a_warning() {
    let server = LroServer::builder().start().unwrap();
    let (name, url) = (server.add(Job::endless()), server.url());
    let place = format!("/v1/{name}");
    for dialect in ["http", "azure", "redfish"] {
        for command in ["get", "wait", "watch"] {
            let ran = ran(&[command, "--dialect", dialect, "--base", &url, &place]);
            let warned = format!("is `--dialect {dialect}` right?");
            assert!(ran.code == Some(0) && ran.stderr.contains(&warned), "{ran:?}");
        }
    }
    // A resource that has a name, and an operation that has ended.
    for body in [r#"{"name":"vm","location":"west"}"#, r#"{"name":"a","done":true,"response":{}}"#, "[]", "{}"] {
        let stub = Stub::new(&[("200 OK", body)]);
        let ran = ran(&["wait", "-q", "--dialect", "http", "--base", &stub.url, "/jobs/1"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    }
}
