//! `lro wait`: waits for operations, and prints how each has ended.

use crate::{
    args::Wait,
    client,
    follow::{Row, follow, report},
    operations,
    out::Out,
    outcome::{Outcome, Problem},
    view::{Blocks, Progress},
    waits,
};

/// Waits until each operation has ended, or the time limit has passed.
pub fn run(arguments: &Wait) -> Result<Outcome, Problem> {
    let settings = arguments.limits.settings()?;
    let client = client::of(&arguments.service)?;
    let operations = operations::of(&arguments.names, &client, arguments.service.dialect)?;
    let mut rows: Vec<Row> = operations.iter().cloned().map(Row::new).collect();
    let events = waits::begin(operations, settings)?;
    let mut view = Blocks {
        out: Out::stdout(),
        json: arguments.format.json.then(|| arguments.service.dialect.word()),
        progress: (!arguments.limits.quiet).then_some(Progress),
        is_begun: false,
    };
    let ending = follow(&mut rows, &events, &mut view);
    Ok(report(&rows, &ending, &arguments.service))
}
