//! The command `lro`: get, wait for, watch, cancel, delete and list long-running operations.

mod args;
mod client;
mod commands;
mod credentials;
mod describe;
mod fields;
mod follow;
mod json;
mod operations;
mod out;
mod outcome;
mod text;
mod view;
mod waits;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use self::{
    args::Cli,
    out::{Out, tell},
    outcome::Outcome,
};

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => commands::run(cli.command).unwrap_or_else(|problem| {
            tell(&problem.message);
            problem.outcome
        }),
        Err(error) if error.use_stderr() => {
            tell_as_it_is(&error.to_string());
            Outcome::Usage
        }
        // `--help` and `--version` are no mistakes.
        Err(help) => match Out::stdout().text(help.to_string().trim_end()) {
            Ok(()) => Outcome::Succeeded,
            Err(lost) => {
                tell(&lost.to_string());
                Outcome::OutputLost
            }
        },
    };
    ExitCode::from(outcome.code())
}

/// Writes what clap says about the arguments, which has its own form.
fn tell_as_it_is(message: &str) {
    use std::io::Write as _;
    // Nobody is left to be told if this fails.
    let _ = write!(std::io::stderr().lock(), "{message}");
}
