//! An operation in words: a block for one operation, and a line for one of many.

use lro_runtime::{Error, RawOperation, State};

use crate::{json::compact, text::printable, words};

/// Returns all that is known of an operation, a line for each thing.
pub fn block(operation: &RawOperation, error: Option<&Error>) -> String {
    let mut lines = vec![];
    let mut line = |name: &str, value: String| lines.push(format!("{name:<9} {value}"));
    line("name", printable(operation.name()));
    let word = operation.raw_status().map(|word| format!(" ({})", printable(word))).unwrap_or_default();
    if let Some(state) = state(operation) {
        line("state", format!("{state}{word}"));
    }
    if let Some(done) = done(operation) {
        line("done", done);
    }
    if let Some(status) = operation.status() {
        line("status", status.to_string());
        for detail in status.details() {
            line("detail", compact(detail.json()));
        }
    } else if let Some(message) = operation.status_message() {
        line("message", printable(message));
    }
    let json = |bytes: &[u8]| compact(&String::from_utf8_lossy(bytes));
    if let Some(metadata) = operation.metadata() {
        line("metadata", json(metadata.bytes()));
    }
    if let Some(response) = operation.response() {
        line("response", json(response.bytes()));
    }
    if let Some(error) = error {
        line("error", words::of(error));
    }
    line("token", operation.token().to_string());
    lines.join("\n")
}

/// Returns how an operation stands, on one line.
pub fn line(operation: &RawOperation, failed_poll: Option<&str>, error: Option<&Error>) -> String {
    let done = done(operation).filter(|_| operation.state() != State::Succeeded);
    let done = done.map(|done| format!(", {done}")).unwrap_or_default();
    let said = said(operation, failed_poll, error);
    let name = printable(operation.name());
    match state(operation) {
        None if said.is_empty() => format!("{name}: no reply was read"),
        None => format!("{name}: {said}"),
        Some(state) if said.is_empty() => format!("{name} {state}{done}"),
        Some(state) => format!("{name} {state}{done}: {said}"),
    }
}

/// Returns the state, once it is known: `None` for an operation that is only named, and of which no
/// reply was read. The library calls that one pending.
pub fn state(operation: &RawOperation) -> Option<State> {
    let state = operation.state();
    (state != State::Pending || !operation.raw().is_empty()).then_some(state)
}

/// Returns the fraction done in per cent.
pub fn done(operation: &RawOperation) -> Option<String> {
    operation.progress().map(|done| format!("{:.0} %", (done * 100.0).floor()))
}

/// Returns what there is to say beside the state: why the command or the operation failed, or what
/// the service says.
pub fn said(operation: &RawOperation, failed_poll: Option<&str>, error: Option<&Error>) -> String {
    if let Some(error) = error {
        return words::beside_name(error);
    }
    if let Some(failed) = failed_poll {
        return failed.to_owned();
    }
    if let Some(status) = operation.status() {
        return status.to_string();
    }
    let is_other = |word: &&str| !word.eq_ignore_ascii_case(&operation.state().to_string());
    let said = operation.status_message().or_else(|| operation.raw_status().filter(is_other));
    said.map(printable).or_else(|| short_metadata(operation)).unwrap_or_default()
}

/// Returns the metadata of an operation that has not ended, if it is short enough to be read.
fn short_metadata(operation: &RawOperation) -> Option<String> {
    let metadata = operation.metadata().filter(|_| !operation.is_completed())?;
    let json = compact(std::str::from_utf8(metadata.bytes()).ok()?);
    (json.len() <= 100).then_some(json)
}
