//! Schemas of `OpenAPI` and Swagger as types. Each is read once, when a method names it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::openapi::files::{Files, Place, Problem};
use crate::{
    context::Context,
    document::{Node, Value},
    model::{Field, Shape, Type, TypeDef, TypeId},
};

mod alternatives;
mod enumeration;
mod object;
mod scalar;

pub(crate) use self::scalar::scalar;

/// The most inherited schemas that lead from one to the next.
const DEEPEST: usize = 64;

/// The types of the schemas that methods name.
pub(crate) struct Schemas<'a> {
    files: &'a Files,
    /// What was named, and is not read yet. A queue, since a description may name one thing after
    /// another for longer than a stack is deep.
    queue: VecDeque<(TypeId, Place<'a>)>,
    known: BTreeSet<TypeId>,
    types: BTreeMap<TypeId, TypeDef>,
    /// Why a type cannot be read.
    broken: BTreeMap<TypeId, Problem>,
}

/// What a schema stands in, after which it is named if it has no name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent<'n> {
    pub(crate) name: &'n str,
}

impl<'a> Schemas<'a> {
    pub(crate) fn new(files: &'a Files) -> Self {
        Self { files, queue: VecDeque::new(), known: BTreeSet::new(), types: BTreeMap::new(), broken: BTreeMap::new() }
    }

    /// Returns the type of a schema. What it names is read by [`Self::finish`].
    pub(crate) fn ty(
        &mut self,
        context: &mut Context,
        schema: &Place<'a>,
        parent: Parent<'_>,
    ) -> Result<Type, Problem> {
        let ty = self.bare(context, schema, parent)?;
        Ok(if is_nullable(schema.node) && !matches!(ty, Type::Option(_) | Type::Value) {
            Type::Option(Box::new(ty))
        } else {
            ty
        })
    }

    /// Returns the type of a schema, null aside.
    fn bare(&mut self, context: &mut Context, schema: &Place<'a>, parent: Parent<'_>) -> Result<Type, Problem> {
        if let Some(reference) = schema.reference() {
            let target = self.files.target(context, schema.file, reference)?;
            return Ok(self.named(&target));
        }
        if let Some(only) = alternatives::only(schema) {
            return self.ty(context, &only, parent);
        }
        let node = schema.node;
        if let Some(values) = enumeration::values(schema) {
            return Ok(self.enumeration(schema, values, parent));
        }
        if object::has_members(node) {
            return Ok(self.inline(schema, parent));
        }
        if node.get("oneOf").is_some() || node.get("anyOf").is_some() {
            return Ok(Type::Value);
        }
        match kind_of(node) {
            Some("array") => self.list(context, schema, parent),
            Some("object") => self.map(context, schema, parent),
            Some(kind) => scalar(kind, node.str_of("format")).ok_or_else(|| scalar::unknown(node, kind)),
            None if node.get("items").is_some() => self.list(context, schema, parent),
            None if node.get("additionalProperties").is_some() => self.map(context, schema, parent),
            None => Ok(Type::Value),
        }
    }

    fn list(&mut self, context: &mut Context, schema: &Place<'a>, parent: Parent<'_>) -> Result<Type, Problem> {
        let name = format!("{}_item", parent.name);
        let items = schema.get("items").filter(|items| matches!(items.node.value, Value::Map(_)));
        let item = match items {
            Some(items) => self.ty(context, &items, Parent { name: &name })?,
            None => Type::Value,
        };
        Ok(Type::List(Box::new(item)))
    }

    /// Returns the type of an object of which no member is named.
    fn map(&mut self, context: &mut Context, schema: &Place<'a>, parent: Parent<'_>) -> Result<Type, Problem> {
        let name = format!("{}_value", parent.name);
        let Some(additional) = schema.get("additionalProperties") else { return Ok(Type::Value) };
        Ok(match &additional.node.value {
            Value::Map(_) => Type::Map(Box::new(self.ty(context, &additional, Parent { name: &name })?)),
            Value::Bool(true) => Type::Map(Box::new(Type::Value)),
            _ => Type::Value,
        })
    }

    /// Returns the type that a reference leads to, which has a name.
    pub(crate) fn named(&mut self, target: &Place<'a>) -> Type {
        let id = target.id();
        if self.known.insert(id.clone()) {
            self.queue.push_back((id.clone(), target.clone()));
        }
        Type::Named(id)
    }

    /// Returns the type of an object that stands inside of another.
    fn inline(&mut self, schema: &Place<'a>, parent: Parent<'_>) -> Type {
        let id = schema.id();
        if self.known.insert(id.clone()) {
            let title = schema.node.str_of("title").filter(|title| !title.contains(char::is_whitespace));
            let name = title.unwrap_or(parent.name).to_owned();
            let (docs, at) = (docs(schema.node), schema.node.at.clone());
            // The name is kept for when the schema is read.
            let shape = Shape::Struct { fields: vec![], open: true };
            self.types.insert(id.clone(), TypeDef { name, docs, shape, at });
            self.queue.push_back((id.clone(), schema.clone()));
        }
        Type::Named(id)
    }

    fn enumeration(&mut self, schema: &Place<'a>, named: enumeration::Named, parent: Parent<'_>) -> Type {
        let enumeration::Named { name, values } = named;
        let shape = Shape::Enum(values);
        // The same words under the same name are one type, however often they are written down.
        let shared = name.as_ref().map(|name| format!("{}#x-ms-enum/{name}", schema.file.id));
        let same = |types: &BTreeMap<TypeId, TypeDef>, id: &TypeId| {
            types.get(id).is_none_or(|known| enumeration::same_words(&known.shape, &shape))
        };
        let id = shared.filter(|id| same(&self.types, id)).unwrap_or_else(|| schema.id());
        self.known.insert(id.clone());
        let name = name.unwrap_or_else(|| parent.name.to_owned());
        let def = TypeDef { name, docs: docs(schema.node), shape, at: schema.node.at.clone() };
        self.types.entry(id.clone()).or_insert(def);
        Type::Named(id)
    }

    /// Reads all that was named so far.
    pub(crate) fn read_named(&mut self, context: &mut Context) {
        while let Some((id, schema)) = self.queue.pop_front() {
            let name = self.types.get(&id).map_or_else(|| schema.name(), |def| def.name.clone());
            match self.shape(context, &schema, Parent { name: &name }) {
                Ok(shape) => {
                    let def = TypeDef { name, docs: docs(schema.node), shape, at: schema.node.at.clone() };
                    self.types.insert(id, def);
                }
                Err(problem) => _ = self.broken.insert(id, problem),
            }
        }
    }

    /// Returns what a named schema is.
    fn shape(&mut self, context: &mut Context, schema: &Place<'a>, parent: Parent<'_>) -> Result<Shape, Problem> {
        if schema.reference().is_none() && object::has_members(schema.node) {
            return self.structure(context, schema, parent);
        }
        if let Some(named) = enumeration::values(schema).filter(|_| schema.reference().is_none()) {
            return Ok(Shape::Enum(named.values));
        }
        Ok(Shape::Alias(self.ty(context, schema, parent)?))
    }

    /// Returns why a type, or one that it names, cannot be read.
    pub(crate) fn broken_in(&self, ty: &Type) -> Option<&Problem> {
        let (mut open, mut seen) = (vec![ty], BTreeSet::new());
        while let Some(ty) = open.pop() {
            match ty {
                Type::List(inner) | Type::Map(inner) | Type::Option(inner) => open.push(inner),
                Type::Named(id) if seen.insert(id) => {
                    if let Some(problem) = self.broken.get(id) {
                        return Some(problem);
                    }
                    match self.types.get(id).map(|def| &def.shape) {
                        Some(Shape::Struct { fields, .. }) => open.extend(fields.iter().map(|field| &field.ty)),
                        Some(Shape::Alias(ty)) => open.push(ty),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Follows the names that stand for another type.
    pub(crate) fn resolved<'t>(&'t self, mut ty: &'t Type) -> &'t Type {
        for _ in 0..DEEPEST {
            let Type::Named(id) = ty else { return ty };
            let Some(TypeDef { shape: Shape::Alias(target), .. }) = self.types.get(id) else { return ty };
            ty = target;
        }
        ty
    }

    /// Returns the members of a type that is an object.
    pub(crate) fn fields(&self, ty: &Type) -> &[Field] {
        let Type::Named(id) = self.resolved(ty) else { return &[] };
        match self.types.get(id).map(|def| &def.shape) {
            Some(Shape::Struct { fields, .. }) => fields,
            _ => &[],
        }
    }

    /// Returns the type of a parameter: a scalar, or a list of scalars. What is anything else is
    /// none.
    pub(crate) fn plain(&mut self, context: &mut Context, schema: &Place<'a>) -> Result<Option<Type>, Problem> {
        let schema = self.files.resolved(context, schema)?;
        if let Some(only) = alternatives::only(&schema) {
            return if only.pointer == schema.pointer { Ok(None) } else { self.plain_below(context, &only) };
        }
        let node = schema.node;
        Ok(match kind_of(node) {
            Some("array") => {
                let Some(items) = schema.get("items") else { return Ok(Some(Type::List(Box::new(Type::String)))) };
                let items = self.files.resolved(context, &items)?;
                let item = kind_of(items.node).and_then(|kind| scalar(kind, items.node.str_of("format")));
                item.or(enumeration::values(&items).map(|_| Type::String)).map(|item| Type::List(Box::new(item)))
            }
            Some("object") => None,
            Some(kind) => scalar(kind, node.str_of("format")),
            // Words without a type, or several kinds of them: whatever they are, they are text.
            None if node.get("properties").is_some() => None,
            None => Some(Type::String),
        })
    }

    fn plain_below(&mut self, context: &mut Context, only: &Place<'a>) -> Result<Option<Type>, Problem> {
        let schema = self.files.resolved(context, only)?;
        let kind = kind_of(schema.node);
        Ok(match kind {
            Some("array" | "object") => None,
            Some(kind) => scalar(kind, schema.node.str_of("format")),
            None => Some(Type::String),
        })
    }

    /// Returns all types that can be read.
    pub(crate) fn finish(mut self, context: &mut Context) -> BTreeMap<TypeId, TypeDef> {
        self.read_named(context);
        self.types
    }
}

/// Returns the type that a schema says; of `["string", "null"]` the one that is not null.
pub(crate) fn kind_of(node: &Node) -> Option<&str> {
    let kind = node.get("type")?;
    let mut kinds = kind.items().iter().filter_map(Node::as_str).filter(|kind| *kind != "null");
    kind.as_str().or_else(|| kinds.next().filter(|_| kinds.next().is_none()))
}

fn is_nullable(node: &Node) -> bool {
    let says_null = |node: &Node| node.as_str() == Some("null");
    node.is_true("nullable")
        || node.is_true("x-nullable")
        || node.get("type").is_some_and(|kind| kind.items().iter().any(says_null))
        || alternatives::has_null(node)
}

/// Returns what a description says about a thing.
pub(crate) fn docs(node: &Node) -> String {
    let text = node.str_of("description").filter(|text| !text.trim().is_empty());
    text.or(node.str_of("title")).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
