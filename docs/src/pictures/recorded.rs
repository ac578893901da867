//! Two waits as they went: run by the library in virtual time, and written down by the transport.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lro_runtime::{
    Operations, PollSettings, Result, Timer, Transport, block_on,
    testing::{Script, ScriptedTransport, VirtualClock},
    transport::{BoxFuture, Reply, Request, TransportError},
};
use serde_json::{Value, json};

/// How long the services take for a reply.
const LATENCY: Duration = Duration::from_millis(500);
const HINT: Duration = Duration::from_secs(8);

/// A request and its reply, in seconds after the wait's beginning.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) sent: f64,
    pub(super) replied: f64,
    pub(super) kind: Kind,
}

/// What a request was, or what its reply said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Start,
    /// A poll, answered at once: the operation goes on.
    Poll,
    /// Such a poll, whose reply has a hint.
    Hint,
    /// A poll that the server held: the operation goes on.
    Held,
    /// A poll that gave no observation.
    Failed,
    /// A poll that saw the end.
    Done,
}

/// A wait, and how it ended: in words.
pub(super) struct Recording {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) deadline: f64,
    pub(super) end: String,
}

/// A wait that meets a hint and an outage, and whose operation takes longer than its deadline.
pub(super) fn ordinary() -> Result<Recording> {
    let script = Script::new().pending().taking(LATENCY);
    let script = running(running(script)).running(1).taking(LATENCY).hint(HINT);
    let script = script.unavailable().taking(LATENCY);
    record((0..10).fold(script, |script, _| running(script)), PollSettings::default(), 36)
}

/// A wait whose polls the server holds, for an operation that ends after 21 s.
pub(super) fn held() -> Result<Recording> {
    let hold = Duration::from_secs(12);
    let script = Script::new().pending().taking(LATENCY).running(1).taking(hold);
    let script = script.done(json!({})).taking(Duration::from_millis(21_000 - 12_500));
    record(script, PollSettings::default().with_long_poll(hold), 36)
}

fn running(script: Script) -> Script {
    script.running(1).taking(LATENCY)
}

/// Starts an operation and waits for it until `deadline`, counted from the start call.
fn record(script: Script, settings: PollSettings, deadline: u32) -> Result<Recording> {
    let clock = VirtualClock::new();
    let recorder = Recorder {
        scripted: ScriptedTransport::new(script).with_clock(&clock),
        clock: clock.clone(),
        exchanges: Arc::default(),
    };
    let ends = clock.now() + Duration::from_secs(deadline.into());
    let operations = Operations::builder("http://scripted.test").transport(recorder.clone()).timer(clock).build()?;
    let operation = block_on(operations.post("v1/jobs", &json!({})))?;
    let end = match operation.blocking().poll_until_completed(settings.with_deadline(ends)) {
        Ok(done) => format!("{:?}", done.state()),
        Err(error) => format!("{:?}", error.kind()),
    };
    let exchanges = recorder.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Recording { exchanges, deadline: f64::from(deadline), end })
}

/// A transport that writes down what another one sends and gets.
#[derive(Clone)]
struct Recorder {
    scripted: ScriptedTransport,
    clock: VirtualClock,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Transport for Recorder {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            let sent = self.clock.elapsed().as_secs_f64();
            let reply = self.scripted.send(request, max_body).await?;
            let replied = self.clock.elapsed().as_secs_f64();
            let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
            let kind = if exchanges.is_empty() { Kind::Start } else { kind(request, &reply) };
            exchanges.push(Exchange { sent, replied, kind });
            Ok(reply)
        })
    }
}

fn kind(request: &Request, reply: &Reply) -> Kind {
    let is_done = serde_json::from_slice(reply.body()).is_ok_and(|body: Value| body.get("done") == Some(&json!(true)));
    match () {
        () if !reply.status().is_success() => Kind::Failed,
        () if is_done => Kind::Done,
        () if request.uri().path().ends_with(":wait") => Kind::Held,
        () if reply.headers().contains_key("retry-after-ms") => Kind::Hint,
        () => Kind::Poll,
    }
}
