//! How the service writes what is true, in each dialect.

use std::{fmt::Write as _, time::Duration};

use bytes::Bytes;
use lro_runtime::{
    Operations, OperationsBuilder, StartCall, WireOperation,
    dialect::{Acceptor, Azure, Compute, Declared, Google, GoogleGrpc, Http, Jobs, Lxd, Redfish, Waiter},
    http::{HeaderName, HeaderValue, Method, StatusCode},
    transport::{Reply, Request},
};
use serde_json::{Value, json};

use super::truth::{End, Stage};

/// The service's own origin: no request may go to another.
pub(super) const HOST: &str = "service.example.com";

/// A dialect, and the form of it that the service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    Google,
    Grpc,
    Compute,
    Jobs,
    AzureMonitor,
    AzureLocation,
    AzureResource,
    Http,
    Lxd,
    Redfish,
    Waiter,
    Declared,
}

impl Tongue {
    pub(super) const ALL: [Self; 12] = [
        Self::Google,
        Self::Grpc,
        Self::Compute,
        Self::Jobs,
        Self::AzureMonitor,
        Self::AzureLocation,
        Self::AzureResource,
        Self::Http,
        Self::Lxd,
        Self::Redfish,
        Self::Waiter,
        Self::Declared,
    ];

    /// The name under which its histories are counted.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Grpc => "grpc",
            Self::Compute => "compute",
            Self::Jobs => "jobs",
            Self::AzureMonitor => "azure_monitor",
            Self::AzureLocation => "azure_location",
            Self::AzureResource => "azure_resource",
            Self::Http => "http",
            Self::Lxd => "lxd",
            Self::Redfish => "redfish",
            Self::Waiter => "waiter",
            Self::Declared => "declared",
        }
    }

    /// The ends that the dialect can say.
    pub(super) fn ends(self) -> &'static [End] {
        match self {
            // HTTP has no status that says that the work failed.
            Self::Http => &[End::Succeeded],
            Self::Compute | Self::AzureLocation | Self::Waiter => &[End::Succeeded, End::Failed],
            _ => &[End::Succeeded, End::Failed, End::Cancelled],
        }
    }

    /// Whether the dialect has a cancel call.
    pub(super) fn has_cancel(self) -> bool {
        matches!(self, Self::Google | Self::Grpc | Self::Jobs | Self::Lxd | Self::Redfish | Self::Declared)
    }

    /// Whether the dialect has a list call that needs no parent.
    pub(super) fn has_list(self) -> bool {
        matches!(self, Self::Google | Self::Grpc)
    }

    /// Whether a name says as much as a token. Azure's name is a URL, from which the place of the
    /// result cannot be told.
    pub(super) fn has_whole_names(self) -> bool {
        !matches!(self, Self::AzureMonitor | Self::AzureLocation | Self::AzureResource)
    }

    /// Whether a reply of `200` that is no operation can be told from a result. Where a `200` is
    /// the result, whatever it says, it cannot.
    pub(super) fn knows_garbage(self) -> bool {
        !matches!(self, Self::AzureLocation | Self::AzureResource | Self::Http | Self::Redfish | Self::AzureMonitor)
    }

    /// Whether a `403` is a failed poll. A waiter takes it for the failure of what it waits for.
    pub(super) fn knows_refusals(self) -> bool {
        self != Self::Waiter
    }

    /// How long the service remembers an end, if that is part of the dialect.
    pub(super) fn remembers(self) -> Option<Duration> {
        (self == Self::Lxd).then_some(Duration::from_secs(5))
    }

    /// Whether waits hold polls unasked.
    pub(super) fn prefers_held_polls(self) -> bool {
        self == Self::Lxd
    }

    /// Whether the dialect has a poll that the service can hold.
    pub(super) fn has_held_polls(self) -> bool {
        matches!(self, Self::Google | Self::Grpc | Self::Compute | Self::Lxd)
    }

    /// Sets the dialect of a client.
    pub(super) fn spoken_by(self, builder: OperationsBuilder) -> OperationsBuilder {
        match self {
            Self::Google => builder.dialect(Google::new()),
            Self::Grpc => builder.dialect(GoogleGrpc::new()),
            Self::Compute => builder.dialect(Compute::new()),
            Self::Jobs => builder.dialect(Jobs::new()),
            Self::AzureMonitor | Self::AzureLocation | Self::AzureResource => builder.dialect(Azure::new()),
            Self::Http => builder.dialect(Http::new()),
            Self::Lxd => builder.dialect(Lxd::new()),
            Self::Redfish => builder.dialect(Redfish),
            Self::Waiter => builder.dialect(INSTANCE),
            Self::Declared => builder.dialect(Declared::of::<Prediction>()),
        }
    }

    /// Makes the start call with this number.
    pub(super) fn start(self, client: &Operations, start: usize) -> StartCall {
        let name = format!("start-{start:03}");
        match self {
            Self::Grpc => client.call_message("/sim.Images/Export", &Text { text: name }),
            Self::Compute => client
                .call(Method::POST, "compute/v1/projects/p/zones/z/{start}")
                .path("start", name)
                .query("sig", super::SECRET_IN_QUERY)
                .json(&json!({})),
            Self::AzureMonitor | Self::AzureResource => client
                .call(Method::PUT, "things/{start}")
                .path("start", name)
                .query("api-version", "2024-01-01")
                .query("sig", super::SECRET_IN_QUERY)
                .json(&json!({})),
            _ => client
                .call(Method::POST, "v1/things/{start}")
                .path("start", name)
                .query("sig", super::SECRET_IN_QUERY)
                .json(&json!({"size": 7})),
        }
    }
}

/// What a waiter polls.
const INSTANCE: Waiter = Waiter::get("v1/instances/{name}").name_at("instance.id").acceptors(&[
    Acceptor::success_when("instance.state", "ready"),
    Acceptor::failure_when("instance.state", "broken"),
    Acceptor::retry_on_error("NotFound"),
]);

/// A declared wire type.
#[derive(serde::Deserialize, WireOperation)]
#[operation(poll = "v1/predictions/{name}", cancel = "POST v1/predictions/{name}/cancel")]
struct Prediction {
    #[operation(name)]
    id: String,
    #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded")]
    #[operation(failed = "failed", cancelled = "canceled")]
    status: String,
    #[operation(response)]
    output: Option<Value>,
    #[operation(error)]
    error: Option<String>,
    #[operation(progress, of = 100)]
    percent: Option<u32>,
}

/// A message with one text.
#[derive(Clone, PartialEq, lro_runtime::grpc::prost::Message)]
#[prost(prost_path = "lro_runtime::grpc::prost")]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Start an operation, by the number of the call.
    Start(usize),
    Poll(Place),
    /// A poll to be held for as long.
    Hold(Place, Duration),
    Cancel(Place),
    List,
    Unknown,
}

/// Which operation a request is about, and what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Operation(usize),
    /// The result, at a URL of its own.
    Result(usize),
    /// What a start call has made, by the number of the call.
    Made(usize),
}

/// Returns the number after `mark`, of three digits.
pub(super) fn number_after(text: &[u8], mark: &str) -> Option<usize> {
    let at = text.windows(mark.len()).position(|window| window == mark.as_bytes())?;
    let digits = text.get(at + mark.len()..at + mark.len() + 3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Returns the numbers of all operations that are named in a text.
pub(super) fn named_in(text: &[u8]) -> Vec<usize> {
    let mut found = vec![];
    for (at, window) in text.windows(6).enumerate() {
        if window.starts_with(b"op-")
            && let Some(number) = number_after(text.get(at..).unwrap_or_default(), "op-")
            && !found.contains(&number)
        {
            found.push(number);
        }
    }
    found
}

/// Returns the name of an operation within the service.
pub(super) fn name_of(operation: usize) -> String {
    format!("op-{operation:03}")
}

/// Reads a request.
pub(super) fn asked(request: &Request) -> Asked {
    let path = request.uri().path();
    let body = &request.body()[..];
    let operation = number_after(path.as_bytes(), "op-").or_else(|| number_after(body, "op-"));
    let start = number_after(path.as_bytes(), "start-").or_else(|| number_after(body, "start-"));
    let is_read = *request.method() == Method::GET;
    match (operation, start) {
        (Some(operation), _) => {
            let place = if path.contains("result") { Place::Result(operation) } else { Place::Operation(operation) };
            let is_cancel = *request.method() == Method::DELETE || path.to_ascii_lowercase().contains("cancel");
            if is_cancel {
                Asked::Cancel(place)
            } else if path.ends_with("wait") || path.ends_with("WaitOperation") {
                Asked::Hold(place, held_for(request))
            } else {
                Asked::Poll(place)
            }
        }
        (None, Some(start)) if is_read => Asked::Poll(Place::Made(start)),
        (None, Some(start)) => Asked::Start(start),
        (None, None) if path.ends_with("operations") || path.ends_with("ListOperations") => Asked::List,
        (None, None) => Asked::Unknown,
    }
}

/// Returns for how long a poll is to be held: what the request says in seconds, else two minutes.
fn held_for(request: &Request) -> Duration {
    let in_query = request.uri().query().and_then(|query| query.split("timeout=").nth(1));
    let in_body = std::str::from_utf8(request.body()).ok().and_then(|body| body.split("\"timeout\":\"").nth(1));
    let text: String =
        in_query.or(in_body).unwrap_or_default().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    text.parse().map_or(Duration::from_secs(120), Duration::from_secs_f64)
}

/// A reply, and what a client that reads it rightly makes of it.
pub(super) struct Said {
    pub(super) reply: Reply,
    /// Whether it says that the operation has ended.
    pub(super) is_end: bool,
    /// Whether it says to poll again at once, elsewhere.
    pub(super) follow: bool,
}

impl Said {
    fn of(reply: Reply, stage: Stage) -> Self {
        Self { reply, is_end: matches!(stage, Stage::Ended(_)), follow: false }
    }

    fn running(reply: Reply) -> Self {
        Self { reply, is_end: false, follow: false }
    }

    fn elsewhere(reply: Reply) -> Self {
        Self { reply, is_end: false, follow: true }
    }
}

/// Makes a reply.
pub(super) fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = Reply::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    reply
}

fn json_reply(status: u16, body: &Value) -> Reply {
    with(reply(status, body.to_string()), "content-type", "application/json")
}

/// Adds a header to a reply.
pub(super) fn with(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(HeaderName::from_static(name), value);
    }
    reply
}

/// Makes the reply to a start call that has made the operation. The accent decides between the
/// forms in which a service may write the same.
pub(super) fn started(tongue: Tongue, accent: usize, operation: usize, stage: Stage) -> Said {
    let name = name_of(operation);
    let odd = (operation + accent) % 2 == 1;
    match tongue {
        Tongue::AzureMonitor => {
            let body = json!({"id": name, "properties": {"provisioningState": "Creating"}});
            let url = if odd { format!("/ops/{name}") } else { format!("https://{HOST}/ops/{name}") };
            let header = if odd { "operation-location" } else { "azure-asyncoperation" };
            Said::running(with(json_reply(201, &body), header, &url))
        }
        Tongue::AzureLocation | Tongue::Http => {
            let url = if odd { format!("/v1/at/{name}") } else { format!("https://{HOST}/v1/at/{name}") };
            Said::running(with(reply(202, ""), "location", &url))
        }
        Tongue::Redfish => {
            let body = json!({"@odata.id": format!("/tasks/{name}"), "TaskState": "New"});
            Said::running(with(json_reply(202, &body), "location", &format!("/tasks/{name}/monitor")))
        }
        Tongue::Waiter => Said::running(json_reply(200, &json!({"instance": {"id": name}}))),
        Tongue::Lxd => {
            let mut said = polled(tongue, accent, Place::Operation(operation), operation, stage);
            let metadata: Value = serde_json::from_slice(said.reply.body()).unwrap_or_default();
            let path = format!("/1.0/operations/{name}");
            let body = json!({"type": "async", "operation": path, "metadata": metadata.get("metadata")});
            said.reply = with(json_reply(202, &body), "location", &path);
            said
        }
        _ => polled(tongue, accent, Place::Operation(operation), operation, stage),
    }
}

/// Makes the reply to a poll.
#[expect(clippy::too_many_lines, reason = "one dialect after the other")]
pub(super) fn polled(tongue: Tongue, accent: usize, place: Place, operation: usize, stage: Stage) -> Said {
    let nth = operation + accent;
    let name = name_of(operation);
    let why = format!("{name} failed");
    let percent = match stage {
        // Some services count beyond what there is.
        Stage::Running(percent) if nth % 5 == 4 => percent + 150,
        Stage::Running(percent) => percent,
        _ => 0,
    };
    // A service may have words that its clients do not know yet: they mean that it runs.
    let is_odd = nth % 5 == 3;
    let body = match tongue {
        Tongue::Google => google(&format!("operations/{name}"), &why, stage),
        Tongue::Grpc => return Said::of(grpc_ok(google_message(&name, &why, stage)), stage),
        Tongue::Compute => {
            let mut body = json!({
                "name": name, "progress": percent,
                "selfLink": format!("https://{HOST}/compute/v1/projects/p/zones/z/operations/{name}"),
                "status": match stage {
                    Stage::Pending => "PENDING",
                    Stage::Running(_) if is_odd => "ABORTING",
                    Stage::Running(_) => "RUNNING",
                    Stage::Ended(_) => "DONE",
                },
            });
            if stage == Stage::Ended(End::Failed)
                && let Some(body) = body.as_object_mut()
            {
                body.insert("httpErrorStatusCode".to_owned(), json!(409));
                body.insert("httpErrorMessage".to_owned(), json!(why));
                body.insert("error".to_owned(), json!({"errors": [{"code": "BROKEN", "message": why}]}));
            }
            body
        }
        Tongue::Jobs => {
            let word = match stage {
                Stage::Pending => "JOB_STATE_QUEUED",
                Stage::Running(_) if is_odd => "JOB_STATE_WARMING",
                Stage::Running(_) => "JOB_STATE_RUNNING",
                Stage::Ended(End::Succeeded) => "JOB_STATE_SUCCEEDED",
                Stage::Ended(End::Failed) => "JOB_STATE_FAILED",
                Stage::Ended(End::Cancelled) => "JOB_STATE_CANCELLED",
            };
            let error = (stage == Stage::Ended(End::Failed)).then(|| json!({"code": 9, "message": why}));
            json!({"name": format!("jobs/{name}"), "state": word, "error": error})
        }
        Tongue::AzureMonitor if !matches!(place, Place::Operation(_)) => {
            let body = json!({"id": name, "properties": {"provisioningState": "Succeeded"}});
            return Said::of(json_reply(200, &body), Stage::Ended(End::Succeeded));
        }
        Tongue::AzureMonitor => {
            let body = match stage {
                Stage::Pending => json!({"id": name, "status": "NotStarted"}),
                Stage::Running(_) if is_odd => json!({"id": name, "status": "Validating"}),
                Stage::Running(_) => json!({"id": name, "status": "Running", "percentComplete": percent}),
                Stage::Ended(End::Succeeded) => {
                    return Said::elsewhere(json_reply(200, &json!({"id": name, "status": "Succeeded"})));
                }
                Stage::Ended(End::Failed) => {
                    json!({"id": name, "status": "Failed", "error": {"code": "Broken", "message": why}})
                }
                Stage::Ended(End::Cancelled) => json!({"id": name, "status": "Canceled"}),
            };
            // Real services answer 202 while it runs.
            let status = if matches!(stage, Stage::Running(_)) && nth.is_multiple_of(3) { 202 } else { 200 };
            return Said::of(json_reply(status, &body), stage);
        }
        Tongue::AzureLocation => {
            return match stage {
                Stage::Pending | Stage::Running(_) => {
                    let running = json_reply(202, &json!({"percent": percent}));
                    Said::running(if nth % 4 == 1 {
                        with(running, "location", &format!("/v1/at/moved/{name}"))
                    } else {
                        running
                    })
                }
                Stage::Ended(End::Succeeded) => Said::of(json_reply(200, &json!({"of": name})), stage),
                Stage::Ended(_) => {
                    Said::of(json_reply(409, &json!({"error": {"code": "Broken", "message": why}})), stage)
                }
            };
        }
        Tongue::AzureResource => {
            let (word, error) = match stage {
                Stage::Pending | Stage::Running(_) => ("Creating", None),
                Stage::Ended(End::Succeeded) => ("Succeeded", None),
                Stage::Ended(End::Failed) => ("Failed", Some(json!({"code": "Broken", "message": why}))),
                Stage::Ended(End::Cancelled) => ("Canceled", None),
            };
            json!({"id": name, "properties": {"provisioningState": word}, "error": error})
        }
        Tongue::Http => {
            return match (stage, place) {
                (Stage::Ended(_), Place::Operation(_)) if nth.is_multiple_of(2) => {
                    Said::elsewhere(with(reply(303, ""), "location", &format!("/v1/result/{name}")))
                }
                (Stage::Ended(_), _) => Said::of(json_reply(200, &json!({"of": name})), stage),
                _ => Said::running(json_reply(202, &json!({"percent": percent}))),
            };
        }
        Tongue::Lxd => {
            let (code, error) = match stage {
                Stage::Pending => (105, ""),
                Stage::Running(_) if is_odd => (199, ""),
                Stage::Running(_) => (103, ""),
                Stage::Ended(End::Succeeded) => (200, ""),
                Stage::Ended(End::Failed) => (400, &*why),
                Stage::Ended(End::Cancelled) => (401, ""),
            };
            let progress = json!({"download_progress": format!("{percent}% (1MB/s)")});
            json!({"type": "sync", "metadata": {"id": name, "status_code": code, "err": error, "metadata": progress}})
        }
        Tongue::Redfish => {
            let word = match stage {
                Stage::Pending => "Pending",
                Stage::Running(_) if is_odd => "Rebooting",
                Stage::Running(_) => "Running",
                Stage::Ended(End::Succeeded) => {
                    return Said::of(json_reply(200, &json!({"of": name})), stage);
                }
                Stage::Ended(End::Failed) => "Exception",
                Stage::Ended(End::Cancelled) => "Cancelled",
            };
            let messages = json!([{"Message": why}]);
            let body = json!({"@odata.id": format!("/tasks/{name}"), "TaskState": word, "PercentComplete": percent, "Messages": messages});
            let status = if matches!(stage, Stage::Ended(_)) { 200 } else { 202 };
            return Said::of(json_reply(status, &body), stage);
        }
        Tongue::Waiter => {
            let word = match stage {
                Stage::Pending | Stage::Running(_) => "starting",
                Stage::Ended(End::Succeeded) => "ready",
                Stage::Ended(_) => "broken",
            };
            json!({"instance": {"id": name, "state": word}})
        }
        Tongue::Declared => {
            let word = match stage {
                Stage::Pending => "starting",
                Stage::Running(_) if is_odd => "warming",
                Stage::Running(_) => "processing",
                Stage::Ended(End::Succeeded) => "succeeded",
                Stage::Ended(End::Failed) => "failed",
                Stage::Ended(End::Cancelled) => "canceled",
            };
            let output = (stage == Stage::Ended(End::Succeeded)).then(|| json!({"of": name}));
            let error = (stage == Stage::Ended(End::Failed)).then_some(&*why);
            json!({"id": name, "status": word, "output": output, "error": error, "percent": percent})
        }
    };
    Said::of(json_reply(200, &body), stage)
}

/// An operation of `google.longrunning` in JSON.
fn google(name: &str, why: &str, stage: Stage) -> Value {
    let metadata = |percent: u32| json!({"@type": "type.googleapis.com/sim.Progress", "percent": percent});
    match stage {
        Stage::Pending => json!({"name": name}),
        Stage::Running(percent) => json!({"name": name, "metadata": metadata(percent), "done": false}),
        Stage::Ended(End::Succeeded) => {
            json!({"name": name, "done": true, "response": {"@type": "type.googleapis.com/sim.Image", "of": name}})
        }
        Stage::Ended(End::Failed) => json!({"name": name, "done": true, "error": {"code": 9, "message": why}}),
        Stage::Ended(End::Cancelled) => json!({"name": name, "done": true, "error": {"code": 1, "message": why}}),
    }
}

/// A field of a protobuf message whose value has a length. No value here is longer than 127 bytes.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2, u8::try_from(value.len() & 0x7f).unwrap_or_default()];
    bytes.extend_from_slice(value);
    bytes
}

/// The same message as [`google`], in protobuf.
fn google_message(name: &str, why: &str, stage: Stage) -> Vec<u8> {
    let any = |kind: &str, value: &[u8]| {
        [field(1, format!("type.googleapis.com/sim.{kind}").as_bytes()), field(2, value)].concat()
    };
    let mut message = field(1, format!("operations/{name}").as_bytes());
    let status = |code: u8| [vec![1 << 3, code], field(2, why.as_bytes())].concat();
    match stage {
        Stage::Pending => {}
        Stage::Running(_) => message.extend(field(2, &any("Progress", b""))),
        Stage::Ended(end) => {
            message.extend([3 << 3, 1]);
            message.extend(match end {
                End::Succeeded => field(5, &any("Image", &field(1, name.as_bytes()))),
                End::Failed => field(4, &status(9)),
                End::Cancelled => field(4, &status(1)),
            });
        }
    }
    message
}

fn grpc_ok(message: Vec<u8>) -> Reply {
    with(reply(200, message), "grpc-status", "0")
}

/// Makes the reply to a list call, with these operations.
pub(super) fn listed(tongue: Tongue, operations: &[(usize, Stage)]) -> Reply {
    let why = |operation: &usize| format!("{} failed", name_of(*operation));
    if tongue == Tongue::Grpc {
        let entries = operations
            .iter()
            .map(|(of, stage)| field(1, &google_message(&name_of(*of), &why(of), *stage)))
            .collect::<Vec<_>>();
        return grpc_ok(entries.concat());
    }
    let entries =
        operations.iter().map(|(of, stage)| google(&format!("operations/{}", name_of(*of)), &why(of), *stage));
    json_reply(200, &json!({"operations": entries.collect::<Vec<_>>()}))
}

/// Makes the reply to a cancel call that was accepted.
pub(super) fn cancelled(tongue: Tongue) -> Reply {
    match tongue {
        Tongue::Grpc => grpc_ok(vec![]),
        Tongue::Lxd => json_reply(200, &json!({"type": "sync", "metadata": {}})),
        _ => json_reply(200, &json!({})),
    }
}

/// Makes an error reply with this HTTP status, or what corresponds to it.
pub(super) fn error(tongue: Tongue, status: u16, words: &str) -> Reply {
    let rpc = match status {
        404 => 5,
        403 => 7,
        408 | 504 => 4,
        429 => 8,
        501 => 12,
        503 => 14,
        _ => 13,
    };
    match tongue {
        Tongue::Grpc => with(with(reply(200, ""), "grpc-status", &rpc.to_string()), "grpc-message", words),
        Tongue::Waiter => {
            let kind = if status == 404 { "NotFound" } else { "InternalError" };
            json_reply(status, &json!({"__type": kind, "message": words}))
        }
        Tongue::Lxd => json_reply(status, &json!({"type": "error", "error_code": status, "error": words})),
        _ => json_reply(status, &json!({"error": {"code": status, "message": words}})),
    }
}

/// Makes a reply that no service means.
pub(super) fn garbage(kind: usize, whole: &Reply) -> Reply {
    match kind % 4 {
        0 => reply(200, "<html><body>Bad gateway</body></html>"),
        1 => reply(200, whole.body().slice(..whole.body().len() / 2)),
        2 => reply(200, "[]"),
        _ => reply(200, "\u{fffd}\0\0"),
    }
}

/// Writes an amount of time as the script of a history shows it.
pub(super) fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    let mut text = String::new();
    if seconds >= 86_400 {
        let _ = write!(text, "{}d ", seconds / 86_400);
    }
    let _ = write!(
        text,
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        at.subsec_millis()
    );
    text
}
