//! Makes text from a server safe to print: cut to a limit, without the secrets of URLs in it, and
//! escaped so that it stays on one line.

use std::fmt;

use crate::secrets::{hidden, redacted_head, stored_head};

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

/// Returns what a parser says is wrong, as an error shows it. serde repeats the value that it
/// found, however long that is and whatever is in it: an [`excerpt`] of it is shown.
pub(crate) fn reason(error: &dyn fmt::Display) -> String {
    let message = error.to_string();
    match message.rsplit_once(", expected ") {
        Some((found, expected)) => format!("{}, expected {}", excerpt(found.as_bytes()), excerpt(expected.as_bytes())),
        None => excerpt(message.as_bytes()),
    }
}

/// How many bytes of a name or of a word `Debug` output shows: so much that it is known again.
const BRIEF: usize = 256;

/// Text that `Debug` prints as it is, between quotes: it was escaped before.
pub(crate) struct Quoted(String);

impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// The first items of a list, and how many more there are: a list may be as long as a reply.
pub(crate) struct First<'a, T>(pub(crate) &'a [T], pub(crate) usize);

impl<T: fmt::Debug> fmt::Debug for First<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_list();
        out.entries(self.0.iter().take(self.1));
        let more = self.0.len().saturating_sub(self.1);
        if more > 0 {
            out.entry(&format_args!("{more} more"));
        }
        out.finish()
    }
}

/// Returns the beginning of a name or a URL for `Debug` output, escaped and without secrets.
pub(crate) fn quoted_name(name: &str) -> Quoted {
    Quoted(brief_name(name))
}

/// Returns the beginning of a name or a URL, escaped and without secrets, for a place of its own.
pub(crate) fn brief_name(name: &str) -> String {
    printed(&redacted(name), BRIEF, false)
}

/// Returns the beginning of a name or a URL that is one of many, for `Debug` output.
pub(crate) fn quoted_part(part: &str) -> Quoted {
    Quoted(printed(&redacted(part), EXCERPT, false))
}

/// Returns the beginning of any other text for `Debug` output, escaped and without secrets.
pub(crate) fn quoted(text: &str) -> Quoted {
    Quoted(escaped(text.as_bytes(), BRIEF))
}

/// Returns the beginning of a message for `Debug` output. Longer than [`quoted`], shorter than
/// [`line`]: an error has it twice.
pub(crate) fn quoted_message(message: &str) -> Quoted {
    Quoted(escaped(message.as_bytes(), 2 * BRIEF))
}

/// Returns a message that [`line`] has escaped, for `Debug` output.
pub(crate) fn quoted_line(line: &str) -> Quoted {
    Quoted(head(line, LINE + '…'.len_utf8()).to_owned())
}

/// Returns the beginning of a name or a URL in a form that may be shown: `…` stands for the values
/// of query parameters that are not known to be harmless, and user info is removed.
pub(crate) fn redacted(name: &str) -> String {
    let head = head(name, LINE + BEHIND);
    let shown = redacted_head(head, head.len() < name.len());
    let cut = self::head(&shown, LINE);
    if cut.len() < shown.len() || head.len() < name.len() { format!("{cut}…") } else { shown }
}

/// Returns the first bytes of a text, at most so many.
pub(crate) fn head(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    // A character has at most four bytes, so one of these is between two of them.
    (most.saturating_sub(3)..=most).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// Returns a text as a token keeps it: whole if it takes at most so many bytes in JSON, else its
/// beginning and `…`.
pub(crate) fn cut(text: &str, most: usize) -> String {
    // JSON escapes a control character with up to six bytes, and quotes and backslashes with two.
    let written = |c: char| match c {
        '"' | '\\' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    };
    // Most texts are short enough, whatever is in them.
    if text.len() <= most / 6 {
        return text.to_owned();
    }
    let (mut length, mut end) = (0, 0);
    for (at, c) in text.char_indices() {
        length += written(c);
        if length <= most.saturating_sub('…'.len_utf8()) {
            end = at + c.len_utf8();
        }
        if length > most {
            return format!("{}…", text.get(..end).unwrap_or_default());
        }
    }
    text.to_owned()
}

/// Returns a text of a service as a token keeps it: without the values of known secrets, and
/// [`cut`].
pub(crate) fn kept(text: &str, most: usize) -> String {
    let head = head(text, 2 * most);
    let kept = cut(&stored_head(head, head.len() < text.len()), most);
    if head.len() < text.len() && !kept.ends_with('…') { cut(&format!("{kept}…"), most) } else { kept }
}

/// How many bytes behind the end of an excerpt are read. User info is known by the `@` behind it.
const BEHIND: usize = 2048;

fn escaped(bytes: &[u8], most: usize) -> String {
    let head = bytes.get(..most + BEHIND).unwrap_or(bytes);
    // Lossy: a body may not be UTF-8 at all, and the cut may go through a character.
    let text = String::from_utf8_lossy(head);
    let goes_on = head.len() < bytes.len();
    printed(&hidden(&text, goes_on), most, goes_on)
}

/// Escapes the beginning of a text so that it stays on one line. `goes_on` says that there is more
/// of it.
fn printed(text: &str, most: usize, goes_on: bool) -> String {
    let mut out = String::with_capacity(most.min(text.len()) + 4);
    for c in text.chars() {
        let before = out.len();
        if is_fit_to_print(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
        if out.len() > most {
            out.truncate(before);
            out.push('…');
            return out;
        }
    }
    if goes_on {
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
    fn what_a_parser_has_found_is_shown_in_part() {
        let read = |json: &str| reason(&serde_json::from_str::<u32>(json).unwrap_err());
        assert_eq!(read("\"a\""), "invalid type: string \"a\", expected u32 at line 1 column 3");
        let long = read(&format!("\"{}\"", "x".repeat(1_000_000)));
        let (found, expected) = long.split_once("…, ").unwrap();
        assert!(found.starts_with("invalid type: string \"xxx") && found.len() <= EXCERPT, "{found}");
        assert_eq!(expected, "expected u32 at line 1 column 1000002");
        let secret = read("\"https://h/p?sig=hunter2\"");
        assert_eq!(secret, "invalid type: string \"https://h/p?sig=…\", expected u32 at line 1 column 25");
    }

    #[test]
    fn a_url_in_a_text_is_shown_without_its_secrets() {
        let body = br#"{"next":"https://h/p?api-version=1&sig=hunter2"}"#;
        assert_eq!(excerpt(body), r#"{"next":"https://h/p?api-version=1&sig=…"}"#);
        assert_eq!(excerpt(br#"{"password":"hunter2"}"#), r#"{"password":"…"}"#);
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
    fn user_info_that_ends_behind_what_is_read_is_not_shown() {
        let long = "hunter2".repeat(3 * (LINE + BEHIND));
        for url in ["https://oauth2:", "//", "https:\\/\\/u:", "https%3A%2F%2Fu%3A"] {
            let url = format!("{url}{long}@h/");
            for shown in [
                line(&format!("cannot clone {url}")),
                excerpt(format!("{{\"url\":\"{url}\"}}").as_bytes()),
                redacted(&url),
                redacted(&format!("https://h/p?filter={url}")),
                kept(&format!("cannot clone {url}"), LINE),
            ] {
                assert!(!shown.contains("hunter2") && shown.ends_with('…'), "{shown}");
            }
        }
        let path = format!("https://h/{}", "x".repeat(2 * (LINE + BEHIND)));
        assert!(line(&path).len() >= LINE && redacted(&path).len() >= LINE && kept(&path, LINE).len() >= LINE - 3);
    }

    #[test]
    fn only_the_beginning_is_shown() {
        let shown = excerpt(&[b'x'; 500]);
        assert!(shown.ends_with('…') && shown.chars().count() == 121, "{shown}");
        assert!(excerpt("ä".repeat(500).as_bytes()).chars().count() <= 121, "a letter may be cut in half");
        assert_eq!(line(&"x".repeat(5000)).chars().count(), 1001);
        assert!(line(&"\u{1b}".repeat(5000)).len() <= LINE + 3, "escapes count");
        let name = redacted(&format!("https://h/{}?sig=hunter2", "x".repeat(1 << 20)));
        assert!(name.len() <= LINE + 3 && name.ends_with('…'), "{name}");
    }
}
