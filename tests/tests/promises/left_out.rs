//! Promises of queries: what of them is shown, what a token stores and what it says that it left
//! out, and the parameters that a client sends.

use std::{future::IntoFuture, time::Duration};

use http::Method;
use lro_runtime::{
    Dialect, ErrorKind, Operations, PollSettings, RawOperation, Resume, Token,
    dialect::{Acceptor, Azure, Google, Http, Lxd, Redfish, Waiter},
    testing::VirtualClock,
    transport::{Reply, Request},
};
use serde_json::json;

use crate::{
    secrets::decode,
    support::{Server, json_reply, reply},
};

/// A query of a start call: one parameter that is harmless, one that no list knows, one that is a
/// known secret.
const QUERY: &str = "api-version=1&pin=hunter2&sig=hunter2";

fn accepted(header: &'static str, url: &'static str) -> Reply {
    let mut accepted = reply(202, r#"{"type":"async"}"#);
    accepted.headers_mut().insert(header, url.parse().unwrap());
    accepted
}

fn client(dialect: impl Dialect, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Operations, Server) {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, move |_, request| (Duration::ZERO, Ok(answer(request))));
    let client = Operations::builder("http://server.test").dialect(dialect).transport(server.clone()).timer(clock);
    (client.build().unwrap(), server)
}

/// Starts an operation whose start reply is `first`, at a URL with [`QUERY`].
fn started(dialect: impl Dialect, method: Method, first: Reply) -> (RawOperation, Server) {
    let (operations, server) = client(dialect, move |_| first.clone());
    let call = operations.call(method, format!("x?{QUERY}"));
    (smol::block_on(call.into_future()).unwrap(), server)
}

fn content(token: &Token) -> String {
    decode(&token.to_string())
}

#[test]
fn what_the_caller_wrote_into_the_url_of_a_start_call_is_in_no_token_and_the_token_says_so() {
    const WAITER: Waiter = Waiter::start_url().acceptors(&[Acceptor::success_when("state", "ready")]);
    let resource = || reply(201, r#"{"properties":{"provisioningState":"Creating"}}"#);
    let cases = [
        started(Azure::new(), Method::PUT, accepted("azure-asyncoperation", "/ops/1?t=5")),
        started(Azure::new(), Method::PUT, accepted("location", "#there")),
        started(Azure::new(), Method::PUT, resource()),
        started(Http::new(), Method::POST, accepted("location", "#there")),
        started(Redfish, Method::POST, accepted("location", "#there")),
        started(Lxd::new(), Method::POST, accepted("location", "#there")),
    ];
    for (operation, server) in cases {
        let token = operation.token();
        let content = content(&token);
        assert!(!content.contains("hunter2"), "{content}");
        assert!(content.contains("api-version=1"), "{content}");
        assert_eq!(token.left_out(), ["pin", "sig"], "{content}");
        assert!(format!("{token:?}").contains(r#"left_out: ["pin", "sig"]"#), "{token:?}");
        // In the process that has them, the polls keep them.
        let polled = smol::block_on(operation.poll_once()).map(drop);
        let sent = server.requests()[1].1.uri().to_string();
        assert!(sent.contains("hunter2") || sent.contains("/ops/1"), "{sent}: {polled:?}");
        let resumed = operation.client().resume(token.to_string()).unwrap();
        assert_eq!(resumed.token(), token, "what was left out is carried on");
    }
    let (waits, _) = started(WAITER, Method::GET, reply(200, "{}"));
    let token = waits.token();
    assert_eq!(token.name(), "http://server.test/x?api-version=1&pin=hunter2", "what the wait is about");
    assert_eq!(token.left_out(), ["sig"]);
}

#[test]
fn what_a_server_wrote_into_a_url_is_stored_but_for_known_secrets() {
    let url = "/ops/1?t=5&c=MII&subscription%2Dkey=hunter2&h=x&X-Functions-Key=hunter2&refreshToken=hunter2";
    for (dialect, header) in [("azure", "operation-location"), ("http", "location")] {
        let (operation, _) = match dialect {
            "azure" => started(Azure::new(), Method::POST, accepted(header, url)),
            _ => started(Http::new(), Method::POST, accepted(header, url)),
        };
        let content = content(&operation.token());
        assert!(!content.contains("hunter2") && content.contains("/ops/1?t=5&c=MII&h=x"), "{content}");
        let left_out = ["subscription%2Dkey", "X-Functions-Key", "refreshToken"];
        assert!(left_out.iter().all(|name| operation.token().left_out().iter().any(|known| known == name)));
        let shown = format!("{operation:?}");
        assert!(shown.contains("t=…&c=…") && !shown.contains("MII"), "{shown}");
    }
}

#[test]
fn a_poll_that_is_refused_names_what_its_token_was_written_without() {
    for status in [400, 401, 403, 404] {
        let (operations, _) = client(Azure::new(), move |request| match *request.method() {
            Method::PUT => accepted("azure-asyncoperation", "/ops/1?sig=hunter2"),
            _ => reply(status, "{}"),
        });
        let operation = smol::block_on(operations.put("x?api-version=1&pin=hunter2", &json!({}))).unwrap();
        let said = smol::block_on(operation.poll_once()).unwrap_err().to_string();
        assert!(!said.contains("written without"), "this process has them: {said}");
        let resumed = operations.resume(operation.token().to_string()).unwrap();
        for error in [
            smol::block_on(resumed.poll_once()).unwrap_err(),
            smol::block_on(resumed.poll_until_completed(PollSettings::default())).unwrap_err(),
        ] {
            let said = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Poll, "{said}");
            assert!(said.contains("was written without `sig` and `pin`"), "{said}");
            assert!(said.contains("`.query(…)`") && !said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn what_the_client_adds_is_not_said_to_be_missing() {
    let (operations, _) = client(Azure::new(), |request| match *request.method() {
        Method::PUT => accepted("azure-asyncoperation", "/ops/1"),
        _ => reply(401, "{}"),
    });
    let operation = smol::block_on(operations.put("x?api-version=1&pin=hunter2", &json!({}))).unwrap();
    let word = operation.token().to_string();
    assert_eq!(operation.token().left_out(), ["pin"]);
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| (Duration::ZERO, Ok(reply(401, "{}"))));
    let with_query = Operations::builder("http://server.test").dialect(Azure::new()).query("PIN", "1");
    let with_query = with_query.transport(server).timer(clock).build().unwrap();
    let said = smol::block_on(with_query.resume(word).unwrap().poll_once()).unwrap_err().to_string();
    assert!(!said.contains("written without") && said.contains("credentials"), "{said}");
}

#[test]
fn a_parameter_of_the_client_goes_with_every_request_to_its_own_origin_once() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, request| {
        let path = request.uri().path().to_owned();
        let body = match (request.method(), path.ends_with("/operations")) {
            (&Method::GET, true) => {
                json!({ "operations": [], "nextPageToken": if request.uri().query().unwrap_or("").contains("pageToken") { "" } else { "2" } })
            }
            (&Method::DELETE, _) => json!({}),
            _ if path.ends_with(":cancel") => json!({}),
            _ => json!({ "name": "operations/1" }),
        };
        (Duration::ZERO, Ok(json_reply(&body)))
    });
    let operations = Operations::builder("http://server.test/base")
        .transport(server.clone())
        .timer(clock)
        .query("sub key", "first")
        .query("Sub Key", "a&b=hunter2")
        .query("x", "y")
        .credentials(lro_runtime::signed_by(|request| {
            let query = request.uri().query().unwrap_or_default().to_owned();
            async move { Ok(http::HeaderMap::from_iter([("x-signed".parse()?, query.parse()?)])) }
        }))
        .build()
        .unwrap();
    smol::block_on(async {
        let operation = operations.post("start", &json!({})).await.unwrap();
        let _ = operation.poll_once().await.unwrap();
        operation.cancel().await.unwrap();
        operations.delete("operations/1").await.unwrap();
        let mut list = operations.list("");
        while let Some(entry) = list.next().await {
            drop(entry);
        }
        let _ = operations.call(Method::POST, "own?sub%20KEY=own").await.unwrap();
        assert!(!content(&operation.token()).contains("hunter2"));
        let shown = format!("{operations:?} {operation:?} {:?}", operation.token());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(operation.token().left_out().is_empty());
    });
    let sent = server.requests();
    assert_eq!(sent.len(), 7);
    for (_, request) in &sent {
        let query = request.uri().query().unwrap();
        let expected =
            if request.uri().path() == "/base/own" { "sub%20KEY=own&x=y" } else { "Sub%20Key=a%26b%3Dhunter2&x=y" };
        assert!(query.ends_with(expected), "{query}");
        assert_eq!(query.to_ascii_lowercase().matches("sub%20key=").count(), 1, "{query}");
        assert_eq!(request.headers()["x-signed"], query, "the credentials see what is sent");
    }
}

#[test]
fn a_parameter_of_the_client_goes_to_no_other_origin_and_into_no_token() {
    const WAITER: Waiter = Waiter::start_url().acceptors(&[Acceptor::success_when("state", "ready")]);
    let redirect = |url: &'static str| {
        let mut redirect = reply(303, "");
        redirect.headers_mut().insert("location", url.parse().unwrap());
        redirect
    };
    let clock = VirtualClock::new();
    let server = Server::new(&clock, move |_, request| {
        let reply = match (request.uri().host().unwrap(), request.uri().path()) {
            ("server.test", "/start") => accepted("location", "/ops/1"),
            ("server.test", "/ops/1") => redirect("http://allowed.test/r"),
            ("allowed.test", _) => redirect("http://full.test/r"),
            ("full.test", _) => redirect("http://server.test/back"),
            _ => reply(200, "{}"),
        };
        (Duration::ZERO, Ok(reply))
    });
    let builder = || {
        Operations::builder("http://server.test")
            .transport(server.clone())
            .timer(clock.clone())
            .allow_origin("http://allowed.test")
            .allow_origin_with_credentials("http://full.test")
            .query("pin", "hunter2")
    };
    let operations = builder().dialect(Http::new()).build().unwrap();
    let operation = smol::block_on(operations.post("start", &json!({}))).unwrap();
    let done = smol::block_on(operation.poll_until_completed(PollSettings::default())).unwrap();
    assert!(done.is_succeeded());
    for (_, request) in server.requests() {
        let is_own = request.uri().host() == Some("server.test");
        assert_eq!(request.uri().query(), is_own.then_some("pin=hunter2"), "{}", request.uri());
    }
    let waiter = builder().dialect(WAITER).build().unwrap();
    for operation in [operation, done, smol::block_on(waiter.post("x?clusterName=c", &json!({}))).unwrap()] {
        let token = operation.token();
        assert!(!content(&token).contains("pin") && token.left_out().is_empty(), "{}", content(&token));
    }
}

#[test]
fn a_parameter_without_a_name_is_refused() {
    let error = Operations::builder("http://server.test").query("", "hunter2").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidSettings);
    assert!(error.to_string().contains("query") && !error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_word_that_is_too_long_for_a_token_is_refused_unread() {
    let word = format!("lro1-00000000-{}", "A".repeat(256 * 1024));
    let error = word.parse::<Token>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    assert!(error.to_string().contains("262158 bytes long"), "{error}");
    let longest = &word[..256 * 1024];
    assert!(longest.parse::<Token>().unwrap_err().to_string().contains("damaged"), "a word of the limit is read");
    let (operations, _) = client(Google::new(), |_| reply(200, ""));
    assert_eq!(operations.resume(Resume::from(word)).unwrap_err().kind(), ErrorKind::InvalidToken);
}
