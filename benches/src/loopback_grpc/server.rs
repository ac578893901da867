//! A minimal HTTP/2 server that answers every call of one client.
//!
//! It does not read headers, and does not limit itself by the client's flow control windows.

use std::{
    io::{BufReader, Read, Result, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use crate::step::STEPS;

// Frame types, RFC 9113, section 6.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;

/// The flag `ACK` of settings and pings, and `END_STREAM` of data and headers.
const LAST: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status: 200` from HPACK's static table, and a literal header that is in no table.
const HEAD: &[u8] = b"\x88\x00\x0ccontent-type\x10application/grpc";
const TRAILERS: &[u8] = b"\x00\x0bgrpc-status\x010";

/// Starts a server that replies `running`, and `succeeded` to every hundredth call.
pub fn serve(running: &[u8], succeeded: &[u8]) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let calls =
        Arc::new(Calls { running: prefixed(running), succeeded: prefixed(succeeded), seen: AtomicUsize::new(0) });
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let calls = Arc::clone(&calls);
            thread::spawn(move || answer(stream, &calls));
        }
    });
    Ok(address)
}

/// The replies, and the number of calls so far.
struct Calls {
    running: Vec<u8>,
    succeeded: Vec<u8>,
    seen: AtomicUsize,
}

impl Calls {
    fn next(&self) -> &[u8] {
        let seen = self.seen.fetch_add(1, Relaxed) + 1;
        if seen.is_multiple_of(STEPS) { &self.succeeded } else { &self.running }
    }
}

/// Returns a message with gRPC's prefix: not compressed, and its length.
fn prefixed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("it is short");
    [&[0], &length.to_be_bytes()[..], message].concat()
}

fn answer(mut stream: TcpStream, calls: &Calls) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    requests.read_exact(&mut [0; b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()])?;
    let (mut out, mut payload) = (vec![], vec![]);
    frame(&mut out, SETTINGS, 0, 0, &[]);
    loop {
        let mut head = [0; 9];
        requests.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream_id @ ..] = head;
        let stream_id = u32::from_be_bytes(stream_id);
        payload.resize(u32::from_be_bytes([0, a, b, c]) as usize, 0);
        requests.read_exact(&mut payload)?;
        match kind {
            SETTINGS if flags & LAST == 0 => frame(&mut out, SETTINGS, LAST, 0, &[]),
            PING if flags & LAST == 0 => frame(&mut out, PING, LAST, 0, &payload),
            // Gives the client's window back at once, or it would stop sending after 64 KiB.
            DATA if !payload.is_empty() => frame(&mut out, WINDOW_UPDATE, 0, 0, &[0, a, b, c]),
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & LAST != 0 {
            frame(&mut out, HEADERS, END_HEADERS, stream_id, HEAD);
            frame(&mut out, DATA, 0, stream_id, calls.next());
            frame(&mut out, HEADERS, END_HEADERS | LAST, stream_id, TRAILERS);
        }
        // Writes once per batch of frames that arrived together, which saves system calls.
        if requests.buffer().is_empty() {
            stream.write_all(&out)?;
            out.clear();
        }
    }
}

/// Appends one frame.
fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream_id: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("it is short").to_be_bytes();
    out.extend([length[1], length[2], length[3], kind, flags]);
    out.extend(stream_id.to_be_bytes());
    out.extend(payload);
}
