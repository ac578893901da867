//! What is said to cargo in a build script.

use std::{collections::BTreeSet, env, path::PathBuf};

use super::Generator;
use crate::{
    error::{Error, Result},
    report::{Diagnostic, Severity},
    sdk::Sdk,
};

/// The name of the file in `OUT_DIR`.
const FILE: &str = "lro.rs";

pub(super) fn write(generator: &Generator) -> Result<Sdk> {
    let folder = env::var_os("OUT_DIR").ok_or(Error::NoOutDir)?;
    let sdk = generator.undenied()?;
    sdk.write_to(PathBuf::from(folder).join(FILE))?;
    for line in lines(&sdk) {
        tell_cargo(&line);
    }
    Ok(sdk)
}

/// Returns the lines for cargo.
pub(super) fn lines(sdk: &Sdk) -> Vec<String> {
    // A file that is not there would make every build run the script again.
    let read: BTreeSet<&PathBuf> = sdk.read.iter().filter(|path| path.is_file()).collect();
    // A line end in a name would begin another line for cargo.
    let paths = read.into_iter().map(|path| path.display().to_string()).filter(|path| !path.contains(['\n', '\r']));
    let watched = paths.map(|path| format!("cargo::rerun-if-changed={path}"));
    let is_skipped = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Skipped && !diagnostic.is_asked_for;
    let skipped = sdk.report.diagnostics.iter().filter(is_skipped);
    watched.chain(skipped.map(|diagnostic| format!("cargo::warning={diagnostic}"))).collect()
}

#[expect(clippy::print_stdout, reason = "so a build script speaks to cargo")]
fn tell_cargo(line: &str) {
    println!("{line}");
}
