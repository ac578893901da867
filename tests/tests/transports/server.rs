//! A server that sends exactly the bytes of a case, whether they are HTTP or not.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// How many bytes [`Peer::flood`] sends to a client that reads on and on.
const FLOOD: usize = 64 << 20;

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// How many requests came before this one on its connection.
    pub(crate) before: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// Returns the values of a header, in order.
    pub(crate) fn header(&self, name: &str) -> Vec<&[u8]> {
        self.headers.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..]).collect()
    }

    /// Returns the number at the end of the path.
    pub(crate) fn number(&self) -> usize {
        self.target.rsplit('/').next().and_then(|number| number.parse().ok()).expect("a path that ends in a number")
    }
}

/// What happens to a connection after a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    KeepOpen,
    Close,
}

/// A server on a port of its own, with a thread for each connection.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    stopped: AtomicBool,
}

impl Server {
    /// Starts a server that calls `handler` for every request.
    pub(crate) fn new(handler: impl Fn(&Received, &mut Peer) -> Then + Send + Sync + 'static) -> Self {
        Self::raw(move |stream, seen| {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut peer = Peer { stream };
            for before in 0.. {
                let Some(request) = read_request(&mut reader, before) else { break };
                seen.requests.lock().unwrap().push(request.clone());
                if handler(&request, &mut peer) == Then::Close {
                    break;
                }
            }
        })
    }

    /// Starts a server that answers every request with `reply` and closes the connection.
    pub(crate) fn saying(reply: impl Into<Vec<u8>>) -> Self {
        let reply = reply.into();
        Self::new(move |_, peer| {
            peer.send(&reply);
            Then::Close
        })
    }

    /// Starts a server that reads a few bytes, sends `reply` and resets the connection.
    ///
    /// Closing a socket with unread bytes makes the operating system send a reset.
    pub(crate) fn resetting_after(reply: &'static [u8]) -> Self {
        Self::raw(move |mut stream, _| {
            let mut some = [0; 16];
            let _ = stream.read(&mut some);
            let _ = stream.write_all(reply);
        })
    }

    /// Starts a server that calls `connection` with every connection.
    fn raw(connection: impl Fn(TcpStream, &Seen) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let (connection, shared) = (Arc::new(connection), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (connection, shared) = (Arc::clone(&connection), Arc::clone(&shared));
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let stream = stream.unwrap();
                // Or a reply in two pieces waits 40 ms for the client's delayed acknowledgement.
                stream.set_nodelay(true).unwrap();
                let work = move || connection(stream, &shared);
                // A case has a thousand connections at once: small stacks keep their threads
                // affordable.
                thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap();
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Returns the request, of which there must be exactly one.
    pub(crate) fn request(&self) -> Received {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.into_iter().next().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.seen.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the thread that accepts, which then sees `stopped`
    }
}

/// The client's end of a connection, as a handler sees it.
pub(crate) struct Peer {
    stream: TcpStream,
}

impl Peer {
    /// Sends bytes. Ignores that the client may have gone: the client's side of the case checks
    /// that.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    pub(crate) fn reply(&mut self, body: &str) {
        self.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    }

    /// Sends `bytes` again and again until the client has gone.
    ///
    /// Returns the number of bytes sent. The buffers of two sockets take a part of them.
    pub(crate) fn flood(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < FLOOD && self.send_more(bytes) {
            sent += bytes.len();
        }
        sent
    }

    /// Sends bytes. Returns whether the client is still there, as far as the socket knows.
    pub(crate) fn send_more(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Waits until the client closes the connection (`true`) or sends on it (`false`).
    pub(crate) fn sees_the_end(&mut self) -> bool {
        !matches!(self.stream.read(&mut [0]), Ok(1))
    }
}

/// Reads one request, or returns `None` if the connection has ended.
fn read_request(reader: &mut BufReader<TcpStream>, before: usize) -> Option<Received> {
    let start = read_line(reader)?;
    let start = String::from_utf8(start).unwrap();
    let mut words = start.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap();
        let (name, value) = line.split_at(colon);
        headers.push((String::from_utf8(name.to_vec()).unwrap(), value[1..].trim_ascii().to_vec()));
    }
    let mut request = Received { before, method, target, headers, body: Vec::new() };
    if let [length] = request.header("content-length")[..] {
        let length = std::str::from_utf8(length).unwrap().parse().unwrap();
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
    } else if request.header("transfer-encoding") == [b"chunked"] {
        request.body = read_chunks(reader)?;
    }
    Some(request)
}

fn read_chunks(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = String::from_utf8(read_line(reader)?).unwrap();
        let mut chunk = vec![0; usize::from_str_radix(&line, 16).unwrap()];
        reader.read_exact(&mut chunk).ok()?;
        read_line(reader)?;
        if chunk.is_empty() {
            return Some(body);
        }
        body.append(&mut chunk);
    }
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    line.strip_suffix(b"\r\n").map(<[u8]>::to_vec)
}
