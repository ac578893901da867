//! Parameters and user info of URLs, however they are escaped: leaves out or hides what the
//! [names](super::names) say, in a URL that stands alone as in a text that has URLs in it.

use std::borrow::Cow;

use super::{
    escapes::Unit,
    json::Members,
    names::{LONGEST, is_secret, is_secret_word, is_shown, push_folded},
};

/// How a text is cleaned.
pub(super) struct Rules {
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
    /// The rules of a text of any kind, such as a body that has URLs in it.
    pub(super) const fn of_text(purpose: Purpose, is_cut: bool) -> Self {
        Self {
            ends_value: |c| c.is_whitespace() || matches!(c, '&' | '#' | '"' | '`' | '<' | '>' | '\\'),
            ends_host: |c| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '`' | '<' | '>' | '\\'),
            is_text: true,
            purpose,
            is_cut,
        }
    }

    /// The rules of a name or a URL that stands alone.
    pub(super) const fn alone(purpose: Purpose, is_cut: bool) -> Self {
        Self {
            ends_value: |c| matches!(c, '&' | '#'),
            ends_host: |c| matches!(c, '/' | '?' | '#'),
            is_text: false,
            purpose,
            is_cut,
        }
    }

    pub(super) fn apply<'a>(&self, text: &'a str, left_out: &mut Vec<String>) -> Cow<'a, str> {
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
pub(super) enum Purpose {
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
    // The mark before that of a parameter of a segment.
    let mut outer: Option<Mark<'_>> = None;
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
            // The parameter of a segment has gone, and the mark before it stands: its name goes on
            // with the slash, and so is in no list.
            if value.in_path && unit.means == '/' && rules.purpose.leaves_out() {
                mark = outer.take();
                name.replace_range(.., "/");
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
                outer = mark.filter(|_| unit.means == ';');
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
                let is_value =
                    secret.is_some_and(|mark| matches!(mark.list, List::Shown)) && is_padded_value(&name, rest);
                match secret {
                    Some(mark) if rules.purpose.leaves_out() => {
                        let name = out.get(mark.at + mark.text.len()..).unwrap_or_default();
                        left_out.push(if is_value { "…" } else { name }.to_owned());
                        out.truncate(mark.at);
                        opening = Some(mark).filter(|mark| mark.opens);
                    }
                    Some(mark) if is_value => {
                        out.truncate(mark.at + mark.text.len());
                        out.extend(["…", unit.text]);
                        passed = passed.map(|value| Value { is_shown: true, ..value });
                    }
                    _ => out.push_str(unit.text),
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

/// Returns the name of a parameter as it is written. `None` if it has none: what stands before the
/// mark of another parameter, or alone, may be a value.
pub(super) fn name_of(pair: &str) -> Option<&str> {
    let mut rest = pair;
    while let Some(unit) = Unit::first_of(rest) {
        match unit.means {
            '=' => {
                let name = pair.get(..pair.len() - rest.len()).filter(|name| !name.is_empty())?;
                let value = rest.get(unit.text.len()..).unwrap_or_default();
                return Some(name).filter(|name| !is_padded_value(&folded(name), value));
            }
            '?' | '&' | ';' | '#' => return None,
            _ => rest = rest.get(unit.text.len()..).unwrap_or_default(),
        }
    }
    None
}

/// Whether what stands before a `=` is a value without a name, and the `=` its padding, as in
/// base64: it is in no list, and nothing follows in its parameter. `name` was folded, and `rest` is
/// what follows the `=`.
fn is_padded_value(name: &str, mut rest: &str) -> bool {
    // One that was hidden before is left as it is.
    if matches!(name, "" | "…") || is_shown(name) || is_secret(name) {
        return false;
    }
    loop {
        let Some(unit) = Unit::first_of(rest) else { return true };
        rest = rest.get(unit.text.len()..).unwrap_or_default();
        match unit.means {
            '=' => {}
            '&' | ';' | '#' | '?' | '/' | '\\' | '"' | '`' | '<' | '>' => return true,
            c => return c.is_whitespace(),
        }
    }
}

/// Returns a name as it is compared, with `%XX` decoded.
pub(super) fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(LONGEST + 4);
    let mut rest = name;
    while let Some(unit) = Unit::first_of(rest) {
        rest = rest.get(unit.text.len()..).unwrap_or_default();
        push_folded(&mut folded, unit.means);
    }
    folded
}

#[cfg(test)]
mod tests;
