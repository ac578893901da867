//! Schemas as types: those that methods reach, each once.

use std::collections::{BTreeMap, BTreeSet};

use super::Api;
use crate::{
    document::{Member, Node, Value},
    model::{EnumValue, Field, Shape, Type, TypeDef, TypeId},
    nearest::did_you_mean,
    position::Position,
};

/// The types of one document.
pub(super) struct Types<'a> {
    api: &'a Api<'a>,
    /// The types that the user has written, by the name of the schema.
    externs: BTreeMap<String, String>,
    /// Those that were named and are still to be read.
    queue: Vec<&'a Member>,
    seen: BTreeSet<&'a str>,
    defs: BTreeMap<TypeId, TypeDef>,
    mistakes: Vec<(Position, String)>,
}

/// What an inline type is named after: the type and the field that it stands in.
#[derive(Clone, Copy)]
struct Parent<'n> {
    id: &'n str,
    name: &'n str,
}

impl<'a> Types<'a> {
    pub(super) fn new(api: &'a Api<'a>, externs: BTreeMap<String, String>) -> Self {
        Self { api, externs, queue: vec![], seen: BTreeSet::new(), defs: BTreeMap::new(), mistakes: vec![] }
    }

    /// Returns the type of a `$ref`; the error says that it leads nowhere.
    pub(super) fn reference(&mut self, node: &Node) -> Result<Type, String> {
        let name = node.as_str().ok_or_else(|| format!("`$ref` is {}: expected the name of a schema", node.kind()))?;
        self.named(name)
    }

    /// Returns the type of the schema `name`.
    pub(super) fn named(&mut self, name: &str) -> Result<Type, String> {
        if let Some(path) = self.externs.get(name) {
            return Ok(Type::Path(path.clone()));
        }
        let Some(member) = self.api.schemas.get(name) else {
            let legal = did_you_mean(name, self.api.schemas.keys().copied());
            return Err(format!("`schemas` has no `{name}`{legal}"));
        };
        if self.seen.insert(&member.key) {
            self.queue.push(member);
        }
        Ok(Type::Named(self.id(name)))
    }

    fn id(&self, name: &str) -> TypeId {
        format!("{}#{name}", self.api.file)
    }

    /// Reads all that was named and what that names in turn. Returns the types, and what is wrong
    /// with them.
    pub(super) fn finish(mut self) -> (BTreeMap<TypeId, TypeDef>, Vec<(Position, String)>) {
        while let Some(member) = self.queue.pop() {
            let id = self.id(&member.key);
            let shape = self.shape(&member.node, Parent { id: &id, name: &member.key });
            self.define(id, &member.key, &member.node, &member.at, shape);
        }
        self.break_cycles();
        self.mistakes.sort();
        (self.defs, self.mistakes)
    }

    fn define(&mut self, id: TypeId, name: &str, node: &Node, at: &Position, shape: Shape) {
        let def = TypeDef { name: name.to_owned(), docs: docs(node), shape, at: at.clone() };
        self.defs.insert(id, def);
    }

    fn shape(&mut self, node: &Node, parent: Parent<'_>) -> Shape {
        let is_object = node.str_of("type") == Some("object") || node.get("properties").is_some();
        if is_object && (has_properties(node) || node.get("additionalProperties").is_none()) {
            return self.fields(node, parent);
        }
        match words(node) {
            Some(values) => Shape::Enum(values),
            None => Shape::Alias(self.ty(node, parent)),
        }
    }

    fn fields(&mut self, node: &Node, parent: Parent<'_>) -> Shape {
        let properties = node.get("properties").map(Node::members).unwrap_or_default();
        let fields = properties.iter().map(|member| Field {
            wire: member.key.clone(),
            docs: docs(&member.node),
            ty: {
                let id = format!("{}.{}", parent.id, member.key);
                let name = format!("{}_{}", parent.name, member.key);
                self.ty(&member.node, Parent { id: &id, name: &name })
            },
            read_only: member.node.is_true("readOnly"),
        });
        let fields = fields.collect();
        // The kinds of a variant have members of their own.
        let open = node.get("additionalProperties").is_some() || node.get("variant").is_some();
        Shape::Struct { fields, open }
    }

    fn ty(&mut self, node: &Node, parent: Parent<'_>) -> Type {
        if let Some(reference) = node.get("$ref") {
            return self.reference(reference).unwrap_or_else(|message| {
                self.mistakes.push((reference.at.clone(), message));
                Type::Value
            });
        }
        let format = node.str_of("format").unwrap_or_default();
        match node.str_of("type") {
            Some("string") if words(node).is_some() => self.inline(node, parent),
            Some("string") => match format {
                "int64" => Type::Quoted(Box::new(Type::I64)),
                "uint64" => Type::Quoted(Box::new(Type::U64)),
                _ => Type::String,
            },
            Some("integer") => match format {
                "int32" => Type::I32,
                "uint32" => Type::U32,
                "uint64" => Type::U64,
                _ => Type::I64,
            },
            Some("number") if format == "float" => Type::F32,
            Some("number") => Type::F64,
            Some("boolean") => Type::Bool,
            Some("array") => {
                Type::List(Box::new(node.get("items").map_or(Type::Value, |items| self.ty(items, parent))))
            }
            Some("object") | None if has_properties(node) => self.inline(node, parent),
            Some("object") => match node.get("additionalProperties") {
                Some(additional) if matches!(additional.value, Value::Map(_)) => {
                    Type::Map(Box::new(self.ty(additional, parent)))
                }
                Some(_) => Type::Map(Box::new(Type::Value)),
                None => Type::Value,
            },
            Some("any") | None => Type::Value,
            Some(other) => {
                let legal = did_you_mean(other, ["any", "array", "boolean", "integer", "number", "object", "string"]);
                self.mistakes.push((node.at.clone(), format!("a schema of the type `{other}` is not known{legal}")));
                Type::Value
            }
        }
    }

    /// Defines a type that stands inside another.
    fn inline(&mut self, node: &Node, parent: Parent<'_>) -> Type {
        let shape = self.shape(node, parent);
        self.define(parent.id.to_owned(), parent.name, node, &node.at, shape);
        Type::Named(parent.id.to_owned())
    }

    /// Makes any value of each alias that leads to itself, which no type can be.
    fn break_cycles(&mut self) {
        let ids: Vec<_> =
            self.defs.iter().filter(|(_, def)| alias_of(def).is_some()).map(|(id, _)| id.clone()).collect();
        for id in ids {
            let mut seen = BTreeSet::new();
            let mut next = self.defs.get(&id).and_then(alias_of);
            while let Some(target) = next.filter(|target| seen.insert(*target)) {
                next = self.defs.get(target).and_then(alias_of);
            }
            if !seen.contains(&&*id) {
                continue;
            }
            if let Some(def) = self.defs.get_mut(&id) {
                self.mistakes.push((def.at.clone(), format!("the schema `{}` is nothing but itself", def.name)));
                def.shape = Shape::Alias(Type::Value);
            }
        }
    }
}

/// Returns what an alias is another name of, or a list or a map of.
fn alias_of(def: &TypeDef) -> Option<&str> {
    let Shape::Alias(ty) = &def.shape else { return None };
    let mut ty = ty;
    loop {
        match ty {
            Type::List(inner) | Type::Map(inner) | Type::Option(inner) => ty = inner,
            Type::Named(id) => return Some(id),
            _ => return None,
        }
    }
}

fn has_properties(node: &Node) -> bool {
    node.get("properties").is_some_and(|properties| !properties.members().is_empty())
}

/// Returns the words of an enumeration.
fn words(node: &Node) -> Option<Vec<EnumValue>> {
    let words = node.get("enum").map(Node::items).filter(|words| !words.is_empty())?;
    let values = words.iter().enumerate().filter_map(|(index, word)| {
        let index = index.to_string();
        let text = node.at_path(["enumDescriptions", &index]).and_then(Node::as_str).unwrap_or_default();
        let is_deprecated = node.at_path(["enumDeprecated", &index]).and_then(Node::as_bool) == Some(true);
        Some(EnumValue { wire: word.as_str()?.to_owned(), docs: deprecated(text, is_deprecated) })
    });
    Some(values.collect())
}

fn docs(node: &Node) -> String {
    deprecated(node.str_of("description").unwrap_or_default(), node.is_true("deprecated"))
}

/// Returns `text`, which says of something deprecated that it is.
pub(super) fn deprecated(text: &str, is_deprecated: bool) -> String {
    if !is_deprecated || text.to_ascii_lowercase().contains("deprecated") {
        return text.to_owned();
    }
    format!("{text}\n\nDeprecated.").trim_start().to_owned()
}
