//! The long round of the attack:
//! `lro-attack <suite>|all [--minutes M | --cases N | --long] [--seed S]`.

use std::{process::ExitCode, time::Duration};

use lro_attack::{
    SUITES,
    round::{Limit, Suite},
};

/// What the command line asks for.
struct Asked {
    suites: Vec<Suite>,
    limit: Limit,
    seed: u64,
}

fn main() -> ExitCode {
    match asked(std::env::args().skip(1)) {
        Ok(Asked { suites, limit, seed }) => {
            for suite in suites {
                println!("{}", suite.run(seed, limit));
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
            eprintln!("{why}\nusage: lro-attack {}|all [--minutes M | --cases N | --long] [--seed S]", names.join("|"));
            ExitCode::from(2)
        }
    }
}

/// Reads the command line. Without a seed the round begins at one of its own, which the report
/// names.
fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let name = words.next().ok_or("no suite is named")?;
    let suites: Vec<_> = SUITES.iter().filter(|suite| name == "all" || suite.name == name).copied().collect();
    if suites.is_empty() {
        return Err(format!("`{name}` is no suite"));
    }
    let mut asked = Asked { suites, limit: Limit::Time(Duration::from_secs(60)), seed: fastrand::u64(..) };
    while let Some(word) = words.next() {
        if word == "--long" {
            asked.limit = Limit::Long;
            continue;
        }
        let value = words.next().ok_or_else(|| format!("`{word}` needs a number"))?;
        let number: u64 = value.parse().map_err(|_| format!("{word} = `{value}` is not a whole number"))?;
        match word.as_str() {
            // A round without a case would pass.
            "--minutes" | "--cases" if number == 0 => return Err(format!("{word} = 0: at least 1 is needed")),
            "--minutes" => asked.limit = Limit::Time(Duration::from_secs(number.saturating_mul(60))),
            "--cases" => asked.limit = Limit::Cases(number),
            "--seed" => asked.seed = number,
            _ => return Err(format!("`{word}` is no option")),
        }
    }
    // `all` shares the time between the suites.
    if let Limit::Time(time) = &mut asked.limit {
        *time /= u32::try_from(asked.suites.len()).unwrap_or(1);
    }
    Ok(asked)
}
