//! JSON as servers write it: read leniently, and what to say where that is not enough.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{status::Failure, text::excerpt};

/// The string that this JSON value is, borrowed where it is written without escapes; none if it is something else.
pub(super) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let inside = value.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match inside {
        Some(plain) if !plain.as_bytes().contains(&b'\\') => Some(Cow::Borrowed(plain)),
        Some(_) => serde_json::from_str(value.get()).ok().map(|Text(text)| text),
        None => None,
    }
}

/// Whether JSON text is an object: what serde reads into a struct may be an array, too.
pub(super) fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().first() == Some(&b'{')
}

/// Absent and `null` are the same.
pub(super) fn present(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

pub(super) fn wrong(field: &str, found: &RawValue, legal: &str) -> Failure {
    Failure::protocol(format!("`{field}`: found `{}`, expected {legal}", excerpt(found.get().as_bytes())))
}

pub(super) fn not_json(wanted: &str, error: &serde_json::Error, body: &[u8]) -> Failure {
    Failure::protocol(format!("the body is not {wanted}: {error}; found `{}`", excerpt(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_read_with_and_without_escapes_and_nothing_else_is() {
        let read = |json: &'static str| string(serde_json::from_str(json).unwrap());
        assert_eq!(read(r#" "a/b" "#).as_deref(), Some("a/b"));
        assert_eq!(read(r#""a\/b\u0022""#).as_deref(), Some("a/b\""));
        assert_eq!(read(r#""""#).as_deref(), Some(""));
        for other in ["1", "null", "[]", r#"{"a":"b"}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
