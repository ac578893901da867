//! Serves connections, one thread each and one request at a time, and applies the faults that jobs
//! ask for.

use std::{
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use super::{
    http1::{self, Incoming, Malformed, Outgoing},
    job::Fault,
    service::call,
    shared::Shared,
    store::{self, Answer},
};
use crate::status::Code;

/// The largest number of connections served at once. A further connection is closed immediately.
const MAX_CONNECTIONS: usize = 1_024;

/// The longest time that a connection may be idle.
const IDLE: Duration = Duration::from_secs(60);

/// The stack size of a thread that serves one connection. With Rust's default of 2 MiB,
/// [`MAX_CONNECTIONS`] threads would reserve 2 GiB.
const STACK: usize = 256 * 1024;

/// Accepts connections until the server stops.
pub(super) fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    for stream in listener.incoming() {
        // Held until the thread is registered, so that `LroServer::drop` misses neither a
        // connection nor its thread.
        let mut state = shared.lock();
        if state.stopping {
            return;
        }
        // Otherwise the list would grow with every connection for as long as the server runs.
        state.threads.retain(|thread| !thread.is_finished());
        let (Ok(stream), true) = (stream, state.connections.len() < MAX_CONNECTIONS) else { continue };
        // A second handle, with which `LroServer::drop` can shut the connection down while its
        // thread reads from it.
        let Ok(handle) = stream.try_clone() else { continue };
        state.next_connection += 1;
        let id = state.next_connection;
        state.connections.insert(id, handle);
        let serving = thread::Builder::new().name(format!("lro-server-{id}")).stack_size(STACK).spawn({
            let shared = Arc::clone(shared);
            move || {
                let _remove = RemoveOnDrop { shared: &shared, id };
                serve(&shared, stream);
            }
        });
        match serving {
            Ok(thread) => state.threads.push(thread),
            Err(_) => drop(state.connections.remove(&id)),
        }
    }
}

/// Drops the server's handle of a connection when its thread ends, also by a panic of a route.
/// While that handle exists, the connection stays open.
struct RemoveOnDrop<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for RemoveOnDrop<'_> {
    fn drop(&mut self) {
        self.shared.lock().connections.remove(&self.id);
    }
}

/// Serves one connection until either side closes it.
fn serve(shared: &Shared, mut stream: TcpStream) {
    let configured = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(IDLE)));
    if configured.and_then(|()| stream.set_write_timeout(Some(IDLE))).is_err() {
        return;
    }
    loop {
        let mut request = match Incoming::read(&mut stream) {
            Ok(request) => request,
            Err(Malformed::Gone) => return,
            Err(Malformed::Refused(status, why)) => {
                let reply = store::error_with(status, Code::InvalidArgument, why);
                let _ = reply.write(&mut stream, false, usize::MAX); // the client may be gone already
                return http1::close_unread(&stream);
            }
        };
        let answer = call(shared, &request);
        if deliver(shared, &mut stream, &mut request, answer).is_none() {
            return;
        }
    }
}

/// Sends an answer, changed by its fault if it has one. Returns `None` if the connection has ended.
fn deliver(shared: &Shared, stream: &mut TcpStream, request: &mut Incoming, answer: Answer) -> Option<()> {
    let Answer { mut reply, fault } = answer;
    if fault == Some(Fault::Reset) {
        return None; // a socket that is closed with an unread byte sends a reset
    }
    request.take_last_byte(stream).ok()?;
    let mut part = usize::MAX;
    match fault {
        None | Some(Fault::Reset) => {}
        Some(Fault::Status(status)) => reply = store::error_with(status, Code::from_http_status(status), "as scripted"),
        Some(Fault::Busy { retry_after }) => {
            reply = store::error(Code::Unavailable, "come back later")
                .with_header("retry-after", store::whole_seconds(retry_after));
        }
        // `wait_for` rather than a sleep: it ends early when the server is dropped.
        Some(Fault::Latency(latency)) => shared.wait_for(latency, |_| false).then_some(())?,
        Some(Fault::Close) => {
            http1::close(stream);
            return None;
        }
        Some(Fault::HalfBody) => part = reply.body.len() / 2,
        Some(Fault::Stall) => part = 0,
        Some(Fault::Garbage) => reply = Outgoing { body: b"\xff\xfe<html>".to_vec(), ..reply },
    }
    // After part of a body the connection cannot carry another reply.
    let keep_alive = request.keeps_alive() && part == usize::MAX;
    reply.write(stream, keep_alive, part).ok()?;
    if fault == Some(Fault::Stall) {
        let _ = stream.peek(&mut [0]); // blocks until the client closes the connection or the server ends
    }
    if keep_alive {
        return Some(());
    }
    http1::close(stream);
    None
}
