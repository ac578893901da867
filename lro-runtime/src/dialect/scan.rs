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
        self.token(b'{')?;
        self.list(b'}', |scan| {
            let name = scan.plain()?;
            scan.token(b':')?;
            member(name, scan)
        })
    }

    /// Returns the next byte that is no white space, and stays in front of it.
    pub(super) fn ahead(&mut self) -> Option<u8> {
        loop {
            match self.rest {
                // Nearly always, so it is looked for first.
                [byte, ..] if *byte > b' ' => return Some(*byte),
                [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] => self.rest = rest,
                [byte, ..] => return Some(*byte),
                [] => return None,
            }
        }
    }

    /// Reads this one byte, after white space.
    #[inline]
    pub(super) fn token(&mut self, byte: u8) -> Option<()> {
        (self.ahead()? == byte).then(|| self.step())
    }

    /// Reads one byte, which is there.
    fn step(&mut self) {
        if let [_, rest @ ..] = self.rest {
            self.rest = rest;
        }
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
    #[inline]
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
    #[inline]
    pub(super) fn value(&mut self) -> Option<()> {
        self.rest = Scan::of(self.rest).behind_value()?;
        Some(())
    }

    /// Reads any value, and returns what is behind it.
    // A loop, not a call for each level, and by value: most bytes of a reply are read here.
    #[inline(never)]
    fn behind_value(mut self) -> Option<&'a [u8]> {
        let mut levels = Levels::default();
        loop {
            match self.ahead()? {
                b'"' => self.string()?,
                b'{' => {
                    self.step();
                    levels.enter(true)?;
                    if self.token(b'}').is_none() {
                        self.name()?;
                        continue;
                    }
                    levels.leave();
                }
                b'[' => {
                    self.step();
                    levels.enter(false)?;
                    if self.token(b']').is_none() {
                        continue;
                    }
                    levels.leave();
                }
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            // Whatever ends with this value.
            loop {
                let Some(is_object) = levels.innermost() else { return Some(self.rest) };
                let next = self.ahead()?;
                self.step();
                match (next, is_object) {
                    (b',', true) => {
                        self.name()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => levels.leave(),
                    _ => return None,
                }
            }
        }
    }

    /// Reads the name of a member, and the colon behind it.
    #[inline]
    fn name(&mut self) -> Option<()> {
        self.ahead()?;
        self.string()?;
        self.token(b':')
    }

    /// Reads on to behind this byte, with commas between the elements.
    fn list(&mut self, close: u8, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.token(close).is_some() {
            return Some(());
        }
        loop {
            element(self)?;
            let next = self.ahead()?;
            self.step();
            if next != b',' {
                return (next == close).then_some(());
            }
        }
    }

    /// Reads a string without escapes, and returns what stands between its quotes.
    #[inline]
    pub(super) fn plain(&mut self) -> Option<&'a [u8]> {
        self.token(b'"')?;
        let before = self.rest;
        let (b'"', rest) = odd(before)? else { return None };
        self.rest = rest;
        before.get(..before.len() - rest.len() - 1)
    }

    /// Reads a string.
    #[inline]
    fn string(&mut self) -> Option<()> {
        self.word(b"\"")?;
        let mut rest = self.rest;
        loop {
            match odd(rest)? {
                (b'"', behind) => {
                    self.rest = behind;
                    return Some(());
                }
                (b'\\', [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', behind @ ..]) => rest = behind,
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

/// The objects and lists that are read at one time, each inside the one before.
#[derive(Default)]
struct Levels {
    /// The bit of each level says whether it is an object. The innermost is the lowest.
    objects: u32,
    depth: u32,
}

impl Levels {
    fn enter(&mut self, is_object: bool) -> Option<()> {
        self.objects = self.objects << 1 | u32::from(is_object);
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())
    }

    fn leave(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    /// Whether the innermost is an object.
    fn innermost(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.objects & 1 == 1)
    }
}

/// Returns the first byte that does not stand for itself in a string, a quote, a backslash or a
/// control character, and what is behind it.
///
/// Most of a reply is strings, so eight bytes are looked at in one step.
fn odd(mut text: &[u8]) -> Option<(u8, &[u8])> {
    while let Some((eight, rest)) = text.split_first_chunk() {
        let found = odd_bytes(u64::from_le_bytes(*eight));
        if found != 0 {
            text = text.get(found.trailing_zeros() as usize / 8..)?;
            break;
        }
        text = rest;
    }
    // What is shorter than eight bytes, or begins with the byte.
    loop {
        match text {
            [byte @ (b'"' | b'\\' | ..b' '), rest @ ..] => return Some((*byte, rest)),
            [_, rest @ ..] => text = rest,
            [] => return None,
        }
    }
}

/// Sets the highest bit of each byte that is a quote, a backslash or a control character. Only the
/// lowest such byte counts: those above it may be wrong.
fn odd_bytes(eight: u64) -> u64 {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    // A byte less than what is taken from it borrows, and so gets its highest bit. With one bit
    // turned over, a quote comes next to the control characters, and the space in its place.
    let control_or_quote = (eight ^ (EACH * 2)).wrapping_sub(EACH * 0x21);
    let backslash = (eight ^ (EACH * u64::from(b'\\'))).wrapping_sub(EACH);
    // A byte that had it before is of a character that is not ASCII.
    (control_or_quote | backslash) & !eight & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    /// What may stand around the characters of a test: neighbours of those that are looked for, and
    /// bytes that are parts of a character.
    const AROUND: [char; 8] = ['a', ' ', '!', '#', '[', ']', '\u{7f}', '\u{fc}'];

    /// Returns the text of the value that `json` consists of, as it is read here.
    fn text(json: &str) -> Option<&str> {
        let mut scan = Scan::of(json.as_bytes());
        let text = scan.text()?;
        std::str::from_utf8(text).ok().filter(|_| scan.ahead().is_none())
    }

    /// Asserts that `json` is read as `serde_json` reads it, and refused where it refuses it.
    fn agrees(json: &str) {
        let theirs = serde_json::from_str::<&RawValue>(json).ok().map(RawValue::get);
        assert_eq!(text(json), theirs, "{json:?}");
    }

    #[test]
    fn what_is_odd_in_a_string_is_found_at_every_place() {
        for length in 0..40 {
            for byte in 0..=u8::MAX {
                let plain = [&b"~ \x7f\x80\xff!#[]"[..]; 10].concat();
                for tail in [&b""[..], b"\"", b"\"\0\\~~~~~~~~"] {
                    let bytes = [&plain[..length], &[byte], tail].concat();
                    let is_odd = byte < b' ' || b"\"\\".contains(&byte);
                    let expected =
                        if is_odd { Some((byte, tail)) } else { tail.split_first().map(|(b, rest)| (*b, rest)) };
                    assert_eq!(odd(&bytes), expected, "{length}, {byte}, {tail:?}");
                }
            }
        }
    }

    #[test]
    fn a_string_is_read_as_by_serde_json_whatever_stands_where_in_it() {
        let control = (0..b' ').map(|byte| char::from(byte).to_string());
        let escapes = r#"" \ \" \\ \/ \b \f \n \r \t \x \' \U \\" \"\ \\\ \\\\ """#.split(' ').map(str::to_owned);
        let characters = ["", "\u{80}", "\u{20ac}", "\u{ffff}", "\u{1d11e}"].map(str::to_owned);
        for inside in control.chain(escapes).chain(characters) {
            for around in AROUND {
                for (before, behind) in (0..18).flat_map(|before| (0..10).map(move |behind| (before, behind))) {
                    let [before, behind] = [before, behind].map(|count| around.to_string().repeat(count));
                    let string = format!("\"{before}{inside}{behind}\"");
                    agrees(&string);
                    agrees(&string[..string.len() - 1]);
                    agrees(&format!("{{{string}:[{string} ,\t0],{string}\n: {string}}}"));
                    let plain = serde_json::from_str::<&str>(&string).ok();
                    let mut scan = Scan::of(string.as_bytes());
                    let read = scan.plain().filter(|_| scan.ahead().is_none());
                    let read = read.and_then(|inside| std::str::from_utf8(inside).ok());
                    assert_eq!(read, plain, "{string:?}");
                }
            }
        }
    }

    #[test]
    fn values_are_nested_as_by_serde_json() {
        // Every text of up to so many of these.
        const TOKENS: [&str; 8] = ["{", "}", "[", "]", ",", ":", "\"\"", "0"];
        for count in 0..=6 {
            for which in 0..8_usize.pow(count) {
                let token = |place: u32| TOKENS[which / 8_usize.pow(place) % 8];
                agrees(&(0..count).map(token).collect::<String>());
            }
        }
        for json in ["-", "-0", "00", "0.", ".5", "-1.50", "1 2", "t", "true", "truer", "nul", "null", " false ", "+1"]
        {
            agrees(json);
        }
    }

    #[test]
    fn what_is_deep_is_closed_as_it_was_opened_and_what_is_deeper_is_left_to_the_parser() {
        // In each bit, whether that level is an object.
        for objects in [0, u64::MAX, 0x5555_5555_5555, 0xaaaa_aaaa_aaaa, 0x0123_4567_89ab_cdef] {
            let is_object = |level: u32| objects >> level & 1 == 1;
            for depth in 1..=DEEPEST + 2 {
                let open = (0..depth).map(|level| if is_object(level) { "{\"\":" } else { "[" }).collect::<String>();
                let close = (0..depth).rev().map(|level| if is_object(level) { "}" } else { "]" }).collect::<String>();
                let json = format!("{open}0{close}");
                let theirs = serde_json::from_str::<&RawValue>(&json).map(RawValue::get).unwrap();
                assert_eq!(text(&json), Some(theirs).filter(|_| depth <= DEEPEST), "{json}");
                for (wrong, _) in close.char_indices().take(DEEPEST as usize) {
                    let other = if &close[wrong..=wrong] == "}" { "]" } else { "}" };
                    agrees(&format!("{open}0{}{other}{}", &close[..wrong], &close[wrong + 1..]));
                    agrees(&format!("{open}0{}", &close[..wrong]));
                }
            }
        }
    }
}
