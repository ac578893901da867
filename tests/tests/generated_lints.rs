//! Checks that generated code passes clippy and rustdoc with every lint that an author could deny.
//!
//! `fixtures/sdk/src/lib.rs` denies them. The compiler's own lints are checked whenever this
//! package is built.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::process::Command;

#[test]
#[ignore = "runs cargo clippy, which takes a minute: `.ci/run` runs it"]
fn clippy_finds_nothing_in_generated_code() {
    assert_accepted("clippy", &[]);
}

#[test]
#[ignore = "runs cargo doc, which takes a minute: `.ci/run` runs it"]
fn rustdoc_finds_nothing_in_generated_documentation() {
    assert_accepted("doc", &["--no-deps"]);
}

/// Asserts that `cargo <command>` finds nothing in the fixtures.
fn assert_accepted(command: &str, more: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let fixtures = ["--package", "lro-fixture-sdk", "--package", "lro-fixture-hygiene"];
    let status = Command::new(cargo)
        .args([command, "--quiet"])
        .args(more)
        .args(fixtures)
        .env("RUSTDOCFLAGS", "-D warnings")
        .status();
    assert!(status.unwrap().success(), "cargo {command} finds something in the fixtures");
}
