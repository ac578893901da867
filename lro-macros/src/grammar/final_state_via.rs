//! The words that the option `final_state_via` of the dialect `Azure` takes.

/// Every legal word.
pub(crate) const WORDS: [&str; 4] = ["location", "original-uri", "operation-location", "azure-async-operation"];
