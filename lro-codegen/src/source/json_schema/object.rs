//! Objects: their members, with those that they inherit.

use std::collections::{BTreeMap, BTreeSet};

use super::{DEEPEST, Parent, Schemas, docs, kind_of};
use crate::{
    context::Context,
    document::{Node, Value},
    model::{Field, Shape},
    source::openapi::files::{Place, Problem},
};

/// Returns whether a schema names members, or inherits some.
pub(super) fn has_members(node: &Node) -> bool {
    node.get("properties").is_some_and(|properties| !properties.members().is_empty()) || node.get("allOf").is_some()
}

/// Returns whether a schema adds something to what it inherits.
pub(super) fn has_own_members(node: &Node) -> bool {
    let adds = |key: &str| node.get(key).is_some_and(|value| value.value != Value::Bool(false));
    node.get("properties").is_some() || adds("additionalProperties") || node.get("discriminator").is_some()
}

/// The members that were found so far.
#[derive(Default)]
struct Members<'a> {
    order: Vec<Place<'a>>,
    numbers: BTreeMap<&'a str, usize>,
    /// The schemas that they were taken from: what is inherited twice is there once.
    done: BTreeSet<String>,
    open: bool,
}

impl<'a> Schemas<'a> {
    /// Returns the object that a schema is.
    pub(super) fn structure(
        &mut self,
        context: &mut Context,
        schema: &Place<'a>,
        parent: Parent<'_>,
    ) -> Result<Shape, Problem> {
        let mut members = Members::default();
        self.collect(context, schema, &mut vec![], &mut members)?;
        if members.order.is_empty() && !members.open {
            // All that is inherited is no object.
            let parts = schema.items_of("allOf");
            return Ok(match parts.as_slice() {
                [part] => Shape::Alias(self.ty(context, part, parent)?),
                _ => Shape::Struct { fields: vec![], open: true },
            });
        }
        let Members { order, open, .. } = members;
        let mut fields = Vec::with_capacity(order.len());
        for property in order {
            let wire = property.name();
            let name = format!("{}_{wire}", parent.name);
            let ty = self.ty(context, &property, Parent { name: &name })?;
            let read_only = is_read_only(property.node);
            fields.push(Field { docs: docs(property.node), ty, read_only, wire });
        }
        Ok(Shape::Struct { fields, open })
    }

    /// Adds the members of a schema: those that are inherited first. `path` has the ids of the
    /// schemas that inherit it.
    fn collect(
        &mut self,
        context: &mut Context,
        schema: &Place<'a>,
        path: &mut Vec<String>,
        members: &mut Members<'a>,
    ) -> Result<(), Problem> {
        let at = &schema.node.at;
        let schema = self.files.resolved(context, schema)?;
        let id = schema.id();
        if path.contains(&id) {
            return Err(Problem::new(at, format!("`{}` inherits itself by `allOf`", schema.name())));
        }
        if path.len() > DEEPEST {
            return Err(Problem::new(at, format!("`allOf` leads on and on: more than {DEEPEST} in a row")));
        }
        if !members.done.insert(id.clone()) {
            return Ok(());
        }
        path.push(id);
        for part in schema.items_of("allOf") {
            self.collect(context, &part, path, members)?;
        }
        path.pop();
        for (key, _, property) in schema.members_of("properties") {
            let known = members.numbers.get(key).and_then(|number| members.order.get_mut(*number));
            if let Some(inherited) = known {
                *inherited = property;
                continue;
            }
            members.numbers.insert(key, members.order.len());
            members.order.push(property);
        }
        members.open |= is_open(schema.node);
        Ok(())
    }
}

/// Returns whether an object may have members that are not named here: of one of several kinds of
/// it, or with any name.
fn is_open(node: &Node) -> bool {
    let allows =
        |key: &str| node.get(key).is_some_and(|value| matches!(value.value, Value::Bool(true) | Value::Map(_)));
    node.get("discriminator").is_some()
        || allows("additionalProperties")
        || allows("unevaluatedProperties")
        || node.get("oneOf").is_some()
        || node.get("anyOf").is_some()
        // An object of which the description names no member may have any.
        || (kind_of(node) == Some("object") && !has_members(node) && node.get("additionalProperties").is_none())
}

/// Returns whether only the service writes a member.
fn is_read_only(node: &Node) -> bool {
    let mutability = node.get("x-ms-mutability").map_or(&[][..], Node::items);
    node.is_true("readOnly") || matches!(mutability, [only] if only.as_str() == Some("read"))
}
