//! What stands before a service, and can throttle it.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// The head of a reply that asks for less.
const THROTTLED: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Passes connections on to a service, or answers each with `429` while it is told to.
pub(crate) struct Front {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    throttles: AtomicBool,
    throttled: AtomicUsize,
}

impl Front {
    pub(crate) fn of(url: &str) -> Self {
        let service = url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let state = Arc::clone(&front.state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (state, service) = (Arc::clone(&state), service.clone());
                thread::spawn(move || serve(client, &service, &state));
            }
        });
        front
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers each request with `429` from now on, or none any more. Connections that are open
    /// are closed at their next request.
    pub(crate) fn throttle(&self, is_on: bool) {
        self.state.throttles.store(is_on, Ordering::SeqCst);
    }

    /// How many requests were answered so.
    pub(crate) fn throttled(&self) -> usize {
        self.state.throttled.load(Ordering::SeqCst)
    }
}

/// Serves one connection. What comes from the client in one piece is a request, or a part of one.
fn serve(mut client: TcpStream, service: &str, state: &Arc<State>) -> Option<()> {
    let mut server = TcpStream::connect(service).ok()?;
    let (mut replies, mut back) = (server.try_clone().ok()?, client.try_clone().ok()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut replies, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = client.read(&mut buffer).ok().filter(|length| *length > 0);
        match length {
            Some(_) if state.throttles.load(Ordering::SeqCst) => {
                state.throttled.fetch_add(1, Ordering::SeqCst);
                let _ = client.write_all(THROTTLED.as_bytes());
                let _ = client.shutdown(Shutdown::Write);
                let _ = server.shutdown(Shutdown::Both);
                return None;
            }
            Some(length) => server.write_all(buffer.get(..length)?).ok()?,
            None => {
                let _ = server.shutdown(Shutdown::Both);
                return None;
            }
        }
    }
}
