//! Tests of Azure with annotated methods: what an SDK author declares, and which secrets stay out
//! of sight.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::format_collect, reason = "tests may fail")]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use lro_runtime::{
    Dialect, ErrorKind, Operations, PollSettings, RawOperation, Result, State, Transport,
    dialect::{Azure, FinalStateVia},
    long_running,
    transport::{BoxFuture, TransportError},
};
use serde::Deserialize;
use smol::block_on;

#[derive(Debug, Deserialize, PartialEq)]
struct Export {
    uri: String,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Monitor {
    status: String,
}

struct ExportClient {
    operations: Operations,
}

#[long_running]
impl ExportClient {
    /// Declares where the result is.
    #[long_running(response = Export, metadata = Monitor, final_state_via = "operation-location")]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("export?api-version=1", &()).await
    }

    /// Leaves the place of the result to the client's dialect.
    #[long_running(response = Export, metadata = Monitor)]
    async fn export_as_usual(&self) -> Result<RawOperation> {
        self.operations.post("export?api-version=1", &()).await
    }

    /// Ends with words of its own.
    #[long_running(
        response = Monitor,
        metadata = Monitor,
        words(succeeded = "partiallySucceeded", failed = ["aborted", "expired"])
    )]
    async fn analyze(&self) -> Result<RawOperation> {
        self.operations.post("export?api-version=1", &()).await
    }

    /// Is a deletion, without a result.
    #[long_running(response = (), metadata = ())]
    async fn remove(&self) -> Result<RawOperation> {
        self.operations.start(Request::delete("/exports/1?api-version=1").body(Bytes::new()).unwrap()).await
    }

    /// Expects a result, though it is a deletion, which has none.
    #[long_running(response = Export, metadata = ())]
    async fn remove_with_result(&self) -> Result<RawOperation> {
        self.operations.start(Request::delete("/exports/1?api-version=1").body(Bytes::new()).unwrap()).await
    }
}

type Canned = (u16, &'static [(&'static str, &'static str)], &'static str);

#[derive(Clone)]
struct Canning {
    replies: &'static [Canned],
    sent: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Transport for Canning {
    fn send<'a>(
        &'a self,
        request: &'a Request<Bytes>,
        _max: usize,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        let mut sent = self.sent.lock().unwrap();
        let (status, headers, body) = *self.replies.get(sent.len()).unwrap();
        sent.push(request.clone());
        let reply =
            headers.iter().fold(Response::builder().status(status), |reply, (name, value)| reply.header(*name, *value));
        Box::pin(async move { Ok(reply.body(Bytes::from_static(body.as_bytes())).unwrap()) })
    }
}

fn client_of(replies: &'static [Canned], dialect: Azure) -> (ExportClient, Canning) {
    let transport = Canning { replies, sent: Arc::default() };
    let builder = Operations::builder("https://api.test").dialect(dialect).transport(transport.clone());
    (ExportClient { operations: builder.poll_settings(quick()).build().unwrap() }, transport)
}

fn quick() -> PollSettings {
    PollSettings::default().with_delay(std::time::Duration::from_millis(1))
}

fn targets(transport: &Canning) -> Vec<String> {
    transport.sent.lock().unwrap().iter().map(|request| request.uri().path().to_owned()).collect()
}

const EXPORTED: &[Canned] = &[
    (202, &[("operation-location", "/ops/1"), ("location", "/results/1")], ""),
    (200, &[], r#"{"status":"Succeeded","result":{"uri":"monitor"}}"#),
    (200, &[], r#"{"uri":"location"}"#),
];

#[test]
fn the_attribute_says_where_the_result_is() {
    let (client, transport) = client_of(EXPORTED, Azure::new());
    let done = block_on(async { client.export().await?.poll_until_completed(quick()).await }).unwrap();
    assert_eq!(done.metadata().unwrap(), Some(&Monitor { status: "Succeeded".to_owned() }));
    assert_eq!(done.into_result().unwrap(), Export { uri: "monitor".to_owned() });
    assert_eq!(targets(&transport), ["/export", "/ops/1"]);

    let (client, transport) = client_of(EXPORTED, Azure::new());
    assert_eq!(block_on(async { client.export_as_usual().await?.await }).unwrap().uri, "location");
    assert_eq!(targets(&transport), ["/export", "/ops/1", "/results/1"]);
}

#[test]
fn the_client_says_it_for_methods_that_do_not() {
    let (client, transport) = client_of(EXPORTED, Azure::new().with_final_state_via(FinalStateVia::OperationLocation));
    assert_eq!(block_on(async { client.export_as_usual().await?.await }).unwrap().uri, "monitor");
    assert_eq!(targets(&transport), ["/export", "/ops/1"]);
}

const PARTIAL: &[Canned] =
    &[(202, &[("operation-location", "/ops/1")], ""), (200, &[], r#"{"status":"partiallySucceeded"}"#)];
const EXPIRED: &[Canned] = &[(202, &[("operation-location", "/ops/1")], ""), (200, &[], r#"{"status":"Expired"}"#)];

const WORDS: &[(&str, State)] = &[("PARTIALLYSUCCEEDED", State::Succeeded), ("expired", State::Succeeded)];

#[test]
fn a_reply_that_says_nothing_new_moves_nothing() {
    let azure = Azure::new();
    let reply = |status: u16, headers: &[(&str, &str)], body: &'static str| {
        let reply =
            headers.iter().fold(Response::builder().status(status), |reply, (name, url)| reply.header(*name, *url));
        reply.body(Bytes::from_static(body.as_bytes())).unwrap()
    };
    let request = Request::post("https://api.test/export").body(Bytes::new()).unwrap();
    let running = reply(202, &[], r#"{"status":"Running"}"#);
    for place in ["operation-location", "location"] {
        let accepted = reply(202, &[(place, "/ops/1")], "");
        let cursor = azure.read_start(&request, &accepted, &[]).unwrap().cursor.unwrap();
        // The request of the poll is built once and kept for as long as the cursor stays.
        assert_eq!(azure.read(&cursor, &running).unwrap().cursor, None, "{place}");
    }
    // The first that a place says is news: from then on a 4xx may be its word for failure.
    let made = reply(201, &[("location", "/ops/1")], "");
    let cursor = azure.read_start(&request, &made, &[]).unwrap().cursor.unwrap();
    let seen = azure.read(&cursor, &running).unwrap().cursor.unwrap();
    assert_ne!(seen, cursor);
    assert_eq!(azure.read(&seen, &running).unwrap().cursor, None);
}

#[test]
fn a_misspelt_option_fails_before_anything_is_sent() {
    let mut request = Request::post("https://api.test/export").body(Bytes::new()).unwrap();
    let failure = Azure::new().prepare_start(&mut request, &[("final_state_via", "locaton")]).unwrap_err();
    assert!(failure.to_string().contains("`locaton`: expected one of"), "{failure}");
    Azure::new().prepare_start(&mut request, &[("final_state_via", "location")]).unwrap();
}

#[test]
fn a_service_may_end_with_words_of_its_own_declared_by_the_method_or_the_client() {
    let (client, _) = client_of(PARTIAL, Azure::new());
    assert_eq!(block_on(async { client.analyze().await?.await }).unwrap().status, "partiallySucceeded");
    let (client, _) = client_of(EXPIRED, Azure::new());
    assert_eq!(block_on(async { client.analyze().await?.await }).unwrap_err().kind(), ErrorKind::Failed);

    let (client, _) = client_of(PARTIAL, Azure::new().with_words(WORDS));
    let started = block_on(client.operations.post("export?api-version=1", &())).unwrap();
    assert!(block_on(started.poll_once()).unwrap().is_succeeded());
    // A token that was written before the words were declared ends, too.
    let (undeclared, _) = client_of(PARTIAL, Azure::new());
    let token = block_on(undeclared.operations.post("export?api-version=1", &())).unwrap().token();
    let (client, _) = client_of(&PARTIAL[1..], Azure::new().with_words(WORDS));
    let resumed = client.operations.resume(token).unwrap();
    assert!(block_on(resumed.poll_once()).unwrap().is_succeeded());
    // The method's words go before the client's.
    let (client, _) = client_of(EXPIRED, Azure::new().with_words(WORDS));
    assert_eq!(block_on(async { client.analyze().await?.await }).unwrap_err().kind(), ErrorKind::Failed);
}

#[test]
fn what_was_deleted_is_success_for_unit_and_for_no_other_type() {
    const GONE: &[Canned] = &[(202, &[("location", "/results/1")], ""), (204, &[], "")];
    let (client, _) = client_of(GONE, Azure::new());
    block_on(async { client.remove().await?.await }).unwrap();
    let (client, _) = client_of(GONE, Azure::new());
    let error = block_on(async { client.remove_with_result().await?.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[test]
fn header_values_and_signatures_are_in_no_token_and_no_debug_output() {
    const STARTED: &[Canned] = &[
        (202, &[("operation-location", "/ops/1?sig=hunter2&t=5"), ("location", "/results/1?sig=hunter2")], ""),
        (200, &[], r#"{"status":"Running"}"#),
    ];
    let (client, transport) = client_of(STARTED, Azure::new());
    let request =
        Request::post("/export?api-version=1").header("x-ms-token", "hunter2").header("x-trace", "hunter2").body("");
    let started = block_on(client.operations.start(request.unwrap())).unwrap();
    let later = block_on(started.poll_once()).unwrap();
    let polled = transport.sent.lock().unwrap()[1].clone();
    assert_eq!(polled.uri().to_string(), "https://api.test/ops/1?sig=hunter2&t=5&api-version=1");
    assert_eq!(
        (&polled.headers()["x-ms-token"], &polled.headers()["x-trace"]),
        (&"hunter2".parse().unwrap(), &"hunter2".parse().unwrap())
    );
    let token = later.token().to_string();
    let written = base64_of(token.splitn(3, '-').nth(2).unwrap());
    assert!(written.contains("/ops/1?t=5&api-version=1"), "{written}");
    for shown in [written, format!("{later:?}"), format!("{:?}", later.token()), format!("{:?}", client.operations)] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

/// Decodes URL-safe base64 without padding.
fn base64_of(word: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String =
        word.bytes().map(|byte| format!("{:06b}", ALPHABET.iter().position(|known| *known == byte).unwrap())).collect();
    let bytes =
        bits.as_bytes().chunks_exact(8).map(|bits| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap());
    String::from_utf8(bytes.collect()).unwrap()
}
