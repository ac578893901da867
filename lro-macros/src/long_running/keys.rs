//! The keys of the attribute, and the messages about words that are not keys.

use crate::{grammar::states::STATES, nearest::unknown_key};

/// Every key, in the order the documentation lists them.
pub(crate) const KEYS: [&str; 20] = [
    "response",
    "metadata",
    "name",
    "operations",
    "poll",
    "cancel",
    "delete",
    "pending",
    "progress",
    "classify",
    "response_type",
    "metadata_type",
    "encoding",
    "wire",
    "dialect",
    "waiter",
    "result",
    "final_state_via",
    "path",
    "words",
];

/// Every key inside `poll(…)`.
pub(crate) const POLL_KEYS: [&str; 12] = [
    "delay",
    "multiplier",
    "max_delay",
    "timeout",
    "initial_delay",
    "jitter",
    "poll_timeout",
    "hint",
    "error_budget",
    "not_found_grace",
    "long_poll",
    "unknown_status",
];

/// Every key inside `waiter(…)`.
pub(crate) const WAITER_KEYS: [&str; 10] =
    ["get", "post", "body", "headers", "name_at", "response_at", "success", "failure", "retry", "named"];

/// Every key inside `named(…)`.
const NAMED_KEYS: [&str; 3] = ["items", "id", "most"];

/// Every key of an acceptor.
const ACCEPTOR_KEYS: [&str; 6] = ["output", "is", "all", "any", "error", "success"];

/// Returns the message about an unknown key of the attribute.
pub(crate) fn unknown(key: &str) -> String {
    if POLL_KEYS.contains(&key) {
        return format!("`{key}` belongs inside `poll(…)`: `poll({key} = …)`");
    }
    if WAITER_KEYS.contains(&key) {
        return format!("`{key}` belongs inside `waiter(…)`: `waiter({key}…)`");
    }
    unknown_key_message(key, &[&KEYS[..], &["crate"]].concat(), "")
}

/// Returns the message about an unknown key inside `poll(…)`.
pub(crate) fn unknown_in_poll(key: &str) -> String {
    if KEYS.contains(&key) {
        return format!("`{key}` belongs outside `poll(…)`, beside it");
    }
    unknown_key_message(key, &POLL_KEYS, " of `poll(…)`")
}

/// Returns the message about a key inside `words(…)` that is not a state.
pub(crate) fn unknown_in_words(key: &str) -> String {
    unknown_key_message(key, &STATES.map(|(state, _)| state), " of `words(…)`")
}

/// Returns the message about an unknown key inside `waiter(…)`.
pub(crate) fn unknown_in_waiter(key: &str) -> String {
    if KEYS.contains(&key) {
        return format!("`{key}` belongs outside `waiter(…)`, beside it");
    }
    if ACCEPTOR_KEYS.contains(&key) {
        return format!(
            "`{key}` belongs inside an acceptor: `success({key} = …)`, `failure({key} = …)` or `retry({key} = …)`"
        );
    }
    unknown_key_message(key, &WAITER_KEYS, " of `waiter(…)`")
}

/// Returns the message about an unknown key inside `named(…)`.
pub(crate) fn unknown_in_named(key: &str) -> String {
    unknown_key_message(key, &NAMED_KEYS, " of `named(…)`")
}

/// Returns the message about an unknown key inside an acceptor.
pub(crate) fn unknown_in_acceptor(key: &str, outcome: impl std::fmt::Display) -> String {
    // botocore's waiters have a matcher `status`. Here a reply with an error status is an error of
    // that status's name.
    if key == "status" {
        return format!("an HTTP status is an error by its name: `{outcome}(error = \"NotFound\")` for 404");
    }
    unknown_key_message(key, &ACCEPTOR_KEYS, &format!(" of `{outcome}(…)`"))
}

fn unknown_key_message(key: &str, legal: &[&str], place: &str) -> String {
    unknown_key(key, legal, place, legal)
}
