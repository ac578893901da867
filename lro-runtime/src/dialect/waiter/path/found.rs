//! What a path finds: a value of the output, as its text, or what is made of it.

use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap};

use serde_json::{Value, value::RawValue};

use crate::dialect::json::{Members, each_element, each_member, is_object, parse, read_members, string};

/// A step of a path.
#[derive(Clone, Copy)]
pub(super) enum Step<'p> {
    Field(&'p str),
    Index(i64),
    /// `[*]`.
    Each,
}

/// What a path finds.
#[derive(Clone)]
pub(crate) enum Found<'p, 'a> {
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
pub(crate) struct Projection<'p, 'a> {
    list: Found<'p, 'a>,
    /// Whether elements that are lists are replaced by their own elements, one level deep.
    flat: bool,
    steps: &'p [Step<'p>],
}

impl<'p, 'a> Found<'p, 'a> {
    pub(super) fn of(value: Option<&'a RawValue>) -> Self {
        value.filter(|value| value.get() != "null").map_or(Self::Nothing, Self::Value)
    }

    pub(super) fn literal(value: &'p RawValue) -> Self {
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
    pub(crate) fn string(&self) -> Option<Cow<'_, str>> {
        self.raw().and_then(string)
    }

    /// Returns the boolean if this is one.
    pub(crate) fn bool(&self) -> Option<bool> {
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
    pub(crate) fn number_text(&self) -> Option<Cow<'_, str>> {
        if let Self::Count(count) = self {
            return Some(Cow::Owned(count.to_string()));
        }
        let text = self.raw()?.get();
        text.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some(Cow::Borrowed(text))
    }

    fn is_list(&self) -> bool {
        matches!(self, Self::List(_)) || self.raw().is_some_and(|raw| raw.get().starts_with('['))
    }

    /// Calls `visit` with each element of a list, in order.
    pub(crate) fn for_each(&self, visit: &mut dyn FnMut(Found<'p, 'a>)) {
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
    pub(super) fn length(&self) -> Option<usize> {
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
    pub(super) fn walk(mut self, steps: &'p [Step<'p>]) -> Self {
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
    pub(super) fn project(self, flat: bool, steps: &'p [Step<'p>]) -> Self {
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
    pub(super) fn is_same(&self, other: &Self) -> bool {
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
    pub(crate) fn into_json(self) -> Cow<'a, str> {
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
pub(super) fn order(left: &str, right: &str) -> Option<Ordering> {
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
