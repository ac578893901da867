//! Text from a server, made fit to print.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// How many bytes of a body an error may show.
const EXCERPT: usize = 120;

/// How many bytes of a message an error may show.
const LINE: usize = 1000;

/// The beginning of a body, escaped, at most about 120 characters.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    escaped(bytes, EXCERPT)
}

/// A message as one line, escaped, at most about 1000 characters.
pub(crate) fn line(message: &str) -> String {
    escaped(message.as_bytes(), LINE)
}

fn escaped(bytes: &[u8], most: usize) -> String {
    let head = bytes.get(..most).unwrap_or(bytes);
    let mut out = String::with_capacity(head.len());
    for c in String::from_utf8_lossy(head).chars() {
        if is_fit_to_print(c) { out.push(c) } else { out.extend(c.escape_default()) }
    }
    if head.len() < bytes.len() {
        out.push('…');
    }
    out
}

/// What neither ends a line nor turns one around.
fn is_fit_to_print(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The string that this JSON value is, borrowed where it is written without escapes; none if it is something else.
pub(crate) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let inside = value.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match inside {
        Some(plain) if !plain.as_bytes().contains(&b'\\') => Some(Cow::Borrowed(plain)),
        Some(_) => serde_json::from_str(value.get()).ok().map(|Text(text)| text),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_leave_the_line_is_escaped() {
        assert_eq!(line("a\r\nb\u{1b}[31m\u{2028}\u{202e}c"), r"a\r\nb\u{1b}[31m\u{2028}\u{202e}c");
        assert_eq!(line("ein „Zitat“ aus Zürich"), "ein „Zitat“ aus Zürich");
    }

    #[test]
    fn only_the_beginning_is_shown() {
        let shown = excerpt(&[b'x'; 500]);
        assert!(shown.ends_with('…') && shown.chars().count() == 121, "{shown}");
        assert!(excerpt("ä".repeat(500).as_bytes()).chars().count() <= 121, "a letter may be cut in half");
        assert_eq!(line(&"x".repeat(5000)).chars().count(), 1001);
    }

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
