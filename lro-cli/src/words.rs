//! The library's errors in the words of a shell: its advice is for programs, and this command gives
//! its own, "to go on".

use lro_runtime::{Error, ErrorKind};

use crate::describe;

/// Returns an error on one line.
pub fn of(error: &Error) -> String {
    let line = error.to_string();
    let is_unseen = error.snapshot().is_some_and(|operation| describe::state(operation).is_none());
    if error.kind() == ErrorKind::Timeout && is_unseen {
        return line.replacen("still pending when the wait expired", "no reply was read before the wait expired", 1);
    }
    line
}
