//! Sends requests as gRPC calls over a tonic channel.

use std::{
    convert::Infallible,
    error::Error as StdError,
    fmt,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Version,
    header::{self, HeaderName},
};
use hyper::body::Frame;
use tonic::{Code, Status, body::Body as Outgoing, client::GrpcService, codegen::Body, metadata::GRPC_CONTENT_TYPE};

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

/// The header, or trailer, with the status of a call.
const STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// How long the prefix of a message is: whether it is compressed, and its length.
const PREFIX: usize = 5;

async fn call<S>(mut channel: S, request: &Request, max_body: usize, limit: Duration) -> Result<Reply, TransportError>
where
    S: GrpcService<Outgoing> + Send,
    S::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <S::ResponseBody as Body>::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let outgoing = outgoing(request, limit)?;
    // A tower service may panic if it is called before it is ready.
    let ready = poll_fn(|context| channel.poll_ready(context)).await;
    ready.map_err(|error| channel_error(Status::from_error(error.into())))?;
    let answered = channel.call(outgoing).await.map_err(|error| Status::from_error(error.into()));
    match answered {
        Ok(response) => read(response, max_body).await,
        // tonic gives a source to a status that it made from another error. One without was the
        // channel's own, such as an interceptor's.
        Err(status) if status.source().is_some() => Err(channel_error(status)),
        Err(status) => reply_of(&status),
    }
}

/// Returns the HTTP request of a call.
///
/// tonic's client would make it of the same parts, but through a map of headers more, and its body
/// of two frames: each poll sends this.
fn outgoing(request: &Request, limit: Duration) -> Result<http::Request<Outgoing>, TransportError> {
    let invalid = |why: &str| TransportError::message(TransportErrorKind::InvalidRequest, why);
    let path = request.uri().path_and_query().ok_or_else(|| invalid("its URI has no path"))?;
    // A server would take the query for a part of the method's name.
    if path.query().is_some() {
        return Err(invalid("a gRPC call has no query: put keys into headers"));
    }
    let message = Prefixed::new(request.body()).ok_or_else(|| invalid("its message has 4 GiB or more"))?;
    let mut outgoing = http::Request::new(Outgoing::new(message));
    *outgoing.method_mut() = Method::POST;
    *outgoing.uri_mut() = request.uri().clone();
    *outgoing.version_mut() = Version::HTTP_2;
    *outgoing.headers_mut() = metadata(request.headers(), limit);
    Ok(outgoing)
}

/// Returns the headers of a call: the request's without those that describe the HTTP exchange,
/// which are not gRPC metadata, and those of gRPC.
///
/// A length would be wrong, because a gRPC message has a prefix of five bytes, and HTTP/2 forbids
/// `Transfer-Encoding` (RFC 9113, section 8.2.2).
///
/// It has room for what is added, and not for more: a map that grows costs more than all else here,
/// and so does one too large for the allocator's cache.
fn metadata(headers: &HeaderMap, limit: Duration) -> HeaderMap {
    const LEFT_OUT: [HeaderName; 8] = [
        header::ACCEPT,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::HOST,
        header::TRANSFER_ENCODING,
        // A server sends these.
        HeaderName::from_static("grpc-message"),
        HeaderName::from_static("grpc-message-type"),
        STATUS,
    ];
    /// The time limit, the content type and `te`.
    const ADDED: usize = 3;
    let sent = || headers.iter().filter(|(name, _)| !LEFT_OUT.contains(name));
    let mut metadata = HeaderMap::with_capacity(sent().count() + ADDED);
    metadata.extend(sent().map(|(name, value)| (name.clone(), value.clone())));
    if let Some(timeout) = timeout(limit) {
        metadata.insert(HeaderName::from_static("grpc-timeout"), timeout);
    }
    // Proxies that pass on no trailers are found by this.
    metadata.insert(header::TE, HeaderValue::from_static("trailers"));
    metadata.insert(header::CONTENT_TYPE, GRPC_CONTENT_TYPE);
    metadata
}

/// Returns `limit` as `grpc-timeout`: a number of at most eight digits and the smallest unit in
/// which it has no more. `None` for one that eight digits of seconds cannot hold, about three
/// years, as that of no limit ([`Duration::MAX`]).
fn timeout(limit: Duration) -> Option<HeaderValue> {
    let written = |number: u128, unit| {
        let number = u32::try_from(number).ok().filter(|number| *number <= 99_999_999)?;
        HeaderValue::try_from(format!("{number}{unit}")).ok()
    };
    written(limit.as_nanos(), 'n')
        .or_else(|| written(limit.as_micros(), 'u'))
        .or_else(|| written(limit.as_millis(), 'm'))
        .or_else(|| written(limit.as_secs().into(), 'S'))
}

/// The body of a call: its message, behind gRPC's prefix, in one frame that ends it. Its length is
/// not told, or hyper would send a `Content-Length`.
struct Prefixed(Option<Bytes>);

impl Prefixed {
    /// `None` if the prefix cannot hold the message's length.
    fn new(message: &[u8]) -> Option<Self> {
        let length = u32::try_from(message.len()).ok()?;
        let mut frame = BytesMut::with_capacity(PREFIX + message.len());
        frame.put_u8(0);
        frame.put_u32(length);
        frame.put_slice(message);
        Some(Self(Some(frame.freeze())))
    }
}

impl Body for Prefixed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|frame| Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}

/// Reads the reply of a call: its message and its status, which stands behind the message or, where
/// there is none, among the headers.
async fn read<B>(response: http::Response<B>, max_body: usize) -> Result<Reply, TransportError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (head, body) = response.into_parts();
    let (mut headers, mut body) = (head.headers, pin!(body));
    let mut message = Message::default();
    // For what is no message, too, and for what stands behind one.
    let mut room = max_body.saturating_add(PREFIX);
    // Behind a failure among the headers nothing else counts.
    while headers.get(STATUS).is_none_or(|status| status == "0") {
        let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await else { break };
        let frame = frame.map_err(|error| channel_error(Status::from_error(error.into())))?;
        match frame.into_data() {
            Ok(data) => {
                room = room.checked_sub(data.len()).ok_or_else(|| TransportError::body_too_large(max_body))?;
                // What something in front of the service says is no message.
                if head.status == StatusCode::OK {
                    message.put(data, max_body)?;
                }
            }
            Err(frame) => {
                headers.extend(frame.into_trailers().unwrap_or_default());
                break;
            }
        }
    }
    let mut reply = match headers.get(STATUS).map(HeaderValue::as_bytes) {
        Some(b"0") => match message.whole(&headers) {
            Ok(message) => Reply::new(message),
            Err(status) => return reply_of(&status),
        },
        Some(_) => Reply::default(),
        None => return without_status(head.status, &message),
    };
    *reply.headers_mut() = headers;
    Ok(reply)
}

/// The message of a reply, as much of it as has come.
#[derive(Default)]
struct Message {
    prefix: BytesMut,
    /// How long the message is, once that is known.
    length: Option<usize>,
    /// In memory of its own: an operation keeps its last reply, and would keep with it the buffer
    /// that the channel has read it into.
    bytes: BytesMut,
}

impl Message {
    /// Appends what has come. What stands behind the message is left out.
    ///
    /// # Errors
    ///
    /// Fails if the message is longer than `max_body`, before it has come.
    fn put(&mut self, mut data: Bytes, max_body: usize) -> Result<(), TransportError> {
        if self.length.is_none() {
            let missing = PREFIX - self.prefix.len();
            self.prefix.put(data.split_to(missing.min(data.len())));
            match <[u8; PREFIX]>::try_from(&*self.prefix) {
                Ok([0, length @ ..]) => {
                    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                    if length > max_body {
                        return Err(TransportError::body_too_large(max_body));
                    }
                    self.bytes = BytesMut::with_capacity(length);
                    self.length = Some(length);
                }
                // More of the prefix is to come, or the message cannot be read.
                _ => return Ok(()),
            }
        }
        data.truncate(self.missing());
        self.bytes.put(data);
        Ok(())
    }

    /// Returns how many bytes are still to come.
    fn missing(&self) -> usize {
        self.length.unwrap_or_default() - self.bytes.len()
    }

    /// Whether some of the message has come, and not all.
    fn is_cut(&self) -> bool {
        !self.prefix.is_empty() && (self.length.is_none() || self.missing() > 0)
    }

    /// Returns the message of a call that succeeded.
    ///
    /// # Errors
    ///
    /// Fails with what the call failed with instead, if there is no message that can be read.
    fn whole(self, headers: &HeaderMap) -> Result<Bytes, Status> {
        match *self.prefix {
            [1, ..] if headers.contains_key("grpc-encoding") => {
                Err(Status::unimplemented("the reply is compressed, and the call did not ask for it"))
            }
            [1, ..] => Err(Status::internal("the reply is compressed, and does not say how")),
            [flag, ..] if flag > 1 => {
                Err(Status::internal(format!("the reply is no gRPC message: it begins with the byte {flag}")))
            }
            _ if self.length.is_none() || self.is_cut() => Err(Status::internal("the reply has no whole message")),
            _ => Ok(self.bytes.freeze()),
        }
    }
}

/// Returns what a reply means that has no `grpc-status`, by its
/// [HTTP status](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
fn without_status(http: StatusCode, message: &Message) -> Result<Reply, TransportError> {
    let code = match http {
        StatusCode::OK if message.is_cut() => Code::Internal,
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    };
    let status = Status::new(code, format!("the reply has no `grpc-status`, and HTTP status {}", http.as_u16()));
    match http {
        // A gateway that lost the service: as UNAVAILABLE it would say that the call was refused.
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            Err(TransportError::new(TransportErrorKind::Closed, status))
        }
        _ => reply_of(&status),
    }
}

/// Returns the reply that says this status.
fn reply_of(status: &Status) -> Result<Reply, TransportError> {
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

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, task::Waker};

    use super::*;

    /// A body of these frames.
    struct Frames(VecDeque<Frame<Bytes>>);

    impl Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(Ok))
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    type Pairs = &'static [(&'static str, &'static str)];

    /// Reads a reply with this HTTP status and head, whose body comes in these pieces.
    fn read_from<'a>(
        http: u16,
        head: Pairs,
        pieces: impl IntoIterator<Item = &'a [u8]>,
        trailers: Option<Pairs>,
    ) -> Result<Reply, TransportError> {
        let pieces = pieces.into_iter().map(|piece| Frame::data(Bytes::copy_from_slice(piece)));
        let body = Frames(pieces.chain(trailers.map(|pairs| Frame::trailers(headers(pairs)))).collect());
        let mut response = http::Response::new(body);
        *response.status_mut() = StatusCode::from_u16(http).unwrap();
        *response.headers_mut() = headers(head);
        match pin!(read(response, 8)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(read) => read,
            Poll::Pending => panic!("all frames have come"),
        }
    }

    fn code(reply: &Reply) -> &str {
        reply.headers()[STATUS].to_str().unwrap()
    }

    const OK: Option<Pairs> = Some(&[("grpc-status", "0")]);

    #[test]
    fn a_message_is_read_wherever_it_is_cut_into_frames() {
        let sent = b"\0\0\0\0\x05hello";
        for first in 0..=sent.len() {
            for second in first..=sent.len() {
                let pieces = [&sent[..first], &sent[first..second], &sent[second..]];
                let reply = read_from(200, &[("a", "head")], pieces, OK).unwrap();
                assert_eq!((&**reply.body(), code(&reply)), (&b"hello"[..], "0"), "{first} {second}");
                assert_eq!(reply.headers()["a"], "head");
            }
        }
        let empty = read_from(200, &[], [&b"\0\0\0\0\0"[..]], OK).unwrap();
        assert_eq!((empty.body().len(), code(&empty)), (0, "0"));
        let two = read_from(200, &[], [&b"\0\0\0\0\x01a\0\0\0\0\x01b"[..], b"c"], OK).unwrap();
        assert_eq!(&**two.body(), b"a");
    }

    #[test]
    fn what_is_no_whole_message_is_an_internal_error() {
        let sent = b"\0\0\0\0\x05hello";
        for length in 0..sent.len() {
            let reply = read_from(200, &[], [&sent[..length]], OK).unwrap();
            assert_eq!((reply.body().len(), code(&reply)), (0, "13"), "{length}");
            let reply = read_from(200, &[], [&sent[..length]], None).unwrap();
            assert_eq!(code(&reply), if length == 0 { "2" } else { "13" }, "{length}");
        }
        assert_eq!(code(&read_from(200, &[], [&sent[..]], None).unwrap()), "2");
        for page in [&b"<html>"[..], b"\x02\0\0\0\x01a"] {
            assert_eq!(code(&read_from(200, &[], [page], OK).unwrap()), "13");
        }
        let compressed = || [&b"\x01\0\0\0\x01a"[..]];
        assert_eq!(code(&read_from(200, &[], compressed(), OK).unwrap()), "13");
        assert_eq!(code(&read_from(200, &[("grpc-encoding", "gzip")], compressed(), OK).unwrap()), "12");
    }

    #[test]
    fn a_message_beyond_the_limit_is_refused_before_it_has_come() {
        for prefix in [&b"\0\0\0\0\x09"[..], b"\0\xff\xff\xff\xff"] {
            let error = read_from(200, &[], [prefix], None).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::BodyTooLarge);
        }
        for begin in [&b"<html>"[..], b"\0\0\0\0\x01a"] {
            let endless = std::iter::once(begin).chain([&b"more"[..]; 2]);
            assert_eq!(read_from(200, &[], endless, OK).unwrap_err().kind(), TransportErrorKind::BodyTooLarge);
        }
        let longest = read_from(200, &[], [&b"\0\0\0\0\x0812345678"[..]], OK).unwrap();
        assert_eq!(longest.body().len(), 8);
    }

    #[test]
    fn a_failure_is_kept_as_it_was_sent_wherever_it_stands() {
        // The details are no base64: tonic panics there.
        const FAILED: Pairs = &[("grpc-status", "8"), ("grpc-message", "f%20"), ("grpc-status-details-bin", "!!!")];
        let message = &b"\0\0\0\0\x01a"[..];
        for reply in [
            read_from(200, FAILED, [], None),
            read_from(200, FAILED, [message], OK),
            read_from(200, &[], [message], Some(FAILED)),
            read_from(200, &[], [], Some(FAILED)),
            read_from(502, &[], [&b"<html>"[..]], Some(FAILED)),
        ] {
            let reply = reply.unwrap();
            assert_eq!((code(&reply), reply.body().len()), ("8", 0));
            assert_eq!(reply.headers()["grpc-message"], "f%20");
            assert_eq!(reply.headers()["grpc-status-details-bin"], "!!!");
        }
    }

    #[test]
    fn a_reply_without_a_status_means_what_its_http_status_says() {
        for (http, expected) in [
            (400, "13"),
            (401, "16"),
            (403, "7"),
            (404, "12"),
            (429, "14"),
            (503, "14"),
            (200, "2"),
            (204, "2"),
            (500, "2"),
        ] {
            assert_eq!(code(&read_from(http, &[], [], None).unwrap()), expected, "{http}");
        }
        for http in [502, 504] {
            // What a gateway says of it is not read as a message, whatever it begins with.
            for page in [&b"<html>"[..], b"\0\xff\xff\xff\xff"] {
                let error = read_from(http, &[], [page], None).unwrap_err();
                assert_eq!(error.kind(), TransportErrorKind::Closed, "{http}");
            }
        }
    }

    #[test]
    fn a_time_limit_is_written_as_tonic_writes_it() {
        let nanos = [0, 1, 99_999_999, 100_000_000, 30_000_000_000, 99_999_999_999, 100_000_000_000, u64::MAX];
        let limits =
            nanos.map(Duration::from_nanos).into_iter().chain([9_999, 99_999, 99_999_999].map(Duration::from_secs));
        for limit in limits {
            let mut theirs = tonic::Request::new(());
            theirs.set_timeout(limit);
            let theirs = theirs.metadata().get("grpc-timeout").unwrap().as_bytes();
            if limit.as_secs() <= 99_999_999 {
                assert_eq!(timeout(limit).unwrap().as_bytes(), theirs, "{limit:?}");
            } else {
                assert_eq!(timeout(limit), None, "{limit:?}");
            }
        }
        assert_eq!(timeout(Duration::from_secs(100_000_000)), None);
        assert_eq!(timeout(Duration::MAX), None);
    }

    #[test]
    fn a_call_has_no_header_of_the_http_exchange_and_none_that_a_server_sends() {
        let sent = headers(&[
            ("accept", "a"),
            ("content-length", "1"),
            ("content-type", "application/json"),
            ("grpc-message", "m"),
            ("grpc-message-type", "t"),
            ("grpc-status", "7"),
            ("host", "h"),
            ("te", "gzip"),
            ("transfer-encoding", "chunked"),
            ("x-own", "1"),
        ]);
        let own = headers(&[("content-type", "application/grpc"), ("te", "trailers"), ("x-own", "1")]);
        assert_eq!(metadata(&sent, Duration::MAX), own);
        let mut twice = HeaderMap::new();
        twice.append("x-own", HeaderValue::from_static("1"));
        twice.append("x-own", HeaderValue::from_static("2"));
        assert!(metadata(&twice, Duration::MAX).get_all("x-own").iter().eq(["1", "2"]));
    }
}
