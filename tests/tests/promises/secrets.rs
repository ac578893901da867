//! Promises of secrets: no message, no `Debug` output and no token shows them.
//!
//! The word `hunter2` stands for every secret. It is a header, a query parameter, a credential and
//! the end of long bodies.

use std::{error::Error as _, fmt::Debug, time::Duration};

use lro_runtime::{Error, Operations, PollSettings, RawOperation, Transport, testing::VirtualClock, transport::Reply};
use serde_json::json;

use crate::support::{Server, json_reply, percent, reply};

const SECRET: &str = "hunter2";

fn check(what: &str, shown: &str) {
    assert!(!shown.contains(SECRET), "{what}: {shown}");
}

fn check_debug(what: &str, value: &impl Debug) {
    check(what, &format!("{value:?} {value:#?}"));
}

fn check_error(error: &Error) {
    let what = format!("{:?}", error.kind());
    check(&what, &error.to_string());
    check_debug(&what, error);
    let mut next = error.source();
    while let Some(source) = next {
        check(&what, &format!("{source} {source:?}"));
        next = source.source();
    }
    if let Some(status) = error.status() {
        check_debug(&what, status);
    }
    error.snapshot().into_iter().for_each(check_operation);
}

fn check_operation(operation: &RawOperation) {
    check_debug("operation", operation);
    check_debug("blocking", &operation.blocking());
    check_debug("observed", &operation.on_progress(|_| ()));
    check_debug("snapshots", &operation.snapshots(PollSettings::default()));
    check_debug("client", operation.client());
    let token = operation.token();
    check_debug("token", &token);
    // A token is base64: a secret in it would only show once it is decoded.
    let word = token.to_string();
    check("token", &word);
    let encoded = word.rsplit('-').next().unwrap();
    let decoded = decode(encoded);
    check("token's content", &decoded);
}

/// Decodes base64 without padding, in the URL-safe alphabet.
fn decode(text: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = text.bytes().map(|byte| alphabet.iter().position(|letter| *letter == byte).unwrap());
    let (mut out, mut buffer, mut have) = (vec![], 0_usize, 0);
    for six in bits {
        (buffer, have) = (buffer << 6 | six, have + 6);
        if have >= 8 {
            have -= 8;
            out.push(u8::try_from(buffer >> have & 0xff).unwrap());
        }
    }
    String::from_utf8(out).unwrap()
}

fn client(transport: impl Transport, clock: &VirtualClock) -> Operations {
    Operations::builder("http://server.test/base?key=hunter2")
        .transport(transport)
        .timer(clock.clone())
        .header("x-api-key", SECRET)
        .header("authorization", format!("Basic {SECRET}"))
        .credentials(|| async { Ok(lro_runtime::bearer(SECRET)?) })
        .build()
        .unwrap()
}

/// Returns replies of every kind, each with a secret deep in its body.
fn bodies() -> Vec<Reply> {
    // Errors show an excerpt of a body. The secret is far behind its end.
    let long = "x".repeat(2000) + SECRET;
    let detail = json!({ "@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": long });
    vec![
        reply(200, format!("<html>{long}")),
        reply(200, format!("{{\"name\": \"{long}")),
        reply(500, long.clone()),
        reply(403, long.clone()),
        reply(403, json!({ "error": { "code": 403, "message": long, "details": [detail] } }).to_string()),
        reply(403, json!({ "error": long }).to_string()),
        json_reply(&json!({ "name": 5, "metadata": long })),
        json_reply(&json!({ "name": "operations/1", "done": long })),
        json_reply(&json!({ "name": "operations/1", "done": true, "error": long })),
        json_reply(&json!({ "name": "operations/1", "done": true, "error": { "code": [long] } })),
        json_reply(&json!({ "name": "operations/1", "done": true, "response": { "uri": [long] } })),
        json_reply(&json!({ "name": "operations/1", "metadata": { "percent": [long] } })),
        json_reply(&json!({ "name": "operations/1?sig=hunter2", "done": false })),
        json_reply(&json!({ "name": "operations//?sig=hunter2", "done": false })),
        json_reply(&json!({ "name": "http://user:hunter2@server.test/operations/1?key=hunter2", "done": false })),
    ]
}

#[test]
fn secrets_are_shown_nowhere() {
    for first in bodies() {
        for start in [true, false] {
            let clock = VirtualClock::new();
            let bad = first.clone();
            let server = Server::new(&clock, move |_, request| {
                let good = json_reply(&json!({ "name": "operations/1", "metadata": percent(1) }));
                let is_start = request.method() == http::Method::POST;
                (Duration::ZERO, Ok(if is_start == start { bad.clone() } else { good }))
            });
            let operations = client(server.clone(), &clock);
            check_debug("client", &operations);
            check_debug("builder", &Operations::builder("http://u:hunter2@h/?sig=hunter2").header("x", SECRET));
            let settings = PollSettings::default().with_timeout(Duration::from_secs(5));
            match smol::block_on(operations.post("v1/x?token=hunter2", &json!({ "password": SECRET }))) {
                Err(error) => check_error(&error),
                Ok(operation) => {
                    check_operation(&operation);
                    match smol::block_on(operation.poll_until_completed(settings)) {
                        Err(error) => check_error(&error),
                        Ok(done) => check_operation(&done),
                    }
                }
            }
        }
    }
}

#[test]
fn a_transport_that_talks_too_much_is_held_to_one_line() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| {
        let kind = lro_runtime::transport::TransportErrorKind::Other;
        (Duration::ZERO, Err(lro_runtime::transport::TransportError::message(kind, "y\n".repeat(5000))))
    });
    let error = smol::block_on(client(server, &clock).post("v1/x", &())).unwrap_err();
    assert!(error.to_string().len() < 3000 && !error.to_string().contains('\n'), "{}", error.to_string().len());
}

#[test]
fn resuming_from_a_url_that_is_refused_does_not_show_its_query() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| (Duration::ZERO, Ok(json_reply(&json!({})))));
    let operations = client(server, &clock);
    for from in ["https://evil.test/x?sig=hunter2", "operations//1?access_token=hunter2", "../x?key=hunter2"] {
        check_error(&operations.resume(from).unwrap_err());
    }
}
