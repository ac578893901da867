//! The fuzz case: valid replies with random damage make no adapter panic or hang.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;

use crate::{
    server::{Server, Then},
    subject::Subject,
};

/// Valid replies, to be damaged.
const SOUND: [&[u8]; 5] = [
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\nRetry-After: 5\r\n\r\n{\"done\":true}",
    b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n5;a=b\r\nhello\r\n3\r\n...\r\n0\r\nX-T: t\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Caf\xe9: \xff\r\n\r\nuntil the end",
    b"HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08",
    b"HTTP/1.1 302 Found\r\nLocation: /\xe2\x82\xac\r\nContent-Length: 0\r\nContent-Type: text/html; charset=\xff\r\n\r\n",
];

/// Texts with a meaning in HTTP, to be inserted anywhere.
const PIECES: [&[u8]; 14] = [
    b"\r\n",
    b"\n",
    b"\r",
    b":",
    b" ",
    b"\0",
    b"\xff\xfe",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"HTTP/1.1 101 Switching\r\n",
    b"18446744073709551616",
    b"ffffffffffffffff\r\n",
    b"Connection: upgrade\r\n",
    b"\r\n\r\n",
];

pub(crate) fn no_reply_makes_it_panic_or_hang(subject: &Subject) {
    let server = Server::new(|request, peer| {
        peer.send(damaged(request.number() as u64));
        Then::Close
    });
    for seed in 0..subject.fuzz {
        let outcome = catch_unwind(AssertUnwindSafe(|| subject.get(&server.url(&format!("/{seed}")))));
        let reply = || String::from_utf8_lossy(&damaged(seed)).into_owned();
        let Ok(outcome) = outcome else { panic!("seed {seed} panics or hangs on {:?}", reply()) };
        if let Err(error) = outcome {
            assert!(!format!("{error:?}").contains("panick"), "seed {seed}: {error:?} on {:?}", reply());
        }
    }
}

/// Returns a valid reply with one to four mistakes. The same seed gives the same bytes.
fn damaged(seed: u64) -> Vec<u8> {
    let mut random = Rng::with_seed(seed);
    let mut reply = random.choice(SOUND).unwrap().to_vec();
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(..=reply.len());
        let to = (at + random.usize(..12)).min(reply.len());
        match random.u8(..5) {
            0 => reply.truncate(at),
            1 => drop(reply.drain(at..to)),
            2 => drop(reply.splice(at..at, random.choice(PIECES).unwrap().iter().copied())),
            3 => reply.extend_from_within(at..to),
            _ => reply.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.u8(..)),
        }
    }
    reply
}
