//! Tests of `ReqwestTransport` over a `reqwest::Client` of the program's own.

use std::sync::{Arc, OnceLock};

use futures_lite::future::poll_once;
use http::HeaderValue;
use lro_runtime::transport::{ReqwestTransport, Transport, TransportErrorKind::InvalidRequest};
use reqwest::{Client, redirect::Policy};
use tokio::runtime::{Builder, Runtime};

use crate::{
    server::{Server, Then},
    subject::{MAX_BODY, Outcome, Request, patiently, request},
};

fn send(transport: &ReqwestTransport, request: &Request) -> Outcome {
    patiently(transport.send(request, MAX_BODY))
}

/// Returns two servers: the first redirects to the second, and the second back to the first.
fn there_and_back() -> (Server, Server) {
    let back = Arc::new(OnceLock::<String>::new());
    let shared = Arc::clone(&back);
    let second = Server::new(move |_, peer| {
        peer.send(redirect(shared.get().unwrap()));
        Then::Close
    });
    let elsewhere = second.url("/elsewhere");
    let first = Server::new(move |request, peer| {
        if request.target == "/back" {
            peer.reply("back");
        } else {
            peer.send(redirect(&elsewhere));
        }
        Then::Close
    });
    back.set(first.url("/back")).unwrap();
    (first, second)
}

fn redirect(url: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n")
}

#[test]
fn a_client_that_may_follow_redirects_sends_nothing() {
    // The text of a header of the program's own must not pass for the client's policy.
    let imitation = HeaderValue::from_static(r#"redirect_policy: "Policy(None)""#);
    let custom = Policy::custom(|attempt: reqwest::redirect::Attempt<'_>| attempt.follow());
    for client in [
        Client::builder(),
        Client::builder().redirect(Policy::limited(1)),
        Client::builder().redirect(custom),
        Client::builder().default_headers([(http::header::USER_AGENT, imitation)].into_iter().collect()),
    ] {
        let (first, second) = there_and_back();
        let mut asked = request("GET", &first.url("/"), "");
        asked.headers_mut().insert("x-api-key", HeaderValue::from_static("s3cret"));
        let error = send(&ReqwestTransport::over(client.build().unwrap()), &asked).unwrap_err();
        assert_eq!(error.kind(), InvalidRequest);
        assert!(error.to_string().contains("Policy::none()"), "{error}");
        assert_eq!((first.connections(), second.connections()), (0, 0), "an API key must not leave");
    }
}

#[test]
fn a_client_that_follows_none_returns_the_redirect() {
    let own = Client::builder().redirect(Policy::none()).user_agent("own/1").referer(false).build().unwrap();
    let built = Client::builder().user_agent("own/1"); // would follow redirects by itself
    for transport in [ReqwestTransport::over(own), ReqwestTransport::build(built).unwrap()] {
        let (first, second) = there_and_back();
        let reply = send(&transport, &request("GET", &first.url("/"), "")).unwrap();
        assert_eq!(reply.status(), 302);
        assert_eq!(first.request().header("user-agent"), [b"own/1"]);
        assert_eq!(second.connections(), 0);
    }
}

/// A client tells its policy in its `Debug` text alone. If this fails after an update of reqwest,
/// `follows_none` has to learn the new text; until then `over` refuses every client.
#[test]
fn the_reqwest_in_use_shows_that_a_client_follows_none() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    send(&ReqwestTransport::over(client), &request("GET", &server.url("/"), "")).unwrap();
}

#[test]
fn a_retry_policy_of_the_builder_sends_no_post_twice() {
    let server = Server::saying("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    let policy = reqwest::retry::for_host("127.0.0.1").no_budget().classify_fn(|attempt| match attempt.status() {
        Some(_) => attempt.retryable(),
        None => attempt.success(),
    });
    let transport = ReqwestTransport::build(Client::builder().retry(policy)).unwrap();
    assert_eq!(send(&transport, &request("POST", &server.url("/"), "start")).unwrap().status(), 503);
    assert_eq!(server.connections(), 1, "two starts are two operations");
}

#[test]
fn a_task_of_the_transports_runtime_runs_its_requests_itself_if_that_has_one_thread() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let asked = request("GET", &server.url("/"), "");
    // Of two runtimes, the transport's and the one that asks: which runs tasks for the request.
    let tasks = |own: &Runtime, asking: &Runtime| {
        let transport = ReqwestTransport::new().unwrap().on(own.handle().clone());
        let mut sent = transport.send(&asked, MAX_BODY);
        asking.block_on(async {
            assert!(poll_once(&mut sent).await.is_none());
            [own, asking].map(|runtime| runtime.metrics().num_alive_tasks())
        })
    };
    let one = || Builder::new_current_thread().enable_all().build().unwrap();
    let many = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (first, second) = (one(), one());
    assert_eq!(tasks(&first, &first), [0, 0]);
    assert_eq!(tasks(&first, &second), [1, 0]);
    assert_eq!(tasks(&many, &many), [0, 0], "on the background runtime");
    assert_eq!(tasks(&many, &second), [0, 0], "on the background runtime");
    let transport = ReqwestTransport::new().unwrap().on(second.handle().clone());
    drop(second);
    assert!(send(&transport, &asked).is_err(), "its runtime has ended");
}
