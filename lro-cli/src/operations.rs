//! The operations that the arguments name.

use std::{collections::HashSet, io::Read as _};

use lro_runtime::{Operations, RawOperation};

use crate::{
    args::{Dialect, Names},
    outcome::Problem,
    text::printable,
    words,
};

/// The most bytes that are read of stdin: a thousand of the longest tokens.
const MOST: u64 = 64 * 1024 * 1024;

/// Makes the operations that are named, each once. All names are checked before the first request
/// is sent.
pub fn of(names: &Names, client: &Operations, dialect: Dialect) -> Result<Vec<RawOperation>, Problem> {
    let mut words = vec![];
    for name in &names.names {
        if name == "-" {
            words.extend(from_stdin()?);
        } else {
            words.push(name.clone());
        }
    }
    let mut known = HashSet::new();
    words.retain(|word| known.insert(word.clone()));
    if words.is_empty() {
        return Err(Problem::usage("no operation is named: stdin has no line"));
    }
    words.iter().map(|word| resume(client, word, dialect)).collect()
}

fn resume(client: &Operations, word: &str, dialect: Dialect) -> Result<RawOperation, Problem> {
    if word.trim().is_empty() {
        return Err(Problem::usage("the name of an operation is empty"));
    }
    client.resume(word).map_err(|error| Problem::usage(words::of_resume(&error, dialect)))
}

/// Reads names from stdin, one on a line.
fn from_stdin() -> Result<Vec<String>, Problem> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MOST + 1).read_to_string(&mut text);
    read.map_err(|error| Problem::usage(format!("cannot read names from stdin: {}", printable(&error.to_string()))))?;
    if text.len() as u64 > MOST {
        return Err(Problem::usage("cannot read names from stdin: there is more than 64 MiB"));
    }
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
