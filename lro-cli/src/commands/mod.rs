//! The commands.

mod ask;
#[cfg(feature = "generate")]
mod generate;
mod get;
mod list;
mod manual;
mod wait;
mod watch;

use crate::{
    args::Command,
    outcome::{Outcome, Problem},
};

/// Does what the arguments say.
pub fn run(command: Command) -> Result<Outcome, Problem> {
    match command {
        Command::Get(arguments) => get::run(&arguments),
        Command::Wait(arguments) => wait::run(&arguments),
        Command::Watch(arguments) => watch::run(&arguments),
        Command::Cancel(arguments) => ask::run(&arguments, ask::Call::Cancel),
        Command::Delete(arguments) => ask::run(&arguments, ask::Call::Delete),
        Command::List(arguments) => list::run(&arguments),
        #[cfg(feature = "generate")]
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { command } => manual::man(command.as_deref()),
    }
}
