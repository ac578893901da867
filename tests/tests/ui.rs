//! What rustc says to an author's mistake: `ui/<theme>/<mistake>.rs` beside the output it must give.
//!
//! The output depends on the compiler's version, so it is compared on the pinned compiler only, or with `RUN_UI=1`.

use std::process::Command;

/// The compiler whose output is committed. When it moves, bless: `TRYBUILD=overwrite cargo test -p lro-tests --test ui`.
const PINNED: &str = "rustc 1.95.0";

#[test]
fn mistakes_are_told_at_their_place_in_the_authors_words() {
    if !is_pinned() {
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
}

/// Whether to run; says so where not.
fn is_pinned() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version);
    let runs = std::env::var_os("RUN_UI").is_some_and(|run| run == "1") || version.starts_with(PINNED);
    if !runs {
        let what = format!("the words of mistakes: those of {PINNED} are committed, this is {}", version.trim());
        lro_tests::left_out(&what, "RUN_UI=1 cargo test");
    }
    runs
}
