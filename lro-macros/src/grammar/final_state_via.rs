//! The words that the option `final_state_via` of the dialect `Azure` takes.

/// Every legal word.
pub(crate) const WORDS: [&str; 8] = [
    "location",
    "original-uri",
    "operation-location",
    "azure-async-operation",
    "custom-link",
    "custom-operation-reference",
    "no-result",
    "final-state-schema",
];
