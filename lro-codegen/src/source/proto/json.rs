//! Messages as types of JSON, in the shape that proto3 gives them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::{
    fields::{scalar, well_known},
    options::behavior,
    sources::Sources,
};
use crate::model::{EnumValue, Field, Shape, Type, TypeDef, TypeId};

/// The types that were named so far.
pub(super) struct JsonTypes<'a> {
    sources: &'a Sources,
    defs: BTreeMap<TypeId, TypeDef>,
    known: BTreeSet<String>,
    /// Messages that were named and not read yet: not read at once, since they nest at will.
    open: VecDeque<MessageDescriptor>,
}

impl<'a> JsonTypes<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, defs: BTreeMap::new(), known: BTreeSet::new(), open: VecDeque::new() }
    }

    /// Returns all types that were named.
    pub(super) fn finish(mut self) -> BTreeMap<TypeId, TypeDef> {
        while let Some(message) = self.open.pop_front() {
            let def = self.def(&message, |_| true);
            self.defs.insert(message.full_name().to_owned(), def);
        }
        self.defs
    }

    /// Returns the type of a message.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Type {
        if let Some(ty) = well_known(message.full_name()) {
            return quoted(ty);
        }
        let id = message.full_name().to_owned();
        if self.known.insert(id.clone()) {
            self.open.push_back(message.clone());
        }
        Type::Named(id)
    }

    /// Returns the type of a message without some of its fields: those that stand elsewhere in a
    /// request. `None` if it has no others and need not be sent.
    pub(super) fn without(
        &mut self,
        message: &MessageDescriptor,
        left_out: &BTreeSet<String>,
        is_sent_empty: bool,
    ) -> Option<Type> {
        if !is_sent_empty && message.fields().all(|field| left_out.contains(field.name())) {
            return None;
        }
        if !message.fields().any(|field| left_out.contains(field.name())) {
            return Some(self.message(message));
        }
        let names: Vec<&str> = left_out.iter().map(String::as_str).collect();
        let id = format!("{}-{}", message.full_name(), names.join("-"));
        if self.known.insert(id.clone()) {
            let def = self.def(message, |field| !left_out.contains(field.name()));
            self.defs.insert(id.clone(), def);
        }
        Some(Type::Named(id))
    }

    /// Returns the type of a field.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Type {
        if field.is_map()
            && let Kind::Message(entry) = field.kind()
        {
            return Type::Map(Box::new(self.kind(&entry.map_entry_value_field().kind())));
        }
        let ty = self.kind(&field.kind());
        if field.is_list() { Type::List(Box::new(ty)) } else { ty }
    }

    fn kind(&mut self, kind: &Kind) -> Type {
        match kind {
            Kind::Message(message) => self.message(message),
            Kind::Enum(of) if of.full_name() == "google.protobuf.NullValue" => Type::Value,
            Kind::Enum(of) => self.enumeration(of),
            kind => scalar(kind).map_or(Type::Value, quoted),
        }
    }

    fn def(&mut self, message: &MessageDescriptor, is_kept: impl Fn(&FieldDescriptor) -> bool) -> TypeDef {
        let file = message.parent_file();
        // By number in the descriptor, and in this by the order of the text.
        let mut fields: Vec<FieldDescriptor> = message.fields().filter(is_kept).collect();
        fields.sort_by_key(|field| field.path().last().copied());
        let fields = fields.into_iter().map(|field| Field {
            wire: field.json_name().to_owned(),
            docs: self.sources.docs(&file, field.path()),
            ty: self.field(&field),
            read_only: behavior(&field).is_output_only,
        });
        let fields = fields.collect();
        TypeDef {
            name: name_of(message.full_name(), message.package_name()),
            docs: self.sources.docs(&file, message.path()),
            shape: Shape::Struct { fields, open: false },
            at: self.sources.at(&file, message.path()),
        }
    }

    fn enumeration(&mut self, of: &EnumDescriptor) -> Type {
        let id = of.full_name().to_owned();
        if self.known.insert(id.clone()) {
            let file = of.parent_file();
            let values = of
                .values()
                .map(|value| EnumValue { wire: value.name().to_owned(), docs: self.sources.docs(&file, value.path()) });
            let def = TypeDef {
                name: name_of(of.full_name(), of.package_name()),
                docs: self.sources.docs(&file, of.path()),
                shape: Shape::Enum(values.collect()),
                at: self.sources.at(&file, of.path()),
            };
            self.defs.insert(id.clone(), def);
        }
        Type::Named(id)
    }
}

/// JSON writes numbers of 64 bits as text.
fn quoted(ty: Type) -> Type {
    if matches!(ty, Type::I64 | Type::U64) { Type::Quoted(Box::new(ty)) } else { ty }
}

// Input:  google.cloud.workflows.v1.Workflow.State
// Output: Workflow.State
fn name_of(full: &str, package: &str) -> String {
    full.strip_prefix(package).map_or(full, |rest| rest.trim_start_matches('.')).to_owned()
}
