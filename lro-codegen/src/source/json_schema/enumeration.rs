//! Words of a list: `enum`, and what `x-ms-enum` adds.

use std::collections::BTreeSet;

use super::kind_of;
use crate::{
    document::{Node, Value},
    model::{EnumValue, Shape},
    source::openapi::files::Place,
};

/// The words of an enumeration, with its name if it has one.
pub(super) struct Named {
    pub(super) name: Option<String>,
    pub(super) values: Vec<EnumValue>,
}

/// Returns the words of a schema, if it is a list of words: numbers are numbers.
pub(super) fn values(schema: &Place<'_>) -> Option<Named> {
    let node = schema.node;
    if !matches!(kind_of(node), None | Some("string")) {
        return None;
    }
    let words = node.get("enum")?.items().iter().filter(|word| word.value != Value::Null);
    let words: Option<Vec<&str>> = words.map(Node::as_str).collect();
    let words = words.filter(|words| !words.is_empty())?;
    let extension = node.get("x-ms-enum");
    let described = extension.and_then(|extension| extension.get("values")).map_or(&[][..], Node::items);
    let docs = |word: &str| {
        let value = described.iter().find(|value| value.str_of("value") == Some(word));
        value.and_then(|value| value.str_of("description")).unwrap_or_default().to_owned()
    };
    // A word in a list twice is one word, and the empty one is none.
    let mut seen = BTreeSet::new();
    let words = words.into_iter().filter(|word| !word.is_empty() && seen.insert(*word));
    let values: Vec<_> = words.map(|word| EnumValue { wire: word.to_owned(), docs: docs(word) }).collect();
    let name = extension.and_then(|extension| extension.str_of("name")).map(str::to_owned);
    (!values.is_empty()).then_some(Named { name, values })
}

/// Returns whether both are enumerations of the same words.
pub(super) fn same_words(one: &Shape, other: &Shape) -> bool {
    match (one, other) {
        (Shape::Enum(one), Shape::Enum(other)) => {
            one.iter().map(|value| &value.wire).eq(other.iter().map(|value| &value.wire))
        }
        _ => false,
    }
}
