//! Code of others: a transport's, and a dialect's.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{status::Failure, text::excerpt};

/// Calls code of others. If it panics, one operation fails: those of many others go on.
///
/// # Errors
///
/// What it has panicked with.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
        let words = excerpt(words.unwrap_or("without a word").as_bytes());
        Failure::protocol(format!("the transport or the dialect has panicked: `{words}`"))
    })
}
