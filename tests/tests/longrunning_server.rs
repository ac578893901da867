//! Plays every script of `servers/longrunning_server.py`, over gRPC and over REST, async and
//! blocking.
//!
//! The server uses Google's own stubs, so it does not share mistakes with this library.
//!
//! Needs `LRO_PYTHON`, the path of a Python with the packages of `servers/requirements.txt`.
//! `.ci/run` installs one.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lro_runtime::{
    Budget, CancelOutcome, Cancellable, Code, Deletable, ErrorKind, Fleet, Operation, OperationState, Operations,
    PollSettings, RawOperation, Result, State, block_on, long_running,
    transport::{BoxFuture, GrpcTransport, HyperTransport, Reply, Request, Transport, TransportError},
};
use prost_types::{Struct, Value, value::Kind};
use serde::Deserialize;

/// A running server. It is killed when the value is dropped.
struct Server {
    process: Child,
    grpc: String,
    rest: String,
}

impl Server {
    fn start() -> Self {
        let python =
            std::env::var_os("LRO_PYTHON").expect("LRO_PYTHON names a python with tests/servers/requirements.txt");
        let mut command = Command::new(python);
        let mut process = command.arg("servers/longrunning_server.py").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = |key: &str| {
            let address = line.split_whitespace().find_map(|word| word.strip_prefix(key));
            format!("http://{}", address.unwrap_or_else(|| panic!("the server did not start: {line:?}")))
        };
        Self { grpc: address("grpc="), rest: address("rest="), process }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    value: String,
    polls: f64,
}

#[derive(Debug, Deserialize)]
struct Progress {
    percent: f64,
}

struct Rest {
    operations: Operations,
}

#[long_running(metadata = Progress, cancel, delete, progress = |m| Some(m.percent / 100.0))]
impl Rest {
    /// The server has no start call over REST: it creates an operation at its first poll.
    #[long_running(response = Answer, response_type = "google.protobuf.Struct")]
    async fn run(&self, name: &str) -> Result<RawOperation> {
        self.operations.get(name).await
    }

    #[long_running(response = (), name = "RunEmpty")]
    async fn run_empty(&self, name: &str) -> Result<RawOperation> {
        self.operations.get(name).await
    }
}

struct Grpc {
    operations: Operations,
}

#[long_running(metadata = Struct, encoding = proto, cancel, delete, progress = |m| number(m, "percent").map(|percent| percent / 100.0))]
impl Grpc {
    #[long_running(response = Struct, response_type = "google.protobuf.Struct", name = "GrpcRun")]
    async fn run(&self, script: &str, n: u32, id: &str) -> Result<RawOperation> {
        self.operations.start_message("/lro.test.Starter/Start", &starter(script, n, id)).await
    }

    #[long_running(response = (), name = "GrpcRunEmpty")]
    async fn run_empty(&self, script: &str, n: u32, id: &str) -> Result<RawOperation> {
        self.operations.start_message("/lro.test.Starter/Start", &starter(script, n, id)).await
    }
}

/// Returns the message of the gRPC start call.
fn starter(script: &str, n: u32, id: &str) -> Struct {
    let field = |key: &str, kind| (key.to_owned(), Value { kind: Some(kind) });
    let fields = [
        field("script", Kind::StringValue(script.to_owned())),
        field("n", Kind::NumberValue(f64::from(n))),
        field("id", Kind::StringValue(id.to_owned())),
    ];
    Struct { fields: fields.into_iter().collect() }
}

fn number(fields: &Struct, key: &str) -> Option<f64> {
    match fields.fields.get(key)?.kind.as_ref()? {
        Kind::NumberValue(number) => Some(*number),
        _ => None,
    }
}

fn text(fields: &Struct, key: &str) -> Option<String> {
    match fields.fields.get(key)?.kind.as_ref()? {
        Kind::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Async,
    Blocking,
}

impl Mode {
    const BOTH: [Self; 2] = [Self::Async, Self::Blocking];

    fn finish<S: OperationState>(self, operation: &Operation<S>, settings: PollSettings) -> Result<Operation<S>> {
        match self {
            Self::Async => smol::block_on(operation.poll_until_completed(settings)),
            Self::Blocking => operation.blocking().poll_until_completed(settings),
        }
    }

    fn poll<S: OperationState>(self, operation: &Operation<S>) -> Result<Operation<S>> {
        match self {
            Self::Async => smol::block_on(operation.poll_once()),
            Self::Blocking => operation.blocking().poll_once(),
        }
    }

    fn cancel<S: Cancellable>(self, operation: &Operation<S>) -> Result<CancelOutcome> {
        match self {
            Self::Async => smol::block_on(operation.cancel()),
            Self::Blocking => operation.blocking().cancel(),
        }
    }

    fn delete<S: Deletable>(self, operation: &Operation<S>) -> Result<()> {
        match self {
            Self::Async => smol::block_on(operation.delete()),
            Self::Blocking => operation.blocking().delete(),
        }
    }
}

/// Starts an operation: name of the script, number of polls, id.
type Start<S> = Box<dyn Fn(&str, u32, &str) -> Operation<S>>;

/// One protocol of the server: how to start a script, and how to read its response.
struct Protocol<S: OperationState, E: OperationState> {
    label: &'static str,
    start: Start<S>,
    start_empty: Start<E>,
    answer: fn(&S::Response) -> (String, f64),
    /// Whether the server offers `WaitOperation` over this protocol. It does not over REST.
    holds: bool,
}

fn settings() -> PollSettings {
    let ms = Duration::from_millis;
    PollSettings::default().with_delay(ms(5)).with_hint(ms(1)..=ms(50)).with_timeout(Duration::from_secs(20))
}

fn run_every_script<S, E>(protocol: &Protocol<S, E>)
where
    S: Cancellable + Deletable,
    E: OperationState<Response = ()>,
{
    for mode in Mode::BOTH {
        let id = format!("{}{mode:?}", protocol.label);
        let start = |script: &str, n| (protocol.start)(script, n, &id);
        let finish = |script: &str, n| mode.finish(&start(script, n), settings());
        eprintln!("{id}");

        let operation = start("ok", 4);
        assert!(!operation.is_completed());
        let polled = mode.poll(&operation).unwrap();
        assert_eq!(polled.untyped().state(), State::Running);
        assert!(polled.progress() > operation.progress());
        let done = mode.finish(&polled, settings()).unwrap();
        assert_eq!(done.progress(), Some(1.0));
        assert!(done.metadata().unwrap().is_some());
        assert_eq!((protocol.answer)(&done.into_result().unwrap()), (id.clone(), 4.0));

        let done = finish("nometa", 3).unwrap();
        assert!(done.is_succeeded() && done.metadata().unwrap().is_none());

        let done = mode.finish(&(protocol.start_empty)("emptyresp", 2, &id), settings()).unwrap();
        done.into_result().unwrap();
        assert_eq!(finish("emptyresp", 3).unwrap().into_result().err().unwrap().kind(), ErrorKind::Decode);

        let done = mode.finish(&(protocol.start_empty)("empty", 2, &id), settings()).unwrap();
        done.into_result().unwrap();
        let done = finish("empty", 3).unwrap();
        assert_eq!(done.clone().into_result().err().unwrap().kind(), ErrorKind::Decode);
        assert!(!done.raw().is_empty());

        let done = finish("fail", 3).unwrap();
        let error = done.clone().into_result().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Failed);
        let status = error.status().unwrap();
        assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "scripted failure"));
        let reason = status.details().iter().find_map(lro_runtime::details::Detail::error_info).unwrap();
        assert_eq!(
            (&*reason.reason, &*reason.domain, &*reason.metadata["polls"]),
            ("SCRIPTED_FAILURE", "lro.test", "3")
        );
        assert_eq!(status.retry_delay(), Some(Duration::from_secs(1)));
        assert!(done.metadata().unwrap().is_some());

        let operation = start("cancel", 2);
        mode.cancel(&operation).unwrap();
        let done = mode.finish(&operation, settings()).unwrap();
        assert!(done.is_cancelled());
        // Cancelling a completed operation is fine, and sends nothing.
        assert_eq!(mode.cancel(&done).unwrap(), CancelOutcome::AlreadyCompleted);
        let timeout = mode.finish(&start("cancel", 3), settings().with_timeout(Duration::from_millis(60)));
        assert_eq!(timeout.err().unwrap().kind(), ErrorKind::Timeout);

        let operation = start("nocancel", 3);
        mode.cancel(&operation).unwrap();
        assert!(mode.finish(&operation, settings()).unwrap().is_succeeded());

        let operation = start("nosup", 9);
        for refused in [mode.cancel(&operation).map(drop), mode.delete(&operation)] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
        }
        assert!(mode.finish(&operation, settings().with_long_poll(Duration::from_secs(5))).unwrap().is_succeeded());

        let operation = start("ok", 5);
        mode.delete(&operation).unwrap();
        assert_eq!(mode.poll(&operation).err().unwrap().status().unwrap().code(), Code::NotFound);

        if protocol.holds {
            let operation = start("ok", 8);
            let done = block_on(operation.wait(Duration::from_secs(10))).unwrap();
            assert!(done.is_succeeded(), "8 polls of 50 ms are within 10 s");
            let none = operation.blocking().wait(Duration::from_millis(1)).unwrap();
            assert!(none.is_succeeded());
        }
        let done = mode.finish(&start("ok", 10), settings().with_long_poll(Duration::from_secs(10))).unwrap();
        assert!(done.is_succeeded());
    }
}

/// Runs the scripts in which the first poll already counts. They are resumed by name, not started.
fn run_flaky_and_gone(operations: &Operations, prefix: &str) {
    for mode in Mode::BOTH {
        let finish = |script: &str| {
            let operation = operations.resume(format!("{prefix}operations/{script}-{mode:?}")).unwrap();
            match mode {
                Mode::Async => smol::block_on(operation.poll_until_completed(settings())),
                Mode::Blocking => operation.blocking().poll_until_completed(settings()),
            }
        };
        assert!(finish("flaky-4").unwrap().is_succeeded());
        let gone = finish("gone-3").unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::Poll);
        assert_eq!(gone.status().unwrap().code(), Code::NotFound);
        assert!(gone.to_string().contains("the operation was found before and is gone now"), "{gone}");
        assert_eq!(gone.snapshot().unwrap().state(), State::Running);
        assert_eq!(finish("never-4").unwrap_err().status().unwrap().code(), Code::NotFound);
    }
}

/// Lists the operations that the other parts of the test have started.
fn run_lists(operations: &Operations) {
    let all: Result<Vec<_>> = operations.list("").page_size(3).blocking().collect();
    let all = all.unwrap();
    assert!(all.len() > 10, "{}", all.len());
    let done: Result<Vec<_>> = operations.list("done=true").blocking().collect();
    let done = done.unwrap();
    assert!(done.iter().all(RawOperation::is_completed) && done.len() < all.len());
    assert!(done.iter().all(|operation| !operation.raw().is_empty() && operation.raw().len() < 2000));
    smol::block_on(async {
        let mut list = operations.list("").page_size(2);
        for expected in all.iter().take(5) {
            assert_eq!(list.next().await.unwrap().unwrap().name(), expected.name());
        }
        let refused = operations.list("colour=red").next().await.unwrap().unwrap_err();
        assert_eq!(refused.status().unwrap().code(), Code::InvalidArgument);
    });
    let running = all.iter().find(|operation| !operation.is_completed()).unwrap();
    assert_eq!(operations.blocking().get(running.name()).unwrap().name(), running.name());
}

#[test]
#[ignore = "needs LRO_PYTHON, a python with tests/servers/requirements.txt: `.ci/run` brings one"]
fn every_script_over_rest() {
    let server = Server::start();
    let operations = Operations::builder(&server.rest).build().unwrap();
    let start = |operations: &Operations| {
        let client = Rest { operations: operations.clone() };
        move |script: &str, n: u32, id: &str| {
            block_on(client.run(&format!("projects/p/operations/{script}-{n}-{id}"))).unwrap()
        }
    };
    let client = Rest { operations: operations.clone() };
    run_every_script(&Protocol {
        label: "rest",
        start: Box::new(start(&operations)),
        start_empty: Box::new(move |script, n, id| {
            block_on(client.run_empty(&format!("projects/p/operations/{script}-{n}-{id}"))).unwrap()
        }),
        answer: |answer| (answer.value.clone(), answer.polls),
        holds: false,
    });
    run_flaky_and_gone(&operations, "projects/p/");
    run_lists(&operations);
}

#[test]
#[ignore = "needs LRO_PYTHON, a python with tests/servers/requirements.txt: `.ci/run` brings one"]
fn every_script_over_grpc() {
    let server = Server::start();
    let operations = Operations::builder(&server.grpc).grpc().build().unwrap();
    let (client, other) = (Grpc { operations: operations.clone() }, Grpc { operations: operations.clone() });
    run_every_script(&Protocol {
        label: "grpc",
        start: Box::new(move |script, n, id| block_on(client.run(script, n, id)).unwrap()),
        start_empty: Box::new(move |script, n, id| block_on(other.run_empty(script, n, id)).unwrap()),
        answer: |answer| (text(answer, "value").unwrap(), number(answer, "polls").unwrap()),
        holds: true,
    });
    run_flaky_and_gone(&operations, "projects/p/");
    run_lists(&operations);
}

#[test]
#[ignore = "needs LRO_PYTHON, a python with tests/servers/requirements.txt: `.ci/run` brings one"]
fn a_token_of_one_encoding_resumes_with_the_other() {
    let server = Server::start();
    let rest = Operations::builder(&server.rest).build().unwrap();
    let grpc = Operations::builder(&server.grpc).grpc().build().unwrap();
    let started = rest.blocking().get("projects/p/operations/ok-6-both").unwrap();
    let seen = grpc.resume(started.token()).unwrap().blocking().poll_once().unwrap();
    assert_eq!(seen.state(), State::Running);
    let done = rest.resume(seen.token()).unwrap().blocking().poll_until_completed(settings()).unwrap();
    assert!(done.is_succeeded());
}

#[test]
#[ignore = "needs LRO_PYTHON, a python with tests/servers/requirements.txt: `.ci/run` brings one"]
fn a_held_poll_saves_requests_and_one_that_is_cut_ends_on_the_deadline() {
    let server = Server::start();
    let grpc = Operations::builder(&server.grpc).grpc().build().unwrap();
    let held = settings().with_long_poll(Duration::from_secs(10));
    let mut snapshots = 0;
    for snapshot in grpc.resume("operations/ok-20-held").unwrap().blocking().snapshots(held.clone()) {
        assert!(!snapshot.unwrap().name().is_empty());
        snapshots += 1;
    }
    assert!(snapshots <= 3, "one second of work in one or two polls, the first snapshot included: {snapshots}");
    let began = std::time::Instant::now();
    let endless = grpc.resume("operations/cancel-1-held").unwrap();
    let late = endless.blocking().poll_until_completed(held.with_timeout(Duration::from_millis(300))).unwrap_err();
    let took = began.elapsed();
    assert_eq!(late.kind(), ErrorKind::Timeout);
    // The server would hold the poll for ten seconds.
    assert!((Duration::from_millis(300)..Duration::from_secs(9)).contains(&took), "{took:?}");
}

/// A transport that counts what it sends: lists, and all else.
#[derive(Clone)]
struct Counting {
    transport: Arc<dyn Transport>,
    lists: Arc<AtomicUsize>,
    polls: Arc<AtomicUsize>,
}

impl Counting {
    fn new(transport: impl Transport) -> Self {
        Self { transport: Arc::new(transport), lists: Arc::default(), polls: Arc::default() }
    }

    /// Returns how many lists were sent, and how many polls.
    fn counts(&self) -> (usize, usize) {
        (self.lists.load(Ordering::SeqCst), self.polls.load(Ordering::SeqCst))
    }
}

impl Transport for Counting {
    fn send<'a>(
        &'a self,
        request: &'a Request,
        max_body: usize,
    ) -> BoxFuture<'a, std::result::Result<Reply, TransportError>> {
        let path = request.uri().path();
        let is_list = path.ends_with("/operations") || path.ends_with("/ListOperations");
        (if is_list { &self.lists } else { &self.polls }).fetch_add(1, Ordering::SeqCst);
        self.transport.send(request, max_body)
    }
}

#[test]
#[ignore = "needs LRO_PYTHON, a python with tests/servers/requirements.txt: `.ci/run` brings one"]
fn a_fleet_over_grpc_and_rest_at_once_completes_all_by_lists() {
    const EACH: usize = 200;
    let server = Server::start();
    let rest = Counting::new(HyperTransport::new());
    let grpc = Counting::new(GrpcTransport::new());
    let clients = [
        ("rest", Operations::builder(&server.rest).transport(rest.clone()).build().unwrap()),
        ("grpc", Operations::builder(&server.grpc).grpc().transport(grpc.clone()).build().unwrap()),
    ];
    let budget = Budget::per_origin(500.0).burst(50).concurrency(16);
    let fleet = Fleet::builder().budget(budget).build().unwrap();
    let settings = PollSettings::default().with_delay(DELAY).with_max_delay(DELAY);
    for (label, client) in &clients {
        for n in 0..EACH {
            let name = format!("operations/lasts-{}-{label}.{n}", 40 + n % 20);
            let operation = client.resume(&name).unwrap();
            fleet.watch(&operation).key(&name).poll_settings(settings.clone()).try_now().unwrap();
        }
    }
    fleet.close();
    let consumer = async {
        let (mut ended, mut completions) = (BTreeSet::new(), fleet.completions());
        while let Some(completion) = completions.next().await {
            let operation = completion.outcome().unwrap();
            assert!(operation.is_succeeded() && operation.response().is_some(), "{operation:?}");
            assert_eq!(completion.key(), Some(operation.name()));
            assert!(ended.insert(operation.name().to_owned()), "{operation:?} completes twice");
            completion.ack().await.unwrap();
        }
        ended
    };
    let ((), ended) = block_on(futures_lite::future::zip(fleet.run(), consumer));
    assert_eq!(ended.len(), 2 * EACH);
    for (label, (lists, polls)) in [("rest", rest.counts()), ("grpc", grpc.counts())] {
        // One poll finds it, one fetches its result; by polls alone there are some ten more of
        // each.
        assert!(lists > 5 && lists + polls < EACH * 5, "{label}: {lists} lists and {polls} polls");
    }
}

const DELAY: Duration = Duration::from_millis(400);
