use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    VirtualClock,
    script::{Answer, Last, Script, Step},
};
use crate::{
    client::Operations,
    error::Result,
    message::{Reply, Request},
    timer::Timer,
    transport::{BoxFuture, Transport, TransportError},
    url::redacted,
};

/// A [`Transport`] that follows a [`Script`], or several, and remembers every request.
///
/// A request that its script does not foresee fails the test: it panics, in the task that sent it, with the request and what was expected instead.
/// No error budget hides that, and [`assert_finished`](Self::assert_finished) says it again should the panic have been caught.
///
/// Of several scripts, the one whose operation's name the path ends with answers (before the verb, if there is one), or the one whose
/// [path](Script::at) it begins with; any other request starts the first operation that has not been started.
///
/// Clones are the same transport.
///
/// ```
/// use lro_runtime::{PollSettings, State, block_on, testing::{Script, ScriptedTransport, VirtualClock}};
/// use serde_json::json;
///
/// let clock = VirtualClock::new();
/// let transport = ScriptedTransport::new(Script::new().running(3).unavailable().done(json!({})));
/// let operations = transport.operations(&clock)?;
///
/// let operation = block_on(operations.post("v1/images:export", &json!({ "image": "cat" })))?;
/// let done = operation.blocking().poll_until_completed(PollSettings::default())?;
/// assert_eq!(done.state(), State::Succeeded);
///
/// let requests = transport.requests();
/// assert_eq!(requests[0].uri().path(), "/v1/images:export");
/// assert_eq!(&requests[0].body()[..], br#"{"image":"cat"}"#);
/// assert_eq!(requests[4].uri().path(), "/v1/operations/1");
/// transport.assert_finished();
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone)]
pub struct ScriptedTransport {
    shared: Arc<Mutex<Shared>>,
    clock: Option<VirtualClock>,
}

struct Shared {
    scripts: Vec<Playing>,
    requests: Vec<(Duration, Request)>,
    unexpected: Vec<String>,
}

/// A script, and how far it has been followed.
struct Playing {
    script: Script,
    begun: bool,
    /// When the turn of its first step came.
    turn_came: Duration,
}

impl ScriptedTransport {
    /// A transport that follows this script.
    #[must_use]
    pub fn new(script: Script) -> Self {
        let shared = Shared { scripts: vec![Playing::new(script)], requests: vec![], unexpected: vec![] };
        Self { shared: Arc::new(Mutex::new(shared)), clock: None }
    }

    /// Follows this script, too: another operation.
    #[must_use]
    pub fn and(self, script: Script) -> Self {
        self.lock().scripts.push(Playing::new(script));
        self
    }

    /// With this clock for the replies that take their time.
    #[must_use]
    pub fn with_clock(mut self, clock: &VirtualClock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// A client on this transport and this clock. For other settings build it as any client, with this transport, the clock as its timer, and any base URL.
    ///
    /// # Errors
    ///
    /// None that depend on the script.
    pub fn operations(&self, clock: &VirtualClock) -> Result<Operations> {
        let transport = self.clone().with_clock(clock);
        Operations::builder("http://scripted.test").transport(transport).timer(clock.clone()).build()
    }

    /// The requests so far, the unforeseen ones included.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.iter().map(|(_, request)| request.clone()).collect()
    }

    /// When the requests were sent, by the clock: zero if there is none.
    #[must_use]
    pub fn request_times(&self) -> Vec<Duration> {
        self.lock().requests.iter().map(|(time, _)| *time).collect()
    }

    /// Fails the test unless every reply was asked for, and nothing else was.
    ///
    /// # Panics
    ///
    /// When replies are left, or there was a request that was not foreseen.
    pub fn assert_finished(&self) {
        let shared = self.lock();
        let now = self.now();
        let left = shared
            .scripts
            .iter()
            .filter(|playing| !playing.is_finished(now))
            .map(|playing| format!("{:?}", playing.script));
        let complaints: Vec<String> =
            shared.unexpected.iter().cloned().chain(left.map(|left| format!("left over: {left}"))).collect();
        drop(shared);
        if !complaints.is_empty() {
            fail(&complaints.join("\n"));
        }
    }

    fn now(&self) -> Duration {
        self.clock.as_ref().map(VirtualClock::elapsed).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The step that answers `request`.
    fn answer(&self, request: &Request) -> Step {
        let now = self.now();
        let mut shared = self.lock();
        shared.requests.push((now, request.clone()));
        let taken = match shared.script_of(request) {
            Some(playing) => playing.take(request, now),
            None => Err("every operation of the script has begun, and this is none of theirs".to_owned()),
        };
        match taken {
            Ok(step) => {
                drop(shared);
                if self.clock.is_none() && (!step.latency.is_zero() || matches!(step.last, Last::For(_))) {
                    fail("a reply that takes its time needs a clock: `ScriptedTransport::with_clock` or `operations`");
                }
                step
            }
            Err(expected) => {
                let target = redacted(request.uri().path_and_query().map_or("/", |target| target.as_str()));
                let complaint = format!("unexpected request: {} {target}; {expected}", request.method());
                shared.unexpected.push(complaint.clone());
                drop(shared);
                fail(&complaint)
            }
        }
    }
}

impl Shared {
    fn script_of(&mut self, request: &Request) -> Option<&mut Playing> {
        let path = request.uri().path();
        let named = self.scripts.iter().position(|playing| playing.is_of(path));
        let index = match named {
            Some(index) => index,
            None if self.scripts.len() == 1 => 0,
            None => self.scripts.iter().position(|playing| !playing.begun && playing.script.path.is_none())?,
        };
        self.scripts.get_mut(index)
    }
}

impl Playing {
    fn new(script: Script) -> Self {
        Self { script, begun: false, turn_came: Duration::ZERO }
    }

    /// Whether `path` is of its operation.
    fn is_of(&self, path: &str) -> bool {
        if let Some(prefix) = &self.script.path {
            return path.starts_with(prefix);
        }
        let name = path.strip_suffix(":cancel").or_else(|| path.strip_suffix(":wait")).unwrap_or(path);
        name.strip_suffix(&self.script.name).is_some_and(|before| before.ends_with('/'))
    }

    /// The next step if it answers `request`, else what was expected.
    fn take(&mut self, request: &Request, now: Duration) -> Result<Step, String> {
        if !self.begun {
            (self.begun, self.turn_came) = (true, now);
        }
        loop {
            let said = format!("expected {}", self.script);
            let step = self.script.steps.front_mut().ok_or("the script has nothing more")?;
            let is_over = match step.last {
                Last::Times(times) => times == 0,
                Last::For(duration) => now >= self.turn_came.saturating_add(duration),
                Last::Forever => !step.answers(request),
            };
            if is_over {
                self.next(now);
                continue;
            }
            if !step.answers(request) {
                return Err(said);
            }
            let taken = step.clone();
            if let Last::Times(times) = &mut step.last {
                *times -= 1;
                if *times == 0 {
                    self.next(now);
                }
            }
            return Ok(taken);
        }
    }

    fn next(&mut self, now: Duration) {
        self.script.steps.pop_front();
        self.turn_came = now;
    }

    /// Whether nothing is left but what has been said for as long as it had to be.
    fn is_finished(&self, now: Duration) -> bool {
        self.script.steps.iter().all(|step| match step.last {
            Last::Times(_) => false,
            Last::For(duration) => self.begun && now >= self.turn_came.saturating_add(duration),
            Last::Forever => self.begun,
        })
    }
}

impl Transport for ScriptedTransport {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            let step = self.answer(request);
            if let (Some(clock), false) = (&self.clock, step.latency.is_zero()) {
                clock.sleep(step.latency).await;
            }
            match step.answer {
                Answer::Reply(reply) if reply.body().len() > max_body => Err(TransportError::body_too_large(max_body)),
                Answer::Reply(reply) => Ok(reply),
                Answer::Error(error) => Err(error),
                Answer::Never => std::future::pending().await,
            }
        })
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.lock();
        let scripts: Vec<&Script> = shared.scripts.iter().map(|playing| &playing.script).collect();
        f.debug_struct("ScriptedTransport").field("requests", &shared.requests.len()).field("left", &scripts).finish()
    }
}

#[expect(
    clippy::panic,
    reason = "a test whose code sends what it should not must fail, and no error budget may hide it"
)]
fn fail(why: &str) -> ! {
    panic!("{why}")
}
