//! What the pages of rustdoc show first.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may fail")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else {
            files.push(path);
        }
    }
}

// On the page of a struct, rustdoc shows the blocks of its methods module by module, and on the
// page of an alias, sorted by file and line.
#[test]
fn the_page_of_an_operation_begins_with_its_name_its_state_and_how_to_poll_it() {
    const BLOCK: &str = "> Operation<S> {\n";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lro-runtime/src");
    let mut files = vec![];
    sources(&root, &mut files);
    files.sort();
    let with_block = files.into_iter().filter(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(BLOCK)));
    let first = with_block.into_iter().next().unwrap();
    assert!(first.ends_with("operation/calls.rs"), "{}", first.display());
    let text = fs::read_to_string(first).unwrap();
    assert_eq!(text.matches(BLOCK).count(), 1, "one block, whose order is that of the source");
    let calls = text.split("    pub fn ").skip(1).map(|call| call.split('(').next().unwrap());
    let first: Vec<&str> = calls.take(6).collect();
    assert_eq!(first, ["name", "state", "poll_once", "poll_until_completed", "into_result", "token"]);
}

#[test]
fn what_a_method_has_to_declare_is_said_where_its_page_shows_it() {
    let calls = concat!(
        include_str!("../../lro-runtime/src/operation/capabilities.rs"),
        include_str!("../../lro-runtime/src/operation/cancel_on_drop.rs"),
    );
    for (key, calls_of_key) in
        [("cancel", ["cancel", "cancel_and_wait", "cancel_on_drop"].as_slice()), ("delete", &["delete"])]
    {
        for call in calls_of_key {
            for (before, _) in calls.match_indices(&format!("    pub fn {call}(")) {
                let above = calls[..before].lines().rev().take_while(|line| line.trim_start().starts_with("///"));
                let docs: Vec<&str> = above.collect();
                let docs = docs.join("\n");
                assert!(docs.contains(&format!("Only of a method that declares `{key}`")), "{call}: {docs}");
            }
        }
    }
}

// The crate of the macros cannot name the types of the runtime, on which it does not depend. Its
// links are paths beside the page, and rustdoc does not check those.
#[test]
#[ignore = "runs cargo doc, which takes half a minute: `.ci/run` runs it"]
fn what_the_page_of_a_macro_links_to_is_there() {
    let pages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../doc");
    let built = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["doc", "--quiet", "--offline", "--no-deps", "--package", "lro-runtime"])
        .status();
    assert!(built.unwrap().success());
    let text = include_str!("../../lro-macros/src/lib.rs");
    let links: Vec<&str> = text.split("../").skip(1).map(|rest| rest.split([')', '\n']).next().unwrap()).collect();
    assert!(links.len() > 15, "{links:?}");
    for link in links {
        let (page, anchor) = link.split_once('#').unwrap_or((link, ""));
        let page = fs::read_to_string(pages.join(page)).unwrap_or_else(|error| panic!("{link}: {error}"));
        assert!(anchor.is_empty() || page.contains(&format!("id=\"{anchor}\"")), "{link}");
    }
}
