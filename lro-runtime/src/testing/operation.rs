//! Operations in a given state, without a service.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{VirtualClock, scripted::fail};
use crate::{
    client::Operations,
    error::Result,
    message::{Reply, Request},
    operation::{Operation, OperationState, RawOperation},
    transport::{BoxFuture, Transport, TransportError},
    url::redacted,
};

/// The members that a message can have.
const MEMBERS: [&str; 5] = ["name", "metadata", "done", "response", "error"];

/// Returns an operation in the state that `message` gives it, without a service: for tests of code
/// that takes an operation, and for what a mock of an SDK returns.
///
/// `message` is a JSON object as `google.longrunning` writes an operation, whatever dialect the
/// method has:
///
/// | message | state |
/// |---|---|
/// | `{}` | pending |
/// | `{"metadata": …}` | running |
/// | `{"response": …}`, or `{"done": true}` if the response is `()` | succeeded |
/// | `{"error": {"code": 5, "message": "…"}}` | failed; cancelled if the code is 1 |
///
/// Each may have `metadata`. Without a `name`, the operation is named `operations/1`. Payloads are
/// decoded as in production: the method's `pending`, `progress` and `classify` apply, and one that
/// is not of its declared type is an error of kind [`Decode`](crate::ErrorKind::Decode). A method
/// with `encoding = proto` reads no JSON, so that only its states without payloads can be had this
/// way.
///
/// ```
/// use lro_runtime::{Operations, RawOperation, Result, long_running, testing};
/// use serde_json::json;
///
/// # #[derive(serde::Deserialize)]
/// # pub struct ExportedImage { pub uri: String }
/// # #[derive(serde::Deserialize)]
/// # pub struct ExportProgress { pub percent: f64 }
/// # pub struct ImageClient { operations: Operations }
/// # #[long_running]
/// # impl ImageClient {
/// #     #[long_running(response = ExportedImage, metadata = ExportProgress, progress(percent, of = 100))]
/// #     pub async fn export_image(&self, image: &str) -> Result<RawOperation> {
/// #         self.operations.post("v1/images:export", &json!({ "image": image })).await
/// #     }
/// # }
/// // What is tested:
/// fn label(operation: &ExportImageOperation) -> String {
///     match operation.state() {
///         ExportImageState::Succeeded { response, .. } => format!("exported to {}", response.uri),
///         ExportImageState::Failed { status, .. } => format!("failed: {}", status.message()),
///         _ => format!("{:.0} %", 100.0 * operation.progress().unwrap_or(0.0)),
///     }
/// }
///
/// assert_eq!(label(&testing::operation(json!({ "metadata": { "percent": 40 } }))), "40 %");
/// assert_eq!(label(&testing::operation(json!({ "response": { "uri": "gs://cat.png" } }))), "exported to gs://cat.png");
/// assert_eq!(label(&testing::operation(json!({ "error": { "code": 8, "message": "no space" } }))), "failed: no space");
/// ```
///
/// # Panics
///
/// Panics if `message` is not such an object, and later if the operation sends a request: there is
/// no service behind it. For code that polls, use a
/// [`ScriptedTransport`](super::ScriptedTransport).
#[track_caller]
pub fn operation<S: OperationState>(message: impl Serialize) -> Operation<S> {
    match serde_json::to_value(message) {
        Ok(Value::Object(message)) => untyped(message, S::METHOD).typed(),
        Ok(other) => fail(&format!("`{other}` is not the message of an operation: expected an object")),
        Err(error) => fail(&format!("the message of an operation does not serialize: {error}")),
    }
}

/// Returns the operation of `method` in the state that `message` gives it.
#[track_caller]
fn untyped(mut message: Map<String, Value>, method: &'static crate::Method) -> RawOperation {
    if let Some(unknown) = message.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        fail(&format!("`{unknown}` is not a member of an operation's message: legal are {}", MEMBERS.join(", ")));
    }
    if message.contains_key("response") && message.contains_key("error") {
        fail("an operation's message has a `response` or an `error`, not both");
    }
    if let Some(done) = message.get("done").filter(|done| !done.is_boolean()) {
        fail(&format!("`done` of an operation's message is `{done}`: expected `true` or `false`"));
    }
    let is_done = message.contains_key("response") || message.contains_key("error");
    if is_done && message.get("done") == Some(&Value::Bool(false)) {
        fail("an operation's message with a `response` or an `error` is done: leave `done` out");
    }
    message.entry("name").or_insert_with(|| json!("operations/1"));
    message.entry("done").or_insert_with(|| json!(is_done));
    let operation = client().and_then(|client| client.adopt_as(Value::Object(message).to_string().into(), method));
    // Not by a closure, which would be the place that the panic names.
    let operation = match operation {
        Ok(operation) => operation,
        Err(error) => fail(&error.to_string()),
    };
    // A service may start an operation under such a name; a test that writes one is mistaken.
    if let Some(why) = operation.snapshot.place().and_then(|place| place.check_place().err()) {
        fail(&why.to_string());
    }
    operation
}

/// The client of operations that have no service.
fn client() -> Result<Operations> {
    Operations::builder("http://no-service.test").transport(NoService).timer(VirtualClock::new()).build()
}

/// The transport of operations that have no service: fails the test on any request.
struct NoService;

impl Transport for NoService {
    fn send<'a>(&'a self, request: &'a Request, _max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        // The path only: the query may hold a secret, and panic messages end up in test logs.
        let (method, path) = (request.method(), redacted(request.uri().path()));
        fail(&format!(
            "unexpected request: {method} {path}; an operation made by `testing::operation` has no service: for code \
             that polls or cancels, use `ScriptedTransport`"
        ))
    }
}
