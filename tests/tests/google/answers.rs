//! A transport whose replies are a function of the request.

use std::{
    future::{pending, ready},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use lro_runtime::{
    Dialect, Operations, Transport,
    testing::VirtualClock,
    transport::{BoxFuture, Reply, Request, TransportError},
};

/// What the function returns.
pub(crate) enum Answer {
    Reply(Reply),
    /// No reply, ever.
    Silence,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

/// JSON text becomes a reply with status 200.
impl From<&str> for Answer {
    fn from(json: &str) -> Self {
        Self::Reply(Reply::new(Bytes::copy_from_slice(json.as_bytes())))
    }
}

impl From<String> for Answer {
    fn from(json: String) -> Self {
        json.as_str().into()
    }
}

/// Returns a reply with this status.
pub(crate) fn http(status: u16, body: &str) -> Answer {
    let mut reply = Reply::new(Bytes::copy_from_slice(body.as_bytes()));
    *reply.status_mut() = status.try_into().unwrap();
    Answer::Reply(reply)
}

type Function = dyn Fn(usize, &Request) -> Answer + Send + Sync;

/// A transport that calls its function for each request, with the number of requests before it. It
/// records every request.
#[derive(Clone)]
pub(crate) struct Answers {
    answer: Arc<Function>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Answers {
    pub(crate) fn new<A: Into<Answer>>(answer: impl Fn(usize, &Request) -> A + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(move |n, request| answer(n, request).into()), requests: Arc::default() }
    }

    /// Returns a client with this transport, and the client's clock.
    pub(crate) fn operations(&self, base: &str, dialect: impl Dialect) -> (Operations, VirtualClock) {
        let clock = VirtualClock::new();
        let builder = Operations::builder(base).dialect(dialect).transport(self.clone()).timer(clock.clone());
        (builder.build().unwrap(), clock)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns `METHOD url` of every request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(|request| format!("{} {}", request.method(), request.uri())).collect()
    }
}

impl Transport for Answers {
    fn send<'a>(&'a self, request: &'a Request, _max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let mut requests = self.requests.lock().unwrap();
        let n = requests.len();
        requests.push(request.clone());
        // Unlocked before the call: a function that panics would poison the mutex, and `requests`
        // would panic as well.
        drop(requests);
        match (self.answer)(n, request) {
            Answer::Reply(reply) => Box::pin(ready(Ok(reply))),
            Answer::Silence => Box::pin(pending()),
        }
    }
}
