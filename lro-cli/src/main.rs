//! The command `lro`: get, wait for, watch, cancel, delete and list long-running operations, and
//! write SDKs for them.

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
    out::{Out, tell, tell_as_it_is},
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
