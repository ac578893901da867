//! The commands.

mod ask;
mod generate;
mod get;
mod list;
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
        Command::Completions { shell } => generate::completions(shell),
        Command::Man { command } => generate::man(command.as_deref()),
    }
}
