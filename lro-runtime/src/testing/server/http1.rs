//! A strict HTTP/1.1 server protocol: reads one request, writes one reply, and refuses what is not
//! valid.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::Duration,
};

use serde_json::Value;

/// The largest head and the largest body of a request, in bytes.
const MAX_HEAD: usize = 64 * 1024;
const MAX_BODY: usize = 1024 * 1024;

/// The most that is read of a request after it was refused, in bytes. A client that sends more gets
/// a reset.
const MAX_UNREAD: u64 = 64 * 1024 * 1024;

/// How long the rest of a head may take once its first byte has arrived, in milliseconds.
const HEAD_STEPS: u32 = 5_000;

/// A request whose last byte is still unread in the socket. Dropping the socket in this state
/// resets the connection, which is how `Fault::Reset` works.
pub(super) struct Incoming {
    pub(super) method: String,
    /// The percent-decoded path, without the query.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    keep_alive: bool,
    unread: usize,
}

/// A reply with a JSON body.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// Why there is no valid request.
pub(super) enum Malformed {
    /// The connection has ended: no reply is possible.
    Gone,
    /// The request is not valid HTTP: the status to reply with, and the reason.
    Refused(u16, &'static str),
}

impl From<io::Error> for Malformed {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Incoming {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Reads the next request of a connection, except for its last byte.
    pub(super) fn read(stream: &mut TcpStream) -> Result<Self, Malformed> {
        let (head, length) = peek_head(stream)?;
        let mut request = parse_head(&head)?;
        let body = match request.header("content-length").map(str::parse::<usize>) {
            Some(Ok(length)) => length,
            Some(Err(_)) => return Err(Malformed::Refused(400, "Content-Length is not a number")),
            // A body in chunks has no length to peek at. The library's clients always send one.
            None if request.header("transfer-encoding").is_some() => {
                return Err(Malformed::Refused(411, "a body needs a Content-Length; chunked bodies are not supported"));
            }
            None => 0,
        };
        if body > MAX_BODY {
            return Err(Malformed::Refused(413, "the body is too large"));
        }
        // The head was only peeked at. This takes the head and the body from the socket, without
        // the last byte.
        let mut taken = vec![0; length + body - 1];
        stream.read_exact(&mut taken)?;
        request.body = taken.split_off(length.min(taken.len()));
        request.unread = 1;
        if body > 0 {
            let mut last = [0];
            stream.peek(&mut last)?;
            request.body.extend(last);
        }
        Ok(request)
    }

    /// Takes the last byte of the request. From now on, closing the connection is an ordinary end
    /// and not a reset.
    pub(super) fn take_last_byte(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        let mut last = [0];
        if std::mem::take(&mut self.unread) > 0 { stream.read_exact(&mut last) } else { Ok(()) }
    }

    pub(super) fn keeps_alive(&self) -> bool {
        self.keep_alive
    }
}

impl Outgoing {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Writes the reply with only the first `part` bytes of its body, but with the length of the
    /// whole body.
    pub(super) fn write(&self, stream: &mut TcpStream, keep_alive: bool, part: usize) -> io::Result<()> {
        // A scripted status may be one without a standard reason phrase.
        let reason = http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, reason.unwrap_or("Unknown")).into_bytes();
        for (name, value) in &self.headers {
            write!(out, "{name}: {value}\r\n")?;
        }
        let connection = if keep_alive { "keep-alive" } else { "close" };
        write!(out, "content-length: {}\r\nconnection: {connection}\r\n\r\n", self.body.len())?;
        out.extend_from_slice(self.body.get(..part).unwrap_or(&self.body));
        stream.write_all(&out)?;
        stream.flush()
    }
}

/// Ends the server's side of a connection in an orderly way, so that the client receives everything
/// that was written.
pub(super) fn close(stream: &TcpStream) {
    let _ = stream.shutdown(Shutdown::Write); // fails if the client has closed it already
}

/// Ends the server's side of a connection of which there is more to read, and reads on until the
/// client ends its side. Closed earlier, the socket would send a reset, and a client that is still
/// sending would not come to read the reply.
pub(super) fn close_unread(stream: &TcpStream) {
    close(stream);
    let _ = io::copy(&mut stream.take(MAX_UNREAD), &mut io::sink()); // the client may be gone already
}

/// Returns the head of the next request and its length in bytes. The head stays unread in the
/// socket, so that a request without a body also has a last byte to leave there.
fn peek_head(stream: &TcpStream) -> Result<(Vec<u8>, usize), Malformed> {
    let mut buffer = vec![0; MAX_HEAD];
    let mut seen = 0;
    for _ in 0..HEAD_STEPS {
        let read = stream.peek(&mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let length = end + 4;
            buffer.truncate(length);
            return Ok((buffer, length));
        }
        if read == 0 {
            return Err(Malformed::Gone);
        }
        if read == MAX_HEAD {
            return Err(Malformed::Refused(431, "the head is too large"));
        }
        // `peek` blocks only while nothing is there. After the first byte it returns at once, so
        // this loop must sleep.
        if read == seen {
            thread::sleep(Duration::from_millis(1));
        }
        seen = read;
    }
    Err(Malformed::Refused(408, "the head took too long"))
}

fn parse_head(head: &[u8]) -> Result<Incoming, Malformed> {
    let head = std::str::from_utf8(head).map_err(|_| Malformed::Refused(400, "the head is not UTF-8"))?;
    let mut lines = head.trim_end_matches("\r\n").split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) = (first.next(), first.next(), first.next(), first.next())
    else {
        return Err(Malformed::Refused(400, "the request line is not `METHOD target HTTP/1.1`"));
    };
    let headers = lines
        .map(|line| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
        .collect::<Option<Vec<_>>>()
        .ok_or(Malformed::Refused(400, "a header line has no colon"))?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let query = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(value)?))
    });
    let undecodable = Malformed::Refused(400, "the target is not percent-encoded UTF-8");
    let request = Incoming {
        method: method.to_owned(),
        // Only origin form (RFC 9112, section 3.2.1): clients send the other forms to proxies, or
        // with CONNECT and OPTIONS.
        path: decode(path)
            .filter(|path| path.starts_with('/'))
            .ok_or(Malformed::Refused(400, "the request target is not a path"))?,
        query: query.collect::<Option<_>>().ok_or(undecodable)?,
        keep_alive: true,
        headers,
        body: vec![],
        unread: 0,
    };
    // RFC 9112, section 3.2: a server must answer 400 to a request without a Host header.
    if request.header("host").is_none() {
        return Err(Malformed::Refused(400, "there is no Host header"));
    }
    let keep_alive = !request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Ok(Incoming { keep_alive, ..request })
}

/// Returns `text` percent-decoded, or `None` if the encoding or the UTF-8 is invalid.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let digit =
                    |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                digit(bytes.next())? * 16 + digit(bytes.next())?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}
