//! The suite `restart`: a server that is killed while operations are waited for, and started again
//! on its port, with what it knew or without.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use lro_runtime::{Code, Error, ErrorKind, Operations, RawOperation, Status};
use smol::LocalExecutor;

use super::{
    adapters,
    fault::Fault,
    held::Idle,
    patiently,
    server::{Answer, Server, Service},
    settings,
};
use crate::round::{Counts, Suite};

/// A server that is killed and started again while operations are waited for.
pub const RESTART: Suite = Suite { name: "restart", unit: "cases", case, short: 5, long: 30 };

/// How many operations each adapter waits for.
const WAITS: usize = 4;

static IDLE: Idle = Idle::new();

/// How many more polls each operation runs. One that is not there is not known.
type State = Arc<Mutex<HashMap<String, u32>>>;

fn case(seed: u64) -> Counts {
    let mut random = fastrand::Rng::with_seed(seed);
    let loses = random.bool();
    let restarts = random.u32(1..=3);
    let adapters = adapters();
    let names: Vec<_> =
        adapters.iter().flat_map(|(adapter, _)| (0..WAITS).map(move |n| format!("operations/{adapter}-{n}"))).collect();
    let state: State = Arc::new(Mutex::new(names.iter().map(|name| (name.clone(), random.u32(5..60))).collect()));
    let server = Server::start(service(&state));
    let (address, url) = (server.address(), server.url());
    let killing = thread::spawn({
        let state = Arc::clone(&state);
        move || kill_and_restart(server, &state, address, loses, restarts, random)
    });

    let executor = LocalExecutor::new();
    let clients = adapters.map(|(_, transport)| Operations::builder(&*url).transport(transport).build().unwrap());
    let waits = names.iter().zip(clients.iter().flat_map(|client| [client; WAITS]));
    let waits: Vec<_> = waits
        .map(|(name, client)| {
            let waiting = client.resume(&**name).unwrap().poll_until_completed(settings());
            (name, executor.spawn(waiting))
        })
        .collect();
    let mut counts = Counts::default();
    counts.add("restarts", restarts.into());
    patiently(executor.run(async {
        for (name, waiting) in waits {
            counts.add("operations", 1);
            match waiting.await {
                Ok(done) => {
                    let response = done.response().map(|response| response.bytes().to_vec());
                    assert_eq!(response, Some(format!(r#"{{"of":"{name}"}}"#).into_bytes()), "{name}");
                    counts.add("results", 1);
                }
                Err(error) => {
                    assert!(loses, "the state of {name} was kept: {error}");
                    assert_lost(&error, name);
                    counts.add("lost", 1);
                }
            }
        }
    }));
    drop((executor, clients));
    drop(killing.join().unwrap());
    IDLE.assert_reached(&mut counts);
    counts
}

/// Checks that the error is the one of an operation that the service no longer knows.
fn assert_lost(error: &Error, name: &str) {
    assert_eq!(error.status().map(Status::code), Some(Code::NotFound), "{error}");
    assert_eq!(error.kind(), ErrorKind::Poll);
    assert!(error.to_string().contains(name), "{error} does not name {name}");
    assert_eq!(error.snapshot().map(RawOperation::name), Some(name));
}

/// Kills the server and starts it again on the same port, so many times; the last time without its
/// state, if it is to be lost.
fn kill_and_restart(
    mut server: Server,
    state: &State,
    address: SocketAddr,
    loses: bool,
    restarts: u32,
    mut random: fastrand::Rng,
) -> Server {
    for left in (0..restarts).rev() {
        thread::sleep(Duration::from_millis(random.u64(0..40)));
        drop(server);
        if loses && left == 0 {
            state.lock().unwrap().clear();
        }
        thread::sleep(Duration::from_millis(random.u64(0..30)));
        server = Server::start_on(bind_again(address), service(state));
    }
    server
}

/// Binds the port again. A client that was looking for the server may hold it for a moment: the
/// system gave it this very port as its own.
fn bind_again(address: SocketAddr) -> TcpListener {
    let began = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(10), "{address} is taken: {error}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn service(state: &State) -> Service {
    let state = Arc::clone(state);
    Arc::new(move |path| {
        let name = path.trim_start_matches("/v1/");
        let mut state = state.lock().unwrap();
        let (status, body) = match state.get_mut(name) {
            None => (404, r#"{"error":{"code":404,"status":"NOT_FOUND","message":"unknown"}}"#.to_owned()),
            Some(0) => (200, format!(r#"{{"name":"{name}","done":true,"response":{{"of":"{name}"}}}}"#)),
            Some(left) => {
                *left -= 1;
                (200, format!(r#"{{"name":"{name}","metadata":{{}}}}"#))
            }
        };
        Answer::new(status, body, Fault::Nothing)
    })
}
