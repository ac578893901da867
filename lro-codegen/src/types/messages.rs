//! Messages of protobuf: those that methods reach, written by prost-build, documented and fit for
//! the strictest lints.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::TokenStream;
use prost_build::{Config, Module};
use prost_types::FileDescriptorSet;
use quote::quote;

use crate::names;

mod comments;
mod finish;
mod prune;
mod size;

/// What the library has already.
const OF_THE_LIBRARY: [(&str, &str); 1] = [("google.longrunning", "::lro_runtime::grpc::longrunning")];

/// The messages of an output.
#[derive(Default)]
pub(crate) struct Messages {
    /// The items of the module that they are in, if there are any.
    pub(crate) code: Option<TokenStream>,
    /// The path of each below that module. One of another crate begins with an empty part.
    pub(crate) paths: BTreeMap<String, Vec<String>>,
}

/// Writes the messages with these full names, and all that they refer to. `externs` are packages or
/// messages that the user has elsewhere, with their paths in Rust.
pub(crate) fn write(
    set: &FileDescriptorSet,
    wanted: &BTreeSet<String>,
    externs: &BTreeMap<String, String>,
) -> Result<Messages, String> {
    let own = OF_THE_LIBRARY.map(|(name, path)| (name.to_owned(), path.to_owned()));
    let externs: Vec<(String, String)> = externs.clone().into_iter().chain(own).collect();
    let pruned = prune::prune(set, wanted);
    let mut messages = Messages { paths: pruned.paths, ..Messages::default() };
    for name in wanted {
        if let Some(path) = external(name, &externs) {
            messages.paths.insert(name.clone(), path);
        } else if is_well_known(name) {
            let simple = name.rsplit('.').next().unwrap_or_default().to_upper_camel_case();
            let path = ["", "lro_runtime", "grpc", "prost_types", &simple];
            messages.paths.insert(name.clone(), path.map(str::to_owned).to_vec());
        }
    }
    if pruned.files.is_empty() {
        return Ok(messages);
    }
    let mut config = Config::new();
    config.prost_path("::lro_runtime::grpc::prost").prost_types_path("::lro_runtime::grpc::prost_types");
    for (name, path) in &externs {
        config.extern_path(format!(".{name}"), path);
    }
    for path in size::boxed(&pruned.files) {
        config.boxed(path);
    }
    let mut docs = vec![];
    let requests = pruned.files.into_iter().map(|mut file| {
        let original = set.file.iter().find(|other| other.name == file.name);
        comments::mark(&mut file, original, &pruned.renamed, &mut docs);
        (Module::from_protobuf_package_name(file.package()), file)
    });
    let requests: Vec<_> = requests.collect();
    let written = config.generate(requests).map_err(|error| error.to_string())?;
    let mut root = Tree::default();
    // prost-build gives them in any order, and two of them may be parts of one module.
    let mut written: Vec<(Module, String)> = written.into_iter().collect();
    written.sort();
    for (module, code) in written {
        let file = syn::parse_file(&code).map_err(|error| format!("{module}: {error}"))?;
        let items = finish::finish(file.items, &docs);
        let mut tree = &mut root;
        for part in module.parts() {
            tree = tree.modules.entry(part.to_owned()).or_default();
        }
        tree.add(items);
    }
    messages.code = Some(root.written("the description"));
    Ok(messages)
}

fn is_well_known(name: &str) -> bool {
    name.starts_with("google.protobuf.")
}

/// Returns the path of a message that is elsewhere, with an empty first part.
fn external(name: &str, externs: &[(String, String)]) -> Option<Vec<String>> {
    let inside = |of: &str| name.strip_prefix(of).filter(|rest| rest.is_empty() || rest.starts_with('.'));
    let (rest, path) = externs.iter().find_map(|(of, path)| Some((inside(of)?, path)))?;
    let mut parts: Vec<String> = path.split("::").map(|part| part.trim_start_matches("r#").to_owned()).collect();
    // A path without leading colons begins in the user's crate.
    if parts.first().is_some_and(|first| !first.is_empty()) {
        parts.insert(0, String::new());
    }
    let names: Vec<&str> = rest.split('.').filter(|part| !part.is_empty()).collect();
    for (at, part) in names.iter().enumerate() {
        let is_last = at + 1 == names.len();
        parts.push(if is_last { part.to_upper_camel_case() } else { part.to_snake_case() });
    }
    Some(parts)
}

/// Modules within modules: packages, and the types within messages.
#[derive(Default)]
struct Tree {
    docs: Vec<syn::Attribute>,
    items: Vec<syn::Item>,
    modules: BTreeMap<String, Tree>,
}

impl Tree {
    /// Adds items. Modules of one name are one module: a package may be named as a message is.
    fn add(&mut self, items: Vec<syn::Item>) {
        for item in items {
            match item {
                syn::Item::Mod(syn::ItemMod { ident, content: Some((_, items)), attrs, .. }) => {
                    let tree = self.modules.entry(ident.to_string()).or_default();
                    if tree.docs.is_empty() {
                        tree.docs = attrs;
                    }
                    tree.add(items);
                }
                item => self.items.push(item),
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.modules.values().all(Tree::is_empty)
    }

    fn written(&self, of: &str) -> TokenStream {
        let items = &self.items;
        let modules = self.modules.iter().filter(|(_, tree)| !tree.is_empty()).map(|(name, tree)| {
            let plain = name.trim_start_matches("r#");
            let ident = names::ident(plain);
            let docs = &tree.docs;
            let docs = if docs.is_empty() {
                let docs = format!(" Package `{plain}` of {of}.");
                quote!(#[doc = #docs])
            } else {
                quote!(#(#docs)*)
            };
            let inner = tree.written(of);
            quote!(#docs pub mod #ident { #inner })
        });
        quote!(#(#items)* #(#modules)*)
    }
}
