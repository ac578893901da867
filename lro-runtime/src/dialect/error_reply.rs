//! Error replies: reads HTTP errors and error objects, in the forms that several dialects share.

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::is_object;
use crate::{
    hint::Hint,
    message::Reply,
    status::{Cause, Code, Failure, Status, details::Detail, is_rate_limit},
    text::excerpt,
};

/// Returns the failure for an HTTP error reply: its HTTP status, the error in its body, and its
/// hint.
///
/// The body may have Google's form
/// (`{"error": {"code": 503, "message": …, "status": "UNAVAILABLE", "details": […]}}`) or Azure's
/// (`{"error": {"code": "ServerBusy", "message": …}}`). The beginning of any other body becomes the
/// message.
#[must_use]
pub fn error_reply(reply: &Reply) -> Failure {
    let status = reply.status();
    let said = read_error_body(reply.body(), status);
    // A header says when to ask again at the level of HTTP; Google's services say it in a
    // `RetryInfo` among the details.
    let hint = Hint::from_headers(reply.headers()).or_else(|| said.retry_delay().map(Hint::After));
    Failure::new(Cause::Http(status, said)).with_hint(hint)
}

/// Returns `Ok` for a `2xx`, and the failure made by [`error_reply`] for any other reply.
pub(crate) fn expect_success(reply: &Reply) -> Result<(), Failure> {
    if reply.status().is_success() { Ok(()) } else { Err(error_reply(reply)) }
}

/// Reads the body of an HTTP error, `{"error": {"code", "message", "status", "details"}}`.
///
/// Here `code` is the HTTP status (Google) or the service's own word (Azure). It is not a canonical
/// code, as it would be in an operation's `error`.
fn read_error_body(body: &[u8], status: StatusCode) -> Status {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        error: &'a RawValue,
    }
    // The canonical code where the body does not name one in `status`.
    let by_http = Code::from_http_status(status.as_u16());
    let said = serde_json::from_slice::<Body<'_>>(body).ok().map(|body| read_error(body.error, by_http));
    let said = said.unwrap_or_else(|| {
        let reason = status.canonical_reason().unwrap_or_default();
        // A proxy's HTML page, or a body in some other form: its beginning is the best explanation
        // there is.
        let text = if body.is_empty() {
            reason.to_owned()
        } else {
            // An unregistered status has no reason phrase.
            format!("{reason}: {}", excerpt(body)).trim_start_matches(": ").to_owned()
        };
        Status::new(by_http, text)
    });
    said.with_http_status(status.as_u16())
}

/// Reads an error object of any shape. `code` is a number or a word; `status` is the name of a
/// canonical code.
///
/// A member of an unexpected type is treated as absent. The result has the code `fallback` unless
/// `status` names one.
pub(crate) fn read_error(error: &RawValue, fallback: Code) -> Status {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Lenient<'a> {
        #[serde(borrow)]
        code: Option<&'a RawValue>,
        #[serde(borrow)]
        message: Option<&'a RawValue>,
        #[serde(borrow)]
        status: Option<&'a RawValue>,
        #[serde(borrow)]
        details: Option<&'a RawValue>,
        #[serde(borrow)]
        errors: Option<&'a RawValue>,
    }
    let read = serde_json::from_str::<Lenient<'_>>(error.get()).ok().filter(|_| is_object(error.get().as_bytes()));
    let Some(read) = read else {
        // Some services write `"error": "disk full"`.
        let message = serde_json::from_str::<String>(error.get()).unwrap_or_else(|_| excerpt(error.get().as_bytes()));
        return Status::new(fallback, message);
    };
    let text = |value: Option<&RawValue>| value.and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    let named = text(read.status).and_then(|name| Code::from_name(&name));
    let status = Status::new(named.unwrap_or(fallback), text(read.message).unwrap_or_default())
        .with_details(read_details(read.details));
    // Only a word is the service's own reason. A number here repeats the HTTP status.
    match text(read.code).or_else(|| legacy_reason(read.errors, status.reason())) {
        Some(reason) => status.with_reason(reason),
        None => status,
    }
}

/// Returns the reason in `errors[]`, in which Google's older APIs say what went wrong, where it
/// says more than `known`, the reason of an `ErrorInfo`: there is none, or only the older form says
/// that calls come too fast.
fn legacy_reason(errors: Option<&RawValue>, known: Option<&str>) -> Option<String> {
    #[derive(Deserialize)]
    struct OneError {
        reason: String,
    }
    let elements = serde_json::from_str::<Vec<&RawValue>>(errors?.get()).unwrap_or_default();
    let mut reasons = elements.iter().filter_map(|element| serde_json::from_str::<OneError>(element.get()).ok());
    match known {
        None => reasons.next().map(|error| error.reason),
        Some(known) if is_rate_limit(known) => None,
        Some(_) => reasons.map(|error| error.reason).find(|reason| is_rate_limit(reason)),
    }
}

/// Reads the elements of `details`. Each is kept, whatever its type: one unknown `@type` must not
/// hide the rest of the error.
pub(crate) fn read_details(details: Option<&RawValue>) -> Vec<Detail> {
    let elements = details.and_then(|details| serde_json::from_str::<Vec<&RawValue>>(details.get()).ok());
    elements.unwrap_or_default().into_iter().map(Detail::from_json).collect()
}
