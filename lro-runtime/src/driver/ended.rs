//! What the end of an engine means to those who waited.

use crate::{
    engine::End,
    error::{Error, ErrorKind},
    operation::RawOperation,
    text::excerpt,
};

/// Returns the error of a wait for `operation` that has ended so; `None` if the operation is
/// terminal.
pub(crate) fn error_of(end: &End, operation: &RawOperation) -> Option<Error> {
    match end {
        End::Completed => None,
        End::Permanent(failure) => Some(operation.poll_error("the poll failed", (**failure).clone())),
        End::BudgetSpent(failure) => {
            Some(operation.poll_error("the error budget is spent, the last poll failed", (**failure).clone()))
        }
        // The wait ended because of the time, not because of the last failed poll: that one is only
        // the source of the error.
        End::TimedOut(last) => {
            let message = format!("still {} when the wait expired", operation.state());
            let error = Error::new(ErrorKind::Timeout, message).with_operation(operation);
            Some(match last {
                Some(failure) => error.with_source(failure.clone()),
                None => error,
            })
        }
    }
}

/// Makes the error of a status word that the settings refuse because the dialect does not know it.
#[cold]
pub(crate) fn unknown_status(operation: &RawOperation) -> Error {
    let word = operation.raw_status().unwrap_or_default();
    Error::new(ErrorKind::Protocol, format!("the status `{}` is unknown", excerpt(word.as_bytes())))
        .with_operation(operation)
}
