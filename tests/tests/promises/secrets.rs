//! Promises of secrets: no message, no `Debug` output, no token, no trace and no metric shows them.
//!
//! The word `hunter2` stands for every secret. It is a header, a query parameter, a credential and
//! the end of long bodies.

use std::{error::Error as _, fmt::Debug, time::Duration};

use lro_runtime::{
    Code, Dialect, Error, Failure, Fleet, Operations, PollSettings, RawOperation, State, Status, Transport,
    details::Detail,
    dialect::{Call, Cursor, Observation, Options},
    testing::VirtualClock,
    transport::{Reply, Request},
};
use serde_json::json;
use tracing::Level;

use crate::{
    capture::{Meters, Spans},
    support::{Server, json_reply, percent, reply},
};

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
    check("token's content", &decode(&word));
}

/// Runs `f` and checks every field of every span and event, and every label of every metric.
fn check_telemetry<T>(f: impl FnOnce() -> T) -> T {
    let ((out, spans), meters) = Meters::of(|| Spans::of(Level::TRACE, f));
    assert!(spans.tree().contains("lro.") && meters.table().contains("lro."), "nothing was recorded");
    check("trace", &spans.tree());
    check("metrics", &meters.table());
    out
}

/// Decodes the content of a token: base64 without padding, in the URL-safe alphabet, which has a
/// `-` as well.
pub fn decode(token: &str) -> String {
    let text = token.splitn(3, '-').nth(2).unwrap();
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
    Operations::builder("http://server.test/base")
        .query("key", "hunter2")
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
            let run = || match smol::block_on(operations.post("v1/x?token=hunter2", &json!({ "password": SECRET }))) {
                Err(error) => check_error(&error),
                Ok(operation) => {
                    check_operation(&operation);
                    match smol::block_on(operation.poll_until_completed(settings)) {
                        Err(error) => check_error(&error),
                        Ok(done) => check_operation(&done),
                    }
                }
            };
            check_telemetry(run);
        }
    }
}

#[test]
fn why_an_operation_failed_is_stored_without_the_secrets_of_urls() {
    let url = "https://u:hunter2@h.test/x?api-version=1&sig=hunter2";
    let clock = VirtualClock::new();
    let server = Server::new(&clock, move |_, _| {
        let details = json!([
            { "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": url, "metadata": { "source": url } },
            { "@type": url, "n": 1.10, "link": [format!("see \"{url}\""), null] },
        ]);
        let error = json!({ "code": 9, "message": format!("cannot read {url} today"), "details": details });
        let body = json!({ "name": "operations/1", "done": true, "error": error }).to_string();
        (Duration::ZERO, Ok(reply(200, body.replace('&', "\\u0026"))))
    });
    let operations = client(server, &clock);
    let operation = check_telemetry(|| smol::block_on(operations.post("v1/x", &json!({}))).unwrap());
    check_operation(&operation);
    assert!(operation.status().unwrap().message().contains(SECRET), "the caller gets the status as it is");
    let resumed = operations.resume(operation.token()).unwrap();
    let status = resumed.status().unwrap();
    assert_eq!(status.message(), "cannot read https://h.test/x?api-version=1&sig=… today");
    assert_eq!(status.reason(), Some("https://h.test/x?api-version=1&sig=…"));
    let info = status.details()[0].error_info().unwrap();
    assert_eq!(info.metadata["source"], "https://h.test/x?api-version=1&sig=…");
    assert!(status.details()[1].json().contains("\"n\":1.1}"), "{}", status.details()[1].json());
    assert_eq!(resumed.token(), operation.token());
}

/// Reads the same into every reply.
struct Reads(fn() -> Observation<'static>);

const URL: &str = "https://u:hunter2@h.test/x?a=1&sig=hunter2";

impl Dialect for Reads {
    fn id(&self) -> &'static str {
        "reads"
    }

    fn read_start<'a>(&self, _: &Request, _: &'a Reply, _: &Options) -> Result<Observation<'a>, Failure> {
        Ok((self.0)())
    }

    fn locate(&self, name: &str, _: &Options) -> Result<Cursor, Failure> {
        Ok(Cursor::new(name))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get(cursor.key()))
    }

    fn read<'a>(&self, _: &Cursor, _: &'a Reply) -> Result<Observation<'a>, Failure> {
        Ok((self.0)())
    }
}

/// The failure of `operations/1`, with a word and details in protobuf.
fn failed() -> Observation<'static> {
    let mut seen = Observation::new(State::Failed);
    seen.name = Some("operations/1".into());
    seen.cursor = Some(Cursor::new("operations/1").refused(&Failure::protocol(format!("`{URL}` is odd"))));
    seen.raw_status = Some(format!("FAILED: {URL}").into());
    let details = [format!("at {URL}"), "no secret".to_owned()];
    let details = details.map(|detail| Detail::from_message("t/x", detail)).to_vec();
    seen.status = Some(Status::new(Code::Internal, "failed").with_details(details));
    seen
}

/// An unknown word with a URL in it, of an operation whose name is that URL.
fn unknown() -> Observation<'static> {
    let mut seen = Observation::new(State::Running);
    seen.name = Some(URL.into());
    seen.cursor = Some(Cursor::new("operations/1?sig=hunter2"));
    seen.raw_status = Some(format!("PONDERING: {URL}").into());
    seen.is_known_status = false;
    seen
}

#[test]
fn a_word_and_details_in_protobuf_are_stored_without_the_secrets_of_urls() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| (Duration::ZERO, Ok(reply(200, String::new()))));
    let operations = Operations::builder("http://server.test")
        .dialect(Reads(failed))
        .transport(server)
        .timer(clock)
        .build()
        .unwrap();
    let operation = check_telemetry(|| smol::block_on(operations.post("x", &json!({}))).unwrap());
    check("token's content", &decode(&operation.token().to_string()));
    let content = decode(&operation.token().to_string());
    assert!(content.contains("FAILED: https://h.test/x?a=1&sig=…"), "{content}");
    let token: lro_runtime::Token = operation.token().to_string().parse().unwrap();
    assert_eq!(token, operation.token());
    // A message without its schema is kept whole or left out.
    assert!(content.contains("\"proto\":\"bm8gc2VjcmV0\"") && content.matches("\"proto\"").count() == 1, "{content}");
}

#[test]
fn an_unknown_word_and_a_name_that_is_a_url_are_traced_without_secrets() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| (Duration::ZERO, Ok(reply(200, String::new()))));
    let operations = Operations::builder("http://server.test")
        .dialect(Reads(unknown))
        .transport(server)
        .timer(clock)
        .build()
        .unwrap();
    let wait = |settings: PollSettings| {
        let operation = smol::block_on(operations.post("x?sig=hunter2", &json!({}))).unwrap();
        check_error(&smol::block_on(operation.poll_until_completed(settings)).unwrap_err());
    };
    check_telemetry(|| wait(PollSettings::default().with_timeout(Duration::from_secs(9))));
    check_telemetry(|| wait(PollSettings::default().with_unknown_status(lro_runtime::UnknownStatus::Error)));
}

#[test]
fn a_transport_that_talks_too_much_is_held_to_one_line() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| {
        let kind = lro_runtime::transport::TransportErrorKind::Other;
        (Duration::ZERO, Err(lro_runtime::transport::TransportError::message(kind, "y\n".repeat(5000))))
    });
    let (error, spans) =
        Spans::of(Level::TRACE, || smol::block_on(client(server, &clock).post("v1/x", &())).unwrap_err());
    assert!(spans.tree().lines().all(|line| line.len() < 4000), "{}", spans.tree().len());
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

/// One word of each family of secrets; the whole list is tested beside it.
const NAMES: [&str; 9] =
    ["sig", "code", "key", "token", "subscription-key", "access_token", "X-Amz-Signature", "api-key", "client_secret"];

#[test]
fn a_secret_in_the_url_of_a_monitor_is_in_no_token_no_debug_output_and_no_error() {
    for name in NAMES {
        for monitor in ["http://server.test/ops/1", "https://elsewhere.test/ops/1", "http:ops", "/ops/1"] {
            let clock = VirtualClock::new();
            let url = format!("{monitor}?a=1&{name}=hunter2");
            let server = Server::new(&clock, move |_, request| {
                let mut answer = match request.method().as_str() {
                    "POST" => reply(202, String::new()),
                    _ => reply(403, json!({ "error": { "code": 403, "message": url, "link": url } }).to_string()),
                };
                answer.headers_mut().insert("operation-location", url.parse().unwrap());
                (Duration::ZERO, Ok(answer))
            });
            let operations = Operations::builder("http://server.test")
                .dialect(lro_runtime::dialect::Azure::new())
                .transport(server)
                .timer(clock)
                .build()
                .unwrap();
            check_telemetry(|| {
                let operation = smol::block_on(operations.post("start", &json!({}))).unwrap();
                check_operation(&operation);
                assert!(operation.name().contains(SECRET), "the caller gets the name as it is");
                check_debug("resume", &lro_runtime::Resume::from(operation.name()));
                check_error(&smol::block_on(operation.poll_once()).unwrap_err());
                check_error(&smol::block_on(operation.cancel()).unwrap_err());
                check_error(&smol::block_on(operation.delete()).unwrap_err());
                check_error(&smol::block_on(operation.wait(Duration::from_secs(1))).unwrap_err());
                check_error(&smol::block_on(operations.list("filter=hunter2").next()).unwrap().unwrap_err());
                check_error(&smol::block_on(operation.poll_until_completed(PollSettings::default())).unwrap_err());
            });
        }
    }
}

#[test]
fn a_call_of_a_dialect_shows_neither_its_secrets_nor_its_headers_nor_its_body() {
    use lro_runtime::dialect::{Call, Cursor, Observation};
    let mut call = Call::get("https://server.test/x?sig=hunter2").with_json(r#"{"password":"hunter2"}"#);
    call.headers.insert("authorization", "Bearer hunter2".parse().unwrap());
    check_debug("call", &call);
    let cursor = Cursor::new("https://server.test/x?subscription-key=hunter2").with("next", "/y?code=hunter2");
    check_debug("cursor", &cursor);
    let mut seen = Observation::new(lro_runtime::State::Running);
    seen.name = Some("https://u:hunter2@server.test/x?sig=hunter2".into());
    seen.cursor = Some(cursor);
    check_debug("observation", &seen);
}

#[test]
fn a_fleet_shows_secrets_nowhere() {
    for bad in bodies() {
        for bad_list in [true, false] {
            let clock = VirtualClock::new();
            let bad = bad.clone();
            let server = Server::new(&clock, move |_, request| {
                let is_list = request.uri().path().ends_with("/operations");
                let good = json!({ "name": "operations/1", "metadata": percent(1) });
                let good = json_reply(&if is_list { json!({ "operations": [good] }) } else { good });
                (Duration::from_millis(10), Ok(if is_list == bad_list { bad.clone() } else { good }))
            });
            let operations = client(server.clone(), &clock);
            let fleet = Fleet::builder().timer(clock.clone()).build().unwrap();
            check_telemetry(|| {
                let settings = PollSettings::default().with_timeout(Duration::from_secs(20));
                let mut changes = fleet.changes();
                for n in 0..4 {
                    let watch = fleet.watch(&operations.resume(format!("operations/{n}")).unwrap());
                    let watch = watch.poll_settings(settings.clone());
                    check_debug("watch", &watch);
                    check_debug("ticket", &watch.try_now().unwrap());
                }
                fleet.close();
                let consumer = async {
                    let mut completions = fleet.completions();
                    while let Some(completion) = completions.next().await {
                        check_debug("completion", &completion);
                        check_debug("health", &fleet.health());
                        match completion.outcome() {
                            Ok(operation) => check_operation(operation),
                            Err(error) => check_error(error),
                        }
                        completion.ack().await.unwrap();
                    }
                };
                check_debug("fleet", &(&fleet, fleet.run(), fleet.completions(), Fleet::builder()));
                lro_runtime::block_on(futures_lite::future::zip(fleet.run(), consumer));
                while let Some(change) = smol::block_on(futures_lite::future::poll_once(changes.next())) {
                    check_debug("change", &change);
                }
            });
            let full = Fleet::builder().timer(clock.clone()).max_operations(1).build().unwrap();
            full.try_watch(&operations.resume("operations/1").unwrap()).unwrap();
            check_error(&full.try_watch(&operations.resume("operations/2").unwrap()).unwrap_err());
        }
    }
}
