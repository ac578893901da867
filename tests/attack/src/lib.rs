//! The attack on the library: each suite breaks it in one way, a case at a time.
//!
//! A case is made of one seed alone, so that a case that fails can be repeated. `cargo test` runs a
//! short round of every suite; `cargo run --release -p lro-attack -- all --minutes 60` runs until
//! the time is over.

pub mod faults;
pub mod round;
pub mod shared;
mod simulate;

use round::Suite;

/// Every suite, by the name that the command takes.
pub const SUITES: &[Suite] = &[
    simulate::SUITE,
    faults::FAULTS,
    faults::RESTART,
    faults::GUARDS,
    shared::SHARED,
    shared::SHARED_ALL,
    shared::SHARED_THREADS,
];
