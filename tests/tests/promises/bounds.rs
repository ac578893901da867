//! Promises of bounds: whatever a server sends, a token stays short, and so does `Debug` output,
//! which has no secrets in it either.

use std::{
    fmt::Debug,
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http::Method;
use lro_runtime::{
    Code, Dialect, Error, Failure, Operations, Payload, PollSettings, RawOperation, Resume, State, Status,
    details::Detail,
    dialect::{
        Azure, Call, Compute, Cursor, Encoding, Google, Http, Jobs, ListPage, ListQuery, Listed, Lxd, Observation,
        Part, Redfish, Vertex,
    },
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::{Reply, Request, TransportError, TransportErrorKind},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    secrets::decode,
    support::{ImageClient, Server, reply},
};

/// As much as a token takes, and more than any output shows. One test has the 4 MiB of a whole
/// body.
const LARGE: usize = 64 * 1024;

/// The limits that are promised.
const TOKEN: usize = 64 * 1024;
const DEBUG: usize = 4 * 1024;

/// Returns [`LARGE`] texts that a server may send: of one letter, of letters that JSON or `Debug`
/// escape, and of URLs with secrets.
fn texts() -> [String; 4] {
    let filled = |with: &str| with.repeat(LARGE / with.len());
    [filled("x"), filled("\u{1}"), filled("\"ä\\\n"), filled("https://u:hunter2@h/p?sig=hunter2 ")]
}

/// Returns replies with `text` in every field that a dialect reads.
fn replies(text: &str) -> impl Iterator<Item = Reply> {
    let detail = json!({ "@type": text, "reason": text, "domain": [text] });
    let status = json!({ "code": 9, "status": text, "message": text, "details": [detail, { "a": 1 }, detail] });
    let bodies: Vec<Value> = vec![
        json!(text),
        json!({ "name": text, "metadata": text }),
        json!({ "name": "operations/1", "done": true, "error": status }),
        json!({ "name": "operations/1", "done": true, "error": { "code": 1, "message": text } }),
        json!({ "name": "projects/p/global/operations/o", "status": text, "statusMessage": text, "selfLink": text, "targetLink": text,
                "error": { "errors": [{ "code": text, "message": text }, { "code": "A" }] } }),
        json!({ "name": "o", "status": "DONE", "httpErrorStatusCode": 400, "httpErrorMessage": text, "selfLink": "https://x/projects/p/global/operations/o",
                "error": { "errors": [{ "code": text, "message": text }] } }),
        json!({ "id": text, "status": text, "error": status, "resourceLocation": text, "properties": { "provisioningState": text } }),
        json!({ "status": "Failed", "error": { "code": text, "message": text, "details": [detail] } }),
        json!({ "type": "async", "operation": text, "metadata": { "id": text, "status_code": 103, "status": text } }),
        json!({ "type": "async", "operation": "/1.0/operations/1", "metadata": { "status_code": 400, "err": text } }),
        json!({ "TaskState": text, "TaskMonitor": text, "@odata.id": text, "Messages": [{ "Message": text }] }),
        json!({ "TaskState": "Exception", "TaskMonitor": "/t/1", "Messages": [{ "Message": text }, { "Message": "short" }] }),
        json!({ "name": text, "state": text, "error": status }),
    ];
    let refusals = [reply(403, text.to_owned()), reply(403, json!({ "error": status }).to_string())];
    // As the value of a header, with what may stand in one.
    let value: String = text.chars().filter(char::is_ascii_graphic).collect();
    let with_header = ["location", "azure-asyncoperation"].map(|header| {
        let mut reply = reply(202, "{}");
        reply.headers_mut().insert(header, format!("/{value}").parse().unwrap());
        reply.headers_mut().insert("x-ms-operation-id", value.parse().unwrap());
        reply
    });
    let bodies = bodies.into_iter().map(|body| reply(200, body.to_string()));
    bodies.chain(refusals).chain(with_header)
}

/// Returns a client that gets these answers.
fn answered(dialect: impl Dialect, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Operations {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, move |_, request| (Duration::ZERO, Ok(answer(request))));
    Operations::builder("http://server.test").dialect(dialect).transport(server).timer(clock).build().unwrap()
}

fn with_headers(mut reply: Reply, headers: &[(&'static str, &str)]) -> Reply {
    reply.headers_mut().extend(
        headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())),
    );
    reply
}

fn check_token(operation: &RawOperation) {
    let token = operation.token();
    let word = token.to_string();
    assert!(word.len() <= TOKEN, "{} bytes: {token:?}", word.len());
    let content = decode(&word);
    assert!(!content.contains("hunter2"), "{content}");
    let said = match operation.client().resume(&word) {
        Ok(resumed) => {
            // A token of a token is the same token: nothing is cut twice.
            if operation.state() != State::Succeeded {
                assert_eq!(resumed.token(), token);
            }
            assert!(resumed.token().to_string().len() <= TOKEN);
            smol::block_on(resumed.poll_once()).err()
        }
        // Not for its length: of what is too long, the polls say that it is.
        Err(error) => Some(error).inspect(|error| assert!(!error.to_string().contains("a token keeps"), "{error}")),
    };
    if let Some(said) = said.map(|error| error.to_string()) {
        assert!(said.len() < DEBUG && !said.contains("hunter2"), "{said}");
    }
}

fn check_debug(what: &str, value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(shown.len() <= DEBUG, "{what}: {} bytes: {shown}", shown.len());
        assert!(!shown.contains("hunter2"), "{what}: {shown}");
    }
}

fn check_error(error: &Error) {
    check_debug("error", error);
    let shown = error.to_string();
    assert!(shown.len() <= DEBUG && !shown.contains("hunter2"), "{} bytes: {}", shown.len(), &shown[..1000]);
}

#[test]
fn an_error_of_decoding_is_short_whatever_was_found() {
    for text in texts() {
        for payload in [json!(text), json!({ "percent": text }), json!([text]), json!({ text: 1 })] {
            let bytes = payload.to_string();
            let payload = Payload::new(bytes.as_bytes(), Encoding::Json);
            check_error(&payload.decode_json::<u32>().unwrap_err());
            check_error(&payload.decode_json::<Strict>().unwrap_err());
        }
    }
}

/// Metadata of which every member is declared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Strict {
    #[serde(rename = "percent")]
    _percent: u32,
}

#[test]
fn a_token_is_short_whatever_a_server_sends() {
    let (mut tokens, mut refused) = (0, 0);
    for text in texts() {
        for reply in replies(&text) {
            let dialects: [Arc<dyn Fn(lro_runtime::OperationsBuilder) -> lro_runtime::OperationsBuilder>; 8] = [
                Arc::new(|builder| builder.dialect(Google::new())),
                Arc::new(|builder| builder.dialect(Compute::new())),
                Arc::new(|builder| builder.dialect(Vertex::new())),
                Arc::new(|builder| builder.dialect(Jobs::new())),
                Arc::new(|builder| builder.dialect(Azure::new())),
                Arc::new(|builder| builder.dialect(Http::new())),
                Arc::new(|builder| builder.dialect(Lxd::new())),
                Arc::new(|builder| builder.dialect(Redfish)),
            ];
            for dialect in dialects {
                let clock = VirtualClock::new();
                let first = reply.clone();
                let server = Server::new(&clock, move |_, _| (Duration::ZERO, Ok(first.clone())));
                let builder = Operations::builder("http://server.test").transport(server).timer(clock);
                let operations = dialect(builder).build().unwrap();
                let started = smol::block_on(operations.call(Method::PUT, "x/projects/p/global/x").into_future());
                let operation = match started {
                    Ok(operation) => operation,
                    Err(error) => {
                        check_error(&error);
                        refused += 1;
                        continue;
                    }
                };
                tokens += 1;
                check_token(&operation);
                check_debug("operation", &operation);
                match smol::block_on(operation.poll_once()) {
                    Ok(next) => check_token(&next),
                    Err(error) => {
                        check_error(&error);
                        error.snapshot().into_iter().for_each(check_token);
                    }
                }
            }
        }
    }
    assert!(tokens > 200 && refused > 50, "{tokens} tokens, {refused} refused");
}

#[test]
fn a_token_of_a_failure_of_4_mib_is_short() {
    let clock = VirtualClock::new();
    let error = json!({ "code": 9, "message": "m".repeat(2 << 20), "details": [{ "@type": "d".repeat(2 << 20) }] });
    let body = json!({ "name": "operations/1", "done": true, "error": error }).to_string();
    let server = Server::new(&clock, move |_, _| (Duration::ZERO, Ok(reply(200, body.clone()))));
    let operations = Operations::builder("http://server.test").transport(server).timer(clock).build().unwrap();
    let operation = smol::block_on(operations.post("x", &json!({}))).unwrap();
    check_token(&operation);
    check_debug("operation", &operation);
    assert_eq!(operation.token().details_left_out(), 1);
}

#[test]
fn a_token_that_is_filled_to_the_last_byte_is_no_longer_than_any() {
    let details = vec![json!({ "@type": "t/x", "text": "x".repeat(20) }); 300];
    let name = format!("operations/{}", "x".repeat(16_000));
    let operations = Operations::builder("http://server.test")
        .transport(Server::new(&VirtualClock::new(), |_, _| (Duration::ZERO, Ok(reply(200, "{}")))))
        .timer(VirtualClock::new())
        .build()
        .unwrap();
    // Each message leaves a byte less for the details, so that one of them leaves no gap behind the
    // last detail.
    let lengths = (0..64).map(|length| {
        let error = json!({ "code": 9, "message": "m".repeat(3000 + length), "details": details });
        let message = json!({ "name": name, "done": true, "error": error });
        let token = operations.adopt(message.to_string()).unwrap().token();
        assert_eq!(token.name(), name);
        assert!(token.details_left_out() > 0, "there is no room for all");
        token.to_string().len()
    });
    let longest = lengths.max().unwrap();
    assert!((TOKEN - 100..=TOKEN).contains(&longest), "{longest} bytes");
}

#[test]
fn a_name_that_a_token_cannot_keep_is_said_by_the_poll_after_the_resume() {
    let name = format!("operations/{}", "x".repeat(17 * 1024));
    let body = json!({ "name": name }).to_string();
    let operations = answered(Google::new(), move |_| reply(200, body.clone()));
    let operation = smol::block_on(operations.post("x", &json!({}))).unwrap();
    assert_eq!(operation.name(), name, "in this process it is whole");
    let token = operation.token();
    assert!(token.name().starts_with("operations/xxx") && token.name().ends_with('…') && token.name().len() < 300);
    let resumed = operations.resume(token.to_string()).unwrap();
    assert_eq!(resumed.token(), token);
    let said = smol::block_on(resumed.poll_once()).unwrap_err().to_string();
    assert!(said.contains("bytes long, and a token keeps 16384 of them"), "{said}");
}

#[test]
fn an_operation_that_has_failed_is_resumed_with_its_status_however_long_its_url_is() {
    let url = format!("/{}", "x".repeat(17 * 1024));
    let operations = answered(Azure::new(), move |request| match *request.method() {
        Method::POST => with_headers(reply(202, ""), &[("operation-location", &url)]),
        _ => reply(200, json!({ "status": "Failed", "error": { "code": "Full" } }).to_string()),
    });
    let operation = smol::block_on(operations.post("x", &json!({}))).unwrap();
    let failed = smol::block_on(operation.poll_once()).unwrap();
    let resumed = operations.resume(failed.token()).unwrap();
    assert_eq!(resumed.state(), State::Failed);
    assert_eq!(resumed.status().unwrap().reason(), Some("Full"));
    assert_eq!(smol::block_on(resumed.poll_once()).unwrap().state(), State::Failed, "nothing is sent after the end");
}

/// Returns a client of Azure whose monitor ends with `end`, beside a `Location` that no token
/// keeps.
fn beside_a_long_location(end: Value) -> Operations {
    let location = format!("/{}", "x".repeat(17 * 1024));
    let polls = AtomicU32::new(0);
    answered(Azure::new(), move |request| match (request.method(), request.uri().path()) {
        (&Method::POST, _) => {
            with_headers(reply(202, ""), &[("operation-location", "/ops/1"), ("location", &location)])
        }
        (_, "/ops/1") if polls.fetch_add(1, Ordering::Relaxed) == 0 => reply(200, r#"{"status":"Running"}"#),
        (_, "/ops/1") => reply(200, end.to_string()),
        _ => reply(200, r#"{"uri":"a"}"#),
    })
}

#[test]
fn a_url_that_a_token_cannot_keep_and_nobody_needs_does_not_keep_it_from_being_resumed() {
    let operations = beside_a_long_location(json!({ "status": "Succeeded", "resourceLocation": "/images/1" }));
    let mut operation = smol::block_on(operations.post("x?api-version=1", &json!({}))).unwrap();
    for state in [State::Running, State::Running, State::Succeeded] {
        let token = operation.token();
        assert_eq!(token.parts_left_out(), ["location"]);
        assert!(format!("{token:?}").contains("parts_left_out"), "{token:?}");
        operation = operations.resume(token.to_string()).unwrap();
        assert_eq!(operation.token(), token);
        operation = smol::block_on(operation.poll_once()).unwrap();
        assert_eq!(operation.state(), state);
    }
    assert_eq!(operation.response().unwrap().decode_json::<Value>().unwrap(), json!({ "uri": "a" }));
}

#[test]
fn a_url_that_a_token_did_not_keep_is_said_where_it_is_needed() {
    let operations = beside_a_long_location(json!({ "status": "Succeeded" }));
    let operation = smol::block_on(operations.post("x", &json!({}))).unwrap();
    let running = smol::block_on(operations.resume(operation.token()).unwrap().poll_once()).unwrap();
    let ended = smol::block_on(operations.resume(running.token()).unwrap().poll_once()).unwrap();
    assert_eq!((ended.state(), ended.raw_status()), (State::Running, Some("Succeeded")));
    for ended in [operations.resume(ended.token()).unwrap(), ended] {
        let said = smol::block_on(ended.poll_once()).unwrap_err().to_string();
        assert!(said.contains("bytes long, and the token had no room for it"), "{said}");
    }
}

#[test]
fn details_are_kept_while_there_is_room_and_the_others_are_counted() {
    let clock = VirtualClock::new();
    let detail = |size| json!({ "@type": "t/x", "text": "x".repeat(size) });
    let details = [detail(100), detail(15_000), detail(5_000), detail(200)];
    let error = json!({ "code": 9, "message": "m".repeat(5000), "details": details });
    let body = json!({ "name": "operations/1", "done": true, "error": error }).to_string();
    let server = Server::new(&clock, move |_, _| (Duration::ZERO, Ok(reply(200, body.clone()))));
    let operations = Operations::builder("http://server.test").transport(server).timer(clock).build().unwrap();
    let operation = smol::block_on(operations.post("x", &json!({}))).unwrap();
    let token = operation.token();
    assert_eq!(token.details_left_out(), 1);
    assert!(format!("{token:?}").contains("details_left_out: 1"), "{token:?}");
    let resumed = operations.resume(&token).unwrap();
    let status = resumed.status().unwrap();
    let kept: Vec<_> = status.details().iter().map(|detail| detail.json().len()).collect();
    assert!(kept.len() == 3 && kept[1] > 15_000, "{kept:?}");
    assert!(status.message().len() == 4096 && status.message().ends_with('…'), "{}", status.message().len());
    assert_eq!(resumed.token(), token);
}

#[test]
fn the_debug_output_of_every_public_type_is_short_and_has_no_secrets() {
    for text in texts() {
        let text = format!("{text}hunter2");
        let url = format!("https://u:hunter2@h/p?pin=hunter2&sig={text}");
        let json = json!({ "password": "hunter2", "access_token": "hunter2", "sasToken": "hunter2", "text": text })
            .to_string();
        let mut call = Call::get(&url).with_json(json.clone()).with_own_query("pin=hunter2");
        for index in 0..1000 {
            let name: http::HeaderName = format!("x-{index}").parse().unwrap();
            call.headers.insert(name, "hunter2".parse().unwrap());
        }
        check_debug("call", &call);
        let cursor = (0..20).fold(Cursor::new(&url), |cursor, index| cursor.with(format!("part{index}"), &url));
        check_debug("cursor", &cursor);
        check_debug("refused cursor", &cursor.clone().refused(&Failure::protocol(&url)));
        check_debug("part", &Part::of(json.as_bytes(), Encoding::Json));
        check_debug("payload", &Part::of(json.as_bytes(), Encoding::Json).payload());
        let raw = serde_json::value::RawValue::from_string(json.clone()).unwrap();
        let detail = Detail::new(&url, raw);
        check_debug("detail", &detail);
        check_debug("message", &Detail::from_message(&url, text.clone()));
        let status = Status::new(Code::Internal, &json).with_details(vec![detail; 10]).with_reason(&url);
        check_debug("status", &status);
        let mut seen = Observation::new(State::Failed);
        seen.name = Some((&*url).into());
        seen.raw_status = Some((&*url).into());
        seen.status_message = Some((&*json).into());
        seen.metadata = Some(Part::of(json.as_bytes(), Encoding::Json));
        seen.response = Some(Part::of(json.as_bytes(), Encoding::Json));
        seen.status = Some(status.clone());
        seen.cursor = Some(cursor);
        check_debug("observation", &seen);
        let failures = [
            Failure::protocol(&json),
            Failure::untrusted(&url),
            Failure::unsupported(&url),
            Failure::new(lro_runtime::Cause::Rpc(status.clone())),
            Failure::new(lro_runtime::Cause::Http(http::StatusCode::FORBIDDEN, status)),
            Failure::new(lro_runtime::Cause::Transport(TransportError::message(TransportErrorKind::Other, &*url))),
            Failure::new(lro_runtime::Cause::Credentials(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(
                &*url,
            )))),
        ];
        for failure in &failures {
            check_debug("failure", failure);
        }
        let listed = Listed::new(json.as_bytes(), seen);
        check_debug("listed", &listed);
        let mut unread = Listed::read(json.as_bytes(), |_| Err(Failure::protocol(&json)), |_| None);
        unread.name = Some((&*url).into());
        check_debug("unread", &unread);
        let mut page = ListPage::new(vec![listed; 10]);
        page.next_page_token.clone_from(&url);
        page.unreachable = vec![url.clone(); 10];
        page.failure = Some(failures[0].clone());
        check_debug("page", &page);
        let mut query = ListQuery::default();
        (query.parent, query.filter, query.page_token) = (url.clone(), url.clone(), url.clone());
        check_debug("query", &query);
        check_debug("resume", &Resume::from(&url));
        check_debug("damaged", &Resume::from(format!("lro1-{text}")));
        check_debug("builder", &Operations::builder(&url).header("x", "hunter2").query("pin", "hunter2"));
        let script =
            (0..1000).fold(Script::named("operations/1"), |script, _| script.done(json!({ "password": text.len() })));
        check_debug("script", &script);
        check_debug("transport", &ScriptedTransport::new(script));
    }
}

#[test]
fn the_debug_output_of_an_operation_and_of_what_is_made_of_it_is_short_and_has_no_secrets() {
    for text in texts() {
        let clock = VirtualClock::new();
        let detail = json!({ "@type": "t/x", "password": "hunter2", "text": text });
        let error =
            json!({ "code": 9, "message": format!("https://h/?pin=hunter2&{text}"), "details": vec![detail; 3] });
        let body =
            json!({ "name": "operations/1?pin=hunter2", "done": true, "error": error, "metadata": text }).to_string();
        let server = Server::new(&clock, move |_, _| (Duration::ZERO, Ok(reply(200, body.clone()))));
        let operations = Operations::builder("http://server.test").transport(server).timer(clock).build().unwrap();
        let client = ImageClient { operations };
        let operation = smol::block_on(client.export_image()).unwrap();
        check_debug("operation", &operation);
        check_debug("untyped", operation.untyped());
        check_debug("token", &operation.token());
        check_debug("resume", &Resume::from(operation.token()));
        check_debug("blocking", &operation.blocking());
        check_debug("shared", &operation.shared(PollSettings::default()));
        check_debug("snapshots", &operation.snapshots(PollSettings::default()));
        check_debug("observed", &operation.on_progress(|_| ()));
        check_debug("guard", &operation.clone().cancel_on_drop());
        check_debug("client", operation.untyped().client());
        check_debug("list", &client.operations.list("pin=hunter2"));
        let path = format!("x?pin=hunter2&{}", "x".repeat(LARGE));
        let call = client.operations.call(Method::POST, path).header("x-pin", "hunter2").query("pin", "hunter2");
        check_debug("start call", &call.with_start_id("hunter2"));
        check_debug("error", &operation.into_result().unwrap_err());
    }
}
