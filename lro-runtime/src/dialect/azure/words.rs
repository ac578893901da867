//! Azure's status words: three of them end an operation, whatever their case, and no other does.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    dialect::{read_details, read_error},
    status::{Code, State, Status, details::Detail},
};

/// Words that Azure's guidelines and its services use for what has not ended. Any other word means the same, but nobody has heard of it.
const UNDER_WAY: &[&str] = &[
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

/// The state that a word means.
pub(super) fn state(word: &str) -> State {
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    match () {
        () if is("succeeded") => State::Succeeded,
        () if is("failed") => State::Failed,
        () if is("canceled") || is("cancelled") => State::Cancelled,
        () if is("notstarted") => State::Pending,
        () => State::Running,
    }
}

/// Whether the word is one of Azure's.
pub(super) fn is_known(word: &str) -> bool {
    state(word) != State::Running || UNDER_WAY.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Why an operation ended in this state: `{code, message, details, innererror}`, where `code` is a service's own word.
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
        return Status::new(code, format!("the service says `{word}` and gives no reason"));
    };
    let mut status = read_error(error, code);
    if let Ok(Inner { details, innererror: Some(inner) }) = serde_json::from_str::<Inner<'_>>(error.get()) {
        let mut all = read_details(details);
        all.push(Detail::new("innererror", inner.to_owned()));
        status = status.with_details(all);
    }
    status
}
