//! A scanner of JSON text, for what is read on every poll.
//!
//! What is read here is JSON by every rule, but of a common form: anything else is left to the
//! parser, which accepts it or says what is wrong with it.

/// How deep objects and lists may be nested here. The parser has another limit.
const DEEPEST: u32 = 32;

/// What is left of a JSON text. Every reader begins where the one before has ended, and returns
/// `None` for what is no JSON, or is left to the parser.
pub(super) struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    pub(super) fn of(json: &'a [u8]) -> Self {
        Self { rest: json }
    }

    /// Reads an object, whose names have no escapes. `member` gets each name, and reads the value.
    pub(super) fn members(&mut self, mut member: impl FnMut(&'a [u8], &mut Self) -> Option<()>) -> Option<()> {
        self.list(b'{', b'}', |scan| {
            let name = scan.plain()?;
            scan.token(b':')?;
            member(name, scan)
        })
    }

    /// Returns the next byte that is no white space, and stays in front of it.
    pub(super) fn ahead(&mut self) -> Option<u8> {
        loop {
            match self.rest {
                [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] => self.rest = rest,
                [byte, ..] => return Some(*byte),
                [] => return None,
            }
        }
    }

    /// Reads this one byte, after white space.
    pub(super) fn token(&mut self, byte: u8) -> Option<()> {
        self.ahead()?;
        self.word(&[byte])
    }

    /// Reads these very bytes.
    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }

    /// Reads so many bytes, which are there.
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Reads `true` or `false`.
    pub(super) fn truth(&mut self) -> Option<bool> {
        self.ahead()?;
        self.word(b"true").map(|()| true).or_else(|| self.word(b"false").map(|()| false))
    }

    /// Reads any value, and returns its text without the white space around it.
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        self.ahead()?;
        let before = self.rest;
        self.value()?;
        before.get(..before.len() - self.rest.len())
    }

    /// Reads any value.
    pub(super) fn value(&mut self) -> Option<()> {
        self.nested(DEEPEST)
    }

    /// Reads any value, with at most `depth` levels.
    fn nested(&mut self, depth: u32) -> Option<()> {
        match self.ahead()? {
            b'"' => self.string(),
            b'{' => {
                let depth = depth.checked_sub(1)?;
                self.list(b'{', b'}', |scan| {
                    scan.ahead()?;
                    scan.string()?;
                    scan.token(b':')?;
                    scan.nested(depth)
                })
            }
            b'[' => {
                let depth = depth.checked_sub(1)?;
                self.list(b'[', b']', |scan| scan.nested(depth))
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    /// Reads what is between these two bytes, with commas between the elements.
    fn list(&mut self, open: u8, close: u8, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.token(open)?;
        if self.token(close).is_some() {
            return Some(());
        }
        loop {
            element(self)?;
            if self.token(b',').is_none() {
                return self.token(close);
            }
        }
    }

    /// Reads a string without escapes, and returns what stands between its quotes.
    pub(super) fn plain(&mut self) -> Option<&'a [u8]> {
        self.token(b'"')?;
        let inside = self.take(plain_run(self.rest))?;
        self.word(b"\"")?;
        Some(inside)
    }

    /// Reads a string.
    fn string(&mut self) -> Option<()> {
        self.word(b"\"")?;
        loop {
            self.take(plain_run(self.rest))?;
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Some(());
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => self.rest = rest,
                // A control character; or `\u`, of which the parser knows what is a character.
                _ => return None,
            }
        }
    }

    /// Reads a number without an exponent. With one, the byte after it is not what must follow.
    fn number(&mut self) -> Option<()> {
        let _ = self.word(b"-");
        match self.digits()? {
            [] | [b'0', _, ..] => return None,
            _ => {}
        }
        let is_legal = self.word(b".").is_none() || !self.digits()?.is_empty();
        is_legal.then_some(())
    }

    fn digits(&mut self) -> Option<&'a [u8]> {
        self.take(self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count())
    }
}

/// Returns how many bytes come before the first that does not stand for itself in a string: a
/// quote, a backslash or a control character.
///
/// Most of a reply is strings, so eight bytes are looked at in one step. In each byte of a word,
/// `below` sets the highest bit where the byte is less than `least`; bytes after the first such one
/// may be wrong, and do not count.
fn plain_run(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let below = |word: u64, least: u8| word.wrapping_sub(EACH * u64::from(least)) & !word & (EACH << 7);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let equal = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
        let odd = below(word, b' ') | equal(b'"') | equal(b'\\');
        if odd != 0 {
            return index * 8 + odd.trailing_zeros() as usize / 8;
        }
    }
    let is_odd = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    words.len() * 8 + rest.iter().position(is_odd).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_plain_text_ends_before_the_first_byte_that_is_not() {
        for length in 0..40 {
            for odd in 0..=u8::MAX {
                let text = [&b"~ \x7f\x80\xff"[..]; 10].concat();
                let bytes = [&text[..length], &[odd], b"\"\0\\~~~~~~~~"].concat();
                let is_plain = odd >= b' ' && !b"\"\\".contains(&odd);
                assert_eq!(plain_run(&bytes), length + usize::from(is_plain), "{length}, {odd}");
            }
            assert_eq!(plain_run(&vec![b'a'; length]), length);
        }
    }
}
