//! Connections that rest between exchanges.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use async_io::Timer;
use http::uri::{Authority, Scheme};

use super::connection::Connection;

/// Where a connection leads. A connection is used for one origin only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

/// The resting connections of a transport, by origin. Dropping it closes them.
///
/// No task runs a resting connection, so that nothing notices its end before it is next taken or
/// has rested for the time limit.
pub(super) struct Pool {
    limit: Duration,
    most: usize,
    resting: Mutex<Resting>,
}

#[derive(Default)]
struct Resting {
    /// The connection that has rested the longest is the first of its origin. The origins are few,
    /// and to compare some takes less than to hash one.
    connections: Vec<(Origin, Vec<(Instant, Connection)>)>,
    /// Fires when the next connection may have rested for too long. `None` if none rests.
    timer: Option<Timer>,
}

impl Resting {
    fn of(&mut self, origin: &Origin) -> Option<&mut Vec<(Instant, Connection)>> {
        self.connections.iter_mut().find(|(of, _)| of == origin).map(|(_, stack)| stack)
    }
}

impl Pool {
    /// Returns an empty pool, which closes connections that have rested for `limit`, and keeps
    /// `most` of them for each origin.
    pub(super) fn new(limit: Duration, most: usize) -> Arc<Self> {
        Arc::new(Self { limit, most, resting: Mutex::default() })
    }

    /// Takes the connection to `origin` that has rested for the shortest time and is still usable:
    /// a server is the least likely to have closed it, and those that are not needed can expire.
    pub(super) fn take(&self, origin: &Origin) -> Option<Connection> {
        loop {
            // The lock is not held while the system is asked about the connection, or closes it.
            let (since, mut connection) = self.lock().of(origin)?.pop()?;
            if since.elapsed() < self.limit && connection.is_usable() {
                return Some(connection);
            }
        }
    }

    /// Puts a connection to `origin` to rest, or closes it if it cannot be used again.
    pub(super) fn put(self: &Arc<Self>, origin: Origin, connection: Connection) {
        if !connection.is_at_rest() {
            return;
        }
        let mut resting = self.lock();
        match resting.of(&origin) {
            Some(stack) if stack.len() >= self.most => {}
            Some(stack) => stack.push((Instant::now(), connection)),
            None => resting.connections.push((origin, vec![(Instant::now(), connection)])),
        }
        if resting.timer.is_none() {
            resting.timer = Some(Timer::after(self.limit));
            drop(resting);
            self.sweep();
        }
    }

    /// Closes what has rested for too long, and has the timer call this again for the others.
    fn sweep(self: &Arc<Self>) {
        let mut expired = Vec::new(); // closed after the lock is released
        let mut resting = self.lock();
        let Resting { connections, timer } = &mut *resting;
        let Some(waiting) = timer else { return };
        let waker = Waker::from(Arc::new(Sweeper(Arc::downgrade(self))));
        while Pin::new(&mut *waiting).poll(&mut Context::from_waker(&waker)) != Poll::Pending {
            connections.retain_mut(|(_, stack)| {
                let old = stack.partition_point(|(since, _)| since.elapsed() >= self.limit);
                expired.extend(stack.drain(..old));
                !stack.is_empty()
            });
            let oldest = connections.iter().filter_map(|(_, stack)| stack.first()).map(|(since, _)| *since).min();
            let Some(oldest) = oldest else {
                *timer = None;
                break;
            };
            waiting.set_at(oldest + self.limit);
        }
        drop(resting);
    }

    fn lock(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limit", &self.limit).field("most", &self.most).finish_non_exhaustive()
    }
}

/// The waker of the timer: it does the work itself, on the thread that the timer wakes it on. A
/// pool needs neither a task nor a thread of its own.
struct Sweeper(Weak<Pool>);

impl Wake for Sweeper {
    fn wake(self: Arc<Self>) {
        if let Some(pool) = self.0.upgrade() {
            pool.sweep();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        thread,
    };

    use bytes::Bytes;
    use http::Request;
    use http_body_util::Full;

    use super::{
        super::{HyperTransport, connection::Outgoing},
        *,
    };

    const LONG: Duration = Duration::from_secs(600);

    /// Opens a connection, and has it answer one request. Returns it with the server's end.
    fn answered(listener: &TcpListener) -> (Connection, TcpStream) {
        let uri = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let connector = HyperTransport::builder().connector(b"http/1.1");
        let stream = async_io::block_on(connector.open(&uri)).unwrap();
        let mut connection = async_io::block_on(Connection::begin(stream)).unwrap();
        let mut peer = listener.accept().unwrap().0;
        let answer = thread::spawn(move || {
            assert!(peer.read(&mut [0; 1_024]).unwrap() > 0);
            peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
            peer
        });
        let request: Outgoing = Request::get("/").header("host", "here").body(Full::new(Bytes::new())).unwrap();
        assert!(async_io::block_on(connection.exchange(request, 2)).is_ok());
        (connection, answer.join().unwrap())
    }

    /// Waits for the end of the client's side of a connection.
    fn is_closed(mut peer: &TcpStream) -> bool {
        peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        matches!(peer.read(&mut [0]), Ok(0))
    }

    fn is_open(mut peer: &TcpStream) -> bool {
        peer.set_nonblocking(true).unwrap();
        let read = peer.read(&mut [0]);
        peer.set_nonblocking(false).unwrap();
        read.is_err()
    }

    fn origin() -> Origin {
        Origin { scheme: Scheme::HTTP, authority: Authority::from_static("here") }
    }

    fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }

    #[test]
    fn a_connection_that_rests_too_long_is_closed_although_nobody_asks_for_it() {
        let pool = Pool::new(Duration::from_millis(5), 8);
        for _ in 0..3 {
            let (connection, peer) = answered(&listener());
            pool.put(origin(), connection);
            assert!(is_closed(&peer));
        }
        // The last sweep ends by itself, and nothing is left behind.
        while pool.lock().timer.is_some() {
            thread::yield_now();
        }
        assert!(pool.lock().connections.is_empty());
    }

    #[test]
    fn what_is_taken_has_not_rested_too_long() {
        let pool = Pool::new(Duration::ZERO, 8);
        let (connection, _peer) = answered(&listener());
        pool.lock().connections.push((origin(), vec![(Instant::now(), connection)]));
        assert!(pool.take(&origin()).is_none());
    }

    #[test]
    fn the_connection_that_rested_the_shortest_is_taken_and_one_too_many_is_closed() {
        let (pool, listener) = (Pool::new(LONG, 2), listener());
        let [(first, first_peer), (second, second_peer), (third, third_peer)] = [(); 3].map(|()| answered(&listener));
        for connection in [first, second, third] {
            pool.put(origin(), connection);
        }
        assert!(is_closed(&third_peer));
        drop(pool.take(&origin()).unwrap());
        assert!(is_closed(&second_peer));
        assert!(is_open(&first_peer));
        drop(pool);
        assert!(is_closed(&first_peer));
    }

    #[test]
    fn a_connection_leads_to_one_origin() {
        let pool = Pool::new(LONG, 8);
        let (connection, _peer) = answered(&listener());
        pool.put(origin(), connection);
        let secure = Origin { scheme: Scheme::HTTPS, ..origin() };
        let elsewhere = Origin { authority: Authority::from_static("here:81"), ..origin() };
        assert!(pool.take(&secure).is_none());
        assert!(pool.take(&elsewhere).is_none());
        assert!(pool.take(&origin()).is_some());
    }

    #[test]
    fn a_connection_that_ended_or_has_bytes_is_not_taken() {
        let pool = Pool::new(LONG, 8);
        for bytes in [&b""[..], b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"] {
            let (connection, mut peer) = answered(&listener());
            pool.put(origin(), connection);
            peer.write_all(bytes).unwrap();
            if bytes.is_empty() {
                drop(peer);
            }
            assert!(pool.take(&origin()).is_none(), "{bytes:?}");
        }
    }
}
