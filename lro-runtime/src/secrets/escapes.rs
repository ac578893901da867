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
    /// With how many backslashes it begins, if each were written as one.
    pub(super) slashes: u64,
}

impl<'a> Unit<'a> {
    /// Reads the first character of `text`; `None` at its end.
    pub(super) fn first_of(text: &'a str) -> Option<Self> {
        let first = text.chars().next()?;
        let bytes = text.as_bytes();
        let mut slashes = 0;
        let (length, means, depth) = match first {
            '%' => percent_encoded(bytes),
            '\\' => {
                let (length, means);
                (slashes, length, means) = escaped_in_json(text);
                (length, means, 0)
            }
            '&' => escaped_in_xml(text),
            _ => {
                read(1);
                (first.len_utf8(), first, 0)
            }
        };
        Some(Self { text: text.get(..length)?, means, depth, slashes })
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
/// backslashes. Returns how many, its length, and what it means.
fn escaped_in_json(text: &str) -> (u64, usize, char) {
    let (slashes, length) = backslashes(text.as_bytes());
    let rest = text.get(length..).unwrap_or_default();
    read(length + 5);
    if rest.starts_with('/') {
        return (slashes, length + 1, '/');
    }
    let digits = rest.strip_prefix('u').and_then(|rest| rest.get(..4)).filter(|digits| !digits.starts_with('+'));
    match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
        Some(code) => (slashes, length + 5, char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
        None => (slashes, length, '\\'),
    }
}

/// Reads backslashes, each written as it is or, behind another, as `u005c`. Returns how many they
/// are if each is written as it is, and how long.
///
/// `\u005c` is another way to write `\\`: the code counts one more. If the string that has it is in
/// others, each of them doubles it, as it doubles the backslashes before it.
fn backslashes(text: &[u8]) -> (u64, usize) {
    let (mut slashes, mut length) = (0_u64, 0);
    while let Some(rest) = text.get(length..) {
        let (more, bytes) = match rest {
            [b'\\', ..] => (1, 1),
            [b'u', b'0', b'0', b'5', b'c' | b'C', ..] => (1 << slashes.trailing_zeros(), 5),
            _ => break,
        };
        // So deep no JSON is, and the count must end somewhere.
        if slashes + more >= 1 << 40 {
            break;
        }
        (slashes, length) = (slashes + more, length + bytes);
    }
    (slashes, length)
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
