//! What an operation on the server does, and what goes wrong on the way.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{status::Code, testing::script::value};

/// What an operation of an [`LroServer`](super::LroServer) does: how long it runs, what it says meanwhile, how it ends.
///
/// ```
/// use std::time::Duration;
/// use lro_runtime::{Code, testing::{Fault, Job}};
/// use serde_json::json;
///
/// let export = Job::lasting(Duration::from_secs(2))
///     .metadata(|done| json!({ "percent": (done * 100.0).round() }))
///     .responds(json!({ "uri": "gs://pictures/cat.png" }));
/// let full = Job::polls(3).fails(Code::ResourceExhausted, "the disk is full");
/// let flaky = Job::polls(5).fault(2, Fault::Status(503)).fault(3, Fault::Reset);
/// # let _ = (export, full, flaky);
/// ```
#[derive(Clone)]
#[must_use = "a job does nothing until a server has it"]
pub struct Job {
    pub(super) pace: Pace,
    pub(super) name: Option<String>,
    pub(super) queued: u32,
    pub(super) metadata: Metadata,
    pub(super) outcome: Outcome,
    pub(super) cancel: Cancel,
    pub(super) expires_at: Option<u32>,
    pub(super) hint: Option<Duration>,
    pub(super) faults: BTreeMap<u32, Fault>,
    pub(super) refusal: Option<(Code, String)>,
}

/// Metadata from the fraction done.
type Metadata = Arc<dyn Fn(f64) -> Value + Send + Sync>;

/// When it is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    Polls(u32),
    Lasting(Duration),
    Endless,
}

#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Response(Value),
    Error(Value),
    Nothing,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Cancel {
    /// Cancelled this many looks after it was asked for.
    After(u32),
    Ignored,
    Unimplemented,
}

/// What goes wrong with one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This HTTP status, with the error body of Google's services.
    Status(u16),
    /// HTTP 503 with `Retry-After`, in whole seconds.
    Busy {
        /// How long to stay away.
        retry_after: Duration,
    },
    /// The reply, but this much later.
    Latency(Duration),
    /// No reply: the connection is reset. A transport may send a look again by itself if the connection had been used before: so does the default one.
    Reset,
    /// No reply: the connection is closed. The same applies.
    Close,
    /// Half of the body, then the connection is closed.
    HalfBody,
    /// The head of the reply, then nothing for as long as the client waits.
    Stall,
    /// HTTP 200 with bytes that are not JSON.
    Garbage,
}

impl Job {
    /// A job that is done at the `polls`-th look at it; with `0` it is done when it is started.
    pub fn polls(polls: u32) -> Self {
        Self::with_pace(Pace::Polls(polls))
    }

    /// A job that takes this long, in real time.
    pub fn lasting(duration: Duration) -> Self {
        Self::with_pace(Pace::Lasting(duration))
    }

    /// A job that is never done, unless somebody cancels it.
    pub fn endless() -> Self {
        Self::with_pace(Pace::Endless)
    }

    /// No job: the start call is answered with the HTTP error that stands for this code.
    pub fn refused(code: Code, message: impl Into<String>) -> Self {
        Self { refusal: Some((code, message.into())), ..Self::endless() }
    }

    fn with_pace(pace: Pace) -> Self {
        Self {
            pace,
            name: None,
            queued: 0,
            metadata: Arc::new(|done| json!({ "percent": (done * 100.0).floor() })),
            outcome: Outcome::Response(json!({})),
            cancel: Cancel::After(1),
            expires_at: None,
            hint: None,
            faults: BTreeMap::new(),
            refusal: None,
        }
    }

    /// Its operation has this name, instead of `operations/` and a number. It ends in `operations/` and one more segment.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Has no metadata for the first `looks` looks, the start included: it waits in a queue.
    pub fn queued(mut self, polls: u32) -> Self {
        self.queued = polls;
        self
    }

    /// What it says about progress, from the fraction done: `{"percent": 0..=100}` if not said. [`Value::Null`] is no metadata.
    pub fn metadata(mut self, metadata: impl Fn(f64) -> Value + Send + Sync + 'static) -> Self {
        self.metadata = Arc::new(metadata);
        self
    }

    /// Succeeds with this response: `{}` if not said.
    ///
    /// # Panics
    ///
    /// When `response` does not serialize.
    pub fn responds(mut self, response: impl Serialize) -> Self {
        self.outcome = Outcome::Response(value(response));
        self
    }

    /// Ends with neither a response nor an error.
    pub fn responds_nothing(mut self) -> Self {
        self.outcome = Outcome::Nothing;
        self
    }

    /// Fails with this code and message.
    pub fn fails(self, code: Code, message: &str) -> Self {
        self.fails_with(json!({ "code": code.number(), "message": message }))
    }

    ///
    /// # Panics
    ///
    /// When `status` does not serialize.
    pub fn fails_with(mut self, status: impl Serialize) -> Self {
        self.outcome = Outcome::Error(value(status));
        self
    }

    /// Is cancelled at the `looks`-th look after somebody asked for it: the first if not said.
    pub fn cancelled_after(mut self, polls: u32) -> Self {
        self.cancel = Cancel::After(polls);
        self
    }

    /// Accepts to be cancelled, and goes on all the same.
    pub fn ignores_cancel(mut self) -> Self {
        self.cancel = Cancel::Ignored;
        self
    }

    /// Answers `UNIMPLEMENTED` to `:cancel`.
    pub fn without_cancel(mut self) -> Self {
        self.cancel = Cancel::Unimplemented;
        self
    }

    /// Is forgotten at the `look`-th look: from then on it is not found.
    pub fn expires_at(mut self, poll: u32) -> Self {
        self.expires_at = Some(poll);
        self
    }

    /// Asks to be asked again after this long, in whole seconds (`Retry-After`), for as long as it is not done.
    pub fn hint(mut self, wait: Duration) -> Self {
        self.hint = Some(wait);
        self
    }

    /// Something goes wrong with the reply to the `look`-th look; `0` is the start call.
    pub fn fault(mut self, poll: u32, fault: Fault) -> Self {
        self.faults.insert(poll, fault);
        self
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("pace", &self.pace).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
