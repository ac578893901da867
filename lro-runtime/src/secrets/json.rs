//! Members of JSON objects whose values are secrets, also in JSON that is a string of other JSON.

use super::{
    escapes::Unit,
    names::{is_secret_member, push_folded},
};

/// A quote of JSON, which in a string of other JSON is written `\"` or `\u0022`.
#[derive(Clone, Copy, Default)]
struct Quote {
    /// How many backslashes stand before it, without those of the string that it ends.
    slashes: u64,
    /// Whether it is written `u0022`.
    is_coded: bool,
    /// In how many strings the JSON is, in whose syntax it is a quote.
    level: u32,
}

impl Quote {
    /// Reads a quote that has so many backslashes before it; `None` if `unit` is none.
    fn of(unit: &Unit<'_>, slashes: u64) -> Option<Self> {
        let is_coded = unit.means == '"' && unit.slashes > 0;
        if !is_coded && unit.text != "\"" {
            return None;
        }
        let slashes = if is_coded { unit.slashes } else { slashes };
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

    /// Writes the backslashes in the fewest letters: so they are no longer than they were.
    fn write_slashes(self, out: &mut String) {
        for bit in (0..u64::BITS).rev().filter(|bit| self.slashes >> bit & 1 == 1) {
            // The number of `u005c` that a backslash takes to stand for `1 << bit` of them.
            let codes = if bit > 4 { bit } else { 0 };
            out.extend(std::iter::repeat_n('\\', 1 << (bit - codes)));
            out.extend(std::iter::repeat_n("u005c", codes as usize));
        }
    }
}

/// Finds the members of JSON objects whose values are secrets, also in JSON that is a string of
/// other JSON.
///
/// A name, the colon and the value must be of one level of quoting: so a value that is passed over
/// ends with its string at the latest, and JSON stays JSON.
#[derive(Default)]
pub(super) struct Members {
    /// How many backslashes stand directly before the next character.
    slashes: u64,
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
    pub(super) fn passes_over(&mut self, unit: &Unit<'_>, out: &mut String) -> bool {
        let slashes = self.slashes;
        self.slashes = if unit.means == '\\' { unit.slashes } else { 0 };
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

#[cfg(test)]
mod tests {
    use crate::secrets::{stored_text, tests::hidden};

    /// Writes what a string of JSON holds: with each quote as `\"` or as `\u0022`, and each
    /// backslash as `\\` or as `\u005c`.
    fn written(text: &str, codes_quotes: bool, codes_slashes: bool) -> String {
        let inner = serde_json::Value::from(text).to_string();
        let mut letters = inner[1..inner.len() - 1].chars();
        let mut out = String::new();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some('"') if codes_quotes => out.push_str("\\u0022"),
                    Some('\\') if codes_slashes => out.push_str("\\u005c"),
                    next => out.extend([letter].into_iter().chain(next)),
                },
                _ => out.push(letter),
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
            // Three times a string of other JSON, each time by one of four writers.
            for writers in 0..64 {
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
                    let writer = writers >> (2 * nth);
                    let inner = written(&text, writer & 1 == 1, writer & 2 == 2);
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
}
