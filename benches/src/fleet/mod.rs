//! Measures a fleet: what an operation takes while it waits, what polls and entries of lists cost,
//! and how many requests are sent.

use std::error::Error;

use crate::in_flight;

mod cpu;
mod events;
mod requests;
mod service;

pub use self::cpu::repeat;

/// Takes the figures of a hundred thousand operations, or with `is_long` of a million.
pub fn run(is_long: bool) -> Result<(), Box<dyn Error>> {
    let operations = if is_long { 1_000_000 } else { 100_000 };
    cpu::polls(operations)?;
    cpu::entries(operations)?;
    cpu::idle(operations)?;
    requests::totals(operations);
    requests::quota();
    requests::lateness();
    cpu::count_instructions();
    Ok(())
}

/// Takes the figures of operations that wait in real time, beside those of tasks.
pub fn run_in_flight(operations: u64) -> Result<(), Box<dyn Error>> {
    let peers: &[&str] = if cfg!(feature = "peers") { &["google-cloud-lro"] } else { &[] };
    for variant in ["fleet", "hand-tokio", "ours-tokio"].iter().chain(peers) {
        in_flight::run_alone(service::LOAD.bench, variant, "unchanged", 1, operations)?;
    }
    Ok(())
}

/// Runs one variant of those and prints its figures.
pub fn repeat_in_flight(variant: &str, body: &str, cores: usize, operations: u64) -> Result<(), Box<dyn Error>> {
    in_flight::repeat_with(service::LOAD, variant, body, cores, operations)
}
