//! The grammar of paths into a waiter's output, as the runtime reads it.
//!
//! The text between backticks is JSON and is not checked here: only the runtime has a JSON reader.

/// Checks a path. The error says what was expected, and where.
pub(crate) fn check(path: &str) -> Result<(), String> {
    let mut rest = Rest(path.trim());
    let wanted = match rest.comparison() {
        Ok(()) if rest.0.is_empty() => return Ok(()),
        Ok(()) => "the end",
        Err(wanted) => wanted,
    };
    let place = if rest.0.is_empty() { "at its end".to_owned() } else { format!("at `{}`", rest.0) };
    Err(format!("`{path}` is not a path: expected {wanted} {place}"))
}

/// The part of a path that is not read yet. The error of each method is what it expected to find
/// next.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// Takes this token and the whitespace after it, if it is next.
    fn take(&mut self, token: &str) -> bool {
        let after = self.0.strip_prefix(token);
        self.0 = after.unwrap_or(self.0).trim_start();
        after.is_some()
    }

    /// Takes a text between two of these marks, if it is next.
    fn quoted(&mut self, mark: char) -> bool {
        let after = self.0.strip_prefix(mark).and_then(|text| text.split_once(mark));
        self.0 = after.map_or(self.0, |(_, rest)| rest.trim_start());
        after.is_some()
    }

    fn comparison(&mut self) -> Result<(), &'static str> {
        self.operand()?;
        // Longer operators first, or `<=` would be read as `<` and a stray `=`.
        if ["==", "!=", "<=", ">=", "<", ">"].into_iter().any(|operator| self.take(operator)) {
            self.operand()?;
        }
        Ok(())
    }

    fn operand(&mut self) -> Result<(), &'static str> {
        if self.quoted('`') || self.quoted('\'') {
            return Ok(());
        }
        if self.take("length(") {
            self.operand()?;
            return if self.take(")") { Ok(()) } else { Err("`)`") };
        }
        self.steps()
    }

    fn steps(&mut self) -> Result<(), &'static str> {
        if !self.take("@") && !self.0.starts_with('[') {
            self.field()?;
        }
        loop {
            if self.take(".") {
                self.field()?;
            } else if self.take("[]") || self.take("[*]") {
                // Selects every element; nothing more to read.
            } else if self.take("[") {
                self.index()?;
            } else {
                return Ok(());
            }
        }
    }

    fn field(&mut self) -> Result<(), &'static str> {
        if self.quoted('"') {
            return Ok(());
        }
        if !self.0.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Err("a name");
        }
        self.0 = self.0.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').trim_start();
        Ok(())
    }

    fn index(&mut self) -> Result<(), &'static str> {
        let (index, rest) = self.0.split_once(']').ok_or("`]`")?;
        index.trim().parse::<i64>().map_err(|_| "a number, or nothing, between the brackets")?;
        self.0 = rest.trim_start();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_the_runtime_reads_pass() {
        let paths = [
            "state",
            "deep.x.y",
            "\"odd name\"",
            "list[0].s",
            "list[-2].s",
            "list[].s",
            "list[*].in[]",
            "length(list[].s)",
            "length(empty) == `0`",
            "n >= `3`",
            "state == 'ok'",
            "state != `\"ok\"`",
            "@.n",
            "@",
            "[].state",
        ];
        for path in paths {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn says_what_was_expected_and_where() {
        let cases = [
            ("", "a name at its end"),
            ("a..b", "a name at `.b`"),
            ("a[", "`]` at its end"),
            ("a[x]", "a number, or nothing, between the brackets at `x]`"),
            ("length(a", "`)` at its end"),
            ("a ==", "a name at its end"),
            ("a b", "the end at `b`"),
            ("1a", "a name at `1a`"),
            ("a == `x", "a name at ``x`"),
        ];
        for (path, reason) in cases {
            assert_eq!(check(path), Err(format!("`{path}` is not a path: expected {reason}")));
        }
    }
}
