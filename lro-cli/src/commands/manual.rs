//! `lro completions` and `lro man`: what clap makes of the arguments.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    args::Cli,
    out::Out,
    outcome::{Outcome, Problem},
};

/// Prints the completions of a shell.
pub fn completions(shell: Shell) -> Result<Outcome, Problem> {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Cli::command(), "lro", &mut script);
    write(&script)
}

/// Prints the man page of the command, or of one of its subcommands.
pub fn man(command: Option<&str>) -> Result<Outcome, Problem> {
    let mut cli = Cli::command();
    cli.build();
    let page = match command {
        None => cli,
        Some(name) => {
            let names: Vec<_> = cli.get_subcommands().map(|known| known.get_name().to_owned()).collect();
            cli.find_subcommand(name).cloned().ok_or_else(|| {
                Problem::usage(format!(
                    "there is no command `{}`; there are {}",
                    crate::text::printable(name),
                    names.join(", ")
                ))
            })?
        }
    };
    let mut roff = vec![];
    let rendered = clap_mangen::Man::new(page).render(&mut roff);
    rendered.map_err(|error| Problem { message: error.to_string(), outcome: Outcome::Unknown })?;
    write(&roff)
}

fn write(text: &[u8]) -> Result<Outcome, Problem> {
    let lost = |lost: crate::out::Lost| Problem { message: lost.to_string(), outcome: Outcome::OutputLost };
    Out::stdout().raw(&String::from_utf8_lossy(text)).map_err(lost)?;
    Ok(Outcome::Succeeded)
}
