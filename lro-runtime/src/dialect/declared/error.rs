//! Reads the error member of a declared message, of whatever shape, as a status.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    status::{Code, Status, details::Detail},
    text::excerpt,
};

/// The members that error objects of different services have in common, not decoded: a member of an
/// odd type must not hide the others.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Members<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    reason: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    details: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Reads an error that is a string, an object, or an array of either.
///
/// Returns `None` for a value that means "no error": `null`, `""`, `{}`, `[]`, `false` and code 0.
/// Services write such values instead of leaving the member out: a running fine-tuning job of
/// OpenAI has `"error": {}`, a Meilisearch task `"error": null`, a Cloud SQL operation may have an
/// empty `errors`.
///
/// - A numeric `code` up to 16 is a canonical code; from 100 on it is an HTTP status. The two
///   ranges do not overlap.
/// - A `code` in words is a canonical name, or else the reason.
/// - The details are the elements of `details`, `errors` or `data`. Without such a list the whole
///   error object is the one detail, so that nothing is lost.
pub(super) fn read(error: &RawValue) -> Option<Status> {
    let text = error.get();
    match text.as_bytes().first()? {
        b'"' => owned_string(error).filter(|text| !text.is_empty()).map(|text| Status::new(Code::Unknown, text)),
        // The first element that says something gives code, reason and message; all of them are
        // details.
        b'[' => {
            let details = elements(Some(error))?;
            let first = serde_json::from_str::<Vec<&RawValue>>(text).ok()?.into_iter().find_map(read)?;
            Some(first.with_details(details))
        }
        b'{' => object(error),
        _ if matches!(text, "null" | "false" | "0") => None,
        // `true` or a number: an error without words.
        _ => Some(Status::new(Code::Unknown, excerpt(text.as_bytes()))),
    }
}

/// Reads an error object.
fn object(error: &RawValue) -> Option<Status> {
    // `{}` with any white space in it. Three characters are enough to tell, however long the object
    // is.
    let inside: String = error.get().chars().filter(|c| !c.is_ascii_whitespace()).take(3).collect();
    if inside == "{}" {
        return None;
    }
    let members: Members<'_> = serde_json::from_str(error.get()).unwrap_or_default();
    let number = members.code.and_then(|code| serde_json::from_str::<i64>(code.get()).ok());
    if number == Some(0) {
        return None;
    }
    let word = members.code.and_then(owned_string);
    // Google's error bodies have the HTTP status in `code` and the canonical name in `status`: the
    // name is the more precise.
    let named = [members.status.and_then(owned_string), word.clone()]
        .into_iter()
        .flatten()
        .find_map(|name| Code::from_name(&name));
    let http = number.and_then(|number| u16::try_from(number).ok()).filter(|number| (100..600).contains(number));
    let code = match (named, number) {
        (Some(code), _) => code,
        (None, Some(number)) => http.map_or_else(|| Code::from_number(number), Code::from_http_status),
        (None, None) => Code::Unknown,
    };
    let list = [members.details, members.errors, members.data].into_iter().find_map(elements);
    // Some objects only wrap a list, whose elements have code and message:
    // `{"errors": [{"code", "message"}]}` of Cloud SQL, `{"object": "list", "data": […]}` of
    // OpenAI's batches.
    let inner = [members.errors, members.data].into_iter().flatten().find_map(read);
    let is_empty =
        |list: Option<&RawValue>| list.is_some_and(|list| list.get().split_whitespace().collect::<String>() == "[]");
    let says = members.code.or(members.message).or(members.reason).or(members.status).is_some();
    // A wrapper of an empty list is not an error: such an operation of Cloud SQL succeeded.
    if !says && (is_empty(members.errors) || is_empty(members.data)) {
        return None;
    }
    let message =
        members.message.and_then(owned_string).or_else(|| inner.as_ref().map(|inner| inner.message().to_owned()));
    let reason = word.filter(|word| Code::from_name(word).is_none()).or_else(|| members.reason.and_then(owned_string));
    // `type` comes last: Meilisearch has a `code` that is more precise beside it.
    let reason =
        reason.or_else(|| inner.as_ref()?.reason().map(str::to_owned)).or_else(|| members.kind.and_then(owned_string));
    let code = if code == Code::Unknown { inner.map_or(code, |inner| inner.code()) } else { code };
    let whole = || vec![Detail::new("", error.to_owned())];
    let mut status = Status::new(code, message.unwrap_or_default()).with_details(list.unwrap_or_else(whole));
    if let Some(reason) = reason {
        status = status.with_reason(reason);
    }
    Some(match http {
        Some(http) => status.with_http_status(http),
        None => status,
    })
}

/// Returns the string that a JSON value is, or `None` if it is something else.
fn owned_string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

/// Returns the elements of an array as details, or `None` if the value is not an array or is empty.
fn elements(raw: Option<&RawValue>) -> Option<Vec<Detail>> {
    let elements = serde_json::from_str::<Vec<&RawValue>>(raw?.get()).ok().filter(|elements| !elements.is_empty())?;
    Some(elements.into_iter().map(Detail::from_json).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> Option<String> {
        read(serde_json::from_str(json).unwrap()).map(|status| status.to_string())
    }

    #[test]
    fn every_shape_of_an_error_reads_as_a_status() {
        for (json, status) in [
            (r#""out of memory""#, "UNKNOWN: out of memory"),
            (r#"{"code": "server_error", "message": "oops"}"#, "UNKNOWN (server_error): oops"),
            (r#"{"code": 5, "message": "gone"}"#, "NOT_FOUND: gone"),
            (r#"{"code": 404, "message": "gone"}"#, "NOT_FOUND: gone"),
            (r#"{"code": "NOT_FOUND", "message": "gone"}"#, "NOT_FOUND: gone"),
            (r#"{"reason": "stopped", "message": "Job was stopped"}"#, "UNKNOWN (stopped): Job was stopped"),
            (r#"{"kind": "x", "errors": [{"code": "DISK_FULL", "message": "full"}]}"#, "UNKNOWN (DISK_FULL): full"),
            (
                r#"{"object": "list", "data": [{"code": "bad_line", "message": "line 3"}]}"#,
                "UNKNOWN (bad_line): line 3",
            ),
            (r#"[{"message": "first"}, {"message": "second"}]"#, "UNKNOWN: first"),
            (r#"["first"]"#, "UNKNOWN: first"),
            (r#"{"reason": "max_output_tokens"}"#, "UNKNOWN (max_output_tokens)"),
            (
                r#"{"message": "m", "code": "index_not_found", "type": "invalid_request"}"#,
                "UNKNOWN (index_not_found): m",
            ),
            (r#"{"strange": 1}"#, "UNKNOWN"),
            ("true", "UNKNOWN: true"),
        ] {
            assert_eq!(said(json).as_deref(), Some(status), "{json}");
        }
        for nothing in
            ["null", r#""""#, "{}", "{ }", "[]", "false", r#"{"code": 0}"#, "[null]", r#"{"kind": "x", "errors": []}"#]
        {
            assert_eq!(said(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn nothing_of_an_error_is_lost() {
        let details = |json: &str| read(serde_json::from_str(json).unwrap()).unwrap().details().len();
        assert_eq!(details(r#"{"errors": [{"code": "A"}, {"code": "B"}]}"#), 2);
        assert_eq!(details(r#"{"code": 5, "details": [{"@type": "x/y"}]}"#), 1);
        let whole = read(serde_json::from_str(r#"{"code": "x", "param": "file"}"#).unwrap()).unwrap();
        assert_eq!(whole.details()[0].json(), r#"{"code": "x", "param": "file"}"#);
    }
}
