//! Text of a service on a person's terminal: escaped, and cut to columns.

use unicode_width::UnicodeWidthChar as _;

/// Returns `text` on one line, without characters that control a terminal or turn the direction of
/// reading.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_printable(c) { out.push(c) } else { out.extend(c.escape_default()) }
    }
    out
}

/// Whether `c` is printed as it is.
pub fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns how many columns `text` has where no characters are joined, as in a family of emoji:
/// more than it has on a terminal that joins them, and never less.
pub fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Returns the beginning of `text` that fits into so many columns, and `…` if there is more.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (head, _) = fitting(text.chars(), columns.saturating_sub(1));
    if columns == 0 { String::new() } else { format!("{head}…") }
}

/// Returns the end of `text` that fits into so many columns, after `…` if there is more.
pub fn cut_front(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let (tail, _) = fitting(text.chars().rev(), columns.saturating_sub(1));
    let tail: String = tail.chars().rev().collect();
    if columns == 0 { String::new() } else { format!("…{tail}") }
}

/// Returns `text`, cut or filled up to exactly so many columns.
pub fn padded(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    let fill = columns.saturating_sub(width(&cut));
    format!("{cut}{}", " ".repeat(fill))
}

/// Returns as many characters as fit into so many columns, and how many columns they take.
fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> (String, usize) {
    let (mut out, mut taken) = (String::new(), 0);
    for c in chars {
        let width = c.width().unwrap_or(0);
        if taken + width > columns {
            break;
        }
        taken += width;
        out.push(c);
    }
    (out, taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_is_escaped() {
        assert_eq!(printable("a\u{1b}[2J\nb\u{9b}\u{202e}c"), r"a\u{1b}[2J\nb\u{9b}\u{202e}c");
        assert_eq!(printable("Zürich, 東京"), "Zürich, 東京");
    }

    #[test]
    fn text_is_cut_by_columns_and_not_by_characters() {
        assert_eq!((cut("東京都", 5).as_str(), cut("東京都", 6).as_str()), ("東京…", "東京都"));
        assert_eq!((cut_front("operations/7", 6).as_str(), cut_front("東京都", 4).as_str()), ("…ons/7", "…都"));
        assert_eq!((padded("東", 4).as_str(), padded("abc", 2).as_str(), cut("abc", 0).as_str()), ("東  ", "a…", ""));
        assert_eq!((width("👨‍👩‍👧"), width("لا"), cut("👨‍👩‍👧", 3)), (6, 2, "👨\u{200d}…".to_owned()));
    }
}
