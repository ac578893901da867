//! The words of `final_state_via`, as the dialect `Azure` reads them.

/// Every legal word.
pub(crate) const WORDS: [&str; 4] = ["location", "original-uri", "operation-location", "azure-async-operation"];
