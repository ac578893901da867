//! Leaves out of descriptors what no method reaches, and renames what Rust cannot tell apart.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

use crate::names::Scope;

/// The descriptors that are left. Those of types that are elsewhere are among them: prost-build
/// looks at them, and writes nothing.
pub(super) struct Pruned {
    /// The files that have something left, without services, options and comments.
    pub(super) files: Vec<FileDescriptorProto>,
    /// Where each message is below the module of messages, by its full name in the description.
    pub(super) paths: BTreeMap<String, Vec<String>>,
    /// The full names in the description of what has another name now.
    pub(super) renamed: BTreeMap<String, String>,
}

pub(super) fn prune(set: &FileDescriptorSet, wanted: &BTreeSet<String>) -> Pruned {
    let kept = reached(set, wanted);
    let mut pruned = Pruned { files: vec![], paths: BTreeMap::new(), renamed: BTreeMap::new() };
    let mut scopes: BTreeMap<String, Scope> = BTreeMap::new();
    let mut new_names = BTreeMap::new();
    for file in &set.file {
        let mut left = file.clone();
        left.service.clear();
        left.extension.clear();
        left.source_code_info = None;
        left.dependency.clear();
        left.public_dependency.clear();
        left.weak_dependency.clear();
        prune_types(&mut left.message_type, &mut left.enum_type, file.package(), &kept);
        if left.message_type.is_empty() && left.enum_type.is_empty() {
            continue;
        }
        let module: Vec<String> =
            file.package().split('.').filter(|part| !part.is_empty()).map(heck::ToSnakeCase::to_snake_case).collect();
        let mut namer = Namer { scopes: &mut scopes, new_names: &mut new_names, pruned: &mut pruned };
        namer.name(&mut left.message_type, &mut left.enum_type, file.package(), file.package(), &module);
        pruned.files.push(left);
    }
    for file in &mut pruned.files {
        for message in &mut file.message_type {
            adapt(message, &new_names);
        }
    }
    pruned
}

fn joined(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// Returns the full names of all that the wanted messages refer to, themselves among them.
fn reached(set: &FileDescriptorSet, wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let mut references = BTreeMap::new();
    for file in &set.file {
        index(&file.message_type, file.package(), &mut references);
    }
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = wanted.iter().cloned().collect();
    while let Some(name) = open.pop() {
        if !reached.insert(name.clone()) {
            continue;
        }
        open.extend(references.get(&name).into_iter().flatten().cloned());
    }
    reached
}

fn index(messages: &[DescriptorProto], scope: &str, references: &mut BTreeMap<String, Vec<String>>) {
    for message in messages {
        let name = joined(scope, message.name());
        let of = message
            .field
            .iter()
            .filter_map(|field| field.type_name.as_deref())
            .map(|name| name.trim_start_matches('.').to_owned());
        references.insert(name.clone(), of.collect());
        index(&message.nested_type, &name, references);
    }
}

/// Removes what is not kept. A message that is not, but has something that is, stays without its
/// fields.
fn prune_types(
    messages: &mut Vec<DescriptorProto>,
    enums: &mut Vec<EnumDescriptorProto>,
    scope: &str,
    kept: &BTreeSet<String>,
) {
    enums.retain(|an_enum| kept.contains(&joined(scope, an_enum.name())));
    messages.retain_mut(|message| {
        let name = joined(scope, message.name());
        let is_kept = kept.contains(&name);
        message.extension.clear();
        prune_types(&mut message.nested_type, &mut message.enum_type, &name, kept);
        if !is_kept {
            message.field.clear();
            message.oneof_decl.clear();
        }
        is_kept || !message.nested_type.is_empty() || !message.enum_type.is_empty()
    });
}

/// Gives each type a name that no other of its scope has in Rust.
struct Namer<'a> {
    scopes: &'a mut BTreeMap<String, Scope>,
    new_names: &'a mut BTreeMap<String, String>,
    pruned: &'a mut Pruned,
}

impl Namer<'_> {
    /// `scope` is that of the description, `new_scope` the same with new names.
    fn name(
        &mut self,
        messages: &mut [DescriptorProto],
        enums: &mut [EnumDescriptorProto],
        scope: &str,
        new_scope: &str,
        module: &[String],
    ) {
        for an_enum in enums {
            let name = an_enum.name().to_owned();
            an_enum.name = Some(self.unique(scope, new_scope, &name));
        }
        for message in messages {
            let name = message.name().to_owned();
            // What prost-build removes again: a map is a field there.
            if message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry) {
                let full = joined(scope, &name);
                self.new_names.insert(format!(".{full}"), format!(".{}", joined(new_scope, &name)));
                continue;
            }
            let new = self.unique(scope, new_scope, &name);
            let mut path = module.to_vec();
            path.push(new.to_upper_camel_case());
            let full = joined(scope, &name);
            self.pruned.paths.insert(full.clone(), path);
            let inner: Vec<String> = module.iter().cloned().chain([new.to_snake_case()]).collect();
            let new_full = joined(new_scope, &new);
            message.name = Some(new);
            self.name(&mut message.nested_type, &mut message.enum_type, &full, &new_full, &inner);
        }
    }

    fn unique(&mut self, scope: &str, new_scope: &str, name: &str) -> String {
        let taken = self.scopes.entry(new_scope.to_owned()).or_default();
        let camel = name.to_upper_camel_case();
        let got = taken.take(&camel);
        // The name stays as it is where it can: prost-build changes its case by itself.
        let new = if got == camel { name.to_owned() } else { got };
        let (full, new_full) = (joined(scope, name), joined(new_scope, &new));
        self.new_names.insert(format!(".{full}"), format!(".{new_full}"));
        self.pruned.renamed.insert(new_full, full);
        new
    }
}

/// Names what a message refers to as it is named now. Lets each boolean be absent, as everything
/// may be in JSON: four of them that cannot are an odd struct, and to change three when a service
/// adds the fourth would break its users.
fn adapt(message: &mut DescriptorProto, new_names: &BTreeMap<String, String>) {
    for field in &mut message.field {
        let is_single = field.label() != Label::Repeated && field.oneof_index.is_none();
        if field.r#type() == Type::Bool && is_single {
            field.proto3_optional = Some(true);
        }
        if let Some(name) = field.type_name.as_ref().and_then(|name| new_names.get(name)) {
            field.type_name = Some(name.clone());
        }
    }
    for nested in &mut message.nested_type {
        adapt(nested, new_names);
    }
}
