//! Makes text from a server safe to print: cut to a limit, without the secrets of URLs in it, and
//! escaped so that it stays on one line.

use crate::secrets::hidden;

/// How many bytes of a body an error shows. Bodies may hold what does not belong in a log, so only
/// the beginning is shown.
const EXCERPT: usize = 120;

/// How many bytes of a message an error shows. Longer than an excerpt: messages are written to be
/// read.
const LINE: usize = 1000;

/// Returns the first [`EXCERPT`] bytes of a body, escaped.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    escaped(bytes, EXCERPT)
}

/// Returns the first [`LINE`] bytes of a message, escaped so that they stay on one line.
pub(crate) fn line(message: &str) -> String {
    escaped(message.as_bytes(), LINE)
}

/// How many bytes behind the end of an excerpt are read. User info is known by the `@` behind it.
const BEHIND: usize = 2048;

fn escaped(bytes: &[u8], most: usize) -> String {
    let head = bytes.get(..most + BEHIND).unwrap_or(bytes);
    // Lossy: a body may not be UTF-8 at all, and the cut may go through a character.
    let text = String::from_utf8_lossy(head);
    let text = hidden(&text);
    let mut out = String::with_capacity(most.min(text.len()) + 4);
    for c in text.chars() {
        // What is shown counts, not what was read: an escape is up to ten times as long.
        if out.len() + c.len_utf8() > most {
            out.push('…');
            return out;
        }
        if is_fit_to_print(c) { out.push(c) } else { out.extend(c.escape_default()) }
    }
    if head.len() < bytes.len() {
        out.push('…');
    }
    out
}

/// Whether `c` can be printed as it is: it neither ends the line nor controls the terminal nor
/// reverses the reading direction.
fn is_fit_to_print(c: char) -> bool {
    // U+2028 and U+2029 end lines. U+202A to U+202E and U+2066 to U+2069 change the direction of
    // text, which can make a line read as something else.
    !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
    fn a_url_in_a_text_is_shown_without_its_secrets() {
        let body = br#"{"next":"https://h/p?api-version=1&sig=hunter2"}"#;
        assert_eq!(excerpt(body), r#"{"next":"https://h/p?api-version=1&sig=…"}"#);
        assert_eq!(line("no access to https://h/p?code=hunter2 today"), "no access to https://h/p?code=… today");
    }

    #[test]
    fn a_secret_that_is_cut_is_not_shown() {
        let before = "x".repeat(EXCERPT - 20);
        for url in ["https://user:hunter2@h/", "https://h/?code=hunter2&"] {
            let shown = excerpt(format!("{before} {url}{}", "x".repeat(500)).as_bytes());
            assert!(!shown.contains("hu") && shown.ends_with('…'), "{shown}");
        }
    }

    #[test]
    fn only_the_beginning_is_shown() {
        let shown = excerpt(&[b'x'; 500]);
        assert!(shown.ends_with('…') && shown.chars().count() == 121, "{shown}");
        assert!(excerpt("ä".repeat(500).as_bytes()).chars().count() <= 121, "a letter may be cut in half");
        assert_eq!(line(&"x".repeat(5000)).chars().count(), 1001);
        assert!(line(&"\0".repeat(1000)).len() < LINE + 16, "an escape counts as long as it is shown");
    }
}
