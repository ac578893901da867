//! Generated code passes every lint its author could deny: see `fixtures/sdk`, whose `lib.rs` denies them.
//!
//! The compiler's own lints are checked whenever this package is built. Clippy and rustdoc are run by these tests, with
//! `RUN_LINTS=1`.

use std::process::Command;

#[test]
fn clippy_finds_nothing_in_generated_code() {
    assert!(passes(&["clippy", "--quiet", "--package", "lro-fixture-sdk", "--package", "lro-fixture-hygiene"]));
}

#[test]
fn rustdoc_finds_nothing_in_generated_documentation() {
    assert!(passes(&[
        "doc",
        "--quiet",
        "--no-deps",
        "--package",
        "lro-fixture-sdk",
        "--package",
        "lro-fixture-hygiene"
    ]));
}

/// Whether cargo accepts the fixtures; true, and said so, where it is not asked.
fn passes(args: &[&str]) -> bool {
    if std::env::var_os("RUN_LINTS").is_none_or(|run| run != "1") {
        lro_tests::left_out(&format!("`cargo {}`", args.join(" ")), "RUN_LINTS=1 cargo test");
        return true;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(args).env("RUSTDOCFLAGS", "-D warnings").status();
    status.is_ok_and(|status| status.success())
}
