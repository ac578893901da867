//! The picture on the front page of rustdoc is drawn from the code, and is a part of the page.

use std::{collections::BTreeSet, fs};

use lro_docs::pictures::rustdoc;

#[test]
fn the_picture_of_the_front_page_is_what_the_code_draws_now() {
    let committed = fs::read_to_string(rustdoc::file()).unwrap();
    assert!(committed == rustdoc::states(), "run `cargo run -p lro-docs`, and look at it");
}

#[test]
fn the_picture_of_the_front_page_brings_no_rules_and_no_names_into_the_page() {
    let picture = rustdoc::states();
    assert!(!picture.contains("<style") && !picture.contains("class="), "{picture}");
    assert!(!picture.contains("\n\n"), "a blank line ends a block of HTML");
    let names: BTreeSet<&str> = picture.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["states-title", "states-description", "states-arrow"]));
}
