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

use std::{borrow::Cow, cmp::Ordering};

use serde_json::value::RawValue;

use crate::dialect::json;

mod found;
mod parse;
#[cfg(test)]
mod tests;

pub(super) use self::found::Found;
use self::found::{Step, order};

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

impl Path<'_> {
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
            Self::Literal(text) => json::parse(text).map_or(Found::Nothing, Found::literal),
            Self::Length(of) => of.find(output).length().map_or(Found::Nothing, Found::Count),
            Self::Steps(steps) => {
                let found = Found::of(output).walk(&steps.first);
                steps.flattened.iter().fold(found, |found, steps| found.project(true, steps))
            }
        }
    }
}
