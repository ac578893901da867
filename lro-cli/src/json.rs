//! The objects of `--json`: one line for each operation. Their shape is documented in the book,
//! `docs/book/command.md`.

use lro_runtime::{Error, ErrorKind, RawOperation, Status, dialect::Payload};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{describe, text::is_printable, words};

/// One operation, as `--json` writes it.
#[derive(Serialize)]
pub struct Object<'a> {
    name: &'a str,
    dialect: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<StatusObject<'a>>,
    /// What was asked of the service: `cancel` or `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'static str>,
    /// Why the last poll failed, while the wait goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_poll: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorObject>,
    token: String,
}

/// Why an operation failed or was cancelled.
#[derive(Serialize)]
struct StatusObject<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Box<RawValue>>,
}

/// Why the command does not know how an operation ended.
#[derive(Serialize)]
struct ErrorObject {
    kind: &'static str,
    message: String,
}

impl<'a> Object<'a> {
    /// Makes the object of a snapshot.
    pub fn of(operation: &'a RawOperation, dialect: &'a str) -> Self {
        Self {
            name: operation.name(),
            dialect,
            state: describe::state(operation).map(|state| state.to_string()),
            progress: operation.progress(),
            raw_status: operation.raw_status(),
            message: operation.status_message().filter(|_| operation.status().is_none()),
            metadata: operation.metadata().map(payload),
            response: operation.response().map(payload),
            status: operation.status().map(status),
            asked: None,
            failed_poll: None,
            error: None,
            token: operation.token().to_string(),
        }
    }

    /// Adds the error that ended a wait or a call.
    pub fn error(self, error: Option<&Error>) -> Self {
        let error = error.map(|error| ErrorObject { kind: kind(error.kind()), message: words::of(error) });
        Self { error, ..self }
    }

    /// Adds why the last poll failed.
    pub fn failed_poll(self, failed_poll: Option<&'a str>) -> Self {
        Self { failed_poll, ..self }
    }

    /// Adds what was asked of the service.
    pub fn asked(self, asked: &'static str) -> Self {
        Self { asked: Some(asked), ..self }
    }

    /// Returns the object on one line.
    pub fn line(&self) -> String {
        // Strings, numbers and JSON text: there is nothing in it that cannot be written.
        serde_json::to_string(self).map(|line| compact(&line)).unwrap_or_default()
    }
}

fn status(status: &Status) -> StatusObject<'_> {
    let details = status.details().iter().filter_map(|detail| raw(detail.json()));
    StatusObject {
        code: status.code().name(),
        reason: status.reason(),
        message: status.message(),
        details: details.collect(),
    }
}

/// Returns the word of an error's kind.
fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Poll => "poll",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Protocol => "protocol",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::InvalidToken => "invalid_token",
        ErrorKind::InvalidSettings => "invalid_settings",
        ErrorKind::UntrustedUrl => "untrusted_url",
        _ => "other",
    }
}

/// Returns a payload as JSON: as it is, or as a string if the service's is none.
fn payload(payload: Payload<'_>) -> Box<RawValue> {
    let text = String::from_utf8_lossy(payload.bytes());
    raw(&text).or_else(|| serde_json::value::to_raw_value(&text).ok()).unwrap_or_default()
}

fn raw(json: &str) -> Option<Box<RawValue>> {
    serde_json::from_str::<&RawValue>(json).ok().map(ToOwned::to_owned)
}

/// Returns JSON text on one line: without white space between its parts, and with the characters
/// escaped that a terminal would take for commands.
pub fn compact(json: &str) -> String {
    let (mut out, mut is_string, mut is_escaped) = (String::with_capacity(json.len()), false, false);
    for c in json.chars() {
        if !is_string && c.is_ascii_whitespace() {
            continue;
        }
        if c == '"' && !is_escaped {
            is_string = !is_string;
        }
        is_escaped = is_string && c == '\\' && !is_escaped;
        if is_printable(c) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_of_a_service_is_one_line_and_means_the_same() {
        let pretty = "{\n  \"a b\" : [ 1.50, \"x \\\" \\\\\" , \"\u{9b}2J\u{202e}\" ]\n}";
        let line = compact(pretty);
        assert_eq!(line, r#"{"a b":[1.50,"x \" \\","\u009b2J\u202e"]}"#);
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).ok();
        assert_eq!(value(&line), value(pretty));
    }
}
