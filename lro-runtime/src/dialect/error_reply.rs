//! Error replies: reads HTTP errors and error objects, in the forms that several dialects share.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::value::RawValue;

use super::{
    declared::{
        WirePath,
        seek::{Paths, seek},
    },
    json::{MOST_ELEMENTS, each_element, first_elements, shown, string},
};
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
    const ERROR: Paths<1> = Paths::NONE.with(0, WirePath::at(&[&["error"]]));
    let mut found = [None];
    // The canonical code where the body does not name one in `status`.
    let by_http = Code::from_http_status(status.as_u16());
    // A body that breaks off is shown as it is.
    let [error] = seek(body, &ERROR, &mut found).map_or([None], |()| found);
    let said = error.map(|error| read_error(error, by_http));
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
    const MEMBERS: Paths<5> = Paths::NONE
        .with(0, WirePath::at(&[&["code"]]))
        .with(1, WirePath::at(&[&["message"]]))
        .with(2, WirePath::at(&[&["status"]]))
        .with(3, WirePath::at(&[&["details"]]))
        .with(4, WirePath::at(&[&["errors"]]));
    let mut found = [None; 5];
    if seek(error.get().as_bytes(), &MEMBERS, &mut found).is_err() {
        // Some services write `"error": "disk full"`.
        return Status::new(fallback, shown(error));
    }
    let [code, message, status, details, errors] = found;
    let text = |value: Option<&RawValue>| value.and_then(string).map(Cow::into_owned);
    let named = status.and_then(string).and_then(|name| Code::from_name(&name));
    let status =
        Status::new(named.unwrap_or(fallback), text(message).unwrap_or_default()).with_details(read_details(details));
    // Only a word is the service's own reason. A number here repeats the HTTP status.
    match text(code).or_else(|| legacy_reason(errors, status.reason())) {
        Some(reason) => status.with_reason(reason),
        None => status,
    }
}

/// Returns the reason in `errors[]`, in which Google's older APIs say what went wrong, where it
/// says more than `known`, the reason of an `ErrorInfo`: there is none, or only the older form says
/// that calls come too fast.
fn legacy_reason(errors: Option<&RawValue>, known: Option<&str>) -> Option<String> {
    const REASON: Paths<1> = Paths::NONE.with(0, WirePath::at(&[&["reason"]]));
    if known.is_some_and(is_rate_limit) {
        return None;
    }
    let mut reason = None;
    // What is no list has no elements, and what is no object has no reason.
    let _ = each_element(errors?, &mut |element| {
        if reason.is_none() {
            let mut found = [None];
            let _ = seek(element.get().as_bytes(), &REASON, &mut found);
            let [said] = found;
            let said = said.and_then(string).filter(|said| known.is_none() || is_rate_limit(said));
            reason = said.map(Cow::into_owned);
        }
    });
    reason
}

/// Reads the elements of `details`, up to [`MOST_ELEMENTS`]. Each is kept, whatever its type: one
/// unknown `@type` must not hide the rest of the error.
pub(crate) fn read_details(details: Option<&RawValue>) -> Vec<Detail> {
    let elements = details.and_then(|details| first_elements(details, MOST_ELEMENTS).ok());
    let (elements, _) = elements.unwrap_or_default();
    elements.into_iter().map(Detail::from_json).collect()
}
