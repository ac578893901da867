//! Which messages of a oneof are boxed: an enum is as large as its largest variant.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

/// How many bytes a variant may have: clippy takes more than 200 beyond the next for a mistake.
const LARGE: usize = 160;

/// Returns the paths of the fields that are boxed.
pub(super) fn boxed(files: &[FileDescriptorProto]) -> Vec<String> {
    let mut messages = BTreeMap::new();
    for file in files {
        index(&file.message_type, &format!(".{}", file.package()), &mut messages);
    }
    let mut sizes = Sizes { messages: &messages, known: BTreeMap::new(), open: BTreeSet::new() };
    let mut boxed = vec![];
    for (name, message) in &messages {
        for field in message.field.iter().filter(|field| is_in_oneof(field)) {
            let Some(of) = field.type_name.as_deref().filter(|_| field.r#type() == Type::Message) else { continue };
            if sizes.of(of) > LARGE {
                let oneof = usize::try_from(field.oneof_index()).ok().and_then(|at| message.oneof_decl.get(at));
                let Some(oneof) = oneof else { continue };
                // By the second path prost-build knows that nothing around it can be copied.
                boxed.push(format!("{name}.{}.{}", oneof.name(), field.name()));
                boxed.push(format!("{name}.{}", field.name()));
            }
        }
    }
    boxed
}

fn index<'a>(messages: &'a [DescriptorProto], scope: &str, found: &mut BTreeMap<String, &'a DescriptorProto>) {
    for message in messages {
        let name = format!("{}.{}", scope.trim_end_matches('.'), message.name());
        index(&message.nested_type, &name, found);
        found.insert(name, message);
    }
}

fn is_in_oneof(field: &FieldDescriptorProto) -> bool {
    field.oneof_index.is_some() && !field.proto3_optional()
}

struct Sizes<'a> {
    messages: &'a BTreeMap<String, &'a DescriptorProto>,
    known: BTreeMap<String, usize>,
    /// Those that are being counted: a message within itself is boxed by prost-build.
    open: BTreeSet<String>,
}

impl Sizes<'_> {
    /// Returns about how many bytes a message has in memory.
    fn of(&mut self, name: &str) -> usize {
        if let Some(size) = self.known.get(name) {
            return *size;
        }
        // One of another crate: the largest of the well-known types has about as much.
        let Some(message) = self.messages.get(name).copied() else { return 56 };
        if self.open.len() > 64 || !self.open.insert(name.to_owned()) {
            return 8;
        }
        let mut oneofs: BTreeMap<i32, usize> = BTreeMap::new();
        let mut size = 0;
        for field in &message.field {
            let own = match field.r#type() {
                _ if field.label() == Label::Repeated => 24,
                Type::String | Type::Bytes => 24,
                Type::Message | Type::Group => field.type_name.as_deref().map_or(8, |name| self.of(name) + 8),
                _ => 8,
            };
            if is_in_oneof(field) {
                let largest = oneofs.entry(field.oneof_index()).or_default();
                *largest = (*largest).max(own.min(LARGE));
            } else {
                size += own;
            }
        }
        size += oneofs.values().map(|largest| largest + 8).sum::<usize>();
        self.open.remove(name);
        self.known.insert(name.to_owned(), size);
        size
    }
}
