//! Cases about the head of a reply: statuses, headers, interim replies, redirects.

use std::sync::mpsc;

use lro_runtime::transport::TransportErrorKind::{Closed, InvalidReply, Other};

use crate::{
    server::{Server, Then},
    subject::{Subject, text},
};

pub(crate) fn every_status_arrives_as_sent(subject: &Subject) {
    let server = Server::new(|request, peer| {
        peer.send(format!("HTTP/1.1 {} Whatever\r\nContent-Length: 0\r\n\r\n", request.number()));
        Then::KeepOpen
    });
    for status in
        [200, 201, 202, 203, 206, 299, 300, 301, 304, 307, 308, 399, 400, 404, 409, 418, 429, 499, 500, 503, 599]
    {
        let reply = subject.get(&server.url(&format!("/{status}"))).unwrap();
        assert_eq!(reply.status().as_u16(), status);
        assert!(reply.body().is_empty());
    }
}

pub(crate) fn interim_replies_are_not_the_reply(subject: &Subject) {
    let server = Server::new(|_, peer| {
        peer.send("HTTP/1.1 100 Continue\r\n\r\n");
        peer.send("HTTP/1.1 102 Processing\r\nX-Interim: yes\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        peer.reply("final");
        Then::KeepOpen
    });
    for _ in 0..3 {
        let reply = subject.get(&server.url("/")).unwrap();
        assert_eq!(reply.status(), 200);
        assert!(reply.headers().get("x-interim").is_none());
        assert_eq!(reply.body(), "final");
    }
}

pub(crate) fn headers_arrive_as_sent_in_order_and_byte_for_byte(subject: &Subject) {
    let server = Server::saying(
        b"HTTP/1.1 200 OK\r\nX-Many: one\r\nRetry-After: 7\r\nX-MANY: two, three\r\nX-Empty:\r\nx-many: \r\nX-Bytes: caf\xe9 \xc3\xa9 \xff\r\n\
          X-Spaces:  \t inner  space \t \r\nSet-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\nContent-Length: 2\r\n\r\nok"
            .to_vec(),
    );
    let reply = subject.get(&server.url("/")).unwrap();
    let all = |name| reply.headers().get_all(name).iter().map(http::HeaderValue::as_bytes).collect::<Vec<_>>();
    assert_eq!(all("x-many"), [&b"one"[..], b"two, three", b""]);
    assert_eq!(all("x-empty"), [b""]);
    assert_eq!(all("x-bytes"), [b"caf\xe9 \xc3\xa9 \xff"]);
    assert_eq!(all("x-spaces"), [b"inner  space"]);
    assert_eq!(all("set-cookie"), [&b"a=1; Path=/"[..], b"b=2"]);
    assert_eq!(all("RETRY-AFTER"), [b"7"]);
    assert_eq!(reply.headers().len(), 10, "{:?}", reply.headers());
}

pub(crate) fn many_headers_arrive(subject: &Subject) {
    let server = Server::saying(with_headers(subject.max_headers.min(150) - 1));
    let reply = subject.get(&server.url("/")).unwrap();
    assert_eq!(reply.headers().len(), subject.max_headers.min(150));
    assert_eq!(reply.headers()["x-100"], "value 100");
}

pub(crate) fn too_many_headers_are_an_error(subject: &Subject) {
    let server = Server::saying(with_headers(subject.max_headers + 1));
    assert_eq!(subject.get(&server.url("/")).unwrap_err().kind(), InvalidReply);
}

pub(crate) fn a_head_without_end_is_cut(subject: &Subject) {
    let (sender, sent) = mpsc::channel();
    let server = Server::new(move |request, peer| {
        let line = if request.target == "/headers" { "X-Filler: and so on\r\n".repeat(50) } else { "x".repeat(1_000) };
        peer.send("HTTP/1.1 200 OK\r\nX-Long: ");
        sender.send(peer.flood(line.as_bytes())).unwrap();
        Then::Close
    });
    for path in ["/headers", "/value"] {
        assert_eq!(subject.get(&server.url(path)).unwrap_err().kind(), InvalidReply, "{path}");
        // The buffers of two sockets take a part of it, so the bound is far above any limit of a
        // head.
        assert!(sent.recv().unwrap() < 16 << 20, "{path}");
    }
}

pub(crate) fn what_is_not_http_is_an_error(subject: &Subject) {
    let replies: [&[u8]; 10] = [
        b"",
        b"\r\n",
        b"<html>not http</html>",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Control: a\0b\r\n\r\n",
        b"\0\xff\xfe\x16\x03\x01",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ];
    for reply in replies {
        let server = Server::saying(reply);
        let error = subject.get(&server.url("/")).expect_err(&String::from_utf8_lossy(reply));
        assert!(matches!(error.kind(), InvalidReply | Closed | Other), "{error:?}");
        assert!(error.is_transient());
    }
}

pub(crate) fn a_redirect_is_a_reply_and_is_not_followed(subject: &Subject) {
    let elsewhere = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let location = elsewhere.url("/stolen");
    let server = Server::new(move |request, peer| {
        let status = request.number();
        peer.send(format!("HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 4\r\n\r\ngone"));
        Then::KeepOpen
    });
    for status in [301, 302, 303, 307, 308] {
        let reply = subject.get(&server.url(&format!("/{status}"))).unwrap();
        assert_eq!(reply.status().as_u16(), status);
        assert_eq!(reply.headers()["location"], elsewhere.url("/stolen").as_str());
        assert_eq!(text(Ok(reply)), "gone");
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// Returns a reply with this many headers and one `Content-Length`.
fn with_headers(count: usize) -> String {
    let headers = (0..count).map(|index| format!("X-{index}: value {index}\r\n")).collect::<Vec<_>>().concat();
    format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n")
}
