//! What the pages of rustdoc show first.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{
    fs,
    path::{Path, PathBuf},
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
