//! Writes files so that nothing is half-written, and touches only files that were generated.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use quote::ToTokens;
use syn::{Item, ItemUse, UsePath, UseTree};

use crate::{
    error::{Difference, DifferenceKind, Error, Result},
    write::HEADER,
};

/// What is to be on disk.
pub(super) struct Output {
    /// The files, with their text.
    pub(super) files: BTreeMap<PathBuf, String>,
    /// The folder in which no other generated file is left.
    pub(super) folder: Option<PathBuf>,
}

/// Writes what has changed, and returns the files that were written or removed. All files are
/// written under other names before the first is renamed.
pub(super) fn write(output: &Output) -> Result<Vec<PathBuf>> {
    let mut changed = vec![];
    for (path, text) in &output.files {
        if let Some(found) = read(path)? {
            if !is_ours(&found) {
                return Err(Error::NotOurs(path.clone()));
            }
            if found == text.as_bytes() {
                continue;
            }
        }
        changed.push((path, text));
    }
    let leftovers = leftovers(output)?;
    let mut written = Temporary(vec![]);
    for (path, text) in &changed {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| Error::File(folder.to_owned(), error))?;
        }
        let temporary = temporary(path);
        // In the list first: also a file that is half-written is removed.
        written.0.push(temporary.clone());
        fs::write(&temporary, text).map_err(|error| Error::File(temporary, error))?;
    }
    for (path, _) in &changed {
        fs::rename(temporary(path), path).map_err(|error| Error::File((*path).clone(), error))?;
    }
    for path in &leftovers {
        fs::remove_file(path).map_err(|error| Error::File(path.clone(), error))?;
    }
    Ok(changed.into_iter().map(|(path, _)| path.clone()).chain(leftovers).collect())
}

/// Returns how the files differ from what would be written.
pub(super) fn differences(output: &Output) -> Result<Vec<Difference>> {
    let mut differences = vec![];
    for (path, text) in &output.files {
        let kind = match read(path)? {
            None => Some(DifferenceKind::Missing),
            Some(found) => {
                let found = String::from_utf8_lossy(&found);
                let first = first_difference(&found, text).filter(|_| !is_same_code(&found, text));
                first.map(DifferenceKind::Line)
            }
        };
        differences.extend(kind.map(|kind| Difference { path: path.clone(), kind }));
    }
    let leftover = |path| Difference { path, kind: DifferenceKind::Leftover };
    differences.extend(leftovers(output)?.into_iter().map(leftover));
    Ok(differences)
}

/// Returns the first line that differs. Line ends do not count: a checkout may have changed them.
fn first_difference(found: &str, text: &str) -> Option<usize> {
    let (mut found, mut text) = (found.lines(), text.lines());
    (1..).find_map(|number| match (found.next(), text.next()) {
        (None, None) => Some(None),
        (found, text) => (found != text).then_some(Some(number)),
    })?
}

/// Returns whether two files are the same code, each in a format of its own: who checks the output
/// in may format it with the rest of the SDK.
fn is_same_code(found: &str, text: &str) -> bool {
    let comparable = |code| {
        let mut file = syn::parse_file(code).ok()?;
        file.items = comparable(file.items);
        Some(prettyplease::unparse(&file))
    };
    comparable(found).is_some_and(|found| comparable(text) == Some(found))
}

/// Returns items in one order, with each import on its own: rustfmt sorts imports and modules, and
/// a configuration of it merges imports.
fn comparable(items: Vec<Item>) -> Vec<Item> {
    let mut comparable_items = vec![];
    for item in items {
        match item {
            Item::Use(import) => {
                let trees = single(import.tree.clone());
                comparable_items.extend(trees.into_iter().map(|tree| Item::Use(ItemUse { tree, ..import.clone() })));
            }
            Item::Mod(mut module) => {
                module.content = module.content.map(|(brace, items)| (brace, comparable(items)));
                comparable_items.push(Item::Mod(module));
            }
            item => comparable_items.push(item),
        }
    }
    comparable_items.sort_by_cached_key(|item| item.to_token_stream().to_string());
    comparable_items
}

/// Returns the imports that are in one tree.
fn single(tree: UseTree) -> Vec<UseTree> {
    match tree {
        UseTree::Group(group) => group.items.into_iter().flat_map(single).collect(),
        UseTree::Path(path) => {
            let below = single((*path.tree).clone());
            below.into_iter().map(|tree| UseTree::Path(UsePath { tree: Box::new(tree), ..path.clone() })).collect()
        }
        tree => vec![tree],
    }
}

/// Returns the generated files of the folder that are no longer generated.
fn leftovers(output: &Output) -> Result<Vec<PathBuf>> {
    let Some(folder) = output.folder.as_deref().filter(|folder| folder.exists()) else { return Ok(vec![]) };
    let unreadable = |error| Error::File(folder.to_owned(), error);
    let mut leftovers = vec![];
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_candidate = path.extension().is_some_and(|extension| extension == "rs") && path.is_file();
        if is_candidate && !output.files.contains_key(&path) && read(&path)?.is_some_and(|text| is_ours(&text)) {
            leftovers.push(path);
        }
    }
    leftovers.sort();
    Ok(leftovers)
}

/// Returns whether a file was generated, by this version or by another: by the first sentence of
/// what every file begins with.
fn is_ours(text: &[u8]) -> bool {
    let sentence = HEADER.split_inclusive('.').next().unwrap_or(HEADER);
    text.starts_with(sentence.as_bytes())
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::File(path.to_owned(), error)),
    }
}

/// The name beside a file that it is written under at first. Of each process another: two may write
/// at once.
fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

/// Files under names that nobody looks for: removed in the end, unless they were renamed.
struct Temporary(Vec<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        for path in &self.0 {
            // Mostly it is renamed. If not, the error that is returned says more.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests;
