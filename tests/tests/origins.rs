//! Tests of trust: whatever URL a server gives, no request goes to an origin that is not trusted.
//!
//! The error shows the host to which the request would have gone.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

use std::{
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use lro_runtime::{
    Dialect, Error, ErrorKind, Operations, OperationsBuilder, RawOperation, Token, Transport, bearer,
    dialect::{Azure, Http, Lxd, Redfish},
    testing::VirtualClock,
    transport::{BoxFuture, TransportError},
};
use proptest::prelude::*;
use smol::block_on;

/// The place in a server's replies that holds the pointer: the URL that a client may follow.
#[derive(Clone, Copy, Debug)]
enum Carrier {
    OperationLocation,
    AzureAsyncOperation,
    Location,
    MovedMonitor,
    MovedLocation,
    Redirect,
    ResourceLocation,
    FinalLocation,
    HttpLocation,
    HttpRedirect,
    LxdLocation,
    LxdOperation,
    RedfishLocation,
    /// The name to resume from. It does not come from a server, but is not trusted either.
    ResumedFrom,
}

const CARRIERS: &[Carrier] = &[
    Carrier::OperationLocation,
    Carrier::AzureAsyncOperation,
    Carrier::Location,
    Carrier::MovedMonitor,
    Carrier::MovedLocation,
    Carrier::Redirect,
    Carrier::ResourceLocation,
    Carrier::FinalLocation,
    Carrier::HttpLocation,
    Carrier::HttpRedirect,
    Carrier::LxdLocation,
    Carrier::LxdOperation,
    Carrier::RedfishLocation,
    Carrier::ResumedFrom,
];

/// One reply: status, headers, body.
type Canned = (u16, Vec<(&'static str, String)>, String);

impl Carrier {
    /// Returns the replies up to the one with the pointer. A hostile pointer must not cause another
    /// request.
    fn replies(self, pointer: &str) -> Vec<Canned> {
        let quoted = serde_json::Value::from(pointer).to_string();
        let started = |header| (202, vec![(header, "/ops/1".to_owned())], String::new());
        let leading =
            |status, header| (status, vec![(header, pointer.to_owned())], r#"{"status":"Running"}"#.to_owned());
        match self {
            Self::OperationLocation => vec![leading(202, "operation-location")],
            Self::AzureAsyncOperation => vec![leading(202, "azure-asyncoperation")],
            Self::Location | Self::HttpLocation | Self::RedfishLocation => vec![leading(202, "location")],
            Self::MovedMonitor => vec![started("operation-location"), leading(200, "operation-location")],
            Self::MovedLocation => vec![started("location"), leading(202, "location")],
            Self::Redirect => vec![started("operation-location"), leading(307, "location")],
            Self::ResourceLocation => {
                vec![
                    started("operation-location"),
                    (200, vec![], format!(r#"{{"status":"Succeeded","resourceLocation":{quoted}}}"#)),
                ]
            }
            Self::FinalLocation => {
                vec![
                    started("operation-location"),
                    (200, vec![("location", pointer.to_owned())], r#"{"status":"Succeeded"}"#.to_owned()),
                ]
            }
            Self::HttpRedirect => vec![started("location"), leading(303, "location")],
            Self::LxdLocation => vec![(202, vec![("location", pointer.to_owned())], r#"{"type":"async"}"#.to_owned())],
            Self::LxdOperation => vec![(202, vec![], format!(r#"{{"type":"async","operation":{quoted}}}"#))],
            Self::ResumedFrom => vec![],
        }
    }

    /// Returns a client with the dialect that reads this place.
    fn client(self, transport: Canning) -> Operations {
        let builder =
            Operations::builder("https://api.test/base").transport(transport).header("authorization", "Bearer secret");
        let builder = match self {
            Self::HttpLocation | Self::HttpRedirect => builder.dialect(Http::new()),
            Self::LxdLocation | Self::LxdOperation => builder.dialect(Lxd::new()),
            Self::RedfishLocation => builder.dialect(Redfish),
            _ => builder.dialect(Azure::new()),
        };
        builder.build().unwrap()
    }

    /// Starts an operation and polls until it ends or fails. Returns the outcome, and the URI of
    /// every request.
    fn play(self, pointer: &str) -> (Result<RawOperation, Error>, Vec<Uri>) {
        let (began, transport) = self.begin(pointer);
        let mut outcome = began;
        for _ in 0..4 {
            let Ok(operation) = &outcome else { break };
            outcome = block_on(operation.poll_once());
        }
        let sent = transport.sent.lock().unwrap().clone();
        (outcome, sent)
    }

    /// Starts an operation, or resumes one.
    fn begin(self, pointer: &str) -> (Result<RawOperation, Error>, Canning) {
        let transport = Canning::new(self.replies(pointer));
        let client = self.client(transport.clone());
        let began = match self {
            Self::ResumedFrom => client.resume(pointer),
            _ => block_on(
                client.start(Request::post("https://api.test/base/start?api-version=1").body(Bytes::new()).unwrap()),
            ),
        };
        (began, transport)
    }
}

/// A transport that gives canned replies, then successes, and records the URIs of requests.
#[derive(Clone)]
struct Canning {
    replies: Arc<[Canned]>,
    sent: Arc<Mutex<Vec<Uri>>>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Canning {
    fn new(replies: Vec<Canned>) -> Self {
        Self { replies: replies.into(), sent: Arc::default(), headers: Arc::default() }
    }
}

impl Transport for Canning {
    fn send<'a>(
        &'a self,
        request: &'a Request<Bytes>,
        _max_body: usize,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        let mut sent = self.sent.lock().unwrap();
        let done = (200, vec![], r#"{"status":"Succeeded","type":"sync","metadata":{"status_code":200}}"#.to_owned());
        let (status, headers, body) = self.replies.get(sent.len()).cloned().unwrap_or(done);
        sent.push(request.uri().clone());
        self.headers.lock().unwrap().push(request.headers().clone());
        let mut reply = Response::builder().status(status);
        for (name, value) in headers {
            // A pointer that cannot be a header value cannot arrive in a header.
            if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
                reply = reply.header(name, value);
            }
        }
        Box::pin(async move { Ok(reply.body(Bytes::from(body)).unwrap()) })
    }
}

/// Whether this URI has the client's own origin. Compares text, so that it shares no code with the
/// library.
fn is_own(uri: &Uri) -> bool {
    let text = uri.to_string().to_ascii_lowercase();
    let authority = text.strip_prefix("https://").unwrap_or("").split(['/', '?', '#']).next().unwrap_or_default();
    ["api.test", "api.test:443", "api.test:"].contains(&authority)
}

/// References that lead to another origin, each with the host that the error must show.
///
/// The host is `None` if parsers do not agree on it.
fn hostile() -> impl Strategy<Value = (String, Option<&'static str>)> {
    let path = "[a-z0-9/.?=&%-]{0,12}";
    prop_oneof![
        // Other hosts, look-alikes, other spellings of an address.
        (
            prop_oneof![
                Just("evil.test"),
                Just("api.test.evil.test"),
                Just("xapi.test"),
                Just("api.tes"),
                Just("api.test."),
                Just("api-test"),
                Just("127.0.0.1"),
                Just("localhost"),
                Just("[::1]"),
                Just("2130706433"),
                Just("xn--pi-7ka.test"),
                Just("base.invalid"),
                Just("169.254.169.254"),
            ],
            prop_oneof![Just("https://"), Just("HTTPS://"), Just("http://"), Just("//")],
            path
        )
            .prop_map(|(host, scheme, path)| (format!("{scheme}{host}/{path}"), Some(host))),
        // Another port or another scheme of the same host.
        (1_u16..=65535, path)
            .prop_filter("another port", |(port, _)| *port != 443)
            .prop_map(|(port, path)| (format!("https://api.test:{port}/{path}"), Some("api.test"))),
        path.prop_map(|path| (format!("http://api.test/{path}"), Some("api.test"))),
        path.prop_map(|path| (format!("http://api.test:443/{path}"), Some("api.test"))),
        // User info, on any host.
        ("[a-z:]{0,6}", prop_oneof![Just("api.test"), Just("evil.test")], path)
            .prop_map(|(user, host, path)| (format!("https://{user}@{host}/{path}"), None)),
        path.prop_map(|path| (format!("https://api.test:443@evil.test/{path}"), None)),
        // Texts that some parsers read as a URL of another host: backslashes, missing or surplus
        // slashes, encoded separators, letters of other scripts that look like ASCII, other
        // schemes.
        (
            prop_oneof![
                Just("\\\\evil.test\\"),
                Just("/\\evil.test/"),
                Just("https:\\\\evil.test\\"),
                Just("https://api.test\\@evil.test/"),
                Just("https:/evil.test/"),
                Just("https:evil.test"),
                Just("https:///evil.test/"),
                Just("///evil.test/"),
                Just("https://api.test%40evil.test/"),
                Just("https://api.test%2eevil.test/"),
                Just("https://api.test%00.evil.test/"),
                Just("https://аpi.test/"),
                Just("https://api。test/"),
                Just("https://api.test／.evil.test/"),
                Just("ftp://api.test/"),
                Just("file:///etc/passwd"),
                Just("javascript:alert(1)"),
                Just("data:text/plain,x"),
                Just("//"),
                Just("https://"),
                Just("https://api.test:99999/"),
                Just("https://api.test:-1/"),
                Just("https://api.test:443:443/"),
                Just("//api.test:80/"),
                Just("gopher://api.test:443/"),
                Just("unix:///run/x.sock"),
            ],
            path
        )
            .prop_map(|(start, path)| (format!("{start}{path}"), None)),
    ]
}

/// Strings made of pieces that have a meaning in URLs, in any order.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("https:"),
        Just("http:"),
        Just("//"),
        Just("/"),
        Just("\\"),
        Just("@"),
        Just(":"),
        Just("?"),
        Just("#"),
        Just("api.test"),
        Just("evil.test"),
        Just("."),
        Just(".."),
        Just("%2f"),
        Just("%2e"),
        Just("%40"),
        Just("%5c"),
        Just(":443"),
        Just(":80"),
        Just("["),
        Just("]"),
        Just("::1"),
        Just("a"),
        Just("="),
        Just("&"),
        Just("а"),
        Just(" "),
        Just("\t"),
        Just("HTTPS"),
        Just("{name}"),
        Just("base.invalid"),
        Just("http://base.invalid"),
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_sent_to_another_origin_and_the_error_shows_it((pointer, host) in hostile()) {
        for carrier in CARRIERS.iter().copied() {
            let (outcome, sent) = carrier.play(&pointer);
            prop_assert!(sent.iter().all(is_own), "{carrier:?}: sent {sent:?}");
            let expected = carrier.replies(&pointer).len();
            // A name to resume from is a path below the base URL, whatever it looks like: it is
            // refused, or polled there.
            let Err(error) = outcome else {
                prop_assert!(matches!(carrier, Carrier::ResumedFrom) && !pointer.contains("://"), "{carrier:?}: nobody minded `{pointer}`");
                continue;
            };
            if matches!(carrier, Carrier::ResumedFrom) {
                prop_assert!(matches!(error.kind(), ErrorKind::UntrustedUrl | ErrorKind::InvalidToken), "{carrier:?}: {error}");
                continue;
            }
            prop_assert_eq!(sent.len(), expected, "{:?}: sent {:?}", carrier, sent);
            prop_assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{:?}: {}", carrier, error);
            let said = error.to_string();
            if let Some(host) = host {
                prop_assert!(said.contains(host), "{carrier:?}: {said}");
            }
            prop_assert!(!said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn whatever_a_pointer_says_requests_go_to_the_own_origin(pointer in soup()) {
        for carrier in CARRIERS.iter().copied() {
            let (outcome, sent) = carrier.play(&pointer);
            prop_assert!(sent.iter().all(is_own), "{carrier:?}: sent {sent:?}");
            if let Ok(operation) = outcome {
                prop_assert!(operation.is_completed() || sent.len() > 1, "{carrier:?}: {operation:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The service has accepted it: an error would make the caller start a second operation.
    #[test]
    fn a_start_that_was_accepted_is_an_operation_wherever_its_reply_leads((pointer, _) in hostile()) {
        for carrier in CARRIERS.iter().copied().filter(|carrier| !matches!(carrier, Carrier::ResumedFrom)) {
            let (began, transport) = carrier.begin(&pointer);
            let operation = began.map_err(|error| TestCaseError::fail(format!("{carrier:?}: `{pointer}`: {error}")))?;
            prop_assert!(!operation.name().is_empty() && !operation.is_completed(), "{carrier:?}: {operation:?}");
            prop_assert_eq!(transport.sent.lock().unwrap().len(), 1);
            let written = operation.token().to_string();
            prop_assert_eq!(written.parse::<Token>().map(|token| token.to_string()).ok(), Some(written));
        }
    }
}

#[test]
fn an_operation_that_is_refused_is_polled_once_its_origin_is_allowed() {
    let clock = VirtualClock::new();
    let led = (202, vec![("location", "https://elsewhere.test/ops/1".to_owned())], String::new());
    let transport = Canning::new(vec![led]);
    let client = || {
        let builder = Operations::builder("https://api.test").dialect(Http::new());
        builder.transport(transport.clone()).timer(clock.clone())
    };
    let operation = block_on(client().build().unwrap().post("start", &())).unwrap();
    let error = block_on(operation.clone().into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedUrl);
    assert!(error.to_string().starts_with("operation `https://elsewhere.test/ops/1`: "), "{error}");
    assert_eq!(transport.sent.lock().unwrap().len(), 1, "only the start call was sent");
    assert_eq!(clock.elapsed(), Duration::ZERO, "there is nothing to wait for");
    let allowing = client().allow_origin("https://elsewhere.test").build().unwrap();
    // The token of the error is enough, in another process as well.
    let resumed = allowing.resume(error.token().unwrap()).unwrap();
    assert!(block_on(resumed.poll_once()).unwrap().is_succeeded());
    assert_eq!(transport.sent.lock().unwrap().last().unwrap().host(), Some("elsewhere.test"));
}

#[test]
fn a_result_elsewhere_loses_nothing_of_what_the_monitor_said() {
    let (operation, transport) = Carrier::ResourceLocation.begin("https://elsewhere.test/x");
    let error = block_on(operation.unwrap().into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedUrl);
    let last = error.snapshot().unwrap();
    assert_eq!(last.raw_status(), Some("Succeeded"));
    assert_eq!(&last.raw()[..], br#"{"status":"Succeeded","resourceLocation":"https://elsewhere.test/x"}"#);
    assert_eq!(last.metadata().unwrap().bytes(), &last.raw()[..]);
    // A token of it leads to the result, not to the monitor, which may have forgotten it.
    let allowing = Operations::builder("https://api.test")
        .dialect(Azure::new())
        .transport(transport)
        .allow_origin("https://elsewhere.test")
        .build()
        .unwrap();
    let done = block_on(allowing.resume(last.token()).unwrap().poll_once()).unwrap();
    assert!(done.is_succeeded() && done.response().is_some(), "{done:?}");
}

#[test]
fn the_own_origin_is_trusted_however_it_is_written() {
    for pointer in [
        "https://api.test/x",
        "HTTPS://API.test:443/x",
        "//api.test/x",
        "/x",
        "x",
        "../x",
        "?x",
        "https://Api.Test?x",
        "https://api.test#y",
    ] {
        for carrier in CARRIERS.iter().copied().filter(|carrier| !matches!(carrier, Carrier::ResumedFrom)) {
            let (outcome, sent) = carrier.play(pointer);
            assert!(outcome.as_ref().is_ok_and(RawOperation::is_completed), "{carrier:?} {pointer}: {outcome:?}");
            assert!(
                sent.iter().all(is_own) && sent.len() > carrier.replies(pointer).len(),
                "{carrier:?} {pointer}: {sent:?}"
            );
        }
    }
}

/// The trait `Dialect` can be used as `dyn`.
#[test]
fn a_dialect_names_itself_in_one_word() {
    let dialects: [&dyn Dialect; 4] = [&Azure::new(), &Http::new(), &Lxd::new(), &Redfish];
    assert_eq!(dialects.map(Dialect::id), ["azure", "http", "lxd", "redfish"]);
}

/// The headers of the poll of a monitor at `elsewhere.test`, by a client that sends all that it
/// can.
fn headers_elsewhere(allow: fn(OperationsBuilder, &'static str) -> OperationsBuilder) -> Vec<String> {
    let led = (
        202,
        vec![("location", "https://elsewhere.test/ops/1".to_owned()), ("set-cookie", "own=1; Path=/".to_owned())],
        String::new(),
    );
    let again = (202, vec![("set-cookie", "theirs=1; Path=/".to_owned())], String::new());
    let transport = Canning::new(vec![led, again]);
    let builder = Operations::builder("https://api.test").dialect(Http::new()).transport(transport.clone());
    let builder = builder.header("x-client", "c").header("user-agent", "mine").cookies(true);
    let builder = builder.credentials(|| async { Ok(bearer("hunter2")?) });
    let client = allow(builder, "https://elsewhere.test").build().unwrap();
    let start = Request::post("https://api.test/start").header("x-start", "s").header("content-type", "text/plain");
    let operation = block_on(client.start(start.body(Bytes::new()).unwrap())).unwrap();
    let polled = block_on(operation.poll_once()).unwrap();
    assert!(block_on(polled.poll_once()).unwrap().is_succeeded());
    let headers = transport.headers.lock().unwrap();
    assert!(headers[0].contains_key("authorization") && headers[0].contains_key("x-client"), "{headers:?}");
    let last = headers.last().unwrap();
    let mut names: Vec<_> =
        last.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default())).collect();
    names.sort();
    names
}

#[test]
fn an_allowed_origin_gets_nothing_of_the_clients_own() {
    let headers = headers_elsewhere(OperationsBuilder::allow_origin);
    let own = concat!("user-agent: lro-runtime/", env!("CARGO_PKG_VERSION"));
    assert_eq!(headers, ["accept: application/json", own]);
}

#[test]
fn an_origin_allowed_with_credentials_gets_what_the_own_gets() {
    let headers = headers_elsewhere(OperationsBuilder::allow_origin_with_credentials);
    assert_eq!(
        headers,
        [
            "accept: application/json",
            "authorization: Bearer hunter2",
            "cookie: theirs=1",
            "user-agent: mine",
            "x-client: c",
            "x-start: s"
        ]
    );
    let both = headers_elsewhere(|builder, origin| builder.allow_origin_with_credentials(origin).allow_origin(origin));
    assert_eq!(both, headers, "the wider access counts, in any order");
}
