//! The attack on the library: each suite breaks it in one way, a case at a time.
//!
//! A case is made of one seed alone, so that a case that fails can be repeated. `cargo test` runs a
//! short round of every suite; `cargo run --release -p lro-attack -- all --minutes 60` runs until
//! the time is over.

pub mod bars;
pub mod faults;
pub mod hostile;
pub mod json;
pub mod origins;
pub mod readers;
pub mod recorded;
pub mod round;
pub mod shared;
mod simulate;
pub mod tokens;
pub mod trust;
pub mod wire;

use round::Suite;

/// Every suite, by the name that the command takes.
pub const SUITES: &[Suite] = &[
    simulate::SUITE,
    readers::READERS,
    tokens::TOKENS,
    origins::ORIGINS,
    faults::FAULTS,
    faults::RESTART,
    faults::GUARDS,
    shared::SHARED,
    shared::SHARED_ALL,
    shared::SHARED_THREADS,
    bars::BARS,
];
