use std::{collections::VecDeque, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    message::{Reply, Request},
    status::Code,
    transport::{TransportError, TransportErrorKind},
};

/// What a [`ScriptedTransport`](super::ScriptedTransport) answers: one reply for each request, in order.
///
/// Each method that names a reply adds it; each that describes one (`metadata`, [`taking`](Self::taking), [`hint`](Self::hint), [`header`](Self::header),
/// [`to`](Self::to)) describes the reply added last. The first reply answers the start call, or the first look at an operation that is resumed. Replies of
/// `google.longrunning` carry the operation's name by themselves.
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
    /// The metadata of running replies, and of what follows them.
    metadata: Option<Value>,
}

/// One reply, and what it answers.
#[derive(Clone)]
pub(super) struct Step {
    label: String,
    pub(super) expected: Expected,
    pub(super) answer: Answer,
    pub(super) latency: Duration,
    pub(super) last: Last,
}

/// How many requests one step answers.
#[derive(Clone, Copy)]
pub(super) enum Last {
    Times(u32),
    /// All until this much time has passed since its turn came.
    For(Duration),
    /// All, until the next step answers what this one does not.
    Forever,
}

#[derive(Clone)]
pub(super) enum Answer {
    Reply(Reply),
    Error(TransportError),
    Never,
}

/// Which request a step answers.
#[derive(Clone)]
pub(super) enum Expected {
    /// A start call or a look: whatever has no verb of its own.
    Poll,
    /// The call `:cancel`.
    Cancel,
    /// `DELETE`.
    Delete,
    /// This one.
    Exactly(Method, String),
    /// Any.
    Any,
}

impl Script {
    /// The script of an operation of the name `operations/1`.
    pub fn new() -> Self {
        Self::named("operations/1")
    }

    /// The script of an operation of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), path: None, steps: VecDeque::new(), metadata: None }
    }

    /// Follows this script for requests whose path begins with `path`: of several scripts on one transport, in dialects whose requests do not end in
    /// the operation's name.
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Accepted, not started: neither done nor with metadata.
    pub fn pending(self) -> Self {
        let operation = self.operation();
        self.poll("pending", operation)
    }

    /// Running, `times` times, with the last metadata said, or `{}`.
    pub fn running(self, times: u32) -> Self {
        self.running_step("running", Last::Times(times))
    }

    /// Running with this metadata.
    ///
    /// # Panics
    ///
    /// When `metadata` does not serialize.
    pub fn running_with(mut self, metadata: impl Serialize) -> Self {
        self.metadata = Some(value(metadata));
        self.running(1)
    }

    /// Running, with the last metadata said or `{}`, for this long: however often it is looked at, until the clock has moved on by `duration` since this
    /// reply's turn came. The transport needs a [clock](super::ScriptedTransport::with_clock).
    pub fn running_for(self, duration: Duration) -> Self {
        self.running_step(&format!("running for {duration:?}"), Last::For(duration))
    }

    /// Running, with the last metadata said or `{}`, however often it is looked at. The reply after this one is for another call, such as
    /// [`cancel_accepted`](Self::cancel_accepted); if there is none, the script is finished.
    pub fn running_forever(self) -> Self {
        self.running_step("running forever", Last::Forever)
    }

    /// Done with this response.
    ///
    /// # Panics
    ///
    /// When `response` does not serialize.
    pub fn done(self, response: impl Serialize) -> Self {
        self.ended("done", "response", value(response))
    }

    /// Done, with neither a response nor an error.
    pub fn done_without_result(self) -> Self {
        let mut operation = self.operation();
        operation.insert("done".to_owned(), json!(true));
        self.poll("done without a result", operation)
    }

    /// Done: failed with this code and message.
    pub fn failed(self, code: Code, message: &str) -> Self {
        self.failed_with(json!({ "code": code.number(), "message": message }))
    }

    ///
    /// # Panics
    ///
    /// When `status` does not serialize.
    pub fn failed_with(self, status: impl Serialize) -> Self {
        self.ended("failed", "error", value(status))
    }

    /// Done: cancelled.
    pub fn cancelled(self) -> Self {
        self.ended("cancelled", "error", json!({ "code": Code::Cancelled.number(), "message": "cancelled" }))
    }

    /// The request to cancel, accepted.
    pub fn cancel_accepted(self) -> Self {
        self.step("cancel accepted", Expected::Cancel, Answer::Reply(reply(StatusCode::OK, &json!({}))))
    }

    /// The request to delete, accepted.
    pub fn delete_accepted(self) -> Self {
        self.step("delete accepted", Expected::Delete, Answer::Reply(reply(StatusCode::OK, &json!({}))))
    }

    /// HTTP 503, in answer to any request.
    pub fn unavailable(self) -> Self {
        self.error(Code::Unavailable, "try again")
    }

    /// The HTTP error that stands for this code, with the body that Google's services send, in answer to any request.
    pub fn error(self, code: Code, message: &str) -> Self {
        let http = code.http_status();
        let body = json!({ "error": { "code": http, "message": message, "status": code.name() } });
        self.http(http, body.to_string())
    }

    /// This HTTP status with this body, in answer to any request.
    ///
    /// # Panics
    ///
    /// When `status` is none: below 100 or above 999.
    pub fn http(self, status: u16, body: impl Into<Bytes>) -> Self {
        let mut reply = Reply::new(body.into());
        *reply.status_mut() = legal(StatusCode::from_u16(status), "an HTTP status");
        self.reply(reply)
    }

    /// HTTP 200 with bytes that are no message of any dialect, in answer to any request.
    pub fn garbage(self, body: impl Into<Bytes>) -> Self {
        self.step("garbage", Expected::Any, Answer::Reply(Reply::new(body.into())))
    }

    /// This reply as it is, in answer to any request: for other dialects.
    pub fn reply(self, reply: Reply) -> Self {
        let label = format!("HTTP {}", reply.status().as_u16());
        self.step(&label, Expected::Any, Answer::Reply(reply))
    }

    /// HTTP 200 with this JSON, in answer to any request: for other dialects.
    ///
    /// # Panics
    ///
    /// When `body` does not serialize.
    pub fn json(self, body: impl Serialize) -> Self {
        self.reply(reply(StatusCode::OK, &value(body)))
    }

    /// No reply but an error of the transport, in answer to any request.
    pub fn transport_error(self, kind: TransportErrorKind) -> Self {
        let error = TransportError::message(kind, "as the script says");
        self.step(&format!("{kind:?}"), Expected::Any, Answer::Error(error))
    }

    /// No reply ever, to any request: the caller's patience is tested.
    pub fn silence(self) -> Self {
        self.step("silence", Expected::Any, Answer::Never)
    }

    /// That reply takes this long. The transport needs a [clock](super::ScriptedTransport::with_clock).
    pub fn taking(self, latency: Duration) -> Self {
        self.describe(|step| step.latency = latency)
    }

    /// That reply asks to be asked again after this long (`retry-after-ms`).
    pub fn hint(self, wait: Duration) -> Self {
        self.header("retry-after-ms", &wait.as_millis().to_string())
    }

    /// That reply has this header, too.
    ///
    /// # Panics
    ///
    /// When it is not a legal header.
    pub fn header(self, name: &str, value: &str) -> Self {
        let name = legal(name.parse::<HeaderName>(), "a header name");
        let value = legal(HeaderValue::from_bytes(value.as_bytes()), "a header value");
        self.describe(|step| match &mut step.answer {
            Answer::Reply(reply) => {
                reply.headers_mut().append(name, value);
            }
            Answer::Error(_) | Answer::Never => wrong_script("a reply that never comes has no headers"),
        })
    }

    /// That reply answers this request and no other: its method, and its path with the query.
    ///
    /// # Panics
    ///
    /// When `method` is not a legal method.
    pub fn to(self, method: &str, path: &str) -> Self {
        let expected = Expected::Exactly(legal(method.parse(), "a method"), path.to_owned());
        self.describe(|step| step.expected = expected)
    }

    fn operation(&self) -> Map<String, Value> {
        Map::from_iter([("name".to_owned(), json!(self.name))])
    }

    fn running_step(self, label: &str, last: Last) -> Self {
        let mut operation = self.operation();
        operation.insert("metadata".to_owned(), self.metadata.clone().unwrap_or_else(|| json!({})));
        self.poll(label, operation).describe(|step| step.last = last)
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
        let (latency, last) = (Duration::ZERO, Last::Times(1));
        self.steps.push_back(Step { label: label.to_owned(), expected, answer, latency, last });
        self
    }

    fn describe(mut self, change: impl FnOnce(&mut Step)) -> Self {
        match self.steps.back_mut() {
            Some(step) => change(step),
            None => wrong_script("there is no reply yet to describe"),
        }
        self
    }
}

impl Step {
    /// Whether it answers this request.
    pub(super) fn answers(&self, request: &Request) -> bool {
        let path = request.uri().path();
        match &self.expected {
            Expected::Any => true,
            Expected::Cancel => request.method() == Method::POST && path.ends_with(":cancel"),
            Expected::Delete => request.method() == Method::DELETE,
            Expected::Poll => request.method() != Method::DELETE && !path.ends_with(":cancel"),
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
        if let Last::Times(times @ (0 | 2..)) = self.last {
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
        write!(f, "Script({}: {self})", self.path.as_deref().unwrap_or(&self.name))
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

pub(super) fn value(from: impl Serialize) -> Value {
    legal(serde_json::to_value(from), "a value that serializes")
}

fn legal<T, E: fmt::Display>(result: Result<T, E>, what: &str) -> T {
    result.unwrap_or_else(|error| wrong_script(&format!("expected {what}: {error}")))
}

#[expect(clippy::panic, reason = "a test with a wrong script must fail, where the script is written")]
#[track_caller]
fn wrong_script(why: &str) -> ! {
    panic!("wrong script: {why}")
}
