//! Wraps a connected stream of any kind in the traits that hyper reads and writes through.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures_lite::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

use super::socket::Socket;

/// The most bytes that one read asks for. More than most replies have, so that one read is enough.
const READ: usize = 8 * 1024;

/// A socket, or TLS over one.
trait Layer: AsyncRead + AsyncWrite + Send + Unpin {}

impl<L: AsyncRead + AsyncWrite + Send + Unpin> Layer for L {}

/// One connected stream as hyper sees it. Like its [`Socket`], it registers no waker.
pub(super) struct Stream {
    // Boxed, so that hyper's connection code is compiled once and not for each kind of stream.
    layer: Box<dyn Layer>,
    socket: Socket,
    /// Where a read goes before it is copied, because hyper's buffer is not initialized and can be
    /// filled in place by unsafe code only. Kept, because hyper reads some six times for each
    /// reply, and to initialize a new one each time took more than half of its instructions.
    bytes: Box<[u8]>,
}

impl Stream {
    pub(super) fn plain(socket: Socket) -> Self {
        Self::over(socket.clone(), socket)
    }

    /// Wraps `layer`, which reads and writes `socket`.
    pub(super) fn over(socket: Socket, layer: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { layer: Box::new(layer), socket, bytes: vec![0; READ].into_boxed_slice() }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Reads into `buffer` what there is, at most [`READ`] bytes.
    pub(super) fn poll_fill(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { layer, bytes, .. } = &mut *self;
        let room = buffer.remaining().min(READ);
        let Some(bytes) = bytes.get_mut(..room) else { return Poll::Ready(Ok(())) };
        Pin::new(layer).poll_read(context, bytes).map_ok(|read| {
            buffer.put_slice(bytes.get(..read).unwrap_or_default());
        })
    }
}

impl Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_fill(context, &mut buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.layer).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.layer).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.layer).poll_close(context)
    }
}
