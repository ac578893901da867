//! The scripted transport: answers requests from scripts and fails the test on any other request.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::Method;

use super::{
    VirtualClock,
    script::{Answer, Repeat, Script, Step},
};
use crate::{
    client::Operations,
    error::Result,
    message::{Reply, Request},
    status::Code,
    text::First,
    timer::Timer,
    transport::{BoxFuture, Transport, TransportError},
    url::redacted,
};

/// A [`Transport`] that follows one or more [`Script`]s and records every request.
///
/// A request that the script does not expect fails the test: the task that sent it panics with a
/// message that names the request and what was expected. It is a panic because an error budget
/// would hide an error. If the panic is caught, [`assert_finished`](Self::assert_finished) reports
/// it again.
///
/// With one script, that script answers every request. With several, a request is answered by the
/// script whose operation name ends the path (before a verb such as `:cancel`), or by the script
/// whose [path](Script::at) begins it. Any other request starts the first operation that has not
/// started yet.
///
/// Clones share one transport.
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
    scripts: Vec<Progress>,
    /// Every request, with the virtual time at which it was sent.
    requests: Vec<(Duration, Request)>,
    /// The messages of unexpected requests, for [`ScriptedTransport::assert_finished`].
    unexpected: Vec<String>,
}

/// A script that is being followed. Steps that are over are removed from it.
struct Progress {
    script: Script,
    begun: bool,
    /// The time at which the first remaining step became the current one.
    current_since: Duration,
}

impl ScriptedTransport {
    /// Creates a transport that follows this script.
    #[must_use]
    pub fn new(script: Script) -> Self {
        let shared = Shared { scripts: vec![Progress::new(script)], requests: vec![], unexpected: vec![] };
        Self { shared: Arc::new(Mutex::new(shared)), clock: None }
    }

    /// Adds a script for another operation.
    #[must_use]
    pub fn and(self, script: Script) -> Self {
        self.lock().scripts.push(Progress::new(script));
        self
    }

    /// Uses this clock for replies with a latency or a duration. Default: no clock, and such a
    /// reply fails the test.
    #[must_use]
    pub fn with_clock(mut self, clock: &VirtualClock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Builds a client with this transport and `clock` as its timer. For other settings, use
    /// [`Operations::builder`] with this transport, the clock as the timer, and any base URL.
    ///
    /// # Errors
    ///
    /// Fails if the client cannot be built. The script cannot cause that.
    pub fn operations(&self, clock: &VirtualClock) -> Result<Operations> {
        let transport = self.clone().with_clock(clock);
        Operations::builder("http://scripted.test").transport(transport).timer(clock.clone()).build()
    }

    /// Returns all requests so far, including unexpected ones.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.iter().map(|(_, request)| request.clone()).collect()
    }

    /// Returns the virtual time of each request, in the order of [`requests`](Self::requests).
    /// Without a clock, all are zero.
    #[must_use]
    pub fn request_times(&self) -> Vec<Duration> {
        self.lock().requests.iter().map(|(time, _)| *time).collect()
    }

    /// Checks that every reply was used and that no unexpected request was made.
    ///
    /// # Panics
    ///
    /// Panics if replies are left over, or if there was an unexpected request.
    pub fn assert_finished(&self) {
        let shared = self.lock();
        let now = self.now();
        let left = shared
            .scripts
            .iter()
            .filter(|progress| !progress.is_finished(now))
            .map(|progress| format!("{:?}", progress.script));
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

    /// Returns the step that answers `request`, or panics.
    fn answer(&self, request: &Request) -> Step {
        let now = self.now();
        let mut shared = self.lock();
        // Recorded before it is judged: `requests` includes the unexpected ones.
        shared.requests.push((now, request.clone()));
        let taken = match shared.script_of(request) {
            Some(progress) => progress.take(request, now),
            None if is_list(request) => no_lists(),
            None => Err("every scripted operation has already started, and none has this path".to_owned()),
        };
        match taken {
            Ok(step) => {
                drop(shared);
                if self.clock.is_none() && (!step.latency.is_zero() || matches!(step.repeat, Repeat::For(_))) {
                    fail(
                        "a reply with a latency or duration needs a clock: `ScriptedTransport::with_clock` or `operations`",
                    );
                }
                step
            }
            Err(expected) => {
                // The query may hold a secret, and panic messages end up in test logs.
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
    /// Returns the script that answers `request`.
    fn script_of(&mut self, request: &Request) -> Option<&mut Progress> {
        let path = request.uri().path();
        let named = self.scripts.iter().position(|progress| progress.matches(path));
        let index = match named {
            Some(index) => index,
            // A single script answers everything: start calls do not end in the operation's name,
            // nor do some dialects' polls.
            None if self.scripts.len() == 1 => 0,
            None if is_list(request) => return None,
            None => self.scripts.iter().position(|progress| !progress.begun && progress.script.path.is_none())?,
        };
        self.scripts.get_mut(index)
    }
}

/// Whether a request lists operations.
fn is_list(request: &Request) -> bool {
    request.method() == Method::GET && request.uri().path().ends_with("/operations")
}

/// Returns how a service without lists answers one.
fn no_lists() -> Result<Step, String> {
    let script = Script::new().error(Code::Unimplemented, "no script is for a list");
    script.steps.into_iter().next().ok_or_else(String::new)
}

impl Progress {
    fn new(script: Script) -> Self {
        Self { script, begun: false, current_since: Duration::ZERO }
    }

    /// Returns whether a request to `path` is about this script's operation.
    fn matches(&self, path: &str) -> bool {
        if let Some(prefix) = &self.script.path {
            return path.starts_with(prefix);
        }
        let name = path.strip_suffix(":cancel").or_else(|| path.strip_suffix(":wait")).unwrap_or(path);
        // A whole segment must match: `operations/a` is not `operations/aa`, and `operations/1` is
        // not `my-operations/1`.
        name.strip_suffix(&self.script.name).is_some_and(|before| before.ends_with('/'))
    }

    /// Takes the current step if it answers `request`. Otherwise returns what was expected.
    fn take(&mut self, request: &Request, now: Duration) -> Result<Step, String> {
        // The first request is a start call, of any method, unless it names the operation: then the
        // operation was resumed.
        let is_start = !self.begun && !self.matches(request.uri().path());
        if !self.begun {
            (self.begun, self.current_since) = (true, now);
        }
        loop {
            let expected = format!("expected {}", self.script);
            let step = self.script.steps.front_mut().ok_or("the script has nothing more")?;
            let is_over = match step.repeat {
                Repeat::Times(times) => times == 0,
                Repeat::For(duration) => now >= self.current_since.saturating_add(duration),
                Repeat::Forever => !step.answers(request, is_start),
            };
            // A step whose time is over may never have answered: the client did not poll during
            // that time.
            if is_over {
                self.next(now);
                continue;
            }
            if !step.answers(request, is_start) {
                return Err(expected);
            }
            let taken = step.clone();
            if let Repeat::Times(times) = &mut step.repeat {
                *times -= 1;
                if *times == 0 {
                    self.next(now);
                }
            }
            return Ok(taken);
        }
    }

    /// Makes the following step the current one.
    fn next(&mut self, now: Duration) {
        self.script.steps.pop_front();
        self.current_since = now;
    }

    /// Returns whether every remaining step may be left over: running for ever, or running for a
    /// time that has passed.
    fn is_finished(&self, now: Duration) -> bool {
        self.script.steps.iter().all(|step| match step.repeat {
            Repeat::Times(_) => false,
            Repeat::For(duration) => self.begun && now >= self.current_since.saturating_add(duration),
            Repeat::Forever => self.begun,
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
                // Checked here as well, so that a test with a small limit fails as it would with a
                // real transport.
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
        let scripts: Vec<&Script> = shared.scripts.iter().map(|progress| &progress.script).collect();
        f.debug_struct("ScriptedTransport")
            .field("requests", &shared.requests.len())
            .field("left", &First(&scripts, 3))
            .finish()
    }
}

#[expect(
    clippy::panic,
    reason = "a test whose code sends what it should not must fail, and no error budget may hide it"
)]
#[track_caller]
pub(super) fn fail(why: &str) -> ! {
    panic!("{why}")
}
