//! Tests of `SurfTransport`: surf's middleware over the default transport, and clients with another
//! backend.

use std::{
    cell::Cell,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use http::HeaderValue;
use lro_runtime::transport::{
    HyperTransport, SurfTransport, Transport,
    TransportErrorKind::{BodyTooLarge, Closed, InvalidReply, InvalidRequest, Other},
};
use surf::{Body, Client, Config, HttpClient, StatusCode, http::Response as WireResponse, middleware::Next};

use crate::{
    server::{Server, Then},
    subject::{MAX_BODY, Outcome, Request, patiently, request},
};

type Handled<'a> = Pin<Box<dyn Future<Output = surf::Result<surf::Response>> + Send + 'a>>;

fn send(transport: &SurfTransport, request: &Request) -> Outcome {
    patiently(transport.send(request, MAX_BODY))
}

fn with(middleware: impl surf::middleware::Middleware) -> SurfTransport {
    SurfTransport::over(SurfTransport::client(HyperTransport::new()).with(middleware))
}

#[test]
fn middleware_sees_and_changes_both_directions_and_what_it_leaves_alone_stays() {
    fn edit(mut request: surf::Request, client: Client, next: Next<'_>) -> Handled<'_> {
        Box::pin(async move {
            // surf's headers are ASCII only. Middleware sees `?` for other bytes; the header itself
            // stays as it is.
            assert_eq!(request.header("x-bytes").unwrap().as_str(), "caf?");
            request.insert_header("x-added", "by middleware");
            request.remove_header("x-removed");
            let mut response = next.run(request, client).await?;
            assert_eq!(response.header("x-bytes").unwrap().as_str(), "?");
            assert_eq!(response.status(), StatusCode::BadGateway);
            response.insert_header("x-seen", "yes");
            response.remove_header("x-secret");
            response.append_header("x-many", "three");
            Ok(response)
        })
    }
    let server = Server::saying(
        b"HTTP/1.1 502 Odd\r\nX-Many: one\r\nX-Bytes: \xff\r\nX-Many: two\r\nX-Secret: s\r\nContent-Length: 2\r\n\r\nok".to_vec(),
    );
    let mut request = request("GET", &server.url("/a%2Fb"), "");
    request.headers_mut().insert("x-bytes", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    request.headers_mut().insert("x-removed", HeaderValue::from_static("x"));
    let reply = send(&with(edit), &request).unwrap();

    let received = server.request();
    assert_eq!(received.target, "/a%2Fb");
    assert_eq!(received.header("x-bytes"), [b"caf\xe9"]);
    assert_eq!(received.header("x-added"), [b"by middleware"]);
    assert!(received.header("x-removed").is_empty());
    assert_eq!(reply.headers()["x-bytes"].as_bytes(), b"\xff");
    assert_eq!(reply.headers()["x-seen"], "yes");
    assert!(reply.headers().get("x-secret").is_none());
    assert_eq!(reply.headers().get_all("x-many").iter().collect::<Vec<_>>(), ["one", "two", "three"]);
    assert_eq!(reply.body(), "ok");
}

#[test]
fn middleware_can_retry() {
    fn retry(request: surf::Request, client: Client, next: Next<'_>) -> Handled<'_> {
        Box::pin(async move {
            loop {
                let response = next.run(request.clone(), client.clone()).await?;
                if response.status() != StatusCode::ServiceUnavailable {
                    return Ok(response);
                }
            }
        })
    }
    let asked = AtomicUsize::new(0);
    let server = Server::new(move |_, peer| {
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
            _ => peer.reply("third"),
        }
        Then::KeepOpen
    });
    assert_eq!(send(&with(retry), &request("GET", &server.url("/"), "")).unwrap().body(), "third");
}

/// Middleware that sends every request to another URL.
struct Divert(surf::Url);

#[surf::utils::async_trait]
impl surf::middleware::Middleware for Divert {
    async fn handle(&self, mut request: surf::Request, client: Client, next: Next<'_>) -> surf::Result<surf::Response> {
        *AsMut::<surf::http::Request>::as_mut(&mut request).url_mut() = self.0.clone();
        next.run(request, client).await
    }
}

#[test]
fn middleware_cannot_take_a_request_to_another_origin() {
    let elsewhere = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen");
    let url: surf::Url = elsewhere.url("/").parse().unwrap();
    let error = send(&with(Divert(url)), &request("GET", "http://127.0.0.1:1/", "")).unwrap_err();
    assert_eq!(error.kind(), InvalidRequest);
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn surfs_middleware_for_redirects_takes_no_header_to_another_origin() {
    let elsewhere = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen");
    let location = elsewhere.url("/");
    let server = Server::new(move |request, peer| {
        if request.target == "/here" {
            peer.reply("here");
        } else {
            let location = if request.target == "/" { location.as_str() } else { "/here" };
            peer.send(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"));
        }
        Then::KeepOpen
    });
    let transport = with(surf::middleware::Redirect::default());
    let asking = |path| {
        let mut asked = request("GET", &server.url(path), "");
        asked.headers_mut().insert("x-api-key", HeaderValue::from_static("s3cret"));
        send(&transport, &asked)
    };
    let error = asking("/").unwrap_err();
    assert_eq!(error.kind(), InvalidRequest);
    assert!(error.to_string().contains("another origin"), "{error}");
    assert_eq!(elsewhere.connections(), 0, "an API key must not leave");
    assert_eq!(asking("/same-origin").unwrap().body(), "here");
    for received in server.requests() {
        assert_eq!(received.header("x-api-key"), [b"s3cret"]);
        let ours = received.headers.iter().filter(|(name, _)| name.starts_with("lro"));
        assert_eq!(ours.count(), 0, "what the library notes for itself is not sent: {:?}", received.headers);
    }
}

#[test]
fn over_a_foreign_client_no_middleware_takes_a_header_to_another_origin() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let shared = Arc::clone(&seen);
    let config = Config::new().set_http_keep_alive(false).set_http_client(Backend(Arc::new(
        move |request: surf::http::Request| {
            let key = request.header("x-api-key").map(|key| key.as_str().to_owned());
            let url = request.url().to_string();
            let is_moved = url.ends_with("/moved");
            shared.lock().unwrap().push((url, key));
            let mut response = WireResponse::new(if is_moved { 302 } else { 200 });
            response.insert_header("location", "http://elsewhere.test/");
            response
        },
    )));
    let client = Client::try_from(config).unwrap().with(surf::middleware::Redirect::default());
    let transport = SurfTransport::over_foreign(client).unwrap();
    let asking = |url| {
        let mut asked = request("GET", url, "");
        asked.headers_mut().insert("x-api-key", HeaderValue::from_static("s3cret"));
        send(&transport, &asked)
    };
    assert_eq!(asking("http://host.test/moved").unwrap_err().kind(), InvalidRequest);
    assert_eq!(asking("http://host.test/").unwrap().status(), 200);
    let seen = seen.lock().unwrap();
    let elsewhere = seen.iter().filter(|(url, _)| url.starts_with("http://elsewhere.test/"));
    assert_eq!(elsewhere.filter(|(_, key)| key.is_some()).count(), 0, "{seen:?}");
    assert_eq!(seen.last().unwrap(), &("http://host.test/".to_owned(), Some("s3cret".to_owned())));
}

#[test]
fn a_panic_of_middleware_is_an_error() {
    fn panicking(_: surf::Request, _: Client, _: Next<'_>) -> Handled<'_> {
        Box::pin(async { panic!("on purpose") })
    }
    let error = send(&with(panicking), &request("GET", "http://127.0.0.1:1/", "")).unwrap_err();
    assert_eq!(error.kind(), Other);
}

/// A backend whose replies come from a closure.
struct Backend<F>(Arc<F>);

impl<F> std::fmt::Debug for Backend<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Backend")
    }
}

#[surf::utils::async_trait]
impl<F> HttpClient for Backend<F>
where
    F: Fn(surf::http::Request) -> WireResponse + Send + Sync + 'static,
{
    async fn send(&self, request: surf::http::Request) -> surf::Result<WireResponse> {
        Ok((self.0)(request))
    }
}

/// Returns a transport over a surf client that has this backend.
fn foreign(backend: impl Fn(surf::http::Request) -> WireResponse + Send + Sync + 'static) -> SurfTransport {
    let config = Config::new().set_http_keep_alive(false).set_http_client(Backend(Arc::new(backend)));
    SurfTransport::over_foreign(Client::try_from(config).unwrap()).unwrap()
}

#[test]
fn a_foreign_client_must_not_keep_connections_alive() {
    let client = Client::with_http_client(Backend(Arc::new(|_| WireResponse::new(200))));
    assert!(SurfTransport::over_foreign(client).unwrap_err().to_string().contains("set_http_keep_alive(false)"));
    let transport = foreign(|request| {
        assert_eq!(request.header("connection").unwrap().as_str(), "close");
        let mut response = WireResponse::new(200);
        response.set_body("ok");
        response
    });
    assert_eq!(send(&transport, &request("GET", "http://host.test/a?b", "")).unwrap().body(), "ok");
}

/// A body of which no byte ever arrives.
struct Silent;

impl futures_lite::AsyncRead for Silent {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<std::io::Result<usize>> {
        Poll::Pending
    }
}

#[test]
fn a_foreign_clients_mistakes_are_errors() {
    let get = request("GET", "http://host.test/", "");
    let short = foreign(|_| {
        let mut response = WireResponse::new(200);
        response.set_body("four");
        response.insert_header("content-length", "10");
        response
    });
    assert_eq!(send(&short, &get).unwrap_err().kind(), Closed);
    assert_eq!(send(&foreign(|_| WireResponse::new(100)), &get).unwrap_err().kind(), InvalidReply);
    assert_eq!(send(&foreign(|_| panic!("on purpose")), &get).unwrap_err().kind(), Other);
    let endless = foreign(|_| {
        let mut response = WireResponse::new(200);
        response.set_body(Body::from_reader(futures_lite::io::BufReader::new(futures_lite::io::repeat(b'x')), None));
        response
    });
    assert_eq!(send(&endless, &get).unwrap_err().kind(), BodyTooLarge);
    let announced = || {
        let mut response = WireResponse::new(200);
        response.set_body(Body::from_reader(futures_lite::io::BufReader::new(Silent), Some(1 << 40)));
        response.insert_header("content-length", (1_u64 << 40).to_string());
        response.insert_header("x-unsound", "made up\r\n");
        response
    };
    assert_eq!(send(&foreign(move |_| announced()), &get).unwrap_err().kind(), BodyTooLarge);
    let reply = send(&foreign(move |_| announced()), &request("HEAD", "http://host.test/", "")).unwrap();
    assert!(reply.body().is_empty());
    assert!(reply.headers().get("x-unsound").is_none());
}

#[test]
fn what_a_foreign_client_would_alter_is_refused() {
    let transport = foreign(|request| panic!("sent {request:?}"));
    for url in ["http://host.test/v1/%2e%2e/x", "http://host.test/a{b}"] {
        assert_eq!(send(&transport, &request("GET", url, "")).unwrap_err().kind(), InvalidRequest, "{url}");
    }
    let mut get = request("GET", "http://host.test/", "");
    get.headers_mut().insert("x-bytes", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(send(&transport, &get).unwrap_err().kind(), InvalidRequest);
}

thread_local! {
    /// How many records surf logged on this thread, on which [`patiently`] polls.
    static LOGGED: Cell<usize> = const { Cell::new(0) };
}

struct CountSurf;

impl log::Log for CountSurf {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("surf")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            LOGGED.set(LOGGED.get() + 1);
        }
    }

    fn flush(&self) {}
}

/// surf's `Logger` writes whole URLs, and with its feature `middleware-logger`, which is on here,
/// surf adds it to clients by itself.
#[test]
fn surfs_logger_is_added_only_by_the_program() {
    log::set_logger(&CountSurf).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let get = request("GET", &server.url("/?sig=s3cret"), "");
    send(&SurfTransport::new(), &get).unwrap();
    assert_eq!(LOGGED.get(), 0);
    send(&with(surf::middleware::Logger::new()), &get).unwrap();
    assert_eq!(LOGGED.get(), 2, "it logs a request and its reply if the program asks for it");
}
