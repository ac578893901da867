//! `lro get`: one poll of each operation.

use crate::{
    args::Operations,
    client, describe,
    follow::report_lost,
    json::Object,
    operations,
    out::{Out, tell},
    outcome::{Outcome, Problem},
    words,
};

/// Polls each operation once, and prints what is known of it.
pub fn run(arguments: &Operations) -> Result<Outcome, Problem> {
    let service = &arguments.service;
    let client = client::of(service)?;
    let (out, dialect) = (Out::stdout(), service.dialect.word());
    let mut worst = Outcome::Succeeded;
    for (index, operation) in operations::of(&arguments.names, &client, service.dialect)?.into_iter().enumerate() {
        let (operation, error) = match operation.blocking().poll_once() {
            Ok(operation) => (operation, None),
            Err(error) => (operation, Some(error)),
        };
        worst = worst.max(error.as_ref().map_or_else(|| Outcome::of(&operation), Outcome::of_error));
        if let Some(error) = &error {
            tell(&words::of(error));
        }
        if let Some(doubt) = words::of_doubt(&operation, service.dialect) {
            tell(&doubt);
        }
        let text = if arguments.format.json {
            Object::of(&operation, &dialect).error(error.as_ref()).line()
        } else {
            let between = if index > 0 { "\n" } else { "" };
            format!("{between}{}", describe::block(&operation, error.as_ref()))
        };
        if let Err(lost) = out.text(&text) {
            report_lost(&lost, &operation, service);
            return Ok(Outcome::OutputLost);
        }
    }
    Ok(worst)
}
