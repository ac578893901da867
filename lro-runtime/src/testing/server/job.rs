//! Jobs: what an operation on the server does, and which faults its replies have.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{status::Code, testing::script::value};

/// The behaviour of an operation on an [`LroServer`](super::LroServer): how long it runs, what its
/// metadata is, how it ends.
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

/// Computes the metadata from the fraction done.
type Metadata = Arc<dyn Fn(f64) -> Value + Send + Sync>;

/// When the job is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    Polls(u32),
    Lasting(Duration),
    Endless,
}

/// How the job ends.
#[derive(Clone)]
pub(super) enum Outcome {
    Response(Value),
    Error(Value),
    Nothing,
}

impl Outcome {
    /// Names the outcome without its message.
    fn word(&self) -> &'static str {
        match self {
            Self::Response(_) => "response",
            Self::Error(_) => "error",
            Self::Nothing => "nothing",
        }
    }
}

/// What a cancel call does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cancel {
    /// The job is cancelled this many polls after the cancel call.
    After(u32),
    Ignored,
    Unimplemented,
}

/// A fault of one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The reply has this HTTP status, with an error body as Google's services send it.
    Status(u16),
    /// The reply is HTTP 503 with a `Retry-After` header, rounded up to whole seconds.
    Busy {
        /// How long the client should wait.
        retry_after: Duration,
    },
    /// The reply is correct, but this much later.
    Latency(Duration),
    /// No reply: the connection is reset. If the connection had been used before, a transport may
    /// send a poll again on its own; the default transport does.
    Reset,
    /// No reply: the connection is closed. As with [`Reset`](Self::Reset), a transport may send the
    /// poll again.
    Close,
    /// The reply breaks off after half of the body: the connection is closed.
    HalfBody,
    /// The head of the reply arrives, then nothing for as long as the client waits.
    Stall,
    /// The body of the reply is not JSON; its status stays.
    Garbage,
}

impl Job {
    /// Creates a job that is done at its `polls`-th poll, where a list that shows it counts as one.
    /// With `0` it is done when it starts.
    pub fn polls(polls: u32) -> Self {
        Self::with_pace(Pace::Polls(polls))
    }

    /// Creates a job that takes this long, in real time.
    pub fn lasting(duration: Duration) -> Self {
        Self::with_pace(Pace::Lasting(duration))
    }

    /// Creates a job that is never done unless it is cancelled.
    pub fn endless() -> Self {
        Self::with_pace(Pace::Endless)
    }

    /// Refuses the start call with the HTTP error for this code. No operation is created.
    pub fn refused(code: Code, message: impl Into<String>) -> Self {
        Self { refusal: Some((code, message.into())), ..Self::endless() }
    }

    fn with_pace(pace: Pace) -> Self {
        Self {
            pace,
            name: None,
            queued: 0,
            metadata: Arc::new(|done| json!({ "percent": percent(done) })),
            outcome: Outcome::Response(json!({})),
            cancel: Cancel::After(1),
            expires_at: None,
            hint: None,
            faults: BTreeMap::new(),
            refusal: None,
        }
    }

    /// Sets the name of the operation. It should end in `operations/` and one more segment, where
    /// list calls find it. Default: `operations/` and a number.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Leaves the metadata out of the first `polls` replies, including the start call's: the job
    /// waits in a queue. Default: 0.
    pub fn queued(mut self, polls: u32) -> Self {
        self.queued = polls;
        self
    }

    /// Sets the function that computes the metadata from the fraction done (0 to 1).
    /// [`Value::Null`] means no metadata. Default: `{"percent": 0..=100}`, an integer.
    pub fn metadata(mut self, metadata: impl Fn(f64) -> Value + Send + Sync + 'static) -> Self {
        self.metadata = Arc::new(metadata);
        self
    }

    /// Sets the response with which the job succeeds. Default: `{}`.
    ///
    /// # Panics
    ///
    /// Panics if `response` does not serialize.
    pub fn responds(mut self, response: impl Serialize) -> Self {
        self.outcome = Outcome::Response(value(response));
        self
    }

    /// Ends the job with neither a response nor an error.
    pub fn responds_nothing(mut self) -> Self {
        self.outcome = Outcome::Nothing;
        self
    }

    /// Ends the job with a failure that has this code and message.
    pub fn fails(self, code: Code, message: &str) -> Self {
        self.fails_with(json!({ "code": code.number(), "message": message }))
    }

    /// Ends the job with a failure that has this `google.rpc.Status` (`code`, `message`,
    /// `details`).
    ///
    /// # Panics
    ///
    /// Panics if `status` does not serialize.
    pub fn fails_with(mut self, status: impl Serialize) -> Self {
        self.outcome = Outcome::Error(value(status));
        self
    }

    /// Sets how many polls after the cancel call the job is cancelled. Default: 1, the next poll.
    pub fn cancelled_after(mut self, polls: u32) -> Self {
        self.cancel = Cancel::After(polls);
        self
    }

    /// Accepts cancel calls, but goes on as if there were none.
    pub fn ignores_cancel(mut self) -> Self {
        self.cancel = Cancel::Ignored;
        self
    }

    /// Answers cancel calls with `UNIMPLEMENTED`.
    pub fn without_cancel(mut self) -> Self {
        self.cancel = Cancel::Unimplemented;
        self
    }

    /// Makes the operation expire: from its `poll`-th poll on, it is not found.
    pub fn expires_at(mut self, poll: u32) -> Self {
        self.expires_at = Some(poll);
        self
    }

    /// Adds a hint to every reply until the job is done: poll again after this long (`Retry-After`,
    /// rounded up to whole seconds). Default: no hint.
    pub fn hint(mut self, wait: Duration) -> Self {
        self.hint = Some(wait);
        self
    }

    /// Adds a fault to the reply to the `poll`-th poll. `0` is the start call.
    pub fn fault(mut self, poll: u32, fault: Fault) -> Self {
        self.faults.insert(poll, fault);
        self
    }
}

/// The per cent that are done, in full: an integer, which fields of every type of number can be
/// read from.
fn percent(done: f64) -> u8 {
    (0..=100).rev().find(|percent| f64::from(*percent) <= done * 100.0).unwrap_or(0)
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("pace", &self.pace).field("outcome", &self.outcome.word()).finish_non_exhaustive()
    }
}
