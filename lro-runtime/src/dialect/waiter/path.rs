//! Evaluates the part of [JMESPath](https://jmespath.org/specification.html) that waiters use, on
//! the text of a reply.
//!
//! Nothing is built from the output: a value is a slice of the text, and a projection is the text
//! of a list together with the steps that are still to be applied to each of its elements. What a
//! path costs in memory therefore does not depend on how many elements it goes through, where a
//! `serde_json::Value` of the whole output takes some twenty times the length of its text. Two
//! lists or objects of the output that are compared are an exception: one of them becomes such a
//! value.
//!
//! The time is linear in the length of the output, for each step of the path.

use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap};

use serde_json::{Value, value::RawValue};

use crate::{
    dialect::json::{Members, each_element, each_member, is_object, parse, read_members, string},
    status::Failure,
};

/// A path, parsed.
pub(super) struct Path<'p> {
    left: Operand<'p>,
    compared: Option<(&'static str, Operand<'p>)>,
}

enum Operand<'p> {
    /// The text of a JSON value.
    Literal(Cow<'p, str>),
    Length(Box<Operand<'p>>),
    Steps(Steps<'p>),
}

/// The steps of a path: those before the first `[]`, and those after each.
struct Steps<'p> {
    first: Vec<Step<'p>>,
    flattened: Vec<Vec<Step<'p>>>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Field(&'p str),
    Index(i64),
    /// `[*]`.
    Each,
}

impl<'p> Path<'p> {
    /// Fails if `path` cannot be parsed.
    pub(super) fn parse(path: &'p str) -> Result<Self, Failure> {
        let mut rest = Rest { path, text: path.trim() };
        let parsed = rest.comparison()?;
        if rest.text.is_empty() { Ok(parsed) } else { Err(rest.wrong("the end")) }
    }

    /// Returns what this path finds in the output; nothing in no output.
    pub(super) fn find<'a>(&self, output: Option<&'a RawValue>) -> Found<'_, 'a> {
        let left = self.left.find(output);
        let Some((operator, right)) = &self.compared else { return left };
        let right = right.find(output);
        let order = left.number_text().zip(right.number_text()).and_then(|(left, right)| order(&left, &right));
        let same = || order.map_or_else(|| left.is_same(&right), Ordering::is_eq);
        match *operator {
            "==" => Found::Bool(same()),
            "!=" => Found::Bool(!same()),
            // JMESPath orders numbers only; a comparison of anything else is `null`.
            operator => order.map_or(Found::Nothing, |order| {
                Found::Bool(match operator {
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                })
            }),
        }
    }
}

impl Operand<'_> {
    fn find<'a>(&self, output: Option<&'a RawValue>) -> Found<'_, 'a> {
        match self {
            Self::Literal(json) => parse(json).map_or(Found::Nothing, Found::literal),
            Self::Length(of) => of.find(output).length().map_or(Found::Nothing, Found::Count),
            Self::Steps(steps) => {
                let found = Found::of(output).walk(&steps.first);
                steps.flattened.iter().fold(found, |found, steps| found.project(true, steps))
            }
        }
    }
}

/// What a path finds.
#[derive(Clone)]
pub(super) enum Found<'p, 'a> {
    /// `null`.
    Nothing,
    /// A value of the output, as its text.
    Value(&'a RawValue),
    /// A value that the path itself has.
    Literal(&'p RawValue),
    /// What a comparison says.
    Bool(bool),
    /// What `length()` says.
    Count(usize),
    /// A projection.
    List(Box<Projection<'p, 'a>>),
}

/// A list whose elements are found by applying steps to each element of another list. Those in
/// which the steps find nothing are left out, as `JMESPath` requires.
#[derive(Clone)]
pub(super) struct Projection<'p, 'a> {
    list: Found<'p, 'a>,
    /// Whether elements that are lists are replaced by their own elements, one level deep.
    flat: bool,
    steps: &'p [Step<'p>],
}

impl<'p, 'a> Found<'p, 'a> {
    fn of(value: Option<&'a RawValue>) -> Self {
        value.filter(|value| value.get() != "null").map_or(Self::Nothing, Self::Value)
    }

    fn literal(value: &'p RawValue) -> Self {
        if value.get() == "null" { Self::Nothing } else { Self::Literal(value) }
    }

    /// Returns the text if this is a value that has one.
    fn raw(&self) -> Option<&RawValue> {
        if let Self::Value(raw) = self {
            return Some(raw);
        }
        if let Self::Literal(raw) = self { Some(raw) } else { None }
    }

    /// Returns the string if this is one.
    pub(super) fn string(&self) -> Option<Cow<'_, str>> {
        self.raw().and_then(string)
    }

    /// Returns the boolean if this is one.
    pub(super) fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            found => match found.raw()?.get() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
        }
    }

    /// Returns the text of the number if this is one.
    pub(super) fn number_text(&self) -> Option<Cow<'_, str>> {
        if let Self::Count(count) = self {
            return Some(Cow::Owned(count.to_string()));
        }
        let text = self.raw()?.get();
        text.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some(Cow::Borrowed(text))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List(_)) || self.raw().is_some_and(|raw| raw.get().starts_with('['))
    }

    /// Calls `visit` with each element of a list, in order.
    pub(super) fn for_each(&self, visit: &mut dyn FnMut(Found<'p, 'a>)) {
        // The whole output was read as one value before, so that what is a list is one to its end.
        match self {
            Self::Value(raw) => drop(each_element(raw, &mut |element| visit(Self::of(Some(element))))),
            Self::Literal(raw) => drop(each_element(raw, &mut |element| visit(Self::literal(element)))),
            Self::List(projection) => projection.for_each(visit),
            _ => {}
        }
    }

    /// The number of elements of a list, of the members of an object as it is written, or of the
    /// characters of a string.
    fn length(&self) -> Option<usize> {
        if self.is_list() {
            let mut length = 0_usize;
            self.for_each(&mut |_| length = length.saturating_add(1));
            return Some(length);
        }
        if let Some(text) = self.string() {
            return Some(text.chars().count());
        }
        let mut count = 0_usize;
        each_member(self.raw()?, &mut |_, _| count = count.saturating_add(1)).is_ok().then_some(count)
    }

    /// Applies steps, none of which flattens.
    fn walk(mut self, steps: &'p [Step<'p>]) -> Self {
        let mut steps = steps;
        while let [step, rest @ ..] = steps {
            self = match *step {
                Step::Field(name) => self.field(name),
                Step::Index(index) => self.index(index),
                Step::Each => return self.project(false, rest),
            };
            steps = rest;
        }
        self
    }

    /// Anything but a list has no elements to project.
    fn project(self, flat: bool, steps: &'p [Step<'p>]) -> Self {
        if self.is_list() { Self::List(Box::new(Projection { list: self, flat, steps })) } else { Self::Nothing }
    }

    fn field(self, name: &str) -> Self {
        let Self::Value(raw) = self else { return Self::Nothing };
        let mut member = Member { name, value: None };
        // What is no object has no members.
        let is_read = is_object(raw.get().as_bytes()) && read_members(raw.get().as_bytes(), &mut member).is_ok();
        Self::of(member.value.filter(|_| is_read))
    }

    fn index(self, index: i64) -> Self {
        let at = if index < 0 {
            let length = if self.is_list() { self.length().unwrap_or_default() } else { 0 };
            usize::try_from(index.unsigned_abs()).ok().and_then(|back| length.checked_sub(back))
        } else {
            usize::try_from(index).ok()
        };
        let (mut left, mut found) = (at, Self::Nothing);
        self.for_each(&mut |element| {
            if left == Some(0) {
                found = element;
            }
            left = left.and_then(|left| left.checked_sub(1));
        });
        found
    }

    /// Whether both are the same JSON value; of two numbers, by value.
    fn is_same(&self, other: &Self) -> bool {
        // One side becomes a tree, with which the other is compared as it is read: the side with
        // the shorter text, which in practice is the literal.
        let (tree, other) = if self.text_length() < other.text_length() { (self, other) } else { (other, self) };
        // What is nested too deep for a tree is no value that anybody means.
        tree.as_value().is_some_and(|tree| other.equals(&tree))
    }

    /// Recurses as deep as `wanted` is nested, to which `serde_json` sets a limit.
    fn equals(&self, wanted: &Value) -> bool {
        match wanted {
            Value::Null => matches!(self, Self::Nothing),
            Value::Bool(wanted) => self.bool() == Some(*wanted),
            Value::Number(wanted) => {
                self.number_text().and_then(|found| order(&found, &wanted.to_string())).is_some_and(Ordering::is_eq)
            }
            Value::String(wanted) => self.string().is_some_and(|found| found == *wanted),
            Value::Array(wanted) => {
                let (mut left, mut same) = (wanted.iter(), self.is_list());
                self.for_each(&mut |found| same = same && left.next().is_some_and(|wanted| found.equals(wanted)));
                same && left.next().is_none()
            }
            Value::Object(wanted) => {
                let Some(raw) = self.raw() else { return false };
                // Only the members that are wanted are kept: an object of the output may have any
                // number of others.
                let mut members: BTreeMap<&str, Option<&RawValue>> =
                    wanted.keys().map(|name| (&**name, None)).collect();
                let mut has_others = false;
                let read = each_member(raw, &mut |name, value| match name.and_then(|name| members.get_mut(&*name)) {
                    // Of several with one name the last counts, as in a tree.
                    Some(member) => *member = Some(value),
                    None => has_others = true,
                });
                let equals = |(name, found): (&str, Option<&RawValue>)| {
                    found.zip(wanted.get(name)).is_some_and(|(found, wanted)| Found::of(Some(found)).equals(wanted))
                };
                read.is_ok() && !has_others && members.into_iter().all(equals)
            }
        }
    }

    fn as_value(&self) -> Option<Value> {
        serde_json::from_str(&self.clone().into_json()).ok()
    }

    fn text_length(&self) -> usize {
        let mut length = 0_usize;
        self.write(&mut |text| length = length.saturating_add(text.len()));
        length
    }

    /// Returns this as JSON text: a slice of the output where it is a value of it.
    pub(super) fn into_json(self) -> Cow<'a, str> {
        if let Self::Value(raw) = self {
            return Cow::Borrowed(raw.get());
        }
        // Written twice, so that the text is allocated once and in its own length.
        let mut json = String::with_capacity(self.text_length());
        self.write(&mut |text| json.push_str(text));
        Cow::Owned(json)
    }

    fn write(&self, out: &mut dyn FnMut(&str)) {
        if let Some(raw) = self.raw() {
            return out(raw.get());
        }
        match self {
            Self::Nothing | Self::Value(_) | Self::Literal(_) => out("null"),
            Self::Bool(bool) => out(if *bool { "true" } else { "false" }),
            Self::Count(count) => out(&count.to_string()),
            Self::List(projection) => {
                let mut before = "[";
                projection.for_each(&mut |element| {
                    out(before);
                    before = ",";
                    element.write(out);
                });
                out(if before == "[" { "[]" } else { "]" });
            }
        }
    }
}

/// Orders two numbers by value: `3` and `3.0` are the same number.
///
/// Integers are compared as such. As floats, two ids or two times in nanoseconds that differ in
/// their last digits would be the same number.
fn order(left: &str, right: &str) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return Some(left.cmp(&right));
    }
    parse::<f64>(left).ok()?.partial_cmp(&parse(right).ok()?)
}

impl<'p, 'a> Projection<'p, 'a> {
    fn for_each(&self, visit: &mut dyn FnMut(Found<'p, 'a>)) {
        let mut project = |element: Found<'p, 'a>| {
            let found = element.walk(self.steps);
            if !matches!(found, Found::Nothing) {
                visit(found);
            }
        };
        self.list.for_each(&mut |element| {
            if self.flat && element.is_list() { element.for_each(&mut project) } else { project(element) }
        });
    }
}

/// Finds one member of an object.
struct Member<'n, 'a> {
    name: &'n str,
    value: Option<&'a RawValue>,
}

impl<'a> Members<'a> for Member<'_, 'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        (name == self.name).then_some(&mut self.value)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_what_jmespath_finds() {
        let output: &RawValue = serde_json::from_str(
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
            ("yes == `true`", "true"),
            ("yes == `false`", "false"),
            ("n == `true`", "false"),
            ("@.n", "3"),
            ("n == `3.0`", "true"),
            ("deep == `{\"x\": {\"y\": \"z\"}}`", "true"),
            ("deep == `{\"x\": {}}`", "false"),
            ("list[].s == `[\"a\", \"b\"]`", "true"),
            ("list[].s == `[\"a\"]`", "false"),
            ("list[0].in == list[1].in", "false"),
            ("lists == lists", "true"),
            ("length(deep)", "1"),
            ("groups[*].members[*][0].s", "[[],[]]"),
            ("groups[*].members[*].s[]", r#"["a","b"]"#),
            ("list[-9]", "null"),
        ];
        for (path, found) in cases {
            assert_eq!(Path::parse(path).unwrap().find(Some(output)).into_json(), found, "{path}");
        }
        for wrong in ["", "a..b", "a[", "a[x]", "length(a", "a ==", "a b", "1a", "a == `{`"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn objects_are_the_same_if_they_have_the_same_members() {
        let output: &RawValue =
            serde_json::from_str(r#"{"of":{"a":1,"b":null,"\u0063":[{"d":""}],"a":2},"odd":{"\ud800":1},"none":{}}"#)
                .unwrap();
        for (path, found) in [
            (r#"of == `{"c":[{"d":""}],"a":2.0,"b":null}`"#, "true"),
            (r#"of == `{"c":[{"d":""}],"a":1,"b":null}`"#, "false"),
            (r#"of == `{"c":[{"d":""}],"a":2}`"#, "false"),
            (r#"of == `{"c":[{"d":""}],"a":2,"b":null,"e":null}`"#, "false"),
            (r#"of == `{"c":[{"d":"","e":1}],"a":2,"b":null}`"#, "false"),
            (r#"of != `["a"]`"#, "true"),
            ("odd == `{}`", "false"),
            ("none == `{}`", "true"),
            ("none == `[]`", "false"),
            ("of == of", "true"),
            ("length(of)", "4"),
            ("length(odd)", "1"),
            ("length(none)", "0"),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(Some(output)).into_json(), found, "{path}");
        }
    }

    #[test]
    fn integers_are_compared_exactly_and_other_numbers_by_value() {
        let output: &RawValue = serde_json::from_str(
            r#"{"at":1700000000000000001,"ids":[1700000000000000001],"big":100000000000000000000000000001,"low":-1700000000000000001,"half":0.5}"#,
        )
        .unwrap();
        for (path, found) in [
            ("at == `1700000000000000100`", "false"),
            ("at != `1700000000000000100`", "true"),
            ("at == `1700000000000000001`", "true"),
            ("at < `1700000000000000002`", "true"),
            ("at >= `1700000000000000002`", "false"),
            ("low > `-1700000000000000002`", "true"),
            ("ids == `[1700000000000000100]`", "false"),
            ("ids == `[1700000000000000001]`", "true"),
            ("ids == `[1700000000000000001.0]`", "true"),
            ("big == `100000000000000000000000000002`", "false"),
            ("big == `1e29`", "true"),
            ("half < `1`", "true"),
            ("length(ids) == `1.0`", "true"),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(Some(output)).into_json(), found, "{path}");
        }
    }
}
