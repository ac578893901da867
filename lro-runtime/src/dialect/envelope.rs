//! The envelope of a `google.longrunning.Operation` as nearly every reply has it, read in one pass.
//!
//! Half of what a poll costs is a JSON parser that checks, member by member, what it then leaves
//! unread. What is read here is JSON by every rule, but of a common form: anything else is left to
//! the parser, which accepts it or says what is wrong with it.

/// How deep objects and lists may be nested here. The parser has no such limit.
const DEEPEST: u32 = 32;

/// The members of an operation that has not failed, each at most once and none of them `null`. The
/// payloads are JSON texts, checked and not decoded.
#[derive(Default)]
pub(super) struct Envelope<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) done: Option<bool>,
    pub(super) metadata: Option<&'a [u8]>,
    pub(super) response: Option<&'a [u8]>,
}

impl<'a> Envelope<'a> {
    /// Reads an operation; `None` if it must be read by the parser.
    pub(super) fn of(json: &'a [u8]) -> Option<Self> {
        let (mut scan, mut envelope) = (Scan { rest: json }, Self::default());
        scan.list(b'{', b'}', |scan| {
            let key = scan.plain()?;
            scan.token(b':')?;
            envelope.member(key, scan)
        })?;
        let is_text = json.is_ascii() || std::str::from_utf8(json).is_ok();
        (is_text && scan.ahead().is_none()).then_some(envelope)
    }

    fn member(&mut self, key: &[u8], scan: &mut Scan<'a>) -> Option<()> {
        match key {
            b"name" => set(&mut self.name, std::str::from_utf8(scan.plain()?).ok()?),
            b"done" => set(&mut self.done, scan.truth()?),
            b"metadata" => set(&mut self.metadata, scan.payload()?),
            b"response" => set(&mut self.response, scan.payload()?),
            b"error" => None,
            _ => scan.value(DEEPEST),
        }
    }
}

/// Sets a member, which must not have been there before.
fn set<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

/// What is left of a JSON text. Every reader begins where the one before has ended, and returns
/// `None` for what is no JSON, or is left to the parser.
struct Scan<'a> {
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    /// Returns the next byte that is no white space, and stays in front of it.
    fn ahead(&mut self) -> Option<u8> {
        loop {
            match self.rest {
                [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] => self.rest = rest,
                [byte, ..] => return Some(*byte),
                [] => return None,
            }
        }
    }

    /// Reads this one byte, after white space.
    fn token(&mut self, byte: u8) -> Option<()> {
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
    fn truth(&mut self) -> Option<bool> {
        self.ahead()?;
        self.word(b"true").map(|()| true).or_else(|| self.word(b"false").map(|()| false))
    }

    /// Reads a member that is a payload, and returns its text. `null` would be as if it were not
    /// there.
    fn payload(&mut self) -> Option<&'a [u8]> {
        self.ahead()?;
        let before = self.rest;
        self.value(DEEPEST)?;
        let text = before.get(..before.len() - self.rest.len());
        text.filter(|text| *text != b"null")
    }

    /// Reads any value, with at most `depth` levels.
    fn value(&mut self, depth: u32) -> Option<()> {
        match self.ahead()? {
            b'"' => self.string(),
            b'{' => {
                let depth = depth.checked_sub(1)?;
                self.list(b'{', b'}', |scan| {
                    scan.ahead()?;
                    scan.string()?;
                    scan.token(b':')?;
                    scan.value(depth)
                })
            }
            b'[' => {
                let depth = depth.checked_sub(1)?;
                self.list(b'[', b']', |scan| scan.value(depth))
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
    fn plain(&mut self) -> Option<&'a [u8]> {
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
    fn what_services_write_is_read_in_one_pass() {
        let pretty = "{\n  \"name\": \"operations/7\",\r\n\t\"metadata\": { \"a\" : [ 1, -2.50, true, null, \"\u{fc}\\n\" ] , \"b\":{} },\"done\": true, \"response\": []\n}\n";
        let Envelope { name, done, metadata, response } = Envelope::of(pretty.as_bytes()).unwrap();
        assert_eq!((name, done, response), (Some("operations/7"), Some(true), Some(&b"[]"[..])));
        let metadata = std::str::from_utf8(metadata.unwrap()).unwrap();
        assert_eq!(metadata, "{ \"a\" : [ 1, -2.50, true, null, \"\u{fc}\\n\" ] , \"b\":{} }");
        let Envelope { name, done, metadata, response } = Envelope::of(br#"{"other":0}"#).unwrap();
        assert!((name, done, metadata, response) == (None, None, None, None));
    }

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

    #[test]
    fn what_is_unusual_is_left_to_the_parser() {
        let deep = format!("{{\"metadata\":{}{}}}", "[".repeat(40), "]".repeat(40));
        for json in [
            &deep,
            "",
            "[]",
            "{}x",
            "{} {}",
            "{,}",
            r#"{"name":"a",}"#,
            r#"{"name" "a"}"#,
            r#"{"name":"a" "done":true}"#,
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a\/b"}"#,
            r#"{"n\u0061me":"b"}"#,
            r#"{"name":7}"#,
            r#"{"done":"true"}"#,
            r#"{"done":null}"#,
            r#"{"metadata":null}"#,
            r#"{"error":{}}"#,
            r#"{"x":"\u00fc"}"#,
            r#"{"x":"\x"}"#,
            r#"{"x":"\"#,
            "{\"x\":\"\n\"}",
            r#"{"x":01}"#,
            r#"{"x":-}"#,
            r#"{"x":1.}"#,
            r#"{"x":.5}"#,
            r#"{"x":1e3}"#,
            r#"{"x":nul}"#,
            r#"{"x":truest}"#,
            r#"{"x":+1}"#,
            r#"{"x":[1,]}"#,
            r#"{"x":[}"#,
            r#"{"x":"a"#,
            r#"{"x""#,
        ] {
            assert!(Envelope::of(json.as_bytes()).is_none(), "{json}");
        }
        assert!(Envelope::of(b"{\"x\":\"\xff\"}").is_none());
    }
}
