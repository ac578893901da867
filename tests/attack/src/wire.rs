//! A transport that answers as it is told and keeps every request.

use std::sync::{Arc, Mutex, PoisonError};

use lro_runtime::{
    Transport,
    transport::{BoxFuture, Reply, Request, TransportError},
};

/// Returns the reply to a request, of which so many were sent before.
type Answer = dyn Fn(usize, &Request) -> Reply + Send + Sync;

/// A transport that answers at once.
#[derive(Clone)]
pub struct Wire {
    answer: Arc<Answer>,
    sent: Arc<Mutex<Vec<Request>>>,
}

impl Wire {
    /// Creates a transport that answers so.
    pub fn new(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), sent: Arc::default() }
    }

    /// Takes the requests that were sent since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Transport for Wire {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = (self.answer)(sent.len(), request);
        sent.push(request.clone());
        let kept =
            if reply.body().len() > max_body { Err(TransportError::body_too_large(max_body)) } else { Ok(reply) };
        Box::pin(std::future::ready(kept))
    }
}
