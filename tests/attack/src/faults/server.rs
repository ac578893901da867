//! A server on loopback, on a thread of its own, that plays a fault with every reply.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    rc::Rc,
    sync::{Arc, atomic::AtomicBool},
    thread::{self, JoinHandle},
    time::Duration,
};

use smol::{
    Async, LocalExecutor, Timer,
    channel::{self, Receiver, Sender},
    future::or,
    io::{AsyncReadExt, AsyncWriteExt},
};

use super::fault::Fault;

/// How often a request is looked at, a millisecond each, before its connection is given up.
const LOOKS: u32 = 5_000;

/// What the service says to one request, and what the server makes of it.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) fault: Fault,
    /// Decides what the fault leaves open.
    pub(super) random: fastrand::Rng,
    /// A whole reply to another request, for faults that say too much.
    pub(super) stray: String,
    /// The URL of another origin, for faults that lead away.
    pub(super) elsewhere: String,
    /// Set if a second reply may have crossed the next request.
    pub(super) crossed: Arc<AtomicBool>,
}

impl Answer {
    /// Makes an answer whose fault needs nothing but the reply.
    pub(super) fn new(status: u16, body: String, fault: Fault) -> Self {
        let random = fastrand::Rng::with_seed(0);
        Self { status, body, fault, random, stray: String::new(), elsewhere: String::new(), crossed: Arc::default() }
    }
}

/// The service behind a server: called with the path of each request.
pub(super) type Service = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

/// A server with all its connections. Dropping it ends them at once, and the thread.
pub(super) struct Server {
    address: SocketAddr,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port.
    pub(super) fn start(service: Service) -> Self {
        Self::start_on(listener(), service)
    }

    pub(super) fn start_on(listener: TcpListener, service: Service) -> Self {
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = channel::bounded(1);
        let serving = move || serve(listener, &service, &stopped);
        let thread = thread::Builder::new().name("hostile".to_owned()).spawn(serving).unwrap();
        Self { address, stop, thread: Some(thread) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.try_send(()); // fails only if the thread has panicked
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))) || thread::panicking(), "the server has panicked");
    }
}

/// Returns a listener on a free port.
pub(super) fn listener() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).unwrap()
}

fn serve(listener: TcpListener, service: &Service, stopped: &Receiver<()>) {
    let listener = Async::new(listener).unwrap();
    let executor = Rc::new(LocalExecutor::new());
    let accepting = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // The client may be gone already. Or the process has no file descriptor left: then
                // the connection stays ready, and without a pause nothing else on this thread runs.
                Timer::after(Duration::from_millis(1)).await;
                continue;
            };
            let service = Arc::clone(service);
            // An error is the client's end of the connection.
            executor.spawn(async move { drop(converse(stream, &service).await) }).detach();
        }
    };
    let stopping = async {
        let _ = stopped.recv().await;
    };
    // The executor is dropped with all connections in it.
    smol::block_on(executor.run(or(stopping, accepting)));
}

/// Answers the requests of one connection.
async fn converse(mut stream: Async<TcpStream>, service: &Service) -> io::Result<()> {
    // Or a reply in two pieces waits for the client's delayed acknowledgement.
    stream.get_ref().set_nodelay(true)?;
    while let Some(path) = read_but_one(&mut stream).await? {
        let answer = service(&path);
        if answer.fault.resets() {
            // The byte of the request that is unread makes the system send a reset.
            stream.write_all(&answer.fault.reply(&answer)).await?;
            return Ok(());
        }
        stream.read_exact(&mut [0]).await?;
        if !answer.fault.play(&mut stream, answer).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads a request but for its last byte, and returns its path; `None` if the connection has ended.
async fn read_but_one(stream: &mut Async<TcpStream>) -> io::Result<Option<String>> {
    let mut seen = vec![0; 16 * 1024];
    for _ in 0..LOOKS {
        let count = stream.peek(&mut seen).await?;
        if count == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(seen.get(..count).unwrap_or_default()).into_owned();
        if let Some(length) = length_of_request(&text).filter(|length| *length <= count) {
            let mut taken = vec![0; length - 1];
            stream.read_exact(&mut taken).await?;
            return Ok(text.split(' ').nth(1).map(str::to_owned));
        }
        // The rest is on its way.
        Timer::after(Duration::from_millis(1)).await;
    }
    Ok(None)
}

/// Returns the length of a request, once its head is there.
fn length_of_request(text: &str) -> Option<usize> {
    let (head, _) = text.split_once("\r\n\r\n")?;
    let length = head.lines().filter_map(|line| line.split_once(':'));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.filter_map(|(_, length)| length.trim().parse::<usize>().ok()).sum();
    Some(head.len() + 4 + length)
}
