//! Finds out which file of a crate imports which, by every path that begins with `crate`, `super`
//! or `self`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree, Visibility, spanned::Spanned};

/// The files of a crate and their imports of each other.
pub(super) struct Crate {
    pub(super) files: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
}

/// One import of one file by another.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) from: String,
    pub(super) line: usize,
    pub(super) to: String,
}

/// A path that a file mentions, from the root of the crate, and its line.
struct Mention {
    file: String,
    line: usize,
    path: Vec<String>,
}

/// The intermediate results of reading a crate.
#[derive(Default)]
struct Reading {
    /// The file of each module, by the module's path.
    modules: BTreeMap<Vec<String>, String>,
    /// The path behind each re-exported name, by module and name.
    reexports: BTreeMap<(Vec<String>, String), Vec<String>>,
    mentions: Vec<Mention>,
    /// Modules that are compiled for tests only. Layers do not apply to them.
    tests: BTreeSet<Vec<String>>,
}

impl Crate {
    /// Reads every file below `folder`, which is relative to this package.
    pub(super) fn read(folder: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut sources = BTreeMap::new();
        collect(&root, &root, &mut sources);
        Self::of(sources.iter().map(|(file, source)| (file.as_str(), source.as_str())))
    }

    /// Reads the files of a crate from their names and sources.
    pub(super) fn of<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let sources: BTreeMap<&str, syn::File> =
            sources.into_iter().map(|(file, source)| (file, syn::parse_file(source).unwrap())).collect();
        let mut reading = Reading::default();
        for file in sources.keys() {
            reading.modules.insert(module_path(file), (*file).to_owned());
        }
        for (file, parsed) in &sources {
            reading.items(file, &module_path(file), &parsed.items);
        }
        reading.finish()
    }
}

fn collect(root: &Path, folder: &Path, sources: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            sources.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Returns the module of a file: `client::start` for `client/start.rs`, `client` for
/// `client/mod.rs`, the root for `lib.rs`.
fn module_path(file: &str) -> Vec<String> {
    let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if stem == "lib" { vec![] } else { stem.split('/').map(str::to_owned).collect() }
}

impl Reading {
    fn items(&mut self, file: &str, module: &[String], items: &[Item]) {
        for item in items {
            match item {
                Item::Use(item) if !is_test(&item.attrs) => {
                    let is_public = !matches!(item.vis, Visibility::Inherited);
                    self.tree(file, module, &[], &item.tree, is_public);
                }
                Item::Mod(item) => match &item.content {
                    Some((_, items)) if !is_test(&item.attrs) => {
                        let inner = [module, &[item.ident.to_string()]].concat();
                        self.items(file, &inner, items);
                    }
                    None if is_test(&item.attrs) => {
                        self.tests.insert([module, &[item.ident.to_string()]].concat());
                    }
                    _ => {}
                },
                Item::Use(_) => {}
                item => self.tokens(file, module, item.to_token_stream()),
            }
        }
    }

    /// Reads one `use`, leaf by leaf.
    fn tree(&mut self, file: &str, module: &[String], prefix: &[String], tree: &UseTree, is_public: bool) {
        let with = |name: &dyn ToString| [prefix, &[name.to_string()]].concat();
        let leaf = match tree {
            UseTree::Path(path) => return self.tree(file, module, &with(&path.ident), &path.tree, is_public),
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.tree(file, module, prefix, tree, is_public));
            }
            UseTree::Name(name) if name.ident == "self" => (prefix.to_vec(), prefix.last().cloned().unwrap()),
            UseTree::Name(name) => (with(&name.ident), name.ident.to_string()),
            UseTree::Rename(rename) => (with(&rename.ident), rename.rename.to_string()),
            UseTree::Glob(_) => (prefix.to_vec(), "*".to_owned()),
        };
        let (path, name) = leaf;
        let is_of_child = path.first().is_some_and(|first| first == "self");
        let Some(path) = absolute(module, &path) else { return };
        if is_public {
            self.reexports.insert((module.to_vec(), name), path.clone());
        }
        // A module that only re-exports from its own folder does not depend on it.
        if !(is_public && is_of_child) {
            self.mentions.push(Mention { file: file.to_owned(), line: tree.span().start().line, path });
        }
    }

    /// Reads paths outside of `use`, such as `crate::text::line(…)`.
    fn tokens(&mut self, file: &str, module: &[String], tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(file, module, group.stream()),
                // A visibility names a module and imports nothing of it: `pub(in crate::fleet)`.
                TokenTree::Ident(first) if first == "crate" && index > 0 && is_in(&tokens[index - 1]) => {}
                TokenTree::Ident(first) if first == "crate" || first == "super" => {
                    let path = path_at(&tokens[index..]);
                    // So does `crate` or `super` alone: `pub(super)`.
                    if let Some(path) = absolute(module, &path).filter(|_| path.len() > 1) {
                        self.mentions.push(Mention { file: file.to_owned(), line: first.span().start().line, path });
                    }
                }
                _ => {}
            }
        }
    }

    fn finish(self) -> Crate {
        let mut imports = Vec::new();
        for mention in &self.mentions {
            // The limit ends circles of re-exports.
            let to = self.file_of(&mention.path, 8);
            if to != mention.file && !self.is_test(&mention.file) && !self.is_test(&to) {
                imports.push(Import { from: mention.file.clone(), line: mention.line, to });
            }
        }
        Crate { files: self.modules.into_values().collect(), imports }
    }

    fn is_test(&self, file: &str) -> bool {
        let path = module_path(file);
        (0..=path.len()).any(|end| self.tests.contains(&path[..end]))
    }

    /// Returns the file that defines what `path` names, following at most this many re-exports.
    fn file_of(&self, path: &[String], reexports: u32) -> String {
        let end = (0..=path.len()).rev().find(|end| self.modules.contains_key(&path[..*end])).unwrap();
        let (module, rest) = path.split_at(end);
        let behind = rest.first().and_then(|name| self.reexports.get(&(module.to_vec(), name.clone())));
        match behind {
            Some(behind) if reexports > 0 && behind != path => {
                self.file_of(&[behind, &rest[1..]].concat(), reexports - 1)
            }
            _ => self.modules[module].clone(),
        }
    }
}

/// Returns the path at the beginning of these tokens: `crate::a::b`.
fn path_at(tokens: &[TokenTree]) -> Vec<String> {
    let mut path = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(name), after @ ..] = rest {
        path.push(name.to_string());
        match after {
            [TokenTree::Punct(one), TokenTree::Punct(two), more @ ..]
                if one.as_char() == ':' && two.as_char() == ':' =>
            {
                rest = more;
            }
            _ => break,
        }
    }
    path
}

/// Returns a path from the root of the crate, or `None` if it leads to another crate.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let mut base = match path.first()?.as_str() {
        "crate" => vec![],
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        match first.as_str() {
            "crate" | "self" => {}
            "super" => drop(base.pop()),
            _ => break,
        }
        rest = after;
    }
    base.extend_from_slice(rest);
    Some(base)
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.to_token_stream().to_string().replace(' ', "").contains("(test")
    })
}

/// Whether this is the word `in`.
fn is_in(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word == "in")
}
