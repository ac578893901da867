//! Cases about requests: what arrives at the server, and what is not sent.

use std::net::TcpListener;

use http::HeaderValue;
use lro_runtime::transport::TransportErrorKind::{Connect, InvalidRequest};

use crate::{
    server::{Server, Then},
    subject::{Subject, request},
};

/// Returns a server that answers every request with an empty reply.
fn listening() -> Server {
    Server::new(|_, peer| {
        peer.reply("");
        Then::KeepOpen
    })
}

pub(crate) fn a_request_arrives_as_it_was_made(subject: &Subject) {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let server = listening();
        let mut request = request(method, &server.url("/v1/operations/7:cancel?b=2&a=%20x&&q"), "");
        request.headers_mut().append("authorization", HeaderValue::from_static("Bearer s3cret"));
        request.headers_mut().append("user-agent", HeaderValue::from_static("lro-tests/1"));
        request.headers_mut().append("x-many", HeaderValue::from_static("one"));
        request.headers_mut().append("x-many", HeaderValue::from_static("two"));
        subject.send(&request).unwrap();
        let received = server.request();
        assert_eq!(
            (received.method.as_str(), received.target.as_str()),
            (method, "/v1/operations/7:cancel?b=2&a=%20x&&q")
        );
        assert_eq!(received.header("authorization"), [b"Bearer s3cret"]);
        assert_eq!(received.header("user-agent"), [b"lro-tests/1"]);
        assert_eq!(received.header("x-many"), [b"one", b"two"]);
        assert_eq!(received.header("host").len(), 1);
        assert!(received.header("content-type").is_empty());
        assert!(received.body.is_empty());
    }
}

pub(crate) fn bodies_of_any_size_arrive_whole(subject: &Subject) {
    for size in [1, 1_000, 1 << 20] {
        let server = listening();
        let body = (0..size).map(|index: u32| index.to_le_bytes()[0] ^ index.to_le_bytes()[1]).collect::<Vec<_>>();
        let mut request = request("POST", &server.url("/"), body.clone());
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        subject.send(&request).unwrap();
        let received = server.request();
        assert!(received.body == body, "{size}");
        assert_eq!(received.header("content-length"), [size.to_string().as_bytes()]);
        assert_eq!(received.header("content-type"), [b"application/json"]);
    }
}

pub(crate) fn an_empty_post_says_that_it_is_empty(subject: &Subject) {
    for method in ["POST", "PUT", "PATCH"] {
        let server = listening();
        subject.send(&request(method, &server.url("/"), "")).unwrap();
        assert_eq!(server.request().header("content-length"), [b"0"], "{method}");
    }
}

pub(crate) fn a_length_of_the_callers_is_sent_once_if_it_is_the_bodys(subject: &Subject) {
    for (method, body, values) in [
        ("POST", "abc", &["3"][..]),
        ("PUT", "abc", &["3", "3"]),
        ("POST", "", &["0"]),
        ("PATCH", "0123456789", &["10"]),
    ] {
        let server = listening();
        let mut request = request(method, &server.url("/"), body);
        for value in values {
            request.headers_mut().append("content-length", value.parse().unwrap());
        }
        subject.send(&request).unwrap();
        let received = server.request();
        assert_eq!(received.header("content-length"), [body.len().to_string().as_bytes()], "{method} {values:?}");
        assert_eq!(received.body, body.as_bytes());
    }
}

pub(crate) fn framing_that_is_not_the_bodys_is_refused(subject: &Subject) {
    let server = listening();
    let refused = |method, body: &'static str, name: &'static str, values: &[&str]| {
        let mut request = request(method, &server.url("/"), body);
        for value in values {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let error = subject.send(&request).expect_err(&format!("{method} {body:?} with {name}: {values:?}"));
        assert_eq!(error.kind(), InvalidRequest, "{method} {body:?} with {name}: {values:?}");
        error.to_string()
    };
    for (method, body, values) in [
        ("POST", "abc", &["5"][..]),
        ("POST", "abc", &["2"]),
        ("POST", "abc", &["0"]),
        ("POST", "", &["3"]),
        ("GET", "", &["3"]),
        ("POST", "abc", &["3", "4"]),
        ("POST", "abc", &["3, 3"]),
        ("POST", "abc", &["+3"]),
        ("POST", "abc", &["three"]),
        ("POST", "abc", &[""]),
        ("POST", "abc", &["99999999999999999999999999"]),
        ("POST", "abc", &["s3cret"]),
    ] {
        let said = refused(method, body, "content-length", values);
        // The value of a header is shown only where it is a number: any other may be a secret.
        let found = values.last().unwrap().parse::<u32>().ok().filter(|_| *values != ["+3"]);
        let found = found.map_or("no length".to_owned(), |number| number.to_string());
        let expected = format!("`content-length` is {found} and its body has {} bytes", body.len());
        assert!(said.contains(&expected) && !said.contains("Sensitive"), "{said}");
    }
    for values in [&["chunked"][..], &["identity"], &["gzip, chunked"], &["s3cret"]] {
        let said = refused("POST", "abc", "transfer-encoding", values);
        assert!(said.contains("`transfer-encoding`") && !said.contains(values[0]), "{said}");
    }
    assert_eq!(server.connections(), 0, "nothing of a refused request is sent");
}

pub(crate) fn a_path_is_never_resolved(subject: &Subject) {
    for path in
        ["/v1/%2e%2e/secret", "/v1/../secret", "/v1/./x", "/a%2Fb%3Fc%23d", "/a//b", "/%7Ea~", "/x?u=../..", "/{a}|b"]
    {
        let server = listening();
        // A path that changes on its way may leave its collection. An adapter that cannot send it
        // as it is refuses it.
        match subject.get(&server.url(path)) {
            Ok(_) => assert_eq!(server.request().target, path),
            Err(error) => {
                assert_eq!(error.kind(), InvalidRequest, "{path}");
                assert_eq!(server.connections(), 0, "{path}");
            }
        }
    }
}

pub(crate) fn a_request_that_cannot_be_sent_is_refused(subject: &Subject) {
    for url in ["/no/host?key=s3cret", "ftp://127.0.0.1/?key=s3cret", "unix://x/?key=s3cret"] {
        let error = subject.get(url).unwrap_err();
        assert_eq!(error.kind(), InvalidRequest, "{url}");
        assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
    }
}

pub(crate) fn a_port_without_a_listener_is_a_connect_error(subject: &Subject) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = subject.get(&format!("http://127.0.0.1:{port}/?key=s3cret")).unwrap_err();
    assert_eq!(error.kind(), Connect);
    assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
}
