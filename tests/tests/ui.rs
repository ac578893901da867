//! What rustc says to an author's mistake: `ui/<theme>/<mistake>.rs` beside the output it must give.
//!
//! The output depends on the compiler's version, so it is compared on the pinned compiler only: `build.rs` names it. When it moves,
//! bless: `TRYBUILD=overwrite cargo test -p lro-tests --test ui`.

#[test]
#[cfg_attr(not(pinned_compiler), ignore = "the committed output is that of another rustc: see tests/build.rs")]
fn mistakes_are_told_at_their_place_in_the_authors_words() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
}
