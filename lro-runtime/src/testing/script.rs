//! Scripts: the replies that a [`ScriptedTransport`](super::ScriptedTransport) gives.

use std::{collections::VecDeque, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    message::{Reply, Request},
    status::Code,
    text::{line, redacted},
    transport::{TransportError, TransportErrorKind},
};

/// The replies of a [`ScriptedTransport`](super::ScriptedTransport): one for each request, in
/// order.
///
/// Methods that name a reply add it to the script. Methods that describe a reply
/// ([`taking`](Self::taking), [`hint`](Self::hint), [`header`](Self::header), [`to`](Self::to))
/// change the reply that was added last. The first reply answers the start call, or the first poll
/// of an operation that is resumed. Replies of `google.longrunning` contain the operation's name
/// without further calls.
///
/// ```
/// use lro_runtime::testing::Script;
/// use serde_json::json;
///
/// let export = Script::new().running(3).unavailable().done(json!({ "uri": "gs://pictures/cat.png" }));
/// assert_eq!(export.to_string(), "running ×3, HTTP 503, done");
///
/// let slow = Script::named("operations/export-7")
///     .pending()
///     .hint(std::time::Duration::from_secs(30))
///     .running_with(json!({ "percent": 50 }))
///     .taking(std::time::Duration::from_secs(2))
///     .done(json!({}));
/// # let _ = slow;
/// ```
#[derive(Clone)]
#[must_use = "a script does nothing until a transport follows it"]
pub struct Script {
    pub(super) name: String,
    pub(super) path: Option<String>,
    pub(super) steps: VecDeque<Step>,
    /// The metadata of running replies, and of the replies after them.
    metadata: Option<Value>,
}

/// One reply, and which requests it answers.
#[derive(Clone)]
pub(super) struct Step {
    label: String,
    pub(super) expected: Expected,
    pub(super) answer: Answer,
    pub(super) latency: Duration,
    pub(super) repeat: Repeat,
}

/// How many requests one step answers.
#[derive(Clone, Copy)]
pub(super) enum Repeat {
    Times(u32),
    /// All requests until this much time has passed since the step became the current one.
    For(Duration),
    /// All requests that it can answer. The first other request moves on to the next step.
    Forever,
}

/// What a step answers with. `Never` leaves the request pending for ever.
#[derive(Clone)]
pub(super) enum Answer {
    Reply(Reply),
    Error(TransportError),
    Never,
}

/// Which request a step answers.
#[derive(Clone)]
pub(super) enum Expected {
    /// A start call or a poll: any request other than a cancel or delete call.
    Poll,
    /// A `POST` whose path ends in `:cancel`.
    Cancel,
    /// A `DELETE`.
    Delete,
    /// The request with this method and this path with query.
    Exactly(Method, String),
    /// Any request.
    Any,
}

impl Script {
    /// Creates an empty script for an operation named `operations/1`.
    pub fn new() -> Self {
        Self::named("operations/1")
    }

    /// Creates an empty script for an operation with this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), path: None, steps: VecDeque::new(), metadata: None }
    }

    /// Uses this script for requests whose path begins with `path`. This is for several scripts on
    /// one transport, in dialects whose paths do not end in the operation's name.
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Adds a pending reply: not done, without metadata.
    pub fn pending(self) -> Self {
        let operation = self.operation();
        self.poll("pending", operation)
    }

    /// Adds `times` running replies, with the most recent metadata or `{}`.
    pub fn running(self, times: u32) -> Self {
        self.running_step("running", Repeat::Times(times))
    }

    /// Adds a running reply with this metadata. Later replies repeat the metadata.
    ///
    /// # Panics
    ///
    /// Panics if `metadata` does not serialize.
    pub fn running_with(mut self, metadata: impl Serialize) -> Self {
        self.metadata = Some(value(metadata));
        self.running(1)
    }

    /// Adds a running reply that answers every poll for this long: until the clock has moved on by
    /// `duration` since this reply became the current one. It has the most recent metadata or `{}`.
    /// The transport needs a [clock](super::ScriptedTransport::with_clock).
    pub fn running_for(self, duration: Duration) -> Self {
        self.running_step(&format!("running for {duration:?}"), Repeat::For(duration))
    }

    /// Adds a running reply that answers every poll. It has the most recent metadata or `{}`. The
    /// reply after it is for another call, such as [`cancel_accepted`](Self::cancel_accepted).
    /// Without a reply after it, the script counts as finished.
    pub fn running_forever(self) -> Self {
        self.running_step("running forever", Repeat::Forever)
    }

    /// Adds a reply that says: done, succeeded with this response.
    ///
    /// # Panics
    ///
    /// Panics if `response` does not serialize.
    pub fn done(self, response: impl Serialize) -> Self {
        self.ended("done", "response", value(response))
    }

    /// Adds a reply that says: done, with neither a response nor an error.
    pub fn done_without_result(self) -> Self {
        let mut operation = self.operation();
        operation.insert("done".to_owned(), json!(true));
        self.poll("done without a result", operation)
    }

    /// Adds a reply that says: done, failed with this code and message.
    pub fn failed(self, code: Code, message: &str) -> Self {
        self.failed_with(json!({ "code": code.number(), "message": message }))
    }

    /// Adds a reply that says: done, failed with this `google.rpc.Status` (`code`, `message`,
    /// `details`).
    ///
    /// # Panics
    ///
    /// Panics if `status` does not serialize.
    pub fn failed_with(self, status: impl Serialize) -> Self {
        self.ended("failed", "error", value(status))
    }

    /// Adds a reply that says: done, cancelled.
    pub fn cancelled(self) -> Self {
        self.ended("cancelled", "error", json!({ "code": Code::Cancelled.number(), "message": "cancelled" }))
    }

    /// Adds a reply that accepts a cancel call.
    pub fn cancel_accepted(self) -> Self {
        self.step("cancel accepted", Expected::Cancel, Answer::Reply(reply(StatusCode::OK, &json!({}))))
    }

    /// Adds a reply that accepts a delete call.
    pub fn delete_accepted(self) -> Self {
        self.step("delete accepted", Expected::Delete, Answer::Reply(reply(StatusCode::OK, &json!({}))))
    }

    /// Adds an HTTP 503 reply to any request.
    pub fn unavailable(self) -> Self {
        self.error(Code::Unavailable, "try again")
    }

    /// Adds an HTTP error reply to any request: the HTTP status of this code, with a body as
    /// Google's services send it.
    pub fn error(self, code: Code, message: &str) -> Self {
        let http = code.http_status();
        // In an error body `code` is the HTTP status, unlike in an operation's `error`, where it is
        // the `google.rpc.Code`.
        let body = json!({ "error": { "code": http, "message": message, "status": code.name() } });
        self.http(http, body.to_string())
    }

    /// Adds a reply to any request with this HTTP status and body.
    ///
    /// # Panics
    ///
    /// Panics if `status` is not an HTTP status: below 100 or above 999.
    pub fn http(self, status: u16, body: impl Into<Bytes>) -> Self {
        let mut reply = Reply::new(body.into());
        *reply.status_mut() = checked(StatusCode::from_u16(status), "an HTTP status");
        self.reply(reply)
    }

    /// Adds an HTTP 200 reply to any request whose body is not a message in any dialect.
    pub fn garbage(self, body: impl Into<Bytes>) -> Self {
        self.step("garbage", Expected::Any, Answer::Reply(Reply::new(body.into())))
    }

    /// Adds this reply unchanged, for any request. This is for dialects other than
    /// `google.longrunning`, and for replies that are no operation, such as a page of a list.
    pub fn reply(self, reply: Reply) -> Self {
        let label = format!("HTTP {}", reply.status().as_u16());
        self.step(&label, Expected::Any, Answer::Reply(reply))
    }

    /// Adds an HTTP 200 reply to any request with this JSON body. This is for dialects other than
    /// `google.longrunning`, and for replies that are no operation, such as a page of a list.
    ///
    /// # Panics
    ///
    /// Panics if `body` does not serialize.
    pub fn json(self, body: impl Serialize) -> Self {
        self.reply(reply(StatusCode::OK, &value(body)))
    }

    /// Adds a transport error of this kind instead of a reply, for any request.
    pub fn transport_error(self, kind: TransportErrorKind) -> Self {
        let error = TransportError::message(kind, "as the script says");
        self.step(&format!("{kind:?}"), Expected::Any, Answer::Error(error))
    }

    /// Adds a request of any kind that never gets a reply, to test the caller's time limits.
    pub fn silence(self) -> Self {
        self.step("silence", Expected::Any, Answer::Never)
    }

    /// Delays the reply added last by `latency`. The transport needs a
    /// [clock](super::ScriptedTransport::with_clock).
    ///
    /// # Panics
    ///
    /// Panics if the script has no reply yet.
    pub fn taking(self, latency: Duration) -> Self {
        self.change_last(|step| step.latency = latency)
    }

    /// Adds a hint to the reply added last: poll again after this long (`retry-after-ms`).
    ///
    /// # Panics
    ///
    /// Panics under the conditions of [`header`](Self::header).
    pub fn hint(self, wait: Duration) -> Self {
        // `Retry-After` has whole seconds only.
        self.header("retry-after-ms", &wait.as_millis().to_string())
    }

    /// Adds a header to the reply added last.
    ///
    /// # Panics
    ///
    /// Panics if the header is not valid, if the script has no reply yet, or if that step is an
    /// error or a silence.
    pub fn header(self, name: &str, value: &str) -> Self {
        let name = checked(name.parse::<HeaderName>(), "a header name");
        let value = checked(HeaderValue::from_bytes(value.as_bytes()), "a header value");
        self.change_last(|step| match &mut step.answer {
            Answer::Reply(reply) => {
                reply.headers_mut().append(name, value);
            }
            // Ignoring the header would make the test pass for the wrong reason.
            Answer::Error(_) | Answer::Never => wrong_script("a transport error or a silence has no headers"),
        })
    }

    /// Restricts the reply added last to requests with this method and exactly this path with
    /// query.
    ///
    /// # Panics
    ///
    /// Panics if `method` is not a valid method, or if the script has no reply yet.
    pub fn to(self, method: &str, path: &str) -> Self {
        let expected = Expected::Exactly(checked(method.parse(), "a method"), path.to_owned());
        self.change_last(|step| step.expected = expected)
    }

    /// Returns a `google.longrunning.Operation` with only a name.
    fn operation(&self) -> Map<String, Value> {
        Map::from_iter([("name".to_owned(), json!(self.name))])
    }

    fn running_step(self, label: &str, repeat: Repeat) -> Self {
        let mut operation = self.operation();
        // Metadata is what tells running from pending, so there must be some.
        operation.insert("metadata".to_owned(), self.metadata.clone().unwrap_or_else(|| json!({})));
        self.poll(label, operation).change_last(|step| step.repeat = repeat)
    }

    fn ended(self, label: &str, member: &str, outcome: Value) -> Self {
        let mut operation = self.operation();
        if let Some(metadata) = self.metadata.clone() {
            operation.insert("metadata".to_owned(), metadata);
        }
        operation.insert("done".to_owned(), json!(true));
        operation.insert(member.to_owned(), outcome);
        self.poll(label, operation)
    }

    fn poll(self, label: &str, operation: Map<String, Value>) -> Self {
        self.step(label, Expected::Poll, Answer::Reply(reply(StatusCode::OK, &Value::Object(operation))))
    }

    fn step(mut self, label: &str, expected: Expected, answer: Answer) -> Self {
        let (latency, repeat) = (Duration::ZERO, Repeat::Times(1));
        self.steps.push_back(Step { label: label.to_owned(), expected, answer, latency, repeat });
        self
    }

    /// Changes the step added last.
    fn change_last(mut self, change: impl FnOnce(&mut Step)) -> Self {
        match self.steps.back_mut() {
            Some(step) => change(step),
            None => wrong_script("the script has no reply yet for this call to change"),
        }
        self
    }
}

impl Step {
    /// Returns whether this step answers `request`, which may be the start call.
    pub(super) fn answers(&self, request: &Request, is_start: bool) -> bool {
        let path = request.uri().path();
        match &self.expected {
            Expected::Any => true,
            Expected::Cancel => request.method() == Method::POST && path.ends_with(":cancel"),
            Expected::Delete => request.method() == Method::DELETE,
            Expected::Poll => is_start || (request.method() != Method::DELETE && !path.ends_with(":cancel")),
            Expected::Exactly(method, target) => {
                request.method() == method
                    && request.uri().path_and_query().is_some_and(|found| found == target.as_str())
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        // `Times(1)` is the normal case and shows no count.
        if let Repeat::Times(times @ (0 | 2..)) = self.repeat {
            write!(f, " ×{times}")?;
        }
        match &self.expected {
            Expected::Exactly(method, target) => write!(f, " to {method} {target}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.steps.iter().map(ToString::to_string).collect();
        f.write_str(if steps.is_empty() { "nothing more" } else { "" })?;
        f.write_str(&steps.join(", "))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = redacted(self.path.as_deref().unwrap_or(&self.name));
        write!(f, "Script({}: {})", line(&name), line(&self.to_string()))
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

fn reply(status: StatusCode, body: &Value) -> Reply {
    let mut reply = Reply::new(body.to_string().into());
    *reply.status_mut() = status;
    reply.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// Serializes a value for a reply, or fails the test.
pub(super) fn value(from: impl Serialize) -> Value {
    checked(serde_json::to_value(from), "a value that serializes")
}

fn checked<T, E: fmt::Display>(result: Result<T, E>, what: &str) -> T {
    result.unwrap_or_else(|error| wrong_script(&format!("expected {what}: {error}")))
}

#[expect(clippy::panic, reason = "a test with a wrong script must fail, where the script is written")]
#[track_caller]
fn wrong_script(why: &str) -> ! {
    panic!("wrong script: {why}")
}
