//! A transport that answers as it is told and keeps every request.

use std::sync::{Arc, Mutex, PoisonError};

use lro_runtime::{
    Transport,
    transport::{BoxFuture, Reply, Request, TransportError},
};

/// Returns the reply to a request, before which so many were sent.
type Answer = dyn Fn(usize, &Request) -> Reply + Send + Sync;

/// A transport that answers at once.
#[derive(Clone)]
pub struct Wire {
    answer: Arc<Answer>,
    sent: Arc<Mutex<Sent>>,
}

/// What was sent.
#[derive(Default)]
struct Sent {
    /// How many requests, of all times.
    count: usize,
    /// Those that were not taken yet.
    requests: Vec<Request>,
}

impl Wire {
    /// Creates a transport that answers so.
    pub fn new(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), sent: Arc::default() }
    }

    /// Takes the requests that were sent since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner).requests)
    }
}

impl Transport for Wire {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = (self.answer)(sent.count, request);
        sent.count += 1;
        sent.requests.push(request.clone());
        let kept =
            if reply.body().len() > max_body { Err(TransportError::body_too_large(max_body)) } else { Ok(reply) };
        Box::pin(std::future::ready(kept))
    }
}

#[cfg(test)]
mod tests {
    use lro_runtime::block_on;

    use super::*;

    #[test]
    fn every_answer_hears_how_many_requests_came_before_those_that_were_taken_too() {
        let wire = Wire::new(|before, _| http::Response::new(before.to_string().into()));
        for before in 0..4 {
            let reply = block_on(wire.send(&Request::default(), 8)).map(http::Response::into_body);
            assert_eq!(reply.ok(), Some(before.to_string().into()));
            assert_eq!(wire.take().len(), 1);
        }
        assert_eq!(wire.take().len(), 0);
    }
}
