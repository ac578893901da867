//! A gRPC channel without a network. The gRPC transport accepts any `GrpcService`, and so this one.

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tonic::{Status, body::Body};
use tower_service::Service;

/// One call that was received.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub path: String,
    pub headers: HeaderMap,
    pub message: Bytes,
}

impl Called {
    pub(crate) fn read<M: Message + Default>(&self) -> M {
        M::decode(&*self.message).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

type Answer = dyn Fn(usize, &Called) -> Result<Vec<u8>, Status> + Send + Sync;

#[derive(Clone)]
pub(crate) struct Channel {
    answer: Arc<Answer>,
    calls: Arc<Mutex<Vec<Called>>>,
}

impl Channel {
    pub(crate) fn new(answer: impl Fn(usize, &Called) -> Result<Vec<u8>, Status> + Send + Sync + 'static) -> Self {
        Self { answer: Arc::new(answer), calls: Arc::default() }
    }

    pub(crate) fn calls(&self) -> Vec<Called> {
        self.calls.lock().unwrap().clone()
    }

    fn respond(&self, called: &Called) -> http::Response<Body> {
        let mut calls = self.calls.lock().unwrap();
        let n = calls.len();
        calls.push(called.clone());
        drop(calls);
        match (self.answer)(n, called) {
            Err(status) => status.into_http(),
            Ok(message) => {
                // A gRPC message on the wire: a zero for "not compressed", the length in four
                // bytes, the message.
                let mut frame = BytesMut::new();
                frame.put_u8(0);
                frame.put_u32(u32::try_from(message.len()).unwrap());
                frame.put_slice(&message);
                let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
                let body = Full::new(frame.freeze()).with_trailers(ready(Some(Ok::<_, Infallible>(trailers))));
                http::Response::new(Body::new(body))
            }
        }
    }
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Status>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let channel = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let frame = body.collect().await?.to_bytes();
            let (path, headers) = (parts.uri.path().to_owned(), parts.headers);
            Ok(channel.respond(&Called { path, headers, message: frame.slice(5..) }))
        })
    }
}

/// A channel on which every call fails with the error that its function makes. It counts the calls.
#[derive(Clone)]
pub(crate) struct Broken(pub fn() -> BoxError, pub Arc<Mutex<u32>>);

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Broken {
    pub(crate) fn new(error: fn() -> BoxError) -> Self {
        Self(error, Arc::default())
    }
}

impl Service<http::Request<Body>> for Broken {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: http::Request<Body>) -> Self::Future {
        *self.1.lock().unwrap() += 1;
        ready(Err((self.0)()))
    }
}

/// A gateway that answers every call itself, with an HTTP status and no gRPC one. It counts the
/// calls.
#[derive(Clone)]
pub(crate) struct Gateway(pub u16, pub Arc<Mutex<u32>>);

impl Service<http::Request<Body>> for Gateway {
    type Response = http::Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: http::Request<Body>) -> Self::Future {
        *self.1.lock().unwrap() += 1;
        ready(http::Response::builder().status(self.0).body(Body::empty()).map_err(Into::into))
    }
}
