//! Real descriptions of others, whole packages of them: every long-running method is written or
//! named, and what is written compiles without a warning of rustc, clippy or rustdoc.
//!
//! They come from registries when the tests are run, by `.ci/descriptions`, and are in the folder
//! that `LRO_DESCRIPTIONS` names. `LRO_REAL=all` compiles all packages instead of a few.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may fail, and these print figures"
)]

mod cargo;
mod discovery;
mod openapi;
mod protos;
mod workflows;

use std::{env, path::PathBuf};

/// Returns a folder of descriptions.
fn descriptions(name: &str) -> PathBuf {
    let folder = env::var_os("LRO_DESCRIPTIONS").map(PathBuf::from);
    let folder =
        folder.unwrap_or_else(|| panic!("set LRO_DESCRIPTIONS to the folder that `.ci/descriptions` has written"));
    let folder = folder.join(name);
    assert!(folder.is_dir(), "there is no folder {}", folder.display());
    folder
}

/// Returns whether all packages are compiled, and not a few.
fn all() -> bool {
    env::var("LRO_REAL").is_ok_and(|which| which == "all")
}

/// Returns how many lines each method of a written module has, its documentation included.
fn lines_of_methods(code: &str) -> Vec<usize> {
    let lines: Vec<&str> = code.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("pub async fn "));
    starts
        .map(|(at, line)| {
            let indent = line.len() - line.trim_start().len();
            let before = lines[..at].iter().rev().take_while(|line| !line.is_empty() && !line.ends_with("Client {"));
            let end = format!("{}}}", " ".repeat(indent));
            let after = lines[at..].iter().position(|line| **line == end);
            before.count() + after.unwrap_or_else(|| panic!("no end of {line}")) + 1
        })
        .collect()
}

/// Returns the mean of numbers.
fn mean(numbers: &[usize]) -> f64 {
    let float = |number: usize| f64::from(u32::try_from(number).unwrap());
    float(numbers.iter().sum()) / float(numbers.len())
}

/// Prints what was measured, in one line that a program can read.
fn figure(name: &str, value: impl std::fmt::Display) {
    println!("figure {name} = {value}");
}
