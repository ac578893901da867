use std::{
    error::Error as StdError,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::{Buf, BufMut, Bytes};
use http::{HeaderMap, Uri, header};
use tonic::{
    Code, Status,
    body::Body as Outgoing,
    client::{Grpc, GrpcService},
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::Body,
    metadata::MetadataMap,
};

use super::{BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind};

/// gRPC over any channel: [`tonic::transport::Channel`](https://docs.rs/tonic/0.14/tonic/transport/struct.Channel.html), one with interceptors, or the library's own
/// ([`GrpcTransport::new`], with the feature `hyper`).
///
/// A request's path is the method (`/google.longrunning.Operations/GetOperation`), its headers are metadata, its body is one message; the reply's
/// body is the message that came back. An error comes as its `grpc-status`, `grpc-message` and `grpc-status-details-bin` headers. The caller's
/// time limit goes to the server as `grpc-timeout`. [`OperationsBuilder::grpc`](crate::OperationsBuilder::grpc) sets it up together with its dialect.
pub struct GrpcTransport<S> {
    channel: Mutex<S>,
}

impl<S> GrpcTransport<S> {
    /// Sends over this channel. It is cloned for each call, as tonic's clients are.
    pub fn over(channel: S) -> Self {
        Self { channel: Mutex::new(channel) }
    }
}

impl<S> fmt::Debug for GrpcTransport<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcTransport").finish_non_exhaustive()
    }
}

impl<S> Transport for GrpcTransport<S>
where
    S: GrpcService<Outgoing> + Clone + Send + 'static,
    S::Future: Send,
    S::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <S::ResponseBody as Body>::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        self.send_within(request, max_body, Duration::MAX)
    }

    fn send_within<'a>(
        &'a self,
        request: &'a Request,
        max_body: usize,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(call(channel, request, max_body, limit))
    }
}

/// The longest limit that is worth telling a server: the header has eight digits.
const LONGEST_LIMIT: Duration = Duration::from_secs(99_999_999);

async fn call<S>(channel: S, request: &Request, max_body: usize, limit: Duration) -> Result<Reply, TransportError>
where
    S: GrpcService<Outgoing> + Send,
    S::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <S::ResponseBody as Body>::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let invalid = |why: &str| TransportError::message(TransportErrorKind::InvalidRequest, why);
    let path = request.uri().path_and_query().cloned().ok_or_else(|| invalid("its URI has no path"))?;
    let mut grpc = Grpc::with_origin(channel, origin(request.uri())).max_decoding_message_size(max_body);
    let ready = grpc.ready().await;
    ready.map_err(|error| broken(Status::from_error(error.into())))?;
    let mut outgoing = tonic::Request::new(request.body().clone());
    *outgoing.metadata_mut() = MetadataMap::from_headers(metadata(request.headers()));
    if limit <= LONGEST_LIMIT {
        outgoing.set_timeout(limit);
    }
    match grpc.unary(outgoing, path, Raw).await {
        Ok(response) => {
            let (headers, message, _) = response.into_parts();
            let mut reply = Reply::new(message);
            *reply.headers_mut() = headers.into_headers();
            Ok(reply)
        }
        Err(status) => refused(status, max_body),
    }
}

/// Scheme and authority.
fn origin(uri: &Uri) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = uri.scheme().cloned();
    parts.authority = uri.authority().cloned();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).unwrap_or_default()
}

/// The request's headers without those that are HTTP's own affair.
fn metadata(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [header::ACCEPT, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::HOST, header::TRANSFER_ENCODING]
    {
        headers.remove(name);
    }
    headers
}

/// A status of the server as a reply; a status that tonic made of something that broke as that.
fn refused(status: Status, max_body: usize) -> Result<Reply, TransportError> {
    if status.source().is_some() {
        return Err(broken(status));
    }
    if status.code() == Code::OutOfRange && status.message().starts_with("Error, decoded message length too large") {
        return Err(TransportError::body_too_large(max_body));
    }
    let mut reply = Reply::default();
    match status.add_header(reply.headers_mut()) {
        Ok(()) => Ok(reply),
        Err(error) => Err(TransportError::new(TransportErrorKind::InvalidReply, error)),
    }
}

fn broken(status: Status) -> TransportError {
    let mut cause = status.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<TransportError>() {
            return error.clone();
        }
        cause = error.source();
    }
    let kind = match status.code() {
        Code::Unavailable => TransportErrorKind::Connect,
        Code::DeadlineExceeded => TransportErrorKind::Timeout,
        Code::Cancelled if status.message() == "Timeout expired" => TransportErrorKind::Timeout,
        _ => TransportErrorKind::Closed,
    };
    TransportError::new(kind, status)
}

/// Messages as they are: the dialect encodes and reads them.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
