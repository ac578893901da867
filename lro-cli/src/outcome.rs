//! How the command ends: its exit codes.

use lro_runtime::{Error, ErrorKind, RawOperation, State};

use crate::words;

/// How the command ends. The exit code of many operations is the highest of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The operation succeeded, or the call was accepted.
    Succeeded = 0,
    /// The operation failed.
    Failed = 1,
    /// The operation was cancelled.
    Cancelled = 2,
    /// The operation has not ended: the time limit has passed, or `get` has come too early.
    NotEnded = 3,
    /// The arguments are wrong, or what they name: an option, a file, a name, a token.
    Usage = 4,
    /// The service gave no answer that says how the operation stands, or refused the call.
    Unknown = 5,
    /// Not all of the output could be written.
    OutputLost = 6,
    /// Ctrl-C, SIGTERM or SIGHUP ended the wait.
    Interrupted = 130,
}

impl Outcome {
    /// Returns the exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Returns the outcome of an operation at its last snapshot.
    pub fn of(operation: &RawOperation) -> Self {
        match operation.state() {
            State::Succeeded => Self::Succeeded,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
            State::Pending | State::Running => Self::NotEnded,
        }
    }

    /// Returns the outcome of a wait or a call that ended with an error.
    pub fn of_error(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Timeout => Self::NotEnded,
            ErrorKind::InvalidToken | ErrorKind::InvalidSettings => Self::Usage,
            _ => Self::Unknown,
        }
    }
}

/// Why the command ends before it has done its work: what to say, and the exit code.
pub struct Problem {
    /// One line for stderr.
    pub message: String,
    /// The exit code.
    pub outcome: Outcome,
}

impl Problem {
    /// A mistake in the arguments.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), outcome: Outcome::Usage }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { outcome: Outcome::of_error(&error), message: words::of(&error) }
    }
}
