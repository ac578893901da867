//! Sends requests as gRPC calls over a tonic channel.

use std::{
    error::Error as StdError,
    fmt, io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, Uri,
    header::{self, HeaderName},
};
use tonic::{
    Code, Status,
    body::Body as Outgoing,
    client::{Grpc, GrpcService},
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::Body,
    metadata::MetadataMap,
};

use super::{BoxFuture, Reply, Request, Transport, TransportError, TransportErrorKind};

/// A transport that speaks gRPC over any channel:
/// [`tonic::transport::Channel`](https://docs.rs/tonic/0.14/tonic/transport/struct.Channel.html),
/// one with interceptors, or the library's own ([`GrpcTransport::new`], with the feature `hyper`).
///
/// A request's path is the method (`/google.longrunning.Operations/GetOperation`), its headers are
/// the metadata, its body is one message. The reply's body is the response message. A gRPC error
/// arrives as the headers `grpc-status`, `grpc-message` and `grpc-status-details-bin`. The caller's
/// time limit is sent to the server as `grpc-timeout`.
///
/// Headers that describe an HTTP exchange (`Accept`, `Content-Length`, `Content-Type`, `Host`,
/// `Transfer-Encoding`) are no metadata, and are not sent. A URI with a query is refused
/// ([`InvalidRequest`](TransportErrorKind::InvalidRequest)): keys are headers.
///
/// [`OperationsBuilder::grpc`](crate::OperationsBuilder::grpc) sets up this transport together with
/// its dialect.
pub struct GrpcTransport<S> {
    // A `Transport` must be `Sync`; a tonic channel need not be. The lock is held only while the
    // channel is cloned.
    channel: Mutex<S>,
}

impl<S> GrpcTransport<S> {
    /// Creates a transport that sends over `channel`. Each call sends on a clone of it, as tonic's
    /// generated clients do.
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

/// The longest time limit that is sent as `grpc-timeout`: eight digits of seconds, about three
/// years.
///
/// The header has eight digits and a unit. tonic panics on a limit that does not fit any unit, and
/// [`Duration::MAX`] (no limit) does not.
const LONGEST_LIMIT: Duration = Duration::from_secs(99_999_999);

async fn call<S>(channel: S, request: &Request, max_body: usize, limit: Duration) -> Result<Reply, TransportError>
where
    S: GrpcService<Outgoing> + Send,
    S::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <S::ResponseBody as Body>::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let invalid = |why: &str| TransportError::message(TransportErrorKind::InvalidRequest, why);
    let path = request.uri().path_and_query().cloned().ok_or_else(|| invalid("its URI has no path"))?;
    // A server would take the query for a part of the method's name.
    if path.query().is_some() {
        return Err(invalid("a gRPC call has no query: put keys into headers"));
    }
    // Without a limit of its own, tonic refuses messages over 4 MiB, whatever `max_body` allows.
    let mut grpc = Grpc::with_origin(channel, origin(request.uri())).max_decoding_message_size(max_body);
    // A tower service may panic if it is called before it is ready.
    let ready = grpc.ready().await;
    ready.map_err(|error| channel_error(Status::from_error(error.into())))?;
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
        Err(status) => reply_or_error(status, max_body),
    }
}

/// Returns the scheme and authority of `uri`. tonic appends the method's path.
fn origin(uri: &Uri) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = uri.scheme().cloned();
    parts.authority = uri.authority().cloned();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).unwrap_or_default()
}

/// Returns the request's headers without those that describe the HTTP exchange: they are not gRPC
/// metadata.
///
/// tonic sets the content type itself. A length would be wrong, because a gRPC message has a prefix
/// of five bytes, and HTTP/2 forbids `Transfer-Encoding` (RFC 9113, section 8.2.2).
///
/// It has room for what tonic adds, and not for more: a map that grows costs more than all else
/// here, and so does one too large for the allocator's cache.
fn metadata(headers: &HeaderMap) -> HeaderMap {
    const HTTP: [HeaderName; 5] =
        [header::ACCEPT, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::HOST, header::TRANSFER_ENCODING];
    /// The time limit, the content type and `te`.
    const ADDED: usize = 3;
    let sent = || headers.iter().filter(|(name, _)| !HTTP.contains(name));
    let mut metadata = HeaderMap::with_capacity(sent().count() + ADDED);
    metadata.extend(sent().map(|(name, value)| (name.clone(), value.clone())));
    metadata
}

/// How tonic's message begins, before the HTTP status, where a reply has no `grpc-status`.
const NO_STATUS: &str = "grpc-status header missing, mapped from HTTP status code ";

/// Turns a status from the server into a reply. A status that tonic made from a local failure
/// becomes that failure.
fn reply_or_error(status: Status, max_body: usize) -> Result<Reply, TransportError> {
    // tonic gives a source only to a status it made from an error of the channel. A status from the
    // server has none.
    if status.source().is_some() {
        return Err(channel_error(status));
    }
    // tonic has no type for this failure, and a server may answer OUT_OF_RANGE itself: the text is
    // all that tells them apart.
    if status.code() == Code::OutOfRange && status.message().starts_with("Error, decoded message length too large") {
        return Err(TransportError::body_too_large(max_body));
    }
    // The service wrote no status: tonic made this one of the reply of a gateway that lost the
    // service. As UNAVAILABLE it would say that the call was refused.
    if ["502", "504"].iter().any(|code| status.message() == format!("{NO_STATUS}{code}")) {
        return Err(TransportError::new(TransportErrorKind::Closed, status));
    }
    let mut reply = Reply::default();
    match status.add_header(reply.headers_mut()) {
        Ok(()) => Ok(reply),
        Err(error) => Err(TransportError::new(TransportErrorKind::InvalidReply, error)),
    }
}

/// Returns the error of the connection behind a status that tonic made from it.
fn channel_error(status: Status) -> TransportError {
    // The library's own channel fails with a `TransportError`. tonic wraps it, and its kind is more
    // precise than the code.
    let mut cause = status.source();
    let mut is_connecting = false;
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<TransportError>() {
            return error.clone();
        }
        is_connecting |= error.is::<tonic::ConnectError>()
            || error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        cause = error.source();
    }
    let kind = match status.code() {
        // Not by the code: tonic reports a connection that goes silent during a call as UNAVAILABLE
        // as well, and then the server may have got the call.
        _ if is_connecting => TransportErrorKind::Connect,
        Code::DeadlineExceeded => TransportErrorKind::Timeout,
        // tonic's own channel enforces `grpc-timeout` too, and reports it as CANCELLED with this
        // text.
        Code::Cancelled if status.message() == "Timeout expired" => TransportErrorKind::Timeout,
        _ => TransportErrorKind::Closed,
    };
    TransportError::new(kind, status)
}

/// A codec that passes messages through as bytes: the dialect encodes and decodes them.
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
        // Into memory of its own: an operation keeps its last reply, and would keep with it the
        // buffer that tonic has read it into.
        let mut message = BytesMut::with_capacity(buffer.remaining());
        message.put(buffer);
        Ok(Some(message.freeze()))
    }
}
