//! Characters as documents escape them: by percent-encoding, and by the escapes of JSON and of XML.

use crate::percent;

/// One character of a text, and what it means to a reader of URLs.
pub(super) struct Unit<'a> {
    /// The character as it is written, such as `%3F`.
    pub(super) text: &'a str,
    /// What it means, such as `?`.
    pub(super) means: char,
    /// How often it is percent-encoded: `%3F` once, `%253F` twice. The escapes of JSON and of XML
    /// do not count, because they belong to the document and not to the URL in it.
    pub(super) depth: usize,
}

impl<'a> Unit<'a> {
    /// Reads the first character of `text`; `None` at its end.
    pub(super) fn first_of(text: &'a str) -> Option<Self> {
        let first = text.chars().next()?;
        let bytes = text.as_bytes();
        let (length, means, depth) = match first {
            '%' => percent_encoded(bytes),
            '\\' => escaped_in_json(text),
            '&' => escaped_in_xml(text),
            _ => {
                read(1);
                (first.len_utf8(), first, 0)
            }
        };
        Some(Self { text: text.get(..length)?, means, depth })
    }
}

#[cfg(test)]
thread_local! {
    /// How many bytes were looked at.
    pub(super) static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts the bytes that are looked at, in tests. Time would tell the same, but not in a test.
fn read(bytes: usize) {
    #[cfg(test)]
    READ.with(|read| read.set(read.get() + bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

/// Reads `%XX`, whose `%` may be encoded as `%25`, again and again. Returns its length, what it
/// means, and how often it is encoded.
fn percent_encoded(text: &[u8]) -> (usize, char, usize) {
    let mut length = 1;
    while text.get(length..).is_some_and(|rest| rest.starts_with(b"25")) {
        length += 2;
    }
    read(length + 2);
    let depth = length / 2;
    match text.get(length..).and_then(percent::byte) {
        Some(byte) if byte.is_ascii() => (length + 2, char::from(byte), depth + 1),
        // One byte of a letter that is in no name of the list.
        Some(_) => (length + 2, char::REPLACEMENT_CHARACTER, depth + 1),
        None => (length, '%', depth),
    }
}

/// Reads `\u0026` and `\/`, as some writers of JSON escape `&` and `/`. JSON in JSON has more
/// backslashes. Returns its length, what it means, and no depth.
fn escaped_in_json(text: &str) -> (usize, char, usize) {
    let rest = text.trim_start_matches('\\');
    let slashes = text.len() - rest.len();
    read(slashes + 5);
    if rest.starts_with('/') {
        return (slashes + 1, '/', 0);
    }
    let digits = rest.strip_prefix('u').and_then(|rest| rest.get(..4)).filter(|digits| !digits.starts_with('+'));
    match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        Some(code) => (slashes + 5, char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 0),
        None => (slashes, '\\', 0),
    }
}

/// Reads `&amp;`, `&#38;` and `&#x26;`, as XML and HTML escape `&` and others; XML in XML has
/// `&amp;amp;`. Returns its length, what it means, and no depth.
fn escaped_in_xml(text: &str) -> (usize, char, usize) {
    let mut length = 1;
    while text.as_bytes().get(length..length + 4).is_some_and(|word| word.eq_ignore_ascii_case(b"amp;")) {
        length += 4;
    }
    read(length + 9);
    let number = || {
        let rest = text.get(length..)?.strip_prefix('#')?;
        // `1114111` is the greatest number of a character.
        let end = rest.bytes().take(8).position(|byte| byte == b';')?;
        let digits = rest.get(..end)?;
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        Some((length + end + 2, char::from_u32(code.ok()?)?, 0))
    };
    number().unwrap_or((length, '&', 0))
}
