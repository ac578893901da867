//! The code that a reader sees fits into a page.

use std::fs;

use super::{book, pages};

/// How wide a page of the built book is, in columns of code.
const COLUMNS: usize = 100;

/// The lines of Rust that a page shows and that are too long, by number.
fn too_long(text: &str) -> Vec<usize> {
    let mut block: Option<&str> = None;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(language) = line.strip_prefix("```") {
            block = block.is_none().then_some(language);
            continue;
        }
        // mdBook and rustdoc hide a line that begins so.
        let is_hidden = line.trim_start().starts_with("# ");
        let is_rust = block.is_some_and(|language| language.starts_with("rust"));
        if is_rust && !is_hidden && line.chars().count() > COLUMNS {
            found.push(number);
        }
    }
    found
}

#[test]
fn code_is_no_wider_than_a_page() {
    let mut wide = Vec::new();
    for page in pages() {
        let name = page.strip_prefix(book()).unwrap().display().to_string();
        wide.extend(too_long(&fs::read_to_string(&page).unwrap()).into_iter().map(|line| format!("{name}:{line}")));
    }
    assert!(wide.is_empty(), "wider than {COLUMNS} columns:\n{}", wide.join("\n"));
}

#[test]
fn a_line_that_is_shown_is_found_and_no_other() {
    let wide = "x".repeat(COLUMNS + 1);
    assert_eq!(too_long(&format!("{wide}\n```rust\n# {wide}\n{wide}\n```\n```text\n{wide}\n```\n")), [4]);
}
