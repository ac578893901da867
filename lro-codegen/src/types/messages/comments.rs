//! Comments of descriptors. prost-build would copy them as they are, so each is replaced by a mark,
//! and the mark by documentation when prost-build is done.

use std::collections::BTreeMap;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, SourceCodeInfo, source_code_info::Location,
};

use crate::docs;

/// What a mark begins with.
pub(super) const MARK: &str = "lro-docs-";

/// The comments of a file of the description, by the full name of what they are about.
type Comments = BTreeMap<String, String>;

/// Puts a mark on each type, field and value of `file`, and the documentation of each into `docs`.
pub(super) fn mark(
    file: &mut FileDescriptorProto,
    original: Option<&FileDescriptorProto>,
    renamed: &BTreeMap<String, String>,
    docs: &mut Vec<Vec<String>>,
) {
    let comments = original.map(comments).unwrap_or_default();
    let package = file.package().to_owned();
    let mut marker = Marker { comments, renamed, docs, locations: vec![] };
    marker.messages(&file.message_type, &package, &[4]);
    marker.enums(&file.enum_type, &package, &[5]);
    file.source_code_info = Some(SourceCodeInfo { location: marker.locations });
}

/// Reads the comments of a file.
fn comments(file: &FileDescriptorProto) -> Comments {
    let info = file.source_code_info.as_ref();
    let by_path: BTreeMap<&[i32], &str> = info
        .iter()
        .flat_map(|info| &info.location)
        .filter_map(|location| {
            let text = location.leading_comments.as_deref().or(location.trailing_comments.as_deref())?;
            Some((location.path.as_slice(), text))
        })
        .collect();
    let mut found = Comments::new();
    let mut add = |name: String, path: &[i32]| {
        if let Some(text) = by_path.get(path) {
            found.insert(name, (*text).to_owned());
        }
    };
    of_messages(&file.message_type, file.package(), &[4], &mut add);
    of_enums(&file.enum_type, file.package(), &[5], &mut add);
    found
}

fn number(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn of_messages(messages: &[DescriptorProto], scope: &str, path: &[i32], add: &mut dyn FnMut(String, &[i32])) {
    for (at, message) in messages.iter().enumerate() {
        let path = [path, &[number(at)]].concat();
        let name = format!("{scope}.{}", message.name());
        add(name.clone(), &path);
        for (at, field) in message.field.iter().enumerate() {
            add(format!("{name}.{}", field.name()), &[path.as_slice(), &[2, number(at)]].concat());
        }
        for (at, oneof) in message.oneof_decl.iter().enumerate() {
            add(format!("{name}.{}", oneof.name()), &[path.as_slice(), &[8, number(at)]].concat());
        }
        of_messages(&message.nested_type, &name, &[path.as_slice(), &[3]].concat(), add);
        of_enums(&message.enum_type, &name, &[path.as_slice(), &[4]].concat(), add);
    }
}

fn of_enums(enums: &[EnumDescriptorProto], scope: &str, path: &[i32], add: &mut dyn FnMut(String, &[i32])) {
    for (at, an_enum) in enums.iter().enumerate() {
        let path = [path, &[number(at)]].concat();
        let name = format!("{scope}.{}", an_enum.name());
        add(name.clone(), &path);
        for (at, value) in an_enum.value.iter().enumerate() {
            add(format!("{name}.{}", value.name()), &[path.as_slice(), &[2, number(at)]].concat());
        }
    }
}

struct Marker<'a> {
    comments: Comments,
    renamed: &'a BTreeMap<String, String>,
    docs: &'a mut Vec<Vec<String>>,
    locations: Vec<Location>,
}

impl Marker<'_> {
    fn messages(&mut self, messages: &[DescriptorProto], scope: &str, path: &[i32]) {
        for (at, message) in messages.iter().enumerate() {
            let path = [path, &[number(at)]].concat();
            let name = self.type_name(scope, message.name());
            self.mark(&path, &name, "Message", false);
            for (at, field) in message.field.iter().enumerate() {
                let is_deprecated = field.options.as_ref().is_some_and(prost_types::FieldOptions::deprecated);
                let path = [path.as_slice(), &[2, number(at)]].concat();
                self.mark(&path, &format!("{name}.{}", field.name()), "Field", is_deprecated);
            }
            for (at, oneof) in message.oneof_decl.iter().enumerate() {
                let path = [path.as_slice(), &[8, number(at)]].concat();
                self.mark(&path, &format!("{name}.{}", oneof.name()), "One of the fields of", false);
            }
            let new = format!("{scope}.{}", message.name());
            self.messages(&message.nested_type, &new, &[path.as_slice(), &[3]].concat());
            self.enums(&message.enum_type, &new, &[path.as_slice(), &[4]].concat());
        }
    }

    fn enums(&mut self, enums: &[EnumDescriptorProto], scope: &str, path: &[i32]) {
        for (at, an_enum) in enums.iter().enumerate() {
            let path = [path, &[number(at)]].concat();
            let name = self.type_name(scope, an_enum.name());
            self.mark(&path, &name, "Enumeration", false);
            for (at, value) in an_enum.value.iter().enumerate() {
                let is_deprecated = value.options.as_ref().is_some_and(prost_types::EnumValueOptions::deprecated);
                let path = [path.as_slice(), &[2, number(at)]].concat();
                self.mark(&path, &format!("{name}.{}", value.name()), "Value", is_deprecated);
            }
        }
    }

    /// The full name in the description, which may not be the one that it has now.
    fn type_name(&self, scope: &str, name: &str) -> String {
        let full = format!("{scope}.{name}");
        self.renamed.get(full.trim_start_matches('.')).cloned().unwrap_or(full)
    }

    fn mark(&mut self, path: &[i32], name: &str, what: &str, is_deprecated: bool) {
        let key =
            if name.contains('.') && !self.comments.contains_key(name) { format!(".{name}") } else { name.to_owned() };
        let text = self.comments.get(name).or(self.comments.get(&key)).map_or("", String::as_str);
        let mut lines = docs::markdown(text);
        if lines.is_empty() {
            let simple = name.rsplit('.').next().unwrap_or_default();
            lines.push(format!("{what} `{simple}`."));
        }
        if is_deprecated && !lines.iter().any(|line| line.contains("eprecated")) {
            lines.extend([String::new(), "Deprecated.".to_owned()]);
        }
        let leading_comments = Some(format!("{MARK}{}", self.docs.len()));
        self.docs.push(lines);
        self.locations.push(Location { path: path.to_vec(), leading_comments, ..Location::default() });
    }
}
