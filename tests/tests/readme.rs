//! Checks that the README agrees with the code.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::collections::BTreeSet;

use lro_runtime::State;

const README: &str = include_str!("../../README.md");
const MANIFEST: &str = include_str!("../../lro-runtime/Cargo.toml");

/// Returns the lines after the line with `from`, up to the one that begins with `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let (_, after) = text.split_once(from).unwrap();
    after.lines().skip(1).take_while(|line| !line.starts_with(to)).collect()
}

#[test]
fn the_state_diagram_is_the_one_the_code_draws() {
    assert_eq!(between(README, "```mermaid", "```").join("\n"), State::diagram());
}

#[test]
fn the_feature_table_lists_every_feature_and_which_are_the_default() {
    let table = between(README, "## Features", "##");
    let rows = table.iter().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let listed: BTreeSet<(&str, bool)> = rows.map(|(name, rest)| (name, rest.starts_with("yes"))).collect();
    let declared = between(MANIFEST, "[features]", "[");
    let default = declared.iter().find(|line| line.starts_with("default = ")).unwrap();
    let names = declared.iter().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let features: BTreeSet<(&str, bool)> = names
        .map(|(name, _)| (name, default.contains(&format!("{name:?}"))))
        .filter(|(name, _)| *name != "default")
        .collect();
    assert_eq!(listed, features);
}

#[test]
fn it_is_short_enough_to_be_read() {
    assert!((80..=150).contains(&README.lines().count()));
}
