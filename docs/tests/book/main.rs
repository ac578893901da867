//! What holds for the book: its links, its code, its pictures, and that what it names exists.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

mod asked_for;
mod code;
mod links;
mod moving;
mod pictures;
mod rustdoc;

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the pages.
fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("book")
}

/// Calls `found` with every file below a folder that has this extension.
fn each_file(folder: &Path, extension: &str, found: &mut impl FnMut(PathBuf)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, extension, found);
        } else if path.extension().is_some_and(|other| other == extension) {
            found(path);
        }
    }
}

/// The pages of the book, the table of contents included.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    each_file(&book(), "md", &mut |page| pages.push(page));
    pages
}

/// The names of all functions of the library and its tests.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for place in ["tests/tests", "lro-runtime/src"] {
        each_file(&root().join(place), "rs", &mut |path| {
            let source = fs::read_to_string(path).unwrap();
            let found = source.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            names.extend(found.map(str::to_owned));
        });
    }
    names
}
