//! The status words of the dialect `Azure` whose meaning nobody changes.

/// Every such word, in lower case: they are compared without regard to case.
pub(crate) const WORDS: [&str; 5] = ["succeeded", "failed", "canceled", "cancelled", "notstarted"];
