//! Azure's status words: which of them end an operation, and which are known at all.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    dialect::{read_details, read_error},
    status::{Code, State, Status, details::Detail},
};

/// Words that Azure's guidelines and services use for an operation that has not ended.
///
/// An unknown word means running, too. The list only tells known words from unknown ones, because a
/// setting may make an unknown word an error.
const KNOWN_RUNNING: &[&str] = &[
    "running",
    "inprogress",
    "accepted",
    "pending",
    "queued",
    "started",
    "starting",
    "creating",
    "updating",
    "deleting",
    "provisioning",
    "validating",
    "processing",
    "activating",
    "resolving",
    "canceling",
    "cancelling",
];

/// Returns the state that a word means.
///
/// Exactly `Succeeded`, `Failed` and `Canceled` (also spelt `Cancelled`) end an operation. They are
/// compared as whole words, without regard to case: services differ in the case they write, and a
/// search for parts of words would take `NotSucceeded` for success.
pub(super) fn state(word: &str) -> State {
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    match () {
        () if is("succeeded") => State::Succeeded,
        () if is("failed") => State::Failed,
        () if is("canceled") || is("cancelled") => State::Cancelled,
        // The only word that says that the work has not begun. `Accepted` and `Queued` are words of
        // services, read as running.
        () if is("notstarted") => State::Pending,
        () => State::Running,
    }
}

/// Whether the dialect knows the word: it ends an operation, means pending, or is in the list of
/// words for running.
pub(super) fn is_known(word: &str) -> bool {
    state(word) != State::Running || KNOWN_RUNNING.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Returns why an operation failed or was cancelled, from its error object
/// `{code, message, details, innererror}`.
///
/// Here `code` is the service's own word, and becomes the reason. It is not a canonical code: that
/// is `CANCELLED` for a cancelled operation, else `UNKNOWN`.
pub(super) fn failure(state: State, word: &str, error: Option<&RawValue>) -> Status {
    #[derive(Deserialize)]
    struct Inner<'a> {
        #[serde(borrow, default)]
        details: Option<&'a RawValue>,
        #[serde(borrow, default)]
        innererror: Option<&'a RawValue>,
    }
    let code = if state == State::Cancelled { Code::Cancelled } else { Code::Unknown };
    let Some(error) = error else {
        return Status::new(code, format!("the service reported `{word}` without an error"));
    };
    let mut status = read_error(error, code);
    // A status has no place for `innererror`. It is kept as one more detail, so the details are set
    // again, with it at the end.
    if let Ok(Inner { details, innererror: Some(inner) }) = serde_json::from_str::<Inner<'_>>(error.get()) {
        let mut all = read_details(details);
        all.push(Detail::new("innererror", inner.to_owned()));
        status = status.with_details(all);
    }
    status
}
