//! Cases about connections: every reply belongs to its request, also after drops, resets, reuse,
//! and many at once.

use std::{
    sync::{Arc, Barrier, Condvar, Mutex, mpsc},
    time::Duration,
};

use futures_lite::{future, future::or};
use lro_runtime::transport::TransportErrorKind::Closed;

use crate::{
    server::{Server, Then},
    subject::{MAX_BODY, Subject, patiently, request, text},
};

pub(crate) fn a_connection_is_used_again(subject: &Subject) {
    let server = echo();
    for number in 0..20 {
        assert_eq!(text(subject.get(&server.url(&format!("/{number}")))), number.to_string());
    }
    // Not exactly one: a request may be sent before the connection of the request before is back in
    // the pool.
    assert!(server.connections() <= 5, "{} connections for 20 requests", server.connections());
}

/// Sends 40 requests, each after one that was dropped before its reply.
///
/// A published client gave 25 of such 40 requests the body of another request's reply.
pub(crate) fn a_dropped_request_never_disturbs_the_next(subject: &Subject) {
    let (sender, arrived) = smol::channel::unbounded();
    let gone = Arc::new((Mutex::new(1_000), Condvar::new())); // requests below this number have been dropped
    let shared = Arc::clone(&gone);
    let server = Server::new(move |request, peer| {
        if request.target.starts_with("/drop/") {
            sender.try_send(()).unwrap();
            drop(shared.1.wait_while(shared.0.lock().unwrap(), |gone| *gone <= request.number()).unwrap());
        }
        peer.reply(&request.number().to_string());
        Then::KeepOpen
    });
    for number in 0..40 {
        let dropped = request("GET", &server.url(&format!("/drop/{}", 1_000 + number)), "");
        let leaving = async {
            arrived.recv().await.unwrap();
            None
        };
        let outcome = patiently(or(async { Some(subject.transport.send(&dropped, MAX_BODY).await) }, leaving));
        assert!(outcome.is_none(), "{outcome:?}");
        *gone.0.lock().unwrap() += 1;
        gone.1.notify_all();
        assert_eq!(text(subject.get(&server.url(&format!("/{number}")))), number.to_string());
    }
}

pub(crate) fn an_unread_reply_never_becomes_the_next_ones(subject: &Subject) {
    let server = Server::new(|request, peer| {
        let number = request.number().to_string();
        if request.target.starts_with("/large/") {
            peer.reply(&number.repeat(5_000)); // over the limit, and sent whole
        } else {
            peer.reply(&number);
        }
        Then::KeepOpen
    });
    for number in 0..40 {
        let large = request("GET", &server.url(&format!("/large/{}", 1_000 + number)), "");
        assert!(subject.send_to_limit(&large, 100).is_err());
        assert_eq!(text(subject.get(&server.url(&format!("/{number}")))), number.to_string());
    }
}

pub(crate) fn a_surplus_reply_never_becomes_the_next_ones(subject: &Subject) {
    let server = Server::new(|request, peer| {
        let reply = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        peer.send(format!("{}{}", reply(&request.number().to_string()), reply("surplus")));
        Then::KeepOpen
    });
    for number in 0..40 {
        // A surplus reply may fail the next request on its connection, but must never become the
        // reply to it.
        match subject.get(&server.url(&format!("/{number}"))) {
            Ok(reply) => assert_eq!(reply.body(), &number.to_string()),
            Err(error) => assert!(error.is_transient(), "{error:?}"),
        }
    }
}

/// The server says the reply to each request and then one that nobody asked for, while the
/// connection is idle.
pub(crate) fn a_reply_nobody_asked_for_never_becomes_the_next_ones(subject: &Subject) {
    for pause in [Duration::ZERO, Duration::from_millis(3)] {
        let (sender, forged) = mpsc::channel();
        let server = Server::new(move |request, peer| {
            peer.reply(&request.number().to_string());
            std::thread::sleep(pause);
            peer.reply("forged");
            sender.send(()).unwrap();
            Then::KeepOpen
        });
        for number in 0..30 {
            let body = text(subject.get(&server.url(&format!("/{number}"))));
            assert_eq!(body, number.to_string(), "the forged reply was sent {pause:?} after the one before");
            // The next request leaves once the forged reply is at the client's socket. One that
            // left before could not be told from a request that the server answers.
            forged.recv_timeout(Duration::from_secs(10)).expect("a forged reply for each request");
        }
    }
}

pub(crate) fn a_connection_closed_while_idle_is_replaced(subject: &Subject) {
    let server = Server::new(|request, peer| {
        peer.reply(&request.number().to_string()); // as if the connection stayed open
        Then::Close
    });
    for number in 0..30 {
        assert_eq!(text(subject.get(&server.url(&format!("/{number}")))), number.to_string());
    }
    assert_eq!(server.requests().len(), 30, "a request that was answered is not sent again");
}

pub(crate) fn a_connection_closed_on_the_next_request_is_replaced(subject: &Subject) {
    let server = Server::new(|request, peer| {
        if request.before > 0 {
            return Then::Close; // the request is read and not answered
        }
        peer.reply(&request.number().to_string());
        Then::KeepOpen
    });
    for number in 0..10 {
        assert_eq!(text(subject.get(&server.url(&format!("/{number}")))), number.to_string());
    }
    // A POST may have had its effect before the connection closed, so that it must fail and not be
    // repeated.
    let gets = server.requests().len();
    let posts = (0..10).map(|number| subject.send(&request("POST", &server.url(&format!("/{number}")), "x")));
    let failed = posts.filter(Result::is_err).count();
    let posts = server.requests().split_off(gets);
    assert_eq!(posts.len(), 10, "a POST must never be sent twice");
    assert_eq!(posts.iter().filter(|post| post.before > 0).count(), failed);
}

pub(crate) fn a_request_is_not_sent_again_and_again(subject: &Subject) {
    let server = Server::new(|_, _| Then::Close);
    assert_eq!(subject.get(&server.url("/")).unwrap_err().kind(), Closed);
    let sent = server.requests().len();
    assert!((1..=subject.tries_anew).contains(&sent), "{sent} requests on new connections");
    assert_eq!(subject.send(&request("POST", &server.url("/"), "x")).unwrap_err().kind(), Closed);
    assert_eq!(server.requests().len(), sent + 1, "a POST must never be sent twice");
}

pub(crate) fn a_reset_is_an_error(subject: &Subject) {
    for reply in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"] {
        let server = Server::resetting_after(reply);
        let error = subject.send(&request("POST", &server.url("/"), vec![b'x'; 100_000])).unwrap_err();
        assert_eq!(error.kind(), Closed, "{error:?}");
    }
}

pub(crate) fn a_callers_time_limit_covers_the_body(subject: &Subject) {
    let (sender, ended) = mpsc::channel();
    let server = Server::new(move |request, peer| {
        if request.target == "/body" {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        }
        while peer.send_more(b"x") {
            std::thread::sleep(Duration::from_millis(10)); // a server that drips
        }
        sender.send(()).unwrap();
        Then::Close
    });
    for path in ["/body", "/head"] {
        let outcome = subject.send_for(&request("GET", &server.url(path), ""), Duration::from_millis(100));
        assert!(outcome.is_none_or(|outcome| outcome.is_err()), "{path}");
        ended.recv_timeout(Duration::from_secs(10)).expect("the connection of a dropped request must be closed");
    }
}

pub(crate) fn a_thousand_requests_at_once(subject: &Subject) {
    // The server replies only once all requests have arrived: an adapter with a limit on
    // connections would hang here.
    const COUNT: usize = 1_000;
    let all_there = Arc::new(Barrier::new(COUNT));
    let server = Server::new(move |request, peer| {
        all_there.wait();
        peer.reply(&request.number().to_string());
        Then::KeepOpen
    });
    let executor = smol::LocalExecutor::new();
    let tasks = (0..COUNT).map(|number| {
        let (subject, url) = (subject.clone(), server.url(&format!("/{number}")));
        executor.spawn(async move { subject.transport.send(&request("GET", &url, ""), MAX_BODY).await })
    });
    let tasks = tasks.collect::<Vec<_>>();
    patiently(executor.run(async {
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(text(task.await), number.to_string());
            future::yield_now().await;
        }
    }));
}

/// Returns a server that replies with the number at the end of the path.
fn echo() -> Server {
    Server::new(|request, peer| {
        peer.reply(&request.number().to_string());
        Then::KeepOpen
    })
}
