//! `oneOf`, `anyOf` and a lone `allOf`: schemas that are others.

use super::{kind_of, object};
use crate::{document::Node, source::openapi::files::Place};

/// Returns the one schema that this one stands for: the only alternative beside null, or the only
/// part of an `allOf` that adds nothing.
pub(super) fn only<'a>(schema: &Place<'a>) -> Option<Place<'a>> {
    if schema.node.get("properties").is_some() {
        return None;
    }
    let kinds = ["oneOf", "anyOf"].into_iter().flat_map(|key| schema.items_of(key));
    let kinds: Vec<Place<'a>> = kinds.filter(|kind| !is_null(kind.node)).collect();
    if let [kind] = kinds.as_slice() {
        return Some(kind.clone());
    }
    let parts = schema.items_of("allOf");
    match parts.as_slice() {
        [part] if kinds.is_empty() && !object::has_own_members(schema.node) => Some(part.clone()),
        _ => None,
    }
}

/// Returns whether null is one of the alternatives.
pub(super) fn has_null(node: &Node) -> bool {
    let alternatives = ["oneOf", "anyOf"].into_iter().filter_map(|key| node.get(key));
    alternatives.flat_map(Node::items).any(is_null)
}

fn is_null(node: &Node) -> bool {
    let is_only_null = |words: &Node| matches!(words.items(), [word] if word.kind() == "null");
    kind_of(node) == Some("null") || node.get("enum").is_some_and(is_only_null)
}
