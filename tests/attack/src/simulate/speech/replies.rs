//! Replies, in each dialect.

use bytes::Bytes;
use lro_runtime::{
    http::{HeaderName, HeaderValue, StatusCode},
    transport::Reply,
};
use serde_json::{Value, json};

use super::{HOST, Place, Tongue, name_of};
use crate::simulate::truth::{End, Stage};

/// A reply, and what a client that reads it rightly makes of it.
pub(in crate::simulate) struct Said {
    pub(in crate::simulate) reply: Reply,
    /// Whether it says that the operation has ended.
    pub(in crate::simulate) is_end: bool,
    /// Whether it says to poll again at once, elsewhere.
    pub(in crate::simulate) follow: bool,
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
pub(in crate::simulate) fn reply(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = Reply::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    reply
}

fn json_reply(status: u16, body: &Value) -> Reply {
    with(reply(status, body.to_string()), "content-type", "application/json")
}

/// Adds a header to a reply.
pub(in crate::simulate) fn with(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(HeaderName::from_static(name), value);
    }
    reply
}

/// Makes the reply to a start call that has made the operation. The accent decides between the
/// forms in which a service may write the same.
pub(in crate::simulate) fn started(tongue: Tongue, accent: usize, operation: usize, stage: Stage) -> Said {
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
pub(in crate::simulate) fn polled(tongue: Tongue, accent: usize, place: Place, operation: usize, stage: Stage) -> Said {
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
pub(in crate::simulate) fn listed(tongue: Tongue, operations: &[(usize, Stage)]) -> Reply {
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
pub(in crate::simulate) fn cancelled(tongue: Tongue) -> Reply {
    match tongue {
        Tongue::Grpc => grpc_ok(vec![]),
        Tongue::Lxd => json_reply(200, &json!({"type": "sync", "metadata": {}})),
        _ => json_reply(200, &json!({})),
    }
}

/// Makes an error reply with this HTTP status, or what corresponds to it.
pub(in crate::simulate) fn error(tongue: Tongue, status: u16, words: &str) -> Reply {
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
pub(in crate::simulate) fn garbage(kind: usize, whole: &Reply) -> Reply {
    match kind % 4 {
        0 => reply(200, "<html><body>Bad gateway</body></html>"),
        1 => reply(200, whole.body().slice(..whole.body().len() / 2)),
        2 => reply(200, "[]"),
        _ => reply(200, "\u{fffd}\0\0"),
    }
}
