//! Reads a path that is written.

use std::borrow::Cow;

use serde_json::Value;

use super::{Operand, Path, Steps, found::Step};
use crate::status::Failure;

impl<'p> Path<'p> {
    /// Fails if `path` cannot be parsed.
    pub(crate) fn parse(path: &'p str) -> Result<Self, Failure> {
        let mut rest = Rest { path, text: path.trim() };
        let parsed = rest.comparison()?;
        if rest.text.is_empty() { Ok(parsed) } else { Err(rest.wrong("the end")) }
    }
}

/// The rest of a path that is still to be parsed.
struct Rest<'p> {
    path: &'p str,
    text: &'p str,
}

impl<'p> Rest<'p> {
    fn wrong(&self, wanted: &str) -> Failure {
        Failure::unsupported(format!("the path `{}`: expected {wanted} at `{}`", self.path, self.text))
    }

    fn take(&mut self, token: &str) -> bool {
        let after = self.text.strip_prefix(token);
        self.text = after.unwrap_or(self.text).trim_start();
        after.is_some()
    }

    /// Takes the text between two of these marks.
    fn quoted(&mut self, mark: char) -> Option<&'p str> {
        let (quoted, rest) = self.text.strip_prefix(mark)?.split_once(mark)?;
        self.text = rest.trim_start();
        Some(quoted)
    }

    fn comparison(&mut self) -> Result<Path<'p>, Failure> {
        let left = self.operand()?;
        // Longer operators first, or `<=` would be read as `<` and a stray `=`.
        let operator = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|operator| self.take(operator));
        let right = operator.map(|_| self.operand()).transpose()?;
        Ok(Path { left, compared: operator.zip(right) })
    }

    fn operand(&mut self) -> Result<Operand<'p>, Failure> {
        let before = self.text;
        if let Some(literal) = self.quoted('`') {
            return match serde_json::from_str::<Value>(literal) {
                Ok(_) => Ok(Operand::Literal(Cow::Borrowed(literal.trim()))),
                Err(_) => Err(Self { path: self.path, text: before }.wrong("JSON between the backticks")),
            };
        }
        if let Some(literal) = self.quoted('\'') {
            return Ok(Operand::Literal(Cow::Owned(Value::from(literal).to_string())));
        }
        if self.take("length(") {
            let of = self.operand()?;
            return if self.take(")") { Ok(Operand::Length(Box::new(of))) } else { Err(self.wrong("`)`")) };
        }
        self.steps().map(Operand::Steps)
    }

    fn steps(&mut self) -> Result<Steps<'p>, Failure> {
        // `@` is the whole output; a leading bracket applies to it.
        let whole = self.take("@") || self.text.starts_with('[');
        let first = if whole { Vec::new() } else { vec![self.field()?] };
        let mut steps = Steps { first, flattened: Vec::new() };
        loop {
            let step = if self.take(".") {
                self.field()?
            } else if self.take("[]") {
                steps.flattened.push(Vec::new());
                continue;
            } else if self.take("[*]") {
                Step::Each
            } else if self.take("[") {
                self.index()?
            } else {
                return Ok(steps);
            };
            steps.flattened.last_mut().unwrap_or(&mut steps.first).push(step);
        }
    }

    fn field(&mut self) -> Result<Step<'p>, Failure> {
        if let Some(name) = self.quoted('"') {
            return Ok(Step::Field(name));
        }
        let end = self.text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.text.len());
        let (name, rest) = self.text.split_at(end);
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Err(self.wrong("a name"));
        }
        self.text = rest.trim_start();
        Ok(Step::Field(name))
    }

    fn index(&mut self) -> Result<Step<'p>, Failure> {
        let Some((index, rest)) = self.text.split_once(']') else { return Err(self.wrong("`]`")) };
        let index = index.trim().parse().map_err(|_| self.wrong("a number, or nothing, between the brackets"))?;
        self.text = rest.trim_start();
        Ok(Step::Index(index))
    }
}
