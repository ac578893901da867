//! Grammars that the runtime reads as well. Both crates hold them, because neither can depend on the other's code;
//! `tests/tests/grammars.rs` proves that they agree.

pub(crate) mod duration;
pub(crate) mod final_state_via;
pub(crate) mod states;
pub(crate) mod waiter_path;
