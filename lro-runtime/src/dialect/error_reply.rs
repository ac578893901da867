//! Errors in replies, in the forms that dialects share.

use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::is_object;
use crate::{
    hint::Hint,
    message::Reply,
    status::{Cause, Code, Failure, Status, details::Detail},
    text::excerpt,
};

/// The failure that an HTTP error reply is: its status, what its body says (in Google's or in Azure's form, or none), its hint.
#[must_use]
pub fn error_reply(reply: &Reply) -> Failure {
    let status = reply.status();
    let said = read_error_body(reply.body(), status);
    let hint = Hint::from_headers(reply.headers()).or_else(|| said.retry_delay().map(Hint::After));
    Failure::new(Cause::Http(status, said)).with_hint(hint)
}

/// `Ok` for a `2xx`; the failure that it is for anything else.
pub(crate) fn expect_success(reply: &Reply) -> Result<(), Failure> {
    if reply.status().is_success() { Ok(()) } else { Err(error_reply(reply)) }
}

/// `{"error": {"code", "message", "status", "details"}}`: here `code` is the HTTP status, or a service's own word.
fn read_error_body(body: &[u8], status: StatusCode) -> Status {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        error: &'a RawValue,
    }
    let by_http = Code::from_http_status(status.as_u16());
    let said = serde_json::from_slice::<Body<'_>>(body).ok().map(|body| read_error(body.error, by_http));
    let said = said.unwrap_or_else(|| {
        let reason = status.canonical_reason().unwrap_or_default();
        let text = if body.is_empty() {
            reason.to_owned()
        } else {
            format!("{reason}: {}", excerpt(body)).trim_start_matches(": ").to_owned()
        };
        Status::new(by_http, text)
    });
    said.with_http_status(status.as_u16())
}

/// An error object of whatever shape: `code` is a number or a word, `status` the name of a canonical code.
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
    }
    let read = serde_json::from_str::<Lenient<'_>>(error.get()).ok().filter(|_| is_object(error.get().as_bytes()));
    let Some(read) = read else {
        let message = serde_json::from_str::<String>(error.get()).unwrap_or_else(|_| excerpt(error.get().as_bytes()));
        return Status::new(fallback, message);
    };
    let text = |value: Option<&RawValue>| value.and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    let named = text(read.status).and_then(|name| Code::from_name(&name));
    let status = Status::new(named.unwrap_or(fallback), text(read.message).unwrap_or_default())
        .with_details(read_details(read.details));
    match text(read.code) {
        Some(reason) => status.with_reason(reason),
        None => status,
    }
}

/// The elements of `details`, each kept whatever it is.
pub(crate) fn read_details(details: Option<&RawValue>) -> Vec<Detail> {
    let elements = details.and_then(|details| serde_json::from_str::<Vec<&RawValue>>(details.get()).ok());
    elements.unwrap_or_default().into_iter().map(Detail::from_json).collect()
}
