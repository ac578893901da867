//! Grammars that the macros and the runtime both read.
//!
//! Each grammar exists twice, because neither crate can use the other's code.
//! `tests/tests/grammars.rs` proves that the two copies agree.

pub(crate) mod azure_words;
pub(crate) mod duration;
pub(crate) mod final_state_via;
pub(crate) mod poll;
pub(crate) mod states;
pub(crate) mod waiter_path;
