//! Wraps a connected stream of any kind in the traits that hyper reads and writes through.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures_lite::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{self, Connected};
use smol_hyper::rt::FuturesIo;

/// A TCP, TLS or unix socket stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A flag for whether a connection has answered a request. It distinguishes a connection that was
/// closed while idle from one that never worked.
#[derive(Clone, Debug, Default)]
pub(super) struct Used(Arc<AtomicBool>);

impl Used {
    // Release pairs with the Acquire in `is_marked`: two requests on the same connection may run on
    // different threads.
    pub(super) fn mark(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(super) fn is_marked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// One connection as hyper sees it, with its [`Used`] flag.
pub(super) struct Connection {
    // Boxed, so that hyper's connection code is compiled once and not for each kind of stream.
    stream: FuturesIo<Box<dyn Stream>>,
    used: Used,
}

impl Connection {
    pub(super) fn new(stream: impl Stream + 'static) -> Self {
        Self { stream: FuturesIo::new(Box::new(stream)), used: Used::default() }
    }
}

impl connect::Connection for Connection {
    fn connected(&self) -> Connected {
        // hyper-util copies an extra into each response and into the error of a failed request: no
        // other way leads from either back to the connection.
        Connected::new().extra(self.used.clone())
    }
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
