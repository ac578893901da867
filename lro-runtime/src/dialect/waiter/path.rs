//! Evaluates the part of [JMESPath](https://jmespath.org/specification.html) that waiters use.

use serde_json::Value;

use crate::status::Failure;

/// Returns what `path` finds in `output`, or `null` if it finds nothing. Fails if the path cannot
/// be parsed.
pub(super) fn find(path: &str, output: &Value) -> Result<Value, Failure> {
    let mut rest = Rest { path, text: path.trim() };
    let found = rest.comparison(output)?;
    if rest.text.is_empty() { Ok(found) } else { Err(rest.wrong("the end")) }
}

/// Fails if `path` cannot be parsed.
pub(super) fn check(path: &str) -> Result<(), Failure> {
    // Parsing does not depend on the output: every step is parsed, also where there is nothing to
    // find.
    find(path, &Value::Null).map(drop)
}

/// The rest of a path that is still to be parsed. Parsing and evaluating are one pass, with no tree
/// in between: paths are short, and outputs small.
struct Rest<'a> {
    path: &'a str,
    text: &'a str,
}

/// The result so far: one value, or a projection, to each element of which the next step applies.
/// An element may be a projection itself: `a[*].b[*].c`.
enum Found {
    One(Value),
    Each(Vec<Found>),
}

impl Found {
    // A projection leaves out the elements in which a step finds nothing, as JMESPath requires.
    fn map(self, step: &impl Fn(Value) -> Value) -> Self {
        match self {
            Self::One(value) => Self::One(step(value)),
            Self::Each(elements) => {
                Self::Each(elements.into_iter().map(|element| element.map(step)).filter(Self::is_something).collect())
            }
        }
    }

    /// `[*]`: projects each list. Anything else has no elements.
    fn each(self) -> Self {
        match self {
            Self::One(Value::Array(values)) => {
                Self::Each(values.into_iter().map(Self::One).filter(Self::is_something).collect())
            }
            Self::One(_) => Self::One(Value::Null),
            Self::Each(elements) => {
                Self::Each(elements.into_iter().map(Self::each).filter(Self::is_something).collect())
            }
        }
    }

    /// `[]`: ends the projections before it, and projects what they have found. Elements that are
    /// lists are replaced by their own elements, one level deep.
    fn flat(self) -> Self {
        let Value::Array(values) = self.value() else { return Self::One(Value::Null) };
        let elements = values.into_iter().flat_map(|value| match value {
            Value::Array(inner) => inner,
            value => vec![value],
        });
        Self::Each(elements.map(Self::One).filter(Self::is_something).collect())
    }

    fn is_something(&self) -> bool {
        !matches!(self, Self::One(Value::Null))
    }

    fn value(self) -> Value {
        match self {
            Self::One(value) => value,
            Self::Each(elements) => Value::Array(elements.into_iter().map(Self::value).collect()),
        }
    }
}

impl Rest<'_> {
    fn wrong(&self, wanted: &str) -> Failure {
        Failure::unsupported(format!("the path `{}`: expected {wanted} at `{}`", self.path, self.text))
    }

    fn take(&mut self, token: &str) -> bool {
        let after = self.text.strip_prefix(token);
        self.text = after.unwrap_or(self.text).trim_start();
        after.is_some()
    }

    fn comparison(&mut self, output: &Value) -> Result<Value, Failure> {
        let left = self.operand(output)?;
        let Some(operator) = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|operator| self.take(operator)) else {
            return Ok(left);
        };
        let right = self.operand(output)?;
        // Numbers are equal by value: `3` and `3.0` are different `Value`s.
        let order = left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right));
        let same = order.map_or(left == right, std::cmp::Ordering::is_eq);
        Ok(match operator {
            "==" => Value::Bool(same),
            "!=" => Value::Bool(!same),
            // JMESPath orders numbers only; a comparison of anything else is `null`.
            _ => order.map_or(Value::Null, |order| {
                Value::Bool(match operator {
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                })
            }),
        })
    }

    fn operand(&mut self, output: &Value) -> Result<Value, Failure> {
        if let Some((literal, rest)) = self.text.strip_prefix('`').and_then(|text| text.split_once('`')) {
            let value = serde_json::from_str(literal).map_err(|_| self.wrong("JSON between the backticks"))?;
            self.text = rest.trim_start();
            return Ok(value);
        }
        if let Some((literal, rest)) = self.text.strip_prefix('\'').and_then(|text| text.split_once('\'')) {
            self.text = rest.trim_start();
            return Ok(Value::from(literal));
        }
        if self.take("length(") {
            let length = match self.operand(output)? {
                Value::Array(values) => Value::from(values.len()),
                Value::Object(members) => Value::from(members.len()),
                Value::String(text) => Value::from(text.chars().count()),
                _ => Value::Null,
            };
            return if self.take(")") { Ok(length) } else { Err(self.wrong("`)`")) };
        }
        self.steps(output)
    }

    fn steps(&mut self, output: &Value) -> Result<Value, Failure> {
        // Cloned, because each step takes its value out of the one before; the output is needed
        // again by the next path.
        let mut found = Found::One(output.clone());
        if self.take("@") || self.text.starts_with('[') {
            // `@` is the whole output; a leading bracket applies to it.
        } else {
            found = self.field(found)?;
        }
        loop {
            if self.take(".") {
                found = self.field(found)?;
            } else if self.take("[]") {
                found = found.flat();
            } else if self.take("[*]") {
                found = found.each();
            } else if self.take("[") {
                found = self.index(found)?;
            } else {
                return Ok(found.value());
            }
        }
    }

    fn field(&mut self, found: Found) -> Result<Found, Failure> {
        let quoted = self.text.strip_prefix('"').and_then(|text| text.split_once('"'));
        let (name, rest) = quoted.unwrap_or_else(|| {
            let end = self.text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.text.len());
            self.text.split_at(end)
        });
        if quoted.is_none() && !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Err(self.wrong("a name"));
        }
        self.text = rest.trim_start();
        Ok(found.map(&|mut value| value.get_mut(name).map(Value::take).unwrap_or_default()))
    }

    fn index(&mut self, found: Found) -> Result<Found, Failure> {
        let Some((index, rest)) = self.text.split_once(']') else { return Err(self.wrong("`]`")) };
        let index: i64 = index.trim().parse().map_err(|_| self.wrong("a number, or nothing, between the brackets"))?;
        self.text = rest.trim_start();
        Ok(found.map(&|mut value: Value| {
            let length = value.as_array().map_or(0, Vec::len);
            let from_end = usize::try_from(index.unsigned_abs()).ok().and_then(|back| length.checked_sub(back));
            let at = if index < 0 { from_end } else { usize::try_from(index).ok() };
            at.and_then(|at| value.get_mut(at)).map(Value::take).unwrap_or_default()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_what_jmespath_finds() {
        let output: Value = serde_json::from_str(
            r#"{"state":"ok","odd name":1,"n":3,"yes":true,"list":[{"s":"a","in":[1,2]},{"s":"b","in":[3]},{"other":0}],"empty":[],"lists":[[1,2],[[3]],4,null],"groups":[{"members":[{"s":"a"},{}]},{"members":[{"s":"b"}]}],"deep":{"x":{"y":"z"}}}"#,
        )
        .unwrap();
        let cases = [
            ("state", r#""ok""#),
            ("deep.x.y", r#""z""#),
            ("\"odd name\"", "1"),
            ("missing.x", "null"),
            ("list[0].s", r#""a""#),
            ("list[-2].s", r#""b""#),
            ("list[9]", "null"),
            ("list[].s", r#"["a","b"]"#),
            ("list[*].s", r#"["a","b"]"#),
            ("list[].in[]", "[1,2,3]"),
            ("state[]", "null"),
            ("missing[*].s", "null"),
            ("length(missing[]) == `0`", "false"),
            ("lists[]", "[1,2,[3],4]"),
            ("lists[][]", "[1,2,3,4]"),
            ("lists[*]", "[[1,2],[[3]],4]"),
            ("lists[*][*]", "[[1,2],[[3]]]"),
            ("list[*].in", "[[1,2],[3]]"),
            ("list[*].in[*]", "[[1,2],[3]]"),
            ("list[*].in[0]", "[1,3]"),
            ("list[].in[].x", "[]"),
            ("groups[].members[].s", r#"["a","b"]"#),
            ("groups[*].members[*].s", r#"[["a"],["b"]]"#),
            ("groups[*].members[].s", r#"["a","b"]"#),
            ("length(list)", "3"),
            ("length(list[].s)", "2"),
            ("length(empty) == `0`", "true"),
            ("n > `2`", "true"),
            ("n >= `3`", "true"),
            ("n < `3`", "false"),
            ("n <= `4`", "true"),
            ("n <= `2`", "false"),
            ("n > `3`", "false"),
            ("length(deep)", "1"),
            ("length(state)", "2"),
            ("length(n)", "null"),
            ("state == 'ok'", "true"),
            ("state != `\"ok\"`", "false"),
            ("state > `1`", "null"),
            ("yes", "true"),
            ("@.n", "3"),
            ("n == `3.0`", "true"),
        ];
        for (path, found) in cases {
            assert_eq!(find(path, &output).unwrap().to_string(), found, "{path}");
        }
        for wrong in ["", "a..b", "a[", "a[x]", "length(a", "a ==", "a b", "1a", "a == `{`"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
