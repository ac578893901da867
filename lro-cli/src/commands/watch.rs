//! `lro watch`: shows operations while they go on.

use crate::{
    args::Wait,
    client,
    follow::{Row, View, follow, report},
    operations,
    out::Out,
    outcome::{Outcome, Problem},
    view::{Lines, Objects, Screen, Table},
    waits,
};

/// Shows operations until each has ended, or the time limit has passed.
pub fn run(arguments: &Wait) -> Result<Outcome, Problem> {
    let settings = arguments.limits.settings()?;
    let client = client::of(&arguments.service)?;
    let operations = operations::of(&arguments.names, &client, arguments.service.dialect)?;
    let mut rows: Vec<Row> = operations.iter().cloned().map(Row::new).collect();
    let events = waits::begin(operations, settings)?;
    let mut view: Box<dyn View> = match Screen::of_stdout() {
        _ if arguments.format.json => {
            Box::new(Objects { out: Out::stdout(), dialect: arguments.service.dialect.word() })
        }
        // What `--verbose` tells would be written into the table.
        Some(screen) if !arguments.service.verbose => Box::new(Table::new(screen)),
        _ => Box::new(Lines(Out::stdout())),
    };
    let ending = follow(&mut rows, &events, &mut *view);
    Ok(report(&rows, &ending, &arguments.service))
}
