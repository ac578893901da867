//! Azure's errors, in every form in which its services write them.

use serde_json::value::RawValue;

use crate::{
    dialect::{
        error_reply as any_error_reply,
        json::{Members, first_elements, present, read_members, shown, string},
        location::without_mark,
        read_details,
    },
    message::Reply,
    status::{Cause, Code, Failure, State, Status, details::Detail},
    text::excerpt,
};

/// The header in which storage services and others repeat the error's code.
const ERROR_CODE: &str = "x-ms-error-code";

/// Returns the failure for an HTTP error reply, as [`crate::dialect::error_reply`] does, with an
/// error in any of Azure's forms.
pub(super) fn error_reply(reply: &Reply) -> Failure {
    let failure = any_error_reply(reply);
    match said(reply) {
        Some(status) => Failure::new(Cause::Http(reply.status(), status)).with_hint(failure.hint()),
        None => failure,
    }
}

/// Returns the error that an HTTP error reply has, in its body or in its header.
pub(super) fn said(reply: &Reply) -> Option<Status> {
    let http = reply.status().as_u16();
    let in_body = in_body(without_mark(reply.body()), Code::from_http_status(http));
    let in_header = || any_error_reply(reply).status().cloned().filter(|_| reply.headers().contains_key(ERROR_CODE));
    let status = in_body.map(|status| status.with_http_status(http)).or_else(in_header)?;
    Some(with_reason_of(reply, status))
}

/// Returns the status with the reason in the reply's header, unless it has a reason.
pub(super) fn with_reason_of(reply: &Reply, status: Status) -> Status {
    let header = reply.headers().get(ERROR_CODE).and_then(|word| word.to_str().ok()).filter(|word| !word.is_empty());
    match header {
        Some(word) if status.reason().is_none() => status.with_reason(word),
        _ => status,
    }
}

/// Returns why an operation failed or was cancelled: its error, else what in the rest of its body
/// is one.
///
/// An error's `code` is the service's own word, and becomes the reason. It is not a canonical code:
/// that is `CANCELLED` for a cancelled operation, else `UNKNOWN`.
pub(super) fn failure(state: State, word: &str, error: Option<&RawValue>, body: &[u8]) -> Status {
    let code = if state == State::Cancelled { Code::Cancelled } else { Code::Unknown };
    let said = error.map(|error| read(error, code)).or_else(|| in_body(body, code));
    said.unwrap_or_else(|| Status::new(code, format!("the service reported `{word}` without an error")))
}

/// The members of an error object, and of a body that has one or is one itself.
#[derive(Default)]
struct ErrorObject<'a> {
    /// The error itself, in the body of a reply.
    error: Option<&'a RawValue>,
    /// Several errors, in the body of a reply.
    errors: Option<&'a RawValue>,
    code: Option<&'a RawValue>,
    message: Option<&'a RawValue>,
    /// The text of a message that is an object, as in `odata.error`.
    value: Option<&'a RawValue>,
    details: Option<&'a RawValue>,
    inner: Option<&'a RawValue>,
}

impl<'a> Members<'a> for ErrorObject<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        match name {
            "error" | "odata.error" => Some(&mut self.error),
            "errors" => Some(&mut self.errors),
            // `errorCode` is Fabric's; capitals are those of ASP.NET's own errors.
            "code" | "Code" | "errorCode" => Some(&mut self.code),
            "message" | "Message" => Some(&mut self.message),
            "value" => Some(&mut self.value),
            "details" | "moreDetails" => Some(&mut self.details),
            "innererror" | "innerError" => Some(&mut self.inner),
            _ => None,
        }
    }
}

impl<'a> ErrorObject<'a> {
    fn of(json: &'a [u8]) -> Option<Self> {
        let mut object = Self::default();
        read_members(json, &mut object).ok().map(|()| object)
    }

    /// Returns the service's own word. A number repeats the HTTP status.
    fn reason(&self) -> Option<String> {
        self.code.and_then(string).map(String::from)
    }

    /// Returns the message, whose text may be one level deeper.
    fn message(&self) -> Option<String> {
        let message = self.message?;
        let deeper = || Self::of(message.get().as_bytes())?.value.and_then(string).map(String::from);
        string(message).map(String::from).or_else(deeper)
    }
}

/// Returns the error in a body: `{"error": …}`, `{"odata.error": …}`, or the body itself if it has
/// a code or a message.
fn in_body(body: &[u8], code: Code) -> Option<Status> {
    let object = ErrorObject::of(body)?;
    match present(object.error).or_else(|| present(object.errors)) {
        Some(error) => Some(read(error, code)),
        None if object.reason().is_some() || object.message().is_some() => Some(status_of(&object, code)),
        None => None,
    }
}

/// Reads an error of any form: an object, a list of them, or text. What it is not read as is kept
/// in the message.
fn read(error: &RawValue, code: Code) -> Status {
    let json = error.get().as_bytes();
    if let Some(text) = string(error) {
        // Such text is a word (`DiskFull`) or a sentence: nothing tells which.
        return Status::new(code, text.as_ref()).with_reason(text);
    }
    let (first, _) = first_elements(error, 1).unwrap_or_default();
    if let [first] = *first {
        return read_element(first, code).with_details(read_details(Some(error)));
    }
    match ErrorObject::of(json) {
        Some(object) if object.reason().is_some() || object.message().is_some() => status_of(&object, code),
        _ => Status::new(code, excerpt(json)),
    }
}

/// Reads the first of several errors.
fn read_element(error: &RawValue, code: Code) -> Status {
    match ErrorObject::of(error.get().as_bytes()) {
        Some(object) => status_of(&object, code),
        None => Status::new(code, excerpt(shown(error).as_bytes())),
    }
}

fn status_of(object: &ErrorObject<'_>, code: Code) -> Status {
    // A status has no place for `innererror`: it is kept as one more detail, at the end.
    let inner = present(object.inner).map(|inner| Detail::new("innererror", inner.to_owned()));
    let details = read_details(object.details).into_iter().chain(inner).collect();
    let status = Status::new(code, object.message().unwrap_or_default()).with_details(details);
    match object.reason() {
        Some(reason) => status.with_reason(reason),
        None => status,
    }
}
