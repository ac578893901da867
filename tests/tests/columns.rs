//! Prose wraps at 100 columns: comments, documentation and pages. Tables, code, and what cannot be
//! broken may be longer.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{
    fs,
    path::{Path, PathBuf},
};

const COLUMNS: usize = 100;

/// What prose stands in, from the root of the repository.
const PLACES: [&str; 13] = [
    "lro-runtime",
    "lro-macros",
    "lro-cli",
    "lro-codegen",
    "lro-redb",
    "lro-restate",
    "tests/tests",
    "tests/attack",
    "tests/fixtures",
    "examples",
    "benches",
    "fuzz/fuzz_targets",
    "docs",
];
const PAGES: [&str; 7] = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "fuzz/README.md",
    "tests/MISTAKES.md",
    "tests/mutants.md",
    "tests/scripts/README.md",
];

fn collect(path: PathBuf, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let is_built = path.file_name().is_some_and(|name| name == "target");
        for entry in fs::read_dir(path).unwrap().filter(|_| !is_built) {
            collect(entry.unwrap().path(), files);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
        files.push(path);
    }
}

/// The prose of a line: what follows the comment's mark, or in a page the line itself. None of a
/// line of code.
fn prose(line: &str, is_page: bool) -> Option<&str> {
    match line.trim_start() {
        text if is_page => Some(text),
        text => ["///", "//!", "//"].into_iter().find_map(|mark| text.strip_prefix(mark)),
    }
}

/// Every line of prose that is too long, by number.
fn too_long(text: &str, is_page: bool) -> Vec<usize> {
    let mut in_code = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(prose) = prose(line, is_page) else { continue };
        let is_indented = prose.starts_with("    "); // code, too
        let prose = prose.trim_start();
        if prose.starts_with("```") {
            in_code = !in_code;
        }
        // A lone link or a code span is not broken, nor is a list item that is nothing else.
        let words = prose.trim_start_matches("- ").split(' ').count();
        let is_broken = prose.split('`').step_by(2).any(|text| text.trim().contains(' '));
        let is_table = prose.starts_with('|');
        if line.chars().count() > COLUMNS && !in_code && !is_indented && !is_table && words > 1 && is_broken {
            found.push(number);
        }
    }
    found
}

#[test]
fn prose_wraps_at_100_columns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files: Vec<PathBuf> = PAGES.iter().map(|page| root.join(page)).collect();
    for place in PLACES {
        collect(root.join(place), &mut files);
    }
    assert!(files.len() > 150, "only {} files", files.len());
    let mut long = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        if text.starts_with("// Generated") {
            continue;
        }
        let is_page = file.extension().is_some_and(|extension| extension == "md");
        let name = file.strip_prefix(root).unwrap().display().to_string();
        long.extend(too_long(&text, is_page).into_iter().map(|line| format!("{name}:{line}")));
    }
    assert!(long.is_empty(), "longer than {COLUMNS} columns:\n{}", long.join("\n"));
}

#[test]
fn a_line_that_could_be_broken_is_found_and_no_other() {
    let long = "word ".repeat(30);
    let comment =
        format!("let code = \"{long}\"; // {long}\n/// {long}\n//! | {long} |\n/// ```\n/// {long}\n/// ```\n");
    assert_eq!(too_long(&comment, false), [2]);
    assert_eq!(too_long(&format!("- [link](https://example.com/{})\n{long}\n", "x".repeat(90)), true), [2]);
}
