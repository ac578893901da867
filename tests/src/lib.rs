//! What the tests in `tests/` share.

use std::io::Write as _;

/// Says that a test was left out, why, and how to run it: past the test runner, which shows nothing of what a passing test prints.
pub fn left_out(what: &str, how: &str) {
    let line = format!("LEFT OUT: {what}; to run: {how}\n");
    // Nobody to tell is no reason to fail.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
