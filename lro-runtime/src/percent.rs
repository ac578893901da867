//! Decodes percent-encoding ([RFC 3986, 2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)).

use std::borrow::Cow;

/// Returns the byte that the two hex digits at the start of `digits` mean; `None` if two hex digits
/// are not there.
pub(crate) fn byte(digits: &[u8]) -> Option<u8> {
    let [high, low, ..] = digits else { return None };
    // Not `from_str_radix`, which takes `+f` for a number.
    let value = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(value(*high)? << 4 | value(*low)?).ok()
}

/// Returns `text` with every `%XX` decoded. A `%` without two hex digits stays as it is, and bytes
/// that are not UTF-8 become U+FFFD.
pub(crate) fn decoded(text: &[u8]) -> Cow<'_, str> {
    if !text.contains(&b'%') {
        return String::from_utf8_lossy(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let escaped = byte(after).filter(|_| *first == b'%');
        out.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_encoding_stays_as_it_is() {
        for (text, meaning) in
            [("", ""), ("a b+c", "a b+c"), ("%4%zz%", "%4%zz%"), ("%+f% f%-1", "%+f% f%-1"), ("%e4%", "\u{fffd}%")]
        {
            assert_eq!(decoded(text.as_bytes()), meaning, "{text}");
        }
        assert_eq!(decoded(b"s%69g%3D%C3%A4%2541"), "sig=ä%41");
        assert_eq!(decoded(b"\xff"), "\u{fffd}");
    }
}
