//! Plays every script of `tests/scripts/`: requests, replies, and what must follow from them. The
//! README there has the format.
//!
//! Each script is played twice: once with a wait, on a clock that jumps; once with the operation
//! written to a token and resumed between every two requests. Both must send the same requests.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail")]

mod dialects;
mod parse;
mod play;
mod wire;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Returns the folder of the scripts.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

/// Returns every script file, sorted.
fn scripts() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for dialect in fs::read_dir(folder()).unwrap() {
        let dialect = dialect.unwrap().path();
        if dialect.is_dir() {
            let files = fs::read_dir(dialect).unwrap().map(|file| file.unwrap().path());
            found.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "lro")));
        }
    }
    found.sort();
    found
}

#[test]
fn every_script_plays_as_it_is_written() {
    let only = std::env::var("SCRIPT").unwrap_or_default();
    let mut failures = Vec::new();
    let mut played = 0;
    for path in scripts() {
        let name = path.strip_prefix(folder()).unwrap().display().to_string();
        if !name.contains(&only) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let outcome = parse::script(&text).and_then(|script| play::play(&script));
        failures.extend(outcome.err().map(|failure| format!("{name}\n    {failure}")));
        played += 1;
    }
    assert!(played > 0, "no script is called `{only}`");
    assert!(failures.is_empty(), "{} of {played} scripts failed:\n{}", failures.len(), failures.join("\n"));
}

/// Proves that the runner notices mistakes: a right script fails after a change in any of its
/// lines.
#[test]
fn a_script_that_is_wrong_in_any_line_fails() {
    let right = "dialect azure\n> POST /a?api-version=1\n> x-mine: 1\n>\n> {\"b\":1}\n< 202\n< operation-location: /ops/1\n= pending\n\n> GET /ops/1?api-version=1 +1s\n> x-mine: 1\n< 200\n<\n< {\"status\":\"Failed\",\"error\":{\"code\":\"C\",\"message\":\"m\"}}\n= failed\n= raw Failed\n\nend failed\nreason C\nmessage m\n";
    let outcome = |text: &str| parse::script(text).and_then(|script| play::play(&script));
    outcome(right).unwrap();
    let wrong = [
        ("/ops/1?api-version=1", "/ops/2?api-version=1"),
        ("+1s", "+2s"),
        ("x-mine: 1\n<", "x-mine: 2\n<"),
        ("= pending", "= running"),
        ("= failed", "= succeeded"),
        ("= raw Failed", "= raw failed"),
        ("end failed", "end cancelled"),
        ("reason C", "reason D"),
        ("message m", "message n"),
        ("end failed\nreason C\nmessage m\n", ""),
        ("dialect azure", "dialect asure"),
        ("< 200", "< 20"),
        ("end failed", "end failed\nstrange 1"),
        ("\"code\":\"C\"", "\"code\":\"X\""),
        ("> GET", "> HEAD"),
    ];
    for (from, to) in wrong {
        assert!(right.contains(from), "{from}");
        assert!(outcome(&right.replacen(from, to, 1)).is_err(), "`{to}` for `{from}` went unnoticed");
    }
}

/// Proves that an operation is expected where a reply gives none: a script whose start or poll
/// fails must not pass for one whose next poll is refused.
#[test]
fn what_is_expected_of_a_reply_that_gave_no_operation_fails() {
    let start = "dialect google\n> POST /v1/x\n< 200\n<\n";
    let failed_start = format!("{start}< {{\"done\":false}}\n= pending\n\nend error Protocol\n");
    let failed_poll = format!(
        "{start}< {{\"name\":\"operations/7\"}}\n= pending\n\n> GET /v1/operations/7 +1s\n< 403\n= pending\n\nend error Poll\n"
    );
    for (script, without) in [
        (&failed_start, failed_start.replacen("= pending\n", "", 1)),
        (&failed_poll, failed_poll.replacen("< 403\n= pending\n", "< 403\n", 1)),
    ] {
        let outcome = |text: &str| parse::script(text).and_then(|script| play::play(&script));
        outcome(&without).unwrap();
        let wrong = outcome(script).unwrap_err();
        assert!(wrong.contains("gave no operation, expected one with `pending`"), "{wrong}");
    }
}
