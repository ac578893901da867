//! Figures of lro-runtime, one per line: see README.md.

mod callgrind;
mod count;
mod report;
mod step;
mod virtual_time;

use std::{env, process::ExitCode};

#[global_allocator]
static ALLOCATOR: count::Counting = count::Counting;

const USAGE: &str = "usage: lro-benches all | step | step-instructions";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["all"] => step::run(false),
        ["step"] => step::run(false),
        ["step-instructions"] => step::run(true),
        ["repeat", "step", variant, times] => step::repeat(variant, times.parse().unwrap_or(1)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
