//! `lro list`: the service's operations.

use crate::{
    args::List,
    client, describe,
    json::Object,
    out::{Out, tell},
    outcome::{Outcome, Problem},
    words,
};

/// Lists operations, page by page. The exit code is that of the call, not of the operations.
pub fn run(arguments: &List) -> Result<Outcome, Problem> {
    let client = client::of(&arguments.service)?;
    let mut list = client.list(arguments.filter.as_str());
    if let Some(parent) = &arguments.parent {
        list = list.parent(parent);
    }
    if let Some(size) = arguments.page_size {
        list = list.page_size(size);
    }
    let (out, dialect) = (Out::stdout(), arguments.service.dialect.word());
    let mut worst = Outcome::Succeeded;
    for entry in list.blocking().take(arguments.limit.unwrap_or(usize::MAX)) {
        let operation = match entry {
            Ok(operation) => operation,
            // An entry that cannot be read costs the others nothing.
            Err(error) => {
                tell(&words::of(&error));
                worst = worst.max(Outcome::of_error(&error));
                continue;
            }
        };
        let text = if arguments.format.json {
            Object::of(&operation, &dialect).line()
        } else {
            describe::line(&operation, None, None)
        };
        if let Err(lost) = out.text(&text) {
            return Err(Problem { message: lost.to_string(), outcome: Outcome::OutputLost });
        }
    }
    Ok(worst)
}
