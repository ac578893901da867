//! The library's errors in the words of a shell. Its advice is for programs: the command has
//! options in the place of settings, and says itself how to go on.

use clap::ValueEnum as _;
use lro_runtime::{Error, ErrorKind, RawOperation};
use serde_json::{Map, Value};

use crate::{args::Dialect, client, describe, text::printable};

/// The ends of the library's lines that say nothing to a shell, and what is said instead.
const ADVICE: &[(&str, &str)] = &[
    ("; poll again from the snapshot, or resume from the token", ""),
    (": wait again from the snapshot, or resume from the token", ""),
    (": poll again from the snapshot, or raise `not_found_grace`", ""),
    (", then poll again from the snapshot", ""),
    ("; resume from the name that the service gave, or from a token of this method", ""),
    ("is set by `OperationsBuilder::query`; correct the setting", "is set by `--query`"),
    ("; correct the setting", ""),
    ("; the snapshot's `raw()` is the entry; the others are listed", "; the others are listed"),
    (
        "; store each operation's token when it is started, and resume from it",
        "; store each operation's name when it is started",
    ),
    (
        "allow it with `allow_origin`, or with `allow_origin_with_credentials` if it is the service's own",
        "allow it with `--allow-origin`, or with `--allow-origin-with-credentials` if it is the service's own",
    ),
    ("allow it with `allow_origin_with_credentials`", "allow it with `--allow-origin-with-credentials`"),
    (
        "; what every request needs belongs on the client (`.query(…)`); what belongs to this URL alone is only in the name that the service gave: resume from that",
        "; what every request needs is given with `--query`; what belongs to this URL alone is only in the name that the service gave",
    ),
];

/// The settings that lines of the library begin with, and the options that set them.
const SETTINGS: &[(&str, &str)] = &[
    ("base_url = ", "--base = "),
    ("allow_origin = ", "--allow-origin = "),
    ("allow_origin_with_credentials = ", "--allow-origin-with-credentials = "),
    ("delay = ", "--interval = "),
];

/// Returns an error on one line.
pub fn of(error: &Error) -> String {
    let mut line = error.to_string();
    let end = ADVICE.iter().find_map(|(theirs, ours)| Some((line.strip_suffix(theirs)?.len(), ours)));
    if let Some((length, ours)) = end {
        line.truncate(length);
        line.push_str(ours);
    }
    let begin = SETTINGS.iter().find_map(|(theirs, ours)| Some((line.strip_prefix(theirs)?, ours)));
    if let Some((rest, ours)) = begin {
        line = format!("{ours}{rest}");
    }
    let is_unseen = error.snapshot().is_some_and(|operation| describe::state(operation).is_none());
    if error.kind() == ErrorKind::Timeout && is_unseen {
        line = line.replacen("still pending when the wait expired", "no reply was read before the wait expired", 1);
    }
    line
}

/// Returns an error beside the name of its operation: without the name, and what every error of a
/// wait says, so that a short line begins with the cause.
pub fn beside_name(error: &Error) -> String {
    let line = of(error);
    let rest = line.strip_prefix("operation `").and_then(|rest| rest.split_once("`: ")).map(|(_, rest)| rest);
    let rest = rest.unwrap_or(&line);
    rest.strip_prefix("the poll failed: ").unwrap_or(rest).to_owned()
}

/// Returns why a name or a token cannot be used in a dialect.
pub fn of_resume(error: &Error, dialect: Dialect) -> String {
    let (line, word) = (of(error), dialect.word());
    if let Some(id) = line.strip_prefix("the token belongs to the dialect `").and_then(|rest| rest.split('`').next()) {
        return match Dialect::value_variants().iter().find(|known| client::dialect_of(**known).id() == id) {
            Some(known) => {
                let known = known.word();
                format!("the token belongs to the dialect `{known}`, not to `{word}`: say `--dialect {known}`")
            }
            None => format!("the token belongs to the dialect `{id}`, which this command does not have"),
        };
    }
    match line.strip_prefix("cannot resume from `").and_then(|rest| rest.split_once("`: ")) {
        // It is a name, but one that leads elsewhere.
        Some((_, why)) if error.kind() == ErrorKind::UntrustedUrl => why.to_owned(),
        Some((name, why)) => {
            let why = why.strip_prefix(&format!("`{name}` is not an operation's name: ")).unwrap_or(why);
            format!("`{name}` is not an operation's name in the dialect `{word}`: {why}")
        }
        None => line,
    }
}

/// Returns a warning where a success is likely to be none: in dialects in which a plain `200` is
/// the end, a reply that reads as a running operation of `google`.
pub fn of_doubt(operation: &RawOperation, dialect: Dialect) -> Option<String> {
    let ends_with_any_reply = matches!(dialect, Dialect::Http | Dialect::Azure | Dialect::Redfish);
    if !ends_with_any_reply || !operation.is_succeeded() {
        return None;
    }
    let body: Map<String, Value> = serde_json::from_slice(operation.raw()).ok()?;
    // Many resources have a name, too, but also something else.
    let is_known = |member: &String| ["name", "metadata", "done"].contains(&member.as_str());
    let is_running = body.get("done").is_none_or(|done| done == false);
    let is_likely = body.get("name").is_some_and(Value::is_string) && is_running && body.keys().all(is_known);
    is_likely.then(|| {
        format!(
            "{}: the reply that ended it looks like an operation of `google` that still runs: is `--dialect {}` right?",
            printable(operation.name()),
            dialect.word()
        )
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests may fail")]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Adds the text of all files below a folder.
    fn library(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                library(&path, text);
            } else {
                text.push_str(&fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }

    #[test]
    fn every_phrase_that_is_replaced_is_one_that_the_library_says() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lro-runtime/src");
        // The package of the command has no library beside it; the repository has.
        if !sources.exists() {
            return;
        }
        let mut said = String::new();
        library(&sources, &mut said);
        for (theirs, _) in ADVICE {
            for part in theirs.split("; ").filter(|part| !part.is_empty()) {
                let part = part.trim_start_matches([':', ',', ' ']);
                assert!(said.contains(part), "the library does not say `{part}` any more");
            }
        }
        for (theirs, _) in SETTINGS {
            let setting = theirs.trim_end_matches(" = ");
            assert!(said.contains(setting), "the library has no setting `{setting}` any more");
        }
        for words in [
            "still {} when the wait expired",
            "the poll failed",
            "the token belongs to the dialect `",
            "cannot resume from `",
            "is not an operation's name",
        ] {
            assert!(said.contains(words), "the library does not say `{words}` any more");
        }
    }
}
