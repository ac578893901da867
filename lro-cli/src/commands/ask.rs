//! `lro cancel` and `lro delete`: what is asked of the service.

use lro_runtime::{CancelOutcome, Error, RawOperation};

use crate::{
    args::Operations,
    client,
    follow::report_lost,
    json::Object,
    operations,
    out::{Out, tell},
    outcome::{Outcome, Problem},
    text::printable,
    words,
};

/// What is asked.
#[derive(Clone, Copy)]
pub enum Call {
    /// To cancel the operation.
    Cancel,
    /// To forget it.
    Delete,
}

impl Call {
    fn send(self, operation: &RawOperation) -> Result<&'static str, Error> {
        match self {
            Self::Cancel => operation.blocking().cancel().map(|outcome| match outcome {
                CancelOutcome::AlreadyCompleted => "has ended already",
                _ => "asked to cancel",
            }),
            Self::Delete => operation.blocking().delete().map(|()| "deleted"),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Delete => "delete",
        }
    }
}

/// Asks the service about each operation. One that is refused does not keep the others from being
/// asked.
pub fn run(arguments: &Operations, call: Call) -> Result<Outcome, Problem> {
    let service = &arguments.service;
    let client = client::of(service)?;
    let (out, dialect) = (Out::stdout(), service.dialect.word());
    let mut worst = Outcome::Succeeded;
    for operation in operations::of(&arguments.names, &client, service.dialect)? {
        let sent = call.send(&operation);
        if let Err(error) = &sent {
            tell(&words::of(error));
            worst = worst.max(Outcome::of_error(error));
        }
        let text = match &sent {
            _ if arguments.format.json => {
                let object = Object::of(&operation, &dialect).asked(call.word());
                object.error(sent.as_ref().err()).line()
            }
            Ok(words) => format!("{} {words}", printable(operation.name())),
            Err(_) => continue,
        };
        if let Err(lost) = out.text(&text) {
            report_lost(&lost, &operation, service);
            return Ok(Outcome::OutputLost);
        }
    }
    Ok(worst)
}
