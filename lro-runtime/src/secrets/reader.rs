//! The reader of names, URLs and texts: finds parameters, user info and members of JSON however
//! they are escaped, and leaves out or hides what the [names](super::names) say.

use std::borrow::Cow;

use super::names::{LONGEST, is_secret, is_secret_member, is_secret_word, is_shown, push_folded};
use crate::percent;

/// One character of a text, and what it means to a reader of URLs.
struct Unit<'a> {
    /// The character as it is written, such as `%3F`.
    text: &'a str,
    /// What it means, such as `?`.
    means: char,
    /// How often it is percent-encoded: `%3F` once, `%253F` twice. The escapes of JSON and of XML
    /// do not count, because they belong to the document and not to the URL in it.
    depth: usize,
}

impl<'a> Unit<'a> {
    /// Reads the first character of `text`; `None` at its end.
    fn first_of(text: &'a str) -> Option<Self> {
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

/// Counts the bytes that are looked at, in tests. Time would tell the same, but not in a test.
fn read(bytes: usize) {
    #[cfg(test)]
    tests::READ.with(|read| read.set(read.get() + bytes));
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

/// How a text is cleaned.
struct Rules {
    /// What ends the value of a parameter.
    ends_value: fn(char) -> bool,
    /// What ends the user info and the host of a URL.
    ends_host: fn(char) -> bool,
    /// Whether the text is of any kind, with URLs and JSON in it, and not one name or URL.
    is_text: bool,
    purpose: Purpose,
    /// Whether the text was cut, so that its end is not where it ends.
    is_cut: bool,
}

impl Rules {
    fn apply<'a>(&self, text: &'a str, left_out: &mut Vec<String>) -> Cow<'a, str> {
        // Most texts have no parameter, no member and no user info in them. Of a text that was cut,
        // the `@` may be missing.
        let is_worth_reading = text.contains(['=', '@', '%', '\\', '&', '?', '#', ';', '"']);
        if is_worth_reading || self.is_cut && text.contains('/') {
            Cow::Owned(cleaned(text, self, left_out))
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// What a text is cleaned for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To be printed: the value of a parameter is hidden unless its name is known to be harmless.
    Show,
    /// To be stored: the value of a known secret is hidden.
    Store,
    /// To be stored as an address of a server: a known secret is left out with its name.
    LeaveOut,
    /// To be stored as an address of the caller: a parameter is left out with its name unless it is
    /// known to be harmless.
    LeaveOutUnknown,
}

impl Purpose {
    /// Whether parameters go with their names, and nothing stands for them.
    fn leaves_out(self) -> bool {
        matches!(self, Self::LeaveOut | Self::LeaveOutUnknown)
    }

    /// Returns the list by which the parameters of a query are judged.
    fn list(self) -> List {
        match self {
            Self::Show | Self::LeaveOutUnknown => List::Shown,
            Self::Store | Self::LeaveOut => List::Secrets,
        }
    }
}

/// By which list a parameter is judged.
#[derive(Clone, Copy)]
enum List {
    /// Hidden unless it is known to be harmless.
    Shown,
    /// Hidden if it is a known secret.
    Secrets,
    /// As [`Secrets`](Self::Secrets), but by the rule of words: `name=value` in prose.
    Words,
}

/// Where the name of a parameter may begin.
#[derive(Clone, Copy)]
struct Mark<'a> {
    /// Where it stands in the text that is written.
    at: usize,
    text: &'a str,
    depth: usize,
    /// Whether it is the `?` that begins the query, which the next parameter needs if this one is
    /// left out.
    opens: bool,
    list: List,
    /// How many characters the name has so far.
    length: usize,
}

impl Mark<'_> {
    /// Returns the value of this parameter, whose `=` is encoded so often.
    fn value(&self, depth: usize, rules: &Rules, has_query: bool) -> Value {
        let in_path = self.is_in_path(rules, has_query);
        Value { depth: depth.min(self.depth), in_path, is_shown: false }
    }

    /// Whether the parameter belongs to a segment of a path.
    fn is_in_path(&self, rules: &Rules, has_query: bool) -> bool {
        !rules.is_text && !has_query && self.text == ";"
    }
}

/// The value of a secret, while it is passed over.
struct Value {
    /// Only what is encoded as often as the parameter, or less often, ends it.
    depth: usize,
    /// Whether it belongs to a segment of a path, which ends it as well.
    in_path: bool,
    is_shown: bool,
}

/// How many characters of a name are shown. What is longer is no name, and may be a value that
/// lacks one.
const NAME: usize = 40;

/// A quote of JSON, which in a string of other JSON is written `\"` or `\u0022`.
#[derive(Clone, Copy, Default)]
struct Quote {
    /// How many backslashes stand before it, without those of the string that it ends.
    slashes: usize,
    /// Whether it is written `u0022`.
    is_coded: bool,
    /// In how many strings the JSON is, in whose syntax it is a quote.
    level: u32,
}

impl Quote {
    /// Reads a quote that has so many backslashes before it; `None` if `unit` is none.
    fn of(unit: &Unit<'_>, slashes: usize) -> Option<Self> {
        let is_coded = unit.means == '"' && unit.text.starts_with('\\');
        if !is_coded && unit.text != "\"" {
            return None;
        }
        let slashes = if is_coded { unit.text.trim_end_matches("u0022").len().max(1) } else { slashes };
        // A string of JSON doubles the backslashes of what it holds, and adds one for a quote that
        // it does not write as a number.
        let doubled = if is_coded { slashes.trailing_zeros() } else { 0 };
        let level = doubled + (slashes >> doubled).trailing_ones();
        Some(Self { slashes: slashes % (2 << level), is_coded, level })
    }

    fn write(self, out: &mut String) {
        self.write_slashes(out);
        out.push_str(if self.is_coded { "u0022" } else { "\"" });
    }

    fn write_slashes(self, out: &mut String) {
        out.extend(std::iter::repeat_n('\\', self.slashes));
    }
}

/// Finds the members of JSON objects whose values are secrets, also in JSON that is a string of
/// other JSON.
///
/// A name, the colon and the value must be of one level of quoting: so a value that is passed over
/// ends with its string at the latest, and JSON stays JSON.
#[derive(Default)]
struct Members {
    /// How many backslashes stand directly before the next character.
    slashes: usize,
    /// What follows the last quote, folded, and that quote.
    run: String,
    opened: Quote,
    stage: Stage,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Outside,
    /// After a name that is a secret, before the colon.
    Named,
    /// After the colon, before the value.
    Valued,
    /// In a string that is passed over.
    InString,
    /// In a number that is passed over.
    InNumber,
    /// In an array or an object that is passed over: in so many of both, and in a string or not.
    Nested { depth: usize, in_string: bool },
}

impl Members {
    /// Reads the next character, and writes what stands for a value. Returns whether the character
    /// is passed over.
    fn passes_over(&mut self, unit: &Unit<'_>, out: &mut String) -> bool {
        let slashes = self.slashes;
        self.slashes = if unit.text.starts_with('\\') && unit.means == '\\' { unit.text.len() } else { 0 };
        let quote = Quote::of(unit, slashes);
        if self.stage == Stage::InNumber {
            if matches!(unit.means, '+' | '-' | '.' | 'e' | 'E') || unit.means.is_ascii_digit() {
                return true;
            }
            self.stage = Stage::Outside;
        }
        if let Stage::Nested { depth, in_string } = self.stage {
            return self.passes_over_nested(unit, quote, depth, in_string, out);
        }
        if self.stage == Stage::InString {
            // The end of a string that the value is in ends it as well.
            let Some(quote) = quote.filter(|quote| quote.level <= self.opened.level) else { return true };
            self.end_at(quote, out);
            return false;
        }
        match (quote, unit.text) {
            (Some(quote), text) if self.stage == Stage::Valued && quote.level == self.opened.level => {
                out.extend([text, "…"]);
                self.stage = Stage::InString;
                return true;
            }
            (Some(quote), _) => {
                let is_name = quote.level == self.opened.level && is_secret_member(&self.run);
                self.stage = if is_name { Stage::Named } else { Stage::Outside };
                self.opened = quote;
                self.run.clear();
            }
            (None, ":") if self.stage == Stage::Named => self.stage = Stage::Valued,
            (None, text)
                if self.stage == Stage::Valued && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') =>
            {
                self.write_whole(out);
                self.stage = Stage::InNumber;
                return true;
            }
            (None, "[" | "{") if self.stage == Stage::Valued => {
                self.write_whole(out);
                self.stage = Stage::Nested { depth: 1, in_string: false };
                return true;
            }
            _ if self.slashes > 0 => {}
            (None, text) => {
                // White space of JSON that is a string is written `\n`.
                let is_space = unit.means.is_whitespace() || slashes > 0 && matches!(text, "n" | "r" | "t");
                if !is_space {
                    self.stage = Stage::Outside;
                }
                push_folded(&mut self.run, unit.means);
            }
        }
        false
    }

    /// Reads the next character of an array or an object, as [`passes_over`](Self::passes_over).
    fn passes_over_nested(
        &mut self,
        unit: &Unit<'_>,
        quote: Option<Quote>,
        depth: usize,
        in_string: bool,
        out: &mut String,
    ) -> bool {
        let (depth, in_string) = match (quote, unit.text) {
            // It broke off, and the string that it is in ends here.
            (Some(quote), _) if quote.level < self.opened.level => {
                self.end_at(quote, out);
                return false;
            }
            (Some(quote), _) if quote.level == self.opened.level => (depth, !in_string),
            (None, "[" | "{") if !in_string => (depth + 1, false),
            (None, "]" | "}") if !in_string => (depth - 1, false),
            _ => (depth, in_string),
        };
        self.stage = if depth == 0 { Stage::Outside } else { Stage::Nested { depth, in_string } };
        if depth == 0 {
            self.run.clear();
        }
        true
    }

    /// Writes what stands for a value that is no string.
    fn write_whole(&self, out: &mut String) {
        self.opened.write(out);
        out.push('…');
        self.opened.write(out);
    }

    /// Ends a value at a quote, whose backslashes were passed over with it.
    fn end_at(&mut self, quote: Quote, out: &mut String) {
        if !quote.is_coded {
            quote.write_slashes(out);
        }
        (self.stage, self.opened) = (Stage::Outside, quote);
        self.run.clear();
    }
}

/// Returns `text` without the values of secret parameters and without user info of URLs. The names
/// of the parameters that are left out are added to `left_out`.
///
/// A parameter begins at every `?`, `&`, `;` and `#`, however it is escaped and whatever it stands
/// in: a URL may be the value of another one's parameter, encoded or not. Its value goes on to the
/// next `&` or `#`, because only old servers end it at a `;`. Each line is read by itself.
#[expect(clippy::too_many_lines, reason = "one loop over one text, whose parts share all of its state")]
fn cleaned(text: &str, rules: &Rules, left_out: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut name = String::with_capacity(LONGEST + 4);
    let mut members = Members::default();
    // In a text, a parameter may also begin where a word does.
    let word = |out: &String| Mark { at: out.len(), text: "", depth: 0, opens: false, list: List::Words, length: 0 };
    let mut mark: Option<Mark<'_>> = rules.is_text.then(|| word(&out));
    // The `?` of a first parameter that was left out, for the one that is first now.
    let mut opening: Option<Mark<'_>> = None;
    let mut has_query = false;
    let mut passed: Option<Value> = None;
    // A host begins after two slashes that do not follow a letter, as in `://`. How many of the
    // three were read, and where the host began, with its depth and the mark of that place.
    let mut slashes = 1;
    let mut host: Option<(usize, usize, Option<Mark<'_>>)> = None;
    while let Some(unit) = Unit::first_of(rest) {
        rest = rest.get(unit.text.len()..).unwrap_or_default();
        if rules.is_text && members.passes_over(&unit, &mut out) {
            (mark, opening, passed, host) = (None, None, None, None);
            continue;
        }
        if unit.text == "\n" {
            (opening, has_query, passed, slashes, host) = (None, false, None, 1, None);
            out.push('\n');
            mark = rules.is_text.then(|| word(&out));
            name.clear();
            continue;
        }
        if let Some(value) = &mut passed {
            let ends = (rules.ends_value)(unit.means) || value.in_path && matches!(unit.means, '/' | '?');
            if unit.depth > value.depth || !ends {
                if !value.is_shown && !rules.purpose.leaves_out() {
                    out.push('…');
                }
                value.is_shown = true;
                continue;
            }
            passed = None;
        }
        if let Some((at, depth, before)) = host.filter(|(_, depth, _)| unit.depth <= *depth) {
            if unit.means == '@' {
                out.truncate(at);
                // A mark in the user info went with it; one before it stands, whose name has the
                // slashes in it and so is in no list. A word begins behind them.
                (mark, opening, slashes) = (before, None, 0);
                name.clear();
                if before.is_some_and(|mark| !mark.text.is_empty()) {
                    name.push('/');
                }
                continue;
            }
            host = Some((at, depth, before)).filter(|_| !(rules.ends_host)(unit.means));
        }
        let opened = opening.take().filter(|opening| opening.depth == unit.depth);
        match unit.means {
            '?' | '&' | ';' | '#' => {
                let is_query = unit.means == '?' && (unit.depth > 0 || !has_query);
                has_query |= unit.means == '?' && unit.depth == 0;
                let opened = opened.filter(|_| matches!(unit.means, '&' | ';'));
                let text = opened.map_or(unit.text, |opening| opening.text);
                let opens = is_query || opened.is_some();
                // A `;` in a text may be that of a sentence or of a header.
                let is_stop = rules.is_text && unit.means == ';' && !has_query;
                let list = if is_stop { List::Secrets } else { rules.purpose.list() };
                mark = Some(Mark { at: out.len(), text, depth: unit.depth, opens, list, length: 0 });
                name.clear();
                out.push_str(text);
            }
            '=' => {
                let secret = mark.take().filter(|mark| match mark.list {
                    List::Shown => !is_shown(&name),
                    List::Secrets => is_secret(&name),
                    List::Words => is_secret_word(&name),
                });
                if let Some(mark) = secret {
                    passed = Some(mark.value(unit.depth, rules, has_query));
                    host = None;
                }
                match secret.filter(|_| rules.purpose.leaves_out()) {
                    Some(mark) => {
                        let name = out.get(mark.at + mark.text.len()..).unwrap_or_default();
                        left_out.push(name.to_owned());
                        out.truncate(mark.at);
                        opening = Some(mark).filter(|mark| mark.opens);
                    }
                    None => out.push_str(unit.text),
                }
            }
            // No name of a parameter has these in it: what follows is prose, or other JSON.
            c if rules.is_text && unit.depth == 0 && (c.is_whitespace() || matches!(c, '"' | '`' | '<' | '>')) => {
                has_query = false;
                out.push_str(unit.text);
                mark = Some(word(&out));
                name.clear();
            }
            c => {
                // A parameter of a segment is over where the segment is.
                let goes_on = c != '/' || unit.depth > 0;
                mark = mark.filter(|mark| goes_on || !mark.is_in_path(rules, has_query));
                let length = mark.as_mut().filter(|mark| !mark.text.is_empty()).map_or(0, |mark| {
                    mark.length += 1;
                    mark.length
                });
                if mark.is_some() {
                    push_folded(&mut name, c);
                }
                match rules.purpose {
                    Purpose::LeaveOutUnknown if length > NAME => {
                        if let Some(mark) = mark.take() {
                            left_out.push("…".to_owned());
                            out.truncate(mark.at);
                            opening = Some(mark).filter(|mark| mark.opens);
                            passed = Some(mark.value(mark.depth, rules, has_query));
                            host = None;
                        }
                    }
                    Purpose::Show if length == NAME + 1 => out.push('…'),
                    Purpose::Show if length > NAME => {}
                    _ => out.push_str(unit.text),
                }
                let is_word = mark.is_some_and(|mark| mark.text.is_empty());
                if is_word && c.is_ascii_punctuation() && !matches!(c, '-' | '_' | '.' | '$') {
                    mark = Some(word(&out));
                    name.clear();
                }
            }
        }
        slashes = match (slashes, unit.means) {
            (2, '/') => {
                host = Some((out.len(), unit.depth, mark));
                0
            }
            (1, '/') => 2,
            (_, c) => u8::from(c != '/' && !c.is_alphanumeric()),
        };
    }
    // What was read of a host may be user info, whose `@` was cut off: no host is as long as what
    // is read behind the end of what is shown.
    if let Some((at, ..)) = host.filter(|_| rules.is_cut) {
        out.truncate(at);
    }
    out
}

/// The rules of a text of any kind, such as a body that has URLs in it.
const TEXT: Rules = Rules {
    ends_value: |c| c.is_whitespace() || matches!(c, '&' | '#' | '"' | '`' | '<' | '>' | '\\'),
    ends_host: |c| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '`' | '<' | '>' | '\\'),
    is_text: true,
    purpose: Purpose::Show,
    is_cut: false,
};

/// The rules of a name or a URL that stands alone.
const ALONE: Rules = Rules {
    ends_value: |c| matches!(c, '&' | '#'),
    ends_host: |c| matches!(c, '/' | '?' | '#'),
    is_text: false,
    purpose: Purpose::Show,
    is_cut: false,
};

/// Returns a text of any kind in a form that may be shown: `…` stands for the values of query
/// parameters that are not known to be harmless, and of members of JSON that are known secrets.
/// User info is removed from URLs. `is_cut` says that the text is only the beginning of one.
pub(crate) fn hidden(text: &str, is_cut: bool) -> Cow<'_, str> {
    Rules { is_cut, ..TEXT }.apply(text, &mut vec![])
}

/// Returns a text of any kind in a form that may be stored: as [`hidden`], but of query parameters
/// only the known secrets are hidden, because what reads the text later may need the others. JSON
/// stays JSON.
pub(crate) fn stored_text(text: &str) -> Cow<'_, str> {
    stored_head(text, false)
}

/// As [`stored_text`], of a text that may be only the beginning of one.
pub(crate) fn stored_head(text: &str, is_cut: bool) -> Cow<'_, str> {
    Rules { purpose: Purpose::Store, is_cut, ..TEXT }.apply(text, &mut vec![])
}

/// Returns a name or a URL in a form that may be shown: `…` stands for the values of query
/// parameters that are not known to be harmless, and user info is removed.
pub(crate) fn redacted(text: &str) -> String {
    redacted_head(text, false)
}

/// As [`redacted`], of a name or a URL that may be only the beginning of one.
pub(crate) fn redacted_head(text: &str, is_cut: bool) -> String {
    Rules { is_cut, ..ALONE }.apply(text, &mut vec![]).into_owned()
}

/// Returns a name or a URL of a server fit to be stored: known secrets are left out, and their
/// names added to `left_out`; user info is removed. Everything else stays, letter by letter: the
/// server gave it to be asked for again, and it may be an opaque name.
pub(crate) fn without_secrets(text: &str, left_out: &mut Vec<String>) -> String {
    Rules { purpose: Purpose::LeaveOut, ..ALONE }.apply(text, left_out).into_owned()
}

/// Returns a URL that the caller has written fit to be stored: of its parameters only what is known
/// to be harmless, and no fragment. The names of the others are added to `left_out`, and `…` for
/// each that has none. What is stored is what [`redacted`] shows as it is.
pub(crate) fn of_caller(url: &str, left_out: &mut Vec<String>) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut kept = path.to_owned();
    let mut separator = '?';
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = name_of(pair);
        if is_shown(&folded(name.unwrap_or(pair))) {
            kept.push(separator);
            kept.push_str(pair);
            separator = '&';
        } else {
            left_out.push(name.unwrap_or("…").to_owned());
        }
    }
    Rules { purpose: Purpose::LeaveOutUnknown, ..ALONE }.apply(&kept, left_out).into_owned()
}

/// Returns the name of a parameter as it is written. `None` if it has none: what stands before the
/// mark of another parameter, or alone, may be a value.
fn name_of(pair: &str) -> Option<&str> {
    let mut rest = pair;
    while let Some(unit) = Unit::first_of(rest) {
        match unit.means {
            '=' => return pair.get(..pair.len() - rest.len()).filter(|name| !name.is_empty()),
            '?' | '&' | ';' | '#' => return None,
            _ => rest = rest.get(unit.text.len()..).unwrap_or_default(),
        }
    }
    None
}

/// Returns a name as it is compared, with `%XX` decoded.
fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(LONGEST + 4);
    let mut rest = name;
    while let Some(unit) = Unit::first_of(rest) {
        rest = rest.get(unit.text.len()..).unwrap_or_default();
        push_folded(&mut folded, unit.means);
    }
    folded
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::{super::names::tests::KNOWN, *};

    /// What is shown of a whole text.
    fn hidden(text: &str) -> Cow<'_, str> {
        super::hidden(text, false)
    }

    /// What is stored of a URL of the server.
    fn stored(text: &str) -> String {
        without_secrets(text, &mut vec![])
    }

    /// The ways in which a server may write a name.
    fn spellings(name: &str) -> [String; 3] {
        let encoded: Vec<_> = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        [name.to_owned(), name.to_ascii_uppercase(), encoded.concat()]
    }

    /// The ways in which a document may write the mark before a name.
    const MARKS: [&str; 13] = [
        "?",
        "&",
        ";",
        "#",
        "\\u003f",
        "\\u0026",
        "\\\\u0026",
        "&amp;",
        "&amp;amp;",
        "&#38;",
        "&#x26;",
        "%3F",
        "%2526",
    ];

    #[test]
    fn every_secret_of_a_query_is_hidden_wherever_it_stands() {
        for name in KNOWN.iter().flat_map(|name| spellings(name)) {
            for query in [
                format!("?{name}=hunter2"),
                format!("?a=1&{name}=hunter2&b=2"),
                format!("?a=1;{name}=hunter2"),
                format!("?{name}=hunter2&{name}=hunter2"),
                format!("?{name}==hunter2?=&b=hunter"),
                format!("?b=2#{name}=hunter2"),
                format!("?a=1?{name}=hunter2"),
                format!("?next=https://x/?{name}=hunter2"),
                format!("?url=https%3A%2F%2Fx%2F%3Fa%3D1%26{name}%3Dhunter2%26b%3D2&c=3"),
                format!("?url=https%253A%252F%252Fx%252F%253F{name}%253Dhunter2"),
                format!("?url=https%3A%2F%2Fx%2F%3F{name}=a%26hunter2"),
                format!("?{name}%3Da%26hunter2&b=2"),
                format!("?x=1\nhttps://b?{name}=hunter2"),
            ] {
                let url = format!("https://h/p{query}");
                assert!(!redacted(&url).contains("hunter2"), "{url}: {}", redacted(&url));
                assert!(!stored(&url).contains("hunter2"), "{url}: {}", stored(&url));
                let said = format!("found `{{\"next\":\"{url}\"}}`, sorry");
                assert!(!hidden(&said).contains("hunter2"), "{}", hidden(&said));
                assert!(hidden(&said).ends_with("sorry"), "{}", hidden(&said));
            }
            for mark in MARKS {
                let said = format!("found `{{\"next\":\"https://h/p?b=1{mark}{name}=hunter2\"}}`, sorry");
                assert!(!hidden(&said).contains("hunter2"), "{}", hidden(&said));
                assert!(hidden(&said).ends_with("sorry"), "{}", hidden(&said));
                assert!(!stored_text(&said).contains("hunter2"), "{}", stored_text(&said));
                assert!(!redacted(&said).contains("hunter2"), "{}", redacted(&said));
                assert!(!stored(&said).contains("hunter2"), "{}", stored(&said));
            }
        }
    }

    #[test]
    fn a_value_ends_where_it_ends_in_its_document() {
        let cases = [
            (
                r#"{"next":"https://h/p?a=1\u0026sig=x\u002by\/z\u0026b=2"}"#,
                r#"{"next":"https://h/p?a=…\u0026sig=…\u0026b=…"}"#,
            ),
            ("<next>https://h/p?a=1&amp;sig=x&amp;b=2</next>", "<next>https://h/p?a=…&amp;sig=…&amp;b=…</next>"),
            (r#"\"/p?sig=x\" is gone"#, r#"\"/p?sig=…\" is gone"#),
            ("see /p?sig=x%26y&top=2", "see /p?sig=…&top=2"),
            ("see /p?filter=%2F%3Fsig%3Dx%26top%3D2&c=3", "see /p?filter=%2F%3Fsig%3D…%26top%3D2&c=…"),
            ("Host=h;AccountKey=x==;More=y", "Host=h;AccountKey=…"),
            ("password=x, then client_secret=y", "password=… then client_secret=…"),
            ("a;code=5 and #access_token=x\ny", "a;code=… and #access_token=…\ny"),
        ];
        for (said, shown) in cases {
            assert_eq!(hidden(said), shown);
        }
    }

    #[test]
    fn user_info_is_hidden_wherever_it_stands() {
        for (said, shown) in [
            ("https://u:hunter2@h/p", "https://h/p"),
            ("https://u@x:hunter2@h", "https://h"),
            ("//u:hunter2@h/p", "//h/p"),
            ("https:\\/\\/u:hunter2@h\\/p", "https:\\/\\/h\\/p"),
            ("https://h/p?filter=https%3A%2F%2Fu%3Ahunter2%40x%2Fy", "https://h/p?filter=https%3A%2F%2Fx%2Fy"),
            ("https://a?top=1\nhttps://u:hunter2@b?sig=hunter2", "https://a?top=1\nhttps://b?sig=…"),
        ] {
            assert_eq!(hidden(said), shown);
            assert_eq!(redacted(said), shown);
            assert_eq!(stored(said), shown.replace("?sig=…", ""));
        }
        assert_eq!(hidden("//u:hunter2@sig=hunter2"), "//sig=…");
        let said = "cannot read https://u:hunter2@h/p, ask me@example.com";
        assert_eq!(hidden(said), "cannot read https://h/p, ask me@example.com");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let url = "https://user:pw@h/p?api-version=1&sig=hunter2&Key=hunter2&t=5";
        assert_eq!(redacted(url), "https://h/p?api-version=1&sig=…&Key=…&t=…");
        assert_eq!(stored(url), "https://h/p?api-version=1&t=5");
        assert_eq!(stored("https://h/p?sig=x"), "https://h/p");
        assert_eq!(stored("https://h/p?u=%2F%3Fsig%3Dx%26b%3D2&c=3"), "https://h/p?u=%2F%3Fb%3D2&c=3");
        assert_eq!(stored("https://h/p?u=/?sig=x&c=3"), "https://h/p?u=/&c=3");
        assert_eq!(stored("https://h/p?sig=x&a=1;b=2&key=y#top"), "https://h/p?a=1;b=2#top");
        for plain in [
            "",
            "operations/7",
            "ä ö?",
            "a?b?c#d#",
            "??&&;;#=",
            "a=b",
            "https://h/p?pageSize=5&%24filter=x%26y&x",
            "code=5",
            "a & b = c; d = e",
            "what? that: key = 5",
            "https://h/a//b@c?filter=me@example.com",
            "100%25 of %7Bx%7D %%25%2 \\\\ \\u00 &amp &#x; &#;",
        ] {
            if !plain.contains(" = ") {
                assert_eq!(redacted(plain), plain);
                assert_eq!(stored(plain), plain);
            }
            assert_eq!(hidden(plain), plain);
            assert_eq!(stored_text(plain), plain);
        }
    }

    #[test]
    fn of_a_query_the_names_are_shown_and_only_values_known_to_be_harmless() {
        for (url, shown) in [
            ("https://h/p?pin=hunter2&alt=json#state=hunter2", "https://h/p?pin=…&alt=json#state=…"),
            ("https://h/p?flag&pin=hunter2", "https://h/p?flag&pin=…"),
            ("https://h/p?pin=a;hunter2&=hunter2", "https://h/p?pin=…&=…"),
            (
                "https://h/p?page_size=5&%24top=2&ORDERBY=a&pageToken=hunter2",
                "https://h/p?page_size=5&%24top=2&ORDERBY=a&pageToken=…",
            ),
            ("/p?next=https%3A%2F%2Fx%3Fpin%3Dhunter2&view=FULL", "/p?next=…&view=FULL"),
            ("/p?filter=%3Fpin%3Dhunter2%26top%3D1", "/p?filter=%3Fpin%3D…%26top%3D1"),
        ] {
            assert_eq!(redacted(url), shown);
            assert_eq!(hidden(&format!("see {url} or \"{url}\" now")), format!("see {shown} or \"{shown}\" now"));
        }
        let long = format!("https://h/p?{}hunter2&alt=json", "x".repeat(NAME));
        assert_eq!(redacted(&long), format!("https://h/p?{}…&alt=json", "x".repeat(NAME)));
        assert_eq!(stored(&long), long);
    }

    #[test]
    fn of_a_url_of_the_caller_only_what_is_known_to_be_harmless_is_stored() {
        let mut left_out = vec![];
        let url = "https://u:p@h/p;jwt=x/q?pin=1&api-version=2&flag&%24filter=a&pin=2&top=/?sig=y#f=3";
        assert_eq!(of_caller(url, &mut left_out), "https://h/p/q?api-version=2&%24filter=a&top=/");
        assert_eq!(left_out, ["pin", "…", "pin", "jwt", "sig"]);
        assert_eq!(of_caller("operations/7", &mut left_out), "operations/7");
    }

    #[test]
    fn of_a_url_of_the_caller_no_value_is_stored_however_its_parameter_is_written() {
        for (url, own, names) in [
            ("/x?pin%3Dhunter2", "/x", ["pin"]),
            ("/x?pin%253Dhunter2&top=1", "/x?top=1", ["pin"]),
            ("/x?api-version=1;pin=hunter2", "/x?api-version=1", ["pin"]),
            ("/x?view=a?pin=hunter2", "/x?view=a", ["pin"]),
            ("/x?filter=%3Fpin%3Dhunter2&top=1", "/x?filter=&top=1", ["pin"]),
            ("/x%3Fpin=hunter2", "/x", ["pin"]),
            ("/x?hunter2", "/x", ["…"]),
            ("/x?hunter2;top=1", "/x", ["…"]),
            ("/x?hunter2%26top=1", "/x", ["…"]),
            ("/x;a;pin=hunter2/b=c", "/x;a/b=c", ["pin"]),
            ("/x?filter=a;hunter2hunter2hunter2hunter2hunter2hunter2&top=1", "/x?filter=a&top=1", ["…"]),
        ] {
            let mut left_out = vec![];
            assert_eq!(of_caller(url, &mut left_out), own);
            assert_eq!(left_out, names, "{url}");
            assert_eq!(redacted(own), own);
        }
    }

    /// Returns the inside of a string of JSON with its quotes written as `\u0022`.
    fn with_codes(inner: &str) -> String {
        let mut out = String::new();
        let mut letters = inner.chars();
        while let Some(letter) = letters.next() {
            out.push(letter);
            if letter == '\\' {
                match letters.next() {
                    Some('"') => out.push_str("u0022"),
                    next => out.extend(next),
                }
            }
        }
        out
    }

    fn members(json: &str) -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
    }

    #[test]
    fn a_member_of_json_that_is_a_secret_is_hidden_however_deep_it_is_quoted() {
        let bodies = [
            r#"{"password":"hunter2","a":1}"#,
            r#"{"access_token" : "hunter2\\", "sasToken":"x\"hunter2" , "b": 2}"#,
            r#"{"properties":{"connectionString":"Endpoint=hunter2;AccountKey=hunter2"}}"#,
            "{\n  \"clientSecret\":\n    \"hunter2\"\n}",
            r#"{"token": null, "jwt": true, "pwd": {"x": []}}"#,
        ];
        for body in bodies {
            // Three times a string of other JSON, each time by one of two writers: the one writes
            // a quote as `\"`, the other as `\u0022`.
            for writers in 0..8 {
                let mut text = body.to_owned();
                for nth in 0..4 {
                    for clean in [hidden, stored_text] {
                        let shown = clean(&text);
                        assert!(!shown.contains("hunter2"), "{text}: {shown}");
                        assert!(members(&text).keys().eq(members(&shown).keys()), "{text}: {shown}");
                        let (mut before, mut after) = (members(&text), members(&shown));
                        // What is hidden is hidden between quotes of the level that it has.
                        while let Some(message) = before.get("message").cloned() {
                            after = members(after["message"].as_str().unwrap());
                            before = members(message.as_str().unwrap());
                            assert!(before.keys().eq(after.keys()), "{text}: {shown}");
                        }
                    }
                    let message = serde_json::Value::from(text).to_string();
                    let inner = &message[1..message.len() - 1];
                    let inner = if writers >> nth & 1 == 1 { with_codes(inner) } else { inner.to_owned() };
                    text = format!(r#"{{"message":"{inner}"}}"#);
                }
            }
        }
        assert_eq!(hidden(r#"{"pin":1,"secret":-1.5e+3}"#), r#"{"pin":1,"secret":"…"}"#);
        for plain in [r#"{"code":"STOCKOUT","message":"m"}"#, r#"{"keys":["a"],"tokens":5,"x":"token"}"#] {
            assert_eq!(hidden(plain), plain);
        }
        assert_eq!(hidden(r#"it broke off: {"password":"hun"#), r#"it broke off: {"password":"…"#);
        assert_eq!(
            hidden(r#"{"message":"{\u0022password\u0022:\u0022hunter2\u0022,\u0022a\u0022:1}"}"#),
            r#"{"message":"{\u0022password\u0022:\u0022…\u0022,\u0022a\u0022:1}"}"#
        );
        // JSON that broke off in a string of other JSON, which goes on.
        for (said, shown) in [
            (r#"{"m":"{\"password\":\"hunter2","a":1}"#, r#"{"m":"{\"password\":\"…","a":1}"#),
            (r#"{"m":"{\"password\":\"hunter2\\","a":1}"#, r#"{"m":"{\"password\":\"…","a":1}"#),
            (
                r#"{"m":"{\u0022password\u0022:\u0022hunter2\\","a":1}"#,
                r#"{"m":"{\u0022password\u0022:\u0022…","a":1}"#,
            ),
        ] {
            assert_eq!(hidden(said), shown);
        }
    }

    #[test]
    fn a_secret_that_is_an_array_or_an_object_is_hidden_whole() {
        for (said, shown) in [
            (r#"{"password":["hunter2"],"a":1}"#, r#"{"password":"…","a":1}"#),
            (r#"{"token":{"value":"hunter2"},"a":[1]}"#, r#"{"token":"…","a":[1]}"#),
            (r#"{"credentials" : {"user":"u","pass":"hunter2"}}"#, r#"{"credentials" : "…"}"#),
            (r#"{"pwd":[["]"],{"x":"\"}]hunter2"},"hunter2"],"a":1}"#, r#"{"pwd":"…","a":1}"#),
            (r#"{"m":"{\"pwd\":[\"hunter2\"],\"a\":1}"}"#, r#"{"m":"{\"pwd\":\"…\",\"a\":1}"}"#),
            (r#"{"m":"{\"pwd\":[\"hunter2\",","a":1}"#, r#"{"m":"{\"pwd\":\"…\"","a":1}"#),
            (r#"it broke off: {"pwd":{"x":["hunter2"#, r#"it broke off: {"pwd":"…""#),
        ] {
            assert_eq!(hidden(said), shown);
            assert_eq!(stored_text(said), shown);
        }
    }

    #[test]
    fn the_key_of_an_entry_is_no_secret_and_a_key_in_a_query_is() {
        for plain in [r#"{"key":"region","value":"eu"}"#, r#"{"keys":["a"],"key":{"a":1}}"#] {
            assert_eq!(hidden(plain), plain);
            assert_eq!(stored_text(plain), plain);
        }
        assert_eq!(hidden("see /p?key=hunter2 or key=hunter2"), "see /p?key=… or key=…");
    }

    thread_local! {
        pub(super) static READ: Cell<usize> = const { Cell::new(0) };
    }

    fn shown(text: &str) -> String {
        hidden(text).into_owned()
    }

    #[test]
    fn a_hostile_text_is_read_in_linear_time() {
        let parts = [
            "?",
            "%73",
            "=&sig",
            "%25",
            "\\",
            "&amp;",
            "&#",
            "\\u0026sig=",
            "://a@",
            "?sig",
            "\n",
            "//@",
            "\"",
            "\"pwd\":\"",
            "\\\"pwd\\\":1",
            "\"pwd\":[",
            "\"pwd\":[{\"a\":\"\\\\\"}]",
            "\\u0022pwd\\u0022:\\u0022",
            "\\u0022pwd\\u0022:{",
        ];
        for part in parts.iter().chain([&parts.concat().as_str()]) {
            for clean in [redacted, stored, shown] {
                let [once, twice] = [1 << 10, 1 << 11].map(|times| {
                    let text = format!("?{}=", part.repeat(times));
                    READ.with(|read| read.set(0));
                    assert!(clean(&text).len() <= 2 * text.len());
                    READ.with(Cell::get)
                });
                assert!(twice <= 2 * once + 16, "`{part}`: {once} bytes are looked at, then {twice}");
            }
        }
    }

    proptest! {
        /// Also proves that no text makes a reader panic.
        #[test]
        fn what_is_stored_has_nothing_left_to_hide(
            parts in proptest::collection::vec(prop::sample::select(PARTS), 0..20),
        ) {
            let text = parts.concat();
            let stored = stored(&text);
            prop_assert_eq!(super::tests::stored(&stored), &*stored, "{}", text);
            let own = of_caller(&text, &mut vec![]);
            prop_assert_eq!(of_caller(&own, &mut vec![]), &*own, "{}", text);
            prop_assert_eq!(redacted(&own), &*own, "{}", text);
            let once = redacted(&text);
            prop_assert_eq!(redacted(&once), &*once, "{}", text);
            let shown = hidden(&text);
            prop_assert_eq!(hidden(&shown), &*shown, "{}", text);
            // Details in tokens are cleaned as JSON text.
            let json = serde_json::to_string(&[&text]).unwrap();
            prop_assert!(serde_json::from_str::<[String; 1]>(&stored_text(&json)).is_ok(), "{}", json);
        }
    }

    const PARTS: &[&str] = &[
        "?", "&", ";", "#", "=", "sig", "key", "a", "ä", "%", "25", "3", "F", "26", "3D", "%3D", "%40", "\\", "u0026",
        "amp;", "#38;", "https:", "/", "//", "@", "u:p@", "\n", " ", "\"", ":", "\"pwd\"", "5", ";", "top", "filter",
        "pin", "\\u0022", "[", "}",
    ];
}
