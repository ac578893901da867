//! A socket that remembers whether the system has anything for it, so that none is asked in vain.

use std::{
    fmt,
    future::{Future, poll_fn},
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use async_io::Async;
use futures_lite::{AsyncRead, AsyncWrite};

/// A connected TCP or unix socket. Clones are handles of the same socket.
///
/// A read or write that cannot go on is only noted: it registers no waker. [`drive`](Self::drive)
/// does, for all that was noted, when its work cannot go on. hyper reads once more after each
/// reply, to see whether an idle connection ends, and that read would otherwise ask the system and
/// register a waker that nobody needs.
#[derive(Clone)]
pub(super) struct Socket(Arc<Shared>);

struct Shared {
    handle: Handle,
    // A socket is used by one task at a time, which got it through a lock or owns it: the order of
    // the flags needs no more than `Relaxed`.
    reading: Direction,
    writing: Direction,
}

enum Handle {
    Tcp(Async<TcpStream>),
    #[cfg(unix)]
    Unix(Async<std::os::unix::net::UnixStream>),
}

/// What is known of one direction.
struct Direction {
    /// Whether the system may have something: no longer once it gave less than it was asked for.
    open: AtomicBool,
    /// Whether something was asked for in vain.
    wanted: AtomicBool,
    /// Whether a waker is registered for it.
    awaited: AtomicBool,
}

impl Direction {
    fn new() -> Self {
        Self { open: AtomicBool::new(true), wanted: false.into(), awaited: false.into() }
    }

    fn reopen(&self) {
        self.open.store(true, Relaxed);
        self.wanted.store(false, Relaxed);
        self.awaited.store(false, Relaxed);
    }

    /// Has the system asked again if a waker was registered. Whether that was woken is not asked
    /// of async-io, which takes some of its own events for old ones.
    fn look_again(&self) {
        if self.awaited.load(Relaxed) {
            self.reopen();
        }
    }

    /// Registers the waker with `poll` if something was asked for in vain.
    fn register(&self, mut poll: impl FnMut() -> Poll<io::Result<()>>) -> io::Result<()> {
        if self.wanted.load(Relaxed) {
            // Ready means that there was an event since the last call, most likely one that
            // `look_again` has answered. The second call then registers the waker. An event is not
            // lost by that: the system tells again of what has come and was not read.
            if let Poll::Ready(old) = poll() {
                old?;
                let _ = poll()?;
            }
            self.awaited.store(true, Relaxed);
        }
        Ok(())
    }

    /// Moves up to `length` bytes with `call`, unless the system is known to be able to move none.
    fn poll(&self, length: usize, mut call: impl FnMut() -> io::Result<usize>) -> Poll<io::Result<usize>> {
        if self.open.load(Relaxed) {
            loop {
                match call() {
                    Ok(moved) => {
                        // After the end of the stream the system is asked again, and says so again.
                        self.open.store(moved == 0 || moved == length, Relaxed);
                        return Poll::Ready(Ok(moved));
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
        }
        self.open.store(false, Relaxed);
        self.wanted.store(true, Relaxed);
        Poll::Pending
    }
}

impl Socket {
    pub(super) fn tcp(stream: Async<TcpStream>) -> Self {
        Self::new(Handle::Tcp(stream))
    }

    #[cfg(unix)]
    pub(super) fn unix(stream: Async<std::os::unix::net::UnixStream>) -> Self {
        Self::new(Handle::Unix(stream))
    }

    fn new(handle: Handle) -> Self {
        Self(Arc::new(Shared { handle, reading: Direction::new(), writing: Direction::new() }))
    }

    /// Has the next read ask the system, whatever is known. Nothing is known of a socket that
    /// rested, because nothing waited for its news.
    pub(super) fn forget(&self) {
        self.0.reading.reopen();
    }

    /// Runs `work`, which reads and writes this socket, and waits for the socket where `work` does.
    ///
    /// # Errors
    ///
    /// Fails if the system does not tell when the socket has news.
    pub(super) async fn drive<T>(&self, work: impl Future<Output = T>) -> io::Result<T> {
        let mut work = pin!(work);
        poll_fn(|context| {
            self.look_again();
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            self.register(context)?;
            Poll::Pending
        })
        .await
    }

    /// Has the system asked again for what [`register`](Self::register) registered a waker for.
    pub(super) fn look_again(&self) {
        self.0.reading.look_again();
        self.0.writing.look_again();
    }

    /// Registers the waker for all that was asked for in vain.
    pub(super) fn register(&self, context: &mut Context<'_>) -> io::Result<()> {
        let Shared { handle, reading, writing } = &*self.0;
        reading.register(|| handle.poll_readable(context))?;
        writing.register(|| handle.poll_writable(context))
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.reading.poll(buffer.len(), || self.0.handle.read(buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.writing.poll(bytes.len(), || self.0.handle.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(())) // the system has no call for it
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.handle.shut_down())
    }
}

impl Handle {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.get_ref().read(buffer),
            #[cfg(unix)]
            Self::Unix(stream) => stream.get_ref().read(buffer),
        }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.get_ref().write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.get_ref().write(bytes),
        }
    }

    fn shut_down(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.get_ref().shutdown(Shutdown::Write),
            #[cfg(unix)]
            Self::Unix(stream) => stream.get_ref().shutdown(Shutdown::Write),
        }
    }

    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_readable(context),
            #[cfg(unix)]
            Self::Unix(stream) => stream.poll_readable(context),
        }
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_writable(context),
            #[cfg(unix)]
            Self::Unix(stream) => stream.poll_writable(context),
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}
