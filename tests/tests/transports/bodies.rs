//! Cases about the body of a reply: how it is framed, where it ends, and when it is cut.

use std::sync::mpsc;

use lro_runtime::transport::TransportErrorKind::{self, BodyTooLarge, Closed, InvalidReply};

use crate::{
    server::{Server, Then},
    subject::{Subject, request},
};

pub(crate) fn a_body_arrives_however_it_is_framed(subject: &Subject) {
    let body = (0..100_000_u32).map(|index| index.to_le_bytes()[1]).collect::<Vec<_>>();
    let sent = body.clone();
    let server = Server::new(move |request, peer| match request.target.as_str() {
        "/length" => {
            peer.send(format!("HTTP/1.1 200 OK\r\ncontent-length:  {} \r\n\r\n", sent.len()));
            peer.send(&sent);
            Then::KeepOpen
        }
        "/chunked" => {
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n");
            for chunk in sent.chunks(7_001) {
                peer.send(format!("{:X};extension=\"x\"\r\n", chunk.len()));
                peer.send(chunk);
                peer.send("\r\n");
            }
            peer.send("0\r\nX-Sum: 42\r\n\r\n");
            Then::KeepOpen
        }
        "/close" => {
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            peer.send(&sent);
            Then::Close
        }
        _ => {
            peer.send("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n");
            peer.send(&sent);
            Then::Close
        }
    });
    for path in ["/length", "/chunked", "/close", "/old", "/length", "/chunked"] {
        let reply = subject.get(&server.url(path)).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        assert!(reply.body() == &body, "{path}: {} bytes", reply.body().len());
    }
}

pub(crate) fn statuses_without_a_body_have_none(subject: &Subject) {
    let server = Server::new(|request, peer| {
        match request.number() {
            1 => peer.send("HTTP/1.1 204 No Content\r\n\r\n"),
            2 => peer.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
            _ => peer.reply("next"),
        }
        Then::KeepOpen
    });
    for (path, status, body) in [("/1", 204, ""), ("/0", 200, "next"), ("/2", 304, ""), ("/0", 200, "next")] {
        let reply = subject.get(&server.url(path)).unwrap();
        assert_eq!((reply.status().as_u16(), &reply.body()[..]), (status, body.as_bytes()));
    }
}

pub(crate) fn a_reply_to_head_has_no_body(subject: &Subject) {
    let server = Server::new(|request, peer| {
        let length = if request.method == "HEAD" { 1_000_000_000 } else { 0 };
        peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
        Then::KeepOpen
    });
    for method in ["HEAD", "GET", "HEAD"] {
        let reply = subject.send(&request(method, &server.url("/"), "")).unwrap();
        assert!(reply.body().is_empty(), "{method}");
    }
}

pub(crate) fn a_body_of_exactly_the_limit_arrives(subject: &Subject) {
    let server = Server::new(|request, peer| {
        match request.target.as_str() {
            "/length" => peer.reply("12345"),
            _ => peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12\r\n3\r\n345\r\n0\r\n\r\n"),
        }
        Then::KeepOpen
    });
    for path in ["/length", "/chunked"] {
        let request = request("GET", &server.url(path), "");
        assert_eq!(subject.send_to_limit(&request, 5).unwrap().body(), "12345", "{path}");
        let error = subject.send_to_limit(&request, 4).unwrap_err();
        assert_eq!(error.kind(), BodyTooLarge, "{path}");
        assert!(!error.is_transient());
        assert_eq!(subject.send_to_limit(&request, 0).unwrap_err().kind(), BodyTooLarge, "{path}");
    }
}

pub(crate) fn an_announced_body_over_the_limit_is_refused_before_it_is_read(subject: &Subject) {
    let server = Server::new(|_, peer| {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 68719476736\r\n\r\n"); // no byte of the body follows
        assert!(peer.sees_the_end(), "the connection must be closed: its reply was not read");
        Then::Close
    });
    assert_eq!(subject.get(&server.url("/")).unwrap_err().kind(), BodyTooLarge);
}

pub(crate) fn a_body_over_the_limit_is_cut_while_it_is_read(subject: &Subject) {
    let (sender, sent) = mpsc::channel();
    let server = Server::new(move |request, peer| {
        let chunk = if request.target == "/chunked" {
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            format!("400\r\n{}\r\n", "x".repeat(1_024))
        } else {
            peer.send("HTTP/1.1 200 OK\r\n\r\n");
            "x".repeat(1_024)
        };
        sender.send(peer.flood(chunk.as_bytes())).unwrap();
        Then::Close
    });
    for path in ["/chunked", "/close"] {
        let error = subject.send_to_limit(&request("GET", &server.url(path), ""), 64 << 10).unwrap_err();
        assert_eq!(error.kind(), BodyTooLarge, "{path}");
        let sent = sent.recv().unwrap();
        assert!(sent < 16 << 20, "{path}: the server could send {sent} bytes");
    }
}

pub(crate) fn a_body_shorter_than_announced_is_an_error(subject: &Subject) {
    let error = refused(subject, "Content-Length: 10\r\n\r\nfour");
    assert_eq!(error, Closed);
    assert_eq!(refused(subject, "Content-Length: 10\r\n\r\n"), Closed);
}

pub(crate) fn a_chunked_body_without_its_end_is_an_error(subject: &Subject) {
    for rest in ["4\r\nfour\r\n", "4\r\nfo", "zz\r\nfour\r\n0\r\n\r\n", "4\r\nfourteen\r\n0\r\n\r\n", ""] {
        let kind = refused(subject, &format!("Transfer-Encoding: chunked\r\n\r\n{rest}"));
        assert!(matches!(kind, Closed | InvalidReply), "{rest:?}: {kind:?}");
    }
}

pub(crate) fn an_invalid_content_length_is_an_error(subject: &Subject) {
    for length in ["-1", "4x", "99999999999999999999999999", "4\r\nContent-Length: 5", "0x4"] {
        let kind = refused(subject, &format!("Content-Length: {length}\r\n\r\nfour"));
        assert!(matches!(kind, Closed | InvalidReply | BodyTooLarge), "{length}: {kind:?}");
    }
}

/// Returns the kind of the error for a reply that has `rest` after its status line.
fn refused(subject: &Subject, rest: &str) -> TransportErrorKind {
    let server = Server::saying(format!("HTTP/1.1 200 OK\r\n{rest}"));
    match subject.get(&server.url("/")) {
        Ok(reply) => panic!("{rest:?} was taken for {reply:?}"),
        Err(error) => error.kind(),
    }
}

pub(crate) fn a_body_keeps_no_memory_but_its_own(subject: &Subject) {
    let server = Server::new(|request, peer| {
        match request.target.as_str() {
            "/chunked" => {
                let body = format!("{:x}\r\n{}\r\n0\r\n\r\n", 340, "c".repeat(340));
                peer.send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}"));
            }
            _ => peer.reply(&"l".repeat(340)),
        }
        Then::KeepOpen
    });
    for path in ["/length", "/chunked", "/length"] {
        let body = subject.get(&server.url(path)).unwrap().into_body();
        assert_eq!(body.len(), 340, "{path}");
        // Of a part of a buffer that something else has a part of, this is an error.
        let memory = body.try_into_mut().unwrap_or_else(|_| panic!("{path}: the body is a part of a shared buffer"));
        assert!(memory.capacity() <= 2 * 340, "{path}: {} bytes are kept for 340", memory.capacity());
    }
}
