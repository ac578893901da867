//! Dialects that hand everything on to another dialect: none may leave a method out, because the
//! trait's own default would then hide what the inner dialect has.

use std::{collections::BTreeSet, fs, path::Path};

/// Dialects of their own that share the reading of lists with another one.
const OWN: &[&str] = &["Vertex"];

/// Where forwarders are looked for.
const FOLDERS: &[&str] = &["../lro-runtime/src", "../lro-cli/src", "../examples", "tests"];

/// What an implementation is known by; in two pieces, so that this file has none.
const IMPL: &str = concat!("Dialect", " for ");

#[test]
fn a_dialect_that_forwards_lists_forwards_every_method() {
    let source = fs::read_to_string("../lro-runtime/src/dialect/mod.rs").unwrap();
    let (_, declared) = source.split_once("pub trait Dialect").unwrap();
    let methods = methods_of(block(declared));
    assert!(methods.len() >= 18, "{methods:?}");
    let mut found = vec![];
    for folder in FOLDERS {
        sources(Path::new(folder), &mut |file, source| {
            for (_, rest) in source.match_indices(IMPL).map(|(at, _)| source.split_at(at)) {
                let of = rest[IMPL.len()..].split([' ', '{']).next().unwrap();
                let block = block(rest);
                if !block.contains(".read_list(") || OWN.contains(&of) {
                    continue;
                }
                let missing: Vec<_> = methods.difference(&methods_of(block)).cloned().collect();
                assert_eq!(missing, Vec::<String>::new(), "{of} in {file} forwards lists, but not these");
                found.push(of.to_owned());
            }
        });
    }
    found.sort();
    assert_eq!(found, ["Arc<D>", "WithFields", "WithOptions"]);
}

/// Returns what stands before the brace that closes the item.
fn block(item: &str) -> &str {
    item.split_once("\n}\n").map_or(item, |(block, _)| block)
}

/// Returns the names of the methods of a trait or of an implementation.
fn methods_of(block: &str) -> BTreeSet<String> {
    let methods = block.lines().filter_map(|line| line.strip_prefix("    fn "));
    methods.filter_map(|method| method.split(['(', '<']).next().map(str::to_owned)).collect()
}

/// Shows `see` the path and the text of every source file in `folder`.
fn sources(folder: &Path, see: &mut dyn FnMut(&str, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
        }
    }
}
