//! Text from a server, made fit to print.

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
}
