//! Checks what rustc says about the mistakes of authors.
//!
//! Each mistake is a file `ui/<theme>/<mistake>.rs`, with the expected output in a file beside it.
//!
//! The output depends on the version of the compiler, so the test runs on the pinned compiler only,
//! which `build.rs` names. To update the expected output:
//! `TRYBUILD=overwrite cargo test -p lro-tests --test ui`.

#[test]
#[cfg_attr(not(pinned_compiler), ignore = "the committed output is that of another rustc: see tests/build.rs")]
fn mistakes_are_told_at_their_place_in_the_authors_words() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
}
