//! The keys of `#[operation(…)]`, and the message about a word that is not a legal key.

use crate::nearest::unknown_key;

/// Keys that say what a member is.
pub(crate) const ROLES: [&str; 8] = ["name", "state", "response", "metadata", "error", "progress", "next", "hint"];

/// Keys that add to a role, each with its role. `cancelled` also adds to `error`; here it is listed
/// once.
const BESIDE: [(&str, &str); 11] = [
    ("pending", "state"),
    ("running", "state"),
    ("succeeded", "state"),
    ("failed", "state"),
    ("cancelled", "state"),
    ("done", "state"),
    ("absent", "state"),
    ("missing", "state"),
    ("after", "name"),
    ("of", "progress"),
    ("unit", "hint"),
];

/// Keys of the type itself.
pub(crate) const CONTAINER: [&str; 11] =
    ["id", "poll", "cancel", "delete", "list", "items", "next_page", "most", "unfinished", "named", "crate"];

/// Returns the message about a key that is not legal where it stands.
pub(crate) fn unknown(key: &str, on_field: bool) -> String {
    if let Some((_, role)) = BESIDE.iter().find(|(word, _)| *word == key) {
        return format!("`{key}` stands beside `{role}`: `#[operation({role}, {key} = …)]`");
    }
    if on_field && CONTAINER.contains(&key) {
        return format!(
            "`{key}` is said of the type, not of a field: move it to an `#[operation({key} = …)]` above the struct"
        );
    }
    let mut legal: Vec<&str> = ROLES.to_vec();
    legal.extend(BESIDE.iter().map(|(word, _)| *word));
    if !on_field {
        legal.extend(CONTAINER);
    }
    let listed = if on_field { ROLES.to_vec() } else { [&ROLES[..], &CONTAINER[..]].concat() };
    unknown_key(key, &legal, " here", &listed)
}
