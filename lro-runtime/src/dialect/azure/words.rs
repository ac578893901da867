//! Azure's status words: which of them end an operation, and which are known at all.

use crate::status::State;

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
