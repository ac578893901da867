//! `lro generate`: annotated methods from API descriptions.

use std::path::Path;

use lro_codegen::{Error, Generator, Report, Row, Sdk, Transport};

use crate::{
    args::generate::{Generate, Sources},
    out::{Lost, Out, tell, tell_as_it_is},
    outcome::{Outcome, Problem},
    text::{padded, printable, width},
};

/// Generates, and tells how many methods there are in the end.
pub fn run(arguments: &Generate) -> Result<Outcome, Problem> {
    let (report, outcome) = match generator(arguments)?.generate() {
        Ok(sdk) => {
            tell_diagnostics(&sdk.report);
            let outcome = deliver(&sdk, arguments);
            (sdk.report, outcome)
        }
        Err(report) => {
            tell_diagnostics(&report);
            (report, Outcome::Failed)
        }
    };
    tell_as_it_is(&format!("{}\n", report.coverage));
    Ok(outcome)
}

fn generator(arguments: &Generate) -> Result<Generator, Problem> {
    let Generate { sources, overrides, only, skip, externs, .. } = arguments;
    let mut generator = of_sources(sources);
    if let Some(file) = overrides {
        generator = generator.overrides(file);
    }
    generator = only.iter().fold(generator, Generator::only);
    generator = skip.iter().fold(generator, Generator::skip);
    for pair in externs {
        let (name, path) =
            pair.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty()).ok_or_else(|| {
                Problem::usage(format!(
                    "--extern `{}`: expected `NAME=PATH`, such as `Image=crate::Image`",
                    printable(pair)
                ))
            })?;
        generator = generator.extern_type(name, path);
    }
    Ok(generator)
}

fn of_sources(sources: &Sources) -> Generator {
    let mut generator = Generator::default();
    generator = sources.proto.iter().fold(generator, Generator::add_proto);
    generator = sources.descriptors.iter().fold(generator, Generator::descriptors);
    generator = sources.include.iter().fold(generator, Generator::include);
    generator = sources.service_config.iter().fold(generator, Generator::service_config);
    generator = sources.discovery.iter().fold(generator, Generator::add_discovery);
    generator = sources.join.iter().fold(generator, Generator::join_protos);
    generator = sources.openapi.iter().fold(generator, Generator::add_openapi);
    if sources.rest {
        generator = generator.transport(Transport::Rest);
    }
    if sources.accept_202 { generator.accept_202() } else { generator }
}

/// Writes, checks or lists.
fn deliver(sdk: &Sdk, arguments: &Generate) -> Outcome {
    let mut outcome = Outcome::Succeeded;
    let is_denied = arguments.deny.is_some() && sdk.report.has_skipped();
    if is_denied {
        tell("methods were skipped, which `--deny skipped` forbids: nothing was written");
        outcome = Outcome::Failed;
    }
    let done = match &arguments.out {
        _ if arguments.list => print(&table(sdk.list())),
        Some(path) if arguments.check => sdk.check(path).map_err(|error| of_error(&error)),
        Some(path) if !is_denied => write(sdk, path),
        _ => Ok(()),
    };
    outcome.max(done.err().unwrap_or(Outcome::Succeeded))
}

/// Writes the files, and prints those that have changed.
fn write(sdk: &Sdk, path: &Path) -> Result<(), Outcome> {
    let changed = sdk.write_to(path).map_err(|error| of_error(&error))?;
    let lines: Vec<String> = changed.iter().map(|path| printable(&path.display().to_string())).collect();
    print(&lines)
}

fn print(lines: &[String]) -> Result<(), Outcome> {
    let out = Out::stdout();
    lines.iter().try_for_each(|line| out.text(line)).map_err(|lost: Lost| {
        tell(&lost.to_string());
        Outcome::OutputLost
    })
}

/// Returns the rows with their columns below each other.
fn table(rows: &[Row]) -> Vec<String> {
    let cells = |row: &Row| {
        [&row.method, &row.response, &row.metadata, &row.dialect, &row.at.to_string()].map(|cell| printable(cell))
    };
    let rows: Vec<[String; 5]> = rows.iter().map(cells).collect();
    let columns: Vec<usize> = (0..5)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    let line = |row: &[String; 5]| {
        let cells: Vec<String> = row.iter().zip(&columns).map(|(cell, columns)| padded(cell, *columns)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Tells why nothing was written, and returns how the command ends.
fn of_error(error: &Error) -> Outcome {
    match error {
        Error::Stale(differences) => {
            for difference in differences {
                tell_as_it_is(&format!("{}\n", printable(&difference.to_string())));
            }
            Outcome::Failed
        }
        Error::NotOurs(_) => {
            tell(&printable(&error.to_string()));
            Outcome::Usage
        }
        Error::File(..) => {
            tell(&printable(&error.to_string()));
            Outcome::OutputLost
        }
        _ => {
            tell(&printable(&error.to_string()));
            Outcome::Failed
        }
    }
}

/// Tells each diagnostic on a line that begins with the place, as editors read it.
fn tell_diagnostics(report: &Report) {
    for diagnostic in &report.diagnostics {
        tell_as_it_is(&format!("{diagnostic}\n"));
    }
}
