//! Reads the error member of a declared message, of whatever shape, as a status.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    seek::{Paths, seek},
    wire_path::WirePath,
};
use crate::{
    dialect::json::{MOST_ELEMENTS, first_elements, parse, string},
    status::{Code, Status, details::Detail},
    text::excerpt,
};

/// The members that error objects of different services have in common.
const MEMBERS: Paths<8> = Paths::NONE
    .with(0, WirePath::at(&[&["code"]]))
    .with(1, WirePath::at(&[&["message"]]))
    .with(2, WirePath::at(&[&["status"]]))
    .with(3, WirePath::at(&[&["reason"]]))
    .with(4, WirePath::at(&[&["type"]]))
    .with(5, WirePath::at(&[&["details"]]))
    .with(6, WirePath::at(&[&["errors"]]))
    .with(7, WirePath::at(&[&["data"]]));

/// How many levels of lists and wrappers are read. The deepest known form has three: an object, its
/// list, an element. Each level is read a few times over and on the stack, and how many there are
/// is the server's choice.
const LEVELS: u8 = 4;

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
    read_levels(error, LEVELS)
}

/// Reads an error down to this many levels. What lies deeper says that there is an error, and no
/// more.
fn read_levels(error: &RawValue, levels: u8) -> Option<Status> {
    let text = error.get();
    match text.as_bytes().first()? {
        b'"' => owned_string(error).filter(|text| !text.is_empty()).map(|text| Status::new(Code::Unknown, text)),
        b'[' | b'{' if is_empty(error) => None,
        b'[' | b'{' if levels == 0 => Some(Status::new(Code::Unknown, "")),
        // The first element that says something gives code, reason and message; all of them are
        // details.
        b'[' => {
            let (elements, _) = first_elements(error, MOST_ELEMENTS).ok()?;
            let first = elements.iter().find_map(|element| read_levels(element, levels - 1))?;
            Some(first.with_details(elements.into_iter().map(Detail::from_json).collect()))
        }
        b'{' => object(error, levels - 1),
        _ if matches!(text, "null" | "false" | "0") => None,
        // `true` or a number: an error without words.
        _ => Some(Status::new(Code::Unknown, excerpt(text.as_bytes()))),
    }
}

/// Whether the value is `[]` or `{}`, with any white space in it. Three characters are enough to
/// tell, however long the value is.
fn is_empty(value: &RawValue) -> bool {
    let inside: String = value.get().chars().filter(|c| !c.is_ascii_whitespace()).take(3).collect();
    matches!(&*inside, "[]" | "{}")
}

/// Reads an error object that is not empty, and what it wraps down to this many levels.
fn object(error: &RawValue, levels: u8) -> Option<Status> {
    let mut found = [None; 8];
    // The object is JSON, which was checked: nothing is left unread.
    let _ = seek(error.get().as_bytes(), &MEMBERS, &mut found);
    let [code, message, status, reason, kind, details, errors, data] = found;
    let number = code.and_then(|code| parse::<i64>(code.get()).ok());
    if number == Some(0) {
        return None;
    }
    let word = code.and_then(owned_string);
    // Google's error bodies have the HTTP status in `code` and the canonical name in `status`: the
    // name is the more precise.
    let named =
        [status.and_then(owned_string), word.clone()].into_iter().flatten().find_map(|name| Code::from_name(&name));
    let http = number.and_then(|number| u16::try_from(number).ok()).filter(|number| (100..600).contains(number));
    let canonical = match (named, number) {
        (Some(code), _) => code,
        (None, Some(number)) => http.map_or_else(|| Code::from_number(number), Code::from_http_status),
        (None, None) => Code::Unknown,
    };
    // A wrapper of an empty list is not an error: such an operation of Cloud SQL succeeded.
    let says = code.or(message).or(reason).or(status).is_some();
    if !says && [errors, data].into_iter().flatten().any(|list| list.get().starts_with('[') && is_empty(list)) {
        return None;
    }
    let list = [details, errors, data].into_iter().find_map(elements);
    // Some objects only wrap a list, whose elements have code and message:
    // `{"errors": [{"code", "message"}]}` of Cloud SQL, `{"object": "list", "data": […]}` of
    // OpenAI's batches.
    let inner = [errors, data].into_iter().flatten().find_map(|wrapped| read_levels(wrapped, levels));
    let message = message.and_then(owned_string).or_else(|| inner.as_ref().map(|inner| inner.message().to_owned()));
    let reason = word.filter(|word| Code::from_name(word).is_none()).or_else(|| reason.and_then(owned_string));
    // `type` comes last: Meilisearch has a `code` that is more precise beside it.
    let reason = reason.or_else(|| inner.as_ref()?.reason().map(str::to_owned)).or_else(|| kind.and_then(owned_string));
    let canonical = if canonical == Code::Unknown { inner.map_or(canonical, |inner| inner.code()) } else { canonical };
    let whole = || vec![Detail::new("", error.to_owned())];
    let mut status = Status::new(canonical, message.unwrap_or_default()).with_details(list.unwrap_or_else(whole));
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
    string(raw).map(Cow::into_owned)
}

/// Returns the elements of an array as details, or `None` if the value is not an array or is empty.
fn elements(raw: Option<&RawValue>) -> Option<Vec<Detail>> {
    let (elements, _) = first_elements(raw?, MOST_ELEMENTS).ok().filter(|(elements, _)| !elements.is_empty())?;
    Some(elements.into_iter().map(Detail::from_json).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::json::counted;

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
            (r#"{"kind": "x", "errors": [{"code": 404, "message": "gone"}]}"#, "NOT_FOUND: gone"),
            (r#"{"code": 409, "errors": [{"code": 404, "message": "gone"}]}"#, "ABORTED: gone"),
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

    /// Wraps `"end"` this many times.
    fn nested(open: &str, levels: usize, close: &str) -> String {
        [open.repeat(levels), "\"end\"".to_owned(), close.repeat(levels)].concat()
    }

    #[test]
    fn an_error_nested_without_end_is_an_error_and_no_abort() {
        for (open, close) in [(r#"{"errors":"#, "}"), ("[", "]"), (r#"{"errors":["#, "]}"), (r#"{"data":[[["#, "]]]}")]
        {
            let status = said(&nested(open, 10_000, close)).unwrap();
            assert!(status.starts_with("UNKNOWN"), "{status}");
            assert_eq!(said(&nested(open, 1, close)).as_deref(), Some("UNKNOWN: end"), "{open}");
        }
        let beside = said(&format!(r#"{{"message":"m","errors":{}}}"#, nested("[", 10_000, "]")));
        assert_eq!(beside.as_deref(), Some("UNKNOWN: m"));
    }

    #[test]
    fn a_member_that_is_there_twice_or_not_unicode_hides_no_other() {
        assert_eq!(
            said(r#"{"code": 5, "\ud800": 1, "message": "a", "message": "b"}"#).as_deref(),
            Some("NOT_FOUND: b")
        );
    }

    #[test]
    fn an_error_is_read_in_time_linear_in_its_length() {
        const ELEMENT: &str = r#"{"code":"x","data":[[]]},"#;
        for large in [
            |n: usize| nested(r#"{"errors":"#, n, "}"),
            |n| nested(r#"{"errors":[{},"#, n, "]}"),
            |n| nested(r#"{"data":[],"errors":[["#, n, "]]}"),
            |n| format!("[{}null]", "[],".repeat(n)),
            |n| format!("[{}1]", "{\"code\":0,\"errors\":[[[[]]]]},".repeat(n)),
            |n| format!(r#"{{"errors":[{}1]}}"#, ELEMENT.repeat(n)),
            |n| format!("{{{}\"message\":\"m\"}}", r#""errors":[[[null]]],"#.repeat(n)),
            |n| format!(r#"{{"code":"{}"}}"#, r"\u0061".repeat(n)),
        ] {
            let json = large(4_000);
            let read = counted::during(|| drop(said(&json)));
            assert!(read < json.len() * 5 * usize::from(LEVELS), "{read} of {}: {}", json.len(), &json[..60]);
        }
    }
}
