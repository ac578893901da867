//! One connection and the exchanges on it, driven by the task that waits for the reply.

use std::{
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body, Incoming},
    client::conn::http1::{self, SendRequest},
};

use super::{socket::Socket, stream::Stream};
use crate::transport::{
    Reply, TransportError, TransportErrorKind,
    hyper_error::{is_closed, kind},
};

/// The largest number of headers in a reply. hyper's own limit of 100 is less than some gateways
/// send.
const MAX_HEADERS: usize = 1_000;
/// The largest size of a reply's head, in bytes. It is the size of hyper's read buffer, so it also
/// bounds how much of a body is buffered before it is read. hyper's default is about 400 kB per
/// connection.
const MAX_HEAD: usize = 256 * 1024;
/// The most memory, in bytes, that is reserved for a body because of its `Content-Length` alone: a
/// server may announce gigabytes and send nothing.
const MAX_RESERVED: u64 = 64 * 1024;
/// How often an exchange goes on before the other tasks of its executor get their turn.
const MAX_TURNS: usize = 32;

/// A request for hyper.
pub(super) type Outgoing = http::Request<Full<Bytes>>;

/// A connection that carries one exchange at a time.
///
/// Nothing runs it but an exchange on it: between exchanges it rests. Dropping it closes it.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    http: http1::Connection<Stream, Full<Bytes>>,
    socket: Socket,
    inner: Arc<Inner>,
    /// Whether `http` has ended. It must not be polled again.
    has_ended: bool,
    has_answered: bool,
}

/// Why an exchange gave no reply.
pub(super) enum Failure {
    /// Nothing of the request was sent, because the connection had ended.
    NotSent(TransportError),
    /// The connection had answered an earlier request and ended before the head of this reply.
    Stale(TransportError),
    /// Any other error.
    Other(TransportError),
}

impl Connection {
    /// Begins HTTP/1.1 on `stream`. Sends nothing yet.
    pub(super) async fn begin(stream: Stream) -> Result<Self, TransportError> {
        let socket = stream.socket().clone();
        let mut builder = http1::Builder::new();
        builder.max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD);
        let (sender, http) = builder.handshake(stream).await.map_err(failed)?;
        Ok(Self { sender, http, socket, inner: Arc::default(), has_ended: false, has_answered: false })
    }

    /// Sends `request` and reads the whole reply, with a body of at most `max_body` bytes.
    ///
    /// If the returned future is dropped or fails, the connection is in the middle of an exchange
    /// and must be dropped, too.
    pub(super) async fn exchange(&mut self, request: Outgoing, max_body: usize) -> Result<Reply, Failure> {
        let was_used = std::mem::replace(&mut self.has_answered, true);
        let sent = self.sender.try_send_request(request);
        let mut exchange = pin!(async move {
            let (parts, body) = match sent.await {
                Ok(response) => response.into_parts(),
                Err(mut error) => {
                    let is_unsent = error.take_message().is_some();
                    let error = error.into_error();
                    // A connection that answered with invalid HTTP is not stale: the same request
                    // would meet the same reply. One that is new and breaks is not stale either:
                    // the server is in trouble, and the error budget should know.
                    let is_stale = was_used && is_closed(&error);
                    let error = failed(error);
                    return Err(match (is_unsent, is_stale) {
                        (true, _) => Failure::NotSent(error),
                        (false, true) => Failure::Stale(error),
                        (false, false) => Failure::Other(error),
                    });
                }
            };
            let body = read(body, max_body).await.map_err(Failure::Other)?;
            Ok(Reply::from_parts(parts, body))
        });
        let Self { http, inner, has_ended, .. } = self;
        // Both futures wake each other and are woken by the socket, which `drive` waits for. Told
        // apart from the task's own wake-ups, theirs cost no trip through the executor. One that
        // comes between two turns is the task's: hyper's channels are tokio's, which put a wake-up
        // off until the task has returned, if that has used up its share of a turn of tokio's.
        let waker = Waker::from(Arc::clone(inner));
        let turns = poll_fn(|context| {
            let mut within = Context::from_waker(&waker);
            inner.begin();
            for _ in 0..MAX_TURNS {
                inner.settle();
                *has_ended = *has_ended || Pin::new(&mut *http).poll(&mut within).is_ready();
                if let Poll::Ready(outcome) = exchange.as_mut().poll(&mut within) {
                    return Poll::Ready(outcome);
                }
                if inner.is_settled() && inner.rest(context.waker()) {
                    if *has_ended {
                        // Not known to happen: hyper tells an exchange when its connection ends.
                        return Poll::Ready(Err(Failure::Other(ended())));
                    }
                    return Poll::Pending;
                }
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        match self.socket.drive(turns).await {
            Ok(outcome) => outcome,
            Err(error) => Err(Failure::Other(TransportError::new(TransportErrorKind::Other, error))),
        }
    }

    /// Returns whether the connection can carry another exchange: it has not ended, has answered
    /// in full, and has no bytes that no request asked for.
    ///
    /// hyper reads once for it. That also takes what a server may send while a connection rests,
    /// such as the tickets of TLS 1.3.
    pub(super) fn is_usable(&mut self) -> bool {
        self.socket.forget();
        self.is_at_rest() && {
            let waker = Waker::from(Arc::clone(&self.inner));
            self.has_ended = Pin::new(&mut self.http).poll(&mut Context::from_waker(&waker)).is_ready();
            self.is_at_rest()
        }
    }

    /// Returns whether the last exchange is over on both sides. Asks nobody.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.has_ended && self.sender.is_ready()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// The waker of hyper's futures: it notes that they have more to do, and between two turns wakes
/// the task.
#[derive(Default)]
struct Inner {
    has_more: AtomicBool,
    /// The task, between two turns.
    task: Mutex<Option<Waker>>,
}

impl Inner {
    /// Begins a turn: until it [rests](Self::rest), the task is awake.
    fn begin(&self) {
        *self.task() = None;
    }

    fn settle(&self) {
        self.has_more.store(false, Ordering::Release);
    }

    fn is_settled(&self) -> bool {
        !self.has_more.load(Ordering::Acquire)
    }

    /// Ends a turn, unless there is more to do meanwhile. Returns whether it has ended.
    fn rest(&self, task: &Waker) -> bool {
        *self.task() = Some(task.clone());
        // A wake-up before this line had no task to wake; one after it has.
        let is_settled = self.is_settled();
        if !is_settled {
            self.begin();
        }
        is_settled
    }

    fn task(&self) -> MutexGuard<'_, Option<Waker>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_more.store(true, Ordering::Release);
        let task = self.task().take();
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// Reads a body to its end, or fails at the first byte beyond `max_body`.
async fn read(mut body: Incoming, max_body: usize) -> Result<Bytes, TransportError> {
    // The `Content-Length`, or 0 for chunks. A body that is announced too large is refused before
    // its first byte.
    let announced = body.size_hint().lower();
    if announced > max_body as u64 {
        return Err(TransportError::body_too_large(max_body));
    }
    // Copied, also where it comes in one frame. A frame is a part of the connection's buffer of
    // many replies, all of which it would keep for as long as an operation keeps its last reply.
    let mut whole = BytesMut::with_capacity(usize::try_from(announced.min(MAX_RESERVED)).unwrap_or_default());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(failed)?.into_data() else { continue }; // trailers
        if data.len() > max_body.saturating_sub(whole.len()) {
            return Err(TransportError::body_too_large(max_body));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

fn failed(error: hyper::Error) -> TransportError {
    TransportError::new(kind(&error), error)
}

fn ended() -> TransportError {
    TransportError::message(TransportErrorKind::Closed, "the connection ended before the reply was complete")
}
