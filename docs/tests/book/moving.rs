//! The pages on moving here name tests that exist.

use std::fs;

use super::{book, functions, root};

/// The rows below the heading "Pitfalls that go away".
fn pitfalls(page: &str) -> impl Iterator<Item = &str> {
    let (_, after) = page.split_once("\n## Pitfalls that go away\n").unwrap();
    after.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| ")).skip(1)
}

#[test]
fn every_pitfall_names_where_it_was_seen_and_a_test_or_a_script_that_rules_it_out() {
    let tests = functions();
    let mut pages = 0;
    for entry in fs::read_dir(book().join("moving")).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        let rows: Vec<&str> = pitfalls(&page).collect();
        assert!(rows.len() >= 4, "{} has few pitfalls", path.display());
        for row in rows {
            let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
            let [_, seen_in, _, last] = cells.as_slice() else { panic!("{row}") };
            assert!(seen_in.contains("](https://") || seen_in.starts_with("source of "), "seen where? {row}");
            let names: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
            assert!(!names.is_empty(), "a pitfall without a test: {row}");
            for name in names {
                let exists = tests.contains(name) || root().join("tests/scripts").join(name).is_file();
                assert!(exists, "`{name}` is neither a test nor a script: {row}");
            }
        }
        pages += 1;
    }
    assert_eq!(pages, 7);
}

#[test]
fn every_page_has_the_code_of_both_sides_and_what_is_different() {
    for entry in fs::read_dir(book().join("moving")).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        for heading in ["Before and after", "Call by call", "What is different, or not there"] {
            assert!(page.contains(&format!("\n## {heading}\n")), "{}: {heading}", path.display());
        }
        assert!(page.contains("\n```rust\n"), "{}: no code that runs", path.display());
    }
}
