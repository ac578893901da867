//! What protos say of the methods of a discovery document: the types of the response and the
//! metadata, which the document does not have. A method is the same if its host, its verb and its
//! path are.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ServiceDescriptor, Value};
use protox::{
    Compiler,
    file::{ChainFileResolver, GoogleFileResolver, IncludeFileResolver},
};

use crate::{context::Context, position::Position};

/// The messages of one method, by their full names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Messages {
    pub(super) response: String,
    pub(super) metadata: String,
    /// Whether the response is known to have no field.
    pub(super) is_empty: bool,
}

/// Host, verb and flat path.
type Key = (String, String, String);

/// The methods of protos.
#[derive(Debug, Default)]
pub(super) struct Join {
    rules: BTreeMap<Key, Messages>,
    /// The same, by the path without its version; `None` where versions differ.
    versionless: BTreeMap<Key, Option<Messages>>,
}

impl Join {
    /// Reads those protos below `roots` that serve one of `hosts`.
    pub(super) fn read(roots: &[PathBuf], hosts: &[String], context: &mut Context) -> Self {
        let mut join = Self::default();
        for root in roots {
            let mut files = vec![];
            collect(root, hosts, 0, &mut files);
            files.sort();
            join.compile(root, &files, context);
        }
        join
    }

    /// Returns the messages of a method; `None` if no proto has it. A document whose API answers at
    /// several hosts may name another than the protos do: the one that is the API's own name.
    pub(super) fn find(&self, host: &str, api: &str, verb: &str, template: &str) -> Option<&Messages> {
        let path = flat(template);
        hosts(host, api).find_map(|host| self.rules.get(&(host, verb.to_owned(), path.clone())))
    }

    /// Returns the messages of the same method in other versions of the API, if they agree.
    pub(super) fn find_other_version(&self, host: &str, api: &str, verb: &str, template: &str) -> Option<&Messages> {
        let flat = flat(template);
        let (_, path) = versioned(&flat)?;
        hosts(host, api).find_map(|host| self.versionless.get(&(host, verb.to_owned(), path.to_owned()))?.as_ref())
    }

    fn compile(&mut self, root: &Path, files: &[PathBuf], context: &mut Context) {
        // The protos of the compiler itself first: others may be newer than what it reads.
        let mut resolver = ChainFileResolver::new();
        resolver.add(GoogleFileResolver::new());
        resolver.add(IncludeFileResolver::new(root.to_owned()));
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.include_imports(true);
        for file in files {
            match compiler.open_file(file) {
                Ok(_) => context.read.push(file.clone()),
                // The document is generated all the same, with a type less known.
                Err(error) => context.report.note(&Position::file(file.to_string_lossy()), "", error.to_string()),
            }
        }
        let pool = compiler.descriptor_pool();
        for service in pool.services() {
            self.service(&pool, &service);
        }
    }

    fn service(&mut self, pool: &DescriptorPool, service: &ServiceDescriptor) {
        let Some(host) = extension(pool, &service.options(), "google.api.default_host") else { return };
        let Some(host) = host.as_str().map(without_port) else { return };
        for method in service.methods() {
            let Some(messages) = messages(pool, &method) else { continue };
            for (verb, path) in rules(pool, &method) {
                let path = flat(&path);
                if let Some((_, rest)) = versioned(&path) {
                    let key = (host.to_owned(), verb.to_owned(), rest.to_owned());
                    let known = self.versionless.entry(key).or_insert_with(|| Some(messages.clone()));
                    match known {
                        Some(other) if last(&other.response) != last(&messages.response) => *known = None,
                        Some(other) if last(&other.metadata) != last(&messages.metadata) => other.metadata.clear(),
                        _ => {}
                    }
                }
                let key = (host.to_owned(), verb.to_owned(), path);
                self.rules.entry(key).or_insert_with(|| messages.clone());
            }
        }
    }
}

/// Finds the files that have methods of `hosts`, without reading more of them than their text. What
/// cannot be read has none: the compiler says so if another file needs it.
fn collect(path: &Path, hosts: &[String], depth: usize, files: &mut Vec<PathBuf>) {
    const DEEPEST: usize = 32;
    if path.is_dir() && depth < DEEPEST {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            collect(&entry.path(), hosts, depth + 1, files);
        }
        return;
    }
    let is_wanted =
        |text: String| text.contains("operation_info") && hosts.iter().any(|host| text.contains(&format!("\"{host}")));
    if path.extension().is_some_and(|ending| ending == "proto") && fs::read_to_string(path).is_ok_and(is_wanted) {
        files.push(path.to_owned());
    }
}

fn extension(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name)?;
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

fn text_of(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn messages(pool: &DescriptorPool, method: &MethodDescriptor) -> Option<Messages> {
    let info = extension(pool, &method.options(), "google.longrunning.operation_info")?;
    let info = info.as_message()?;
    let package = method.parent_service().package_name().to_owned();
    let full = |name: String| match name.strip_prefix('.') {
        Some(full) => full.to_owned(),
        None if name.contains('.') || name.is_empty() => name,
        None => format!("{package}.{name}"),
    };
    let (response, metadata) = (full(text_of(info, "response_type")), full(text_of(info, "metadata_type")));
    let is_empty = pool.get_message_by_name(&response).is_some_and(|message| message.fields().len() == 0);
    Some(Messages { response, metadata, is_empty })
}

/// Returns the verbs and paths of a method, additional ones as well.
fn rules(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<(&'static str, String)> {
    const VERBS: [(&str, &str); 5] =
        [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];
    let rule = extension(pool, &method.options(), "google.api.http");
    let Some(rule) = rule.as_ref().and_then(Value::as_message) else { return vec![] };
    let more = rule.get_field_by_name("additional_bindings");
    let more = more.as_ref().and_then(|more| more.as_list()).unwrap_or_default();
    let all = [rule].into_iter().chain(more.iter().filter_map(Value::as_message));
    let paths = all.flat_map(|rule| VERBS.map(|(field, verb)| (verb, text_of(rule, field))));
    paths.filter(|(_, path)| !path.is_empty()).collect()
}

fn hosts(host: &str, api: &str) -> impl Iterator<Item = String> {
    [host.to_owned(), format!("{api}.googleapis.com")].into_iter()
}

/// Splits the version off a path that begins with one.
fn versioned(path: &str) -> Option<(&str, &str)> {
    path.split_once('/').filter(|(version, _)| {
        version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Returns the last part of a full name.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

pub(super) fn without_port(host: &str) -> &str {
    host.split(':').next().unwrap_or(host)
}

/// Returns a template without the names of its variables, which the two descriptions choose
/// differently.
// Input:  /v1/{parent=projects/*}/locations/{location}:run
// Output: v1/projects/*/locations/*:run
fn flat(template: &str) -> String {
    let mut flat = String::with_capacity(template.len());
    let mut rest = template.trim_start_matches('/');
    while let Some((literal, after)) = rest.split_once('{') {
        let (variable, after) = after.split_once('}').unwrap_or((after, ""));
        flat.push_str(literal);
        flat.push_str(variable.split_once('=').map_or("*", |(_, pattern)| pattern));
        rest = after;
    }
    flat + rest
}
