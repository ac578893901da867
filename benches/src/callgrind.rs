//! Counts instructions with valgrind.

use std::{
    env,
    process::{Command, Stdio},
};

/// Returns the instructions per repetition of what this program does when called with `arguments`
/// and a number.
///
/// It runs the program with `few` and with `many` repetitions and takes the difference, so that
/// startup does not count. Prints a message and returns `None` if there is no valgrind.
pub fn instructions(arguments: &[&str], few: u32, many: u32) -> Option<f64> {
    let [few_count, many_count] = [few, many].map(|times| collected(arguments, times));
    Some((many_count? - few_count?) / f64::from(many - few))
}

/// Returns the instructions of one run.
fn collected(arguments: &[&str], times: u32) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().ok()?)
        .args(arguments)
        .arg(times.to_string())
        .stdout(Stdio::null())
        .output()
        .inspect_err(|error| eprintln!("no instructions are counted: valgrind: {error}"))
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
}
