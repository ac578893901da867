//! Code of others: a transport's, and a dialect's.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{status::Failure, text::excerpt};

/// Calls code of others. If it panics, one operation fails: those of many others go on.
///
/// # Errors
///
/// What it has panicked with.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let words = words_of_panic(&*panic);
        Failure::protocol(format!("the transport or the dialect has panicked: `{words}`"))
    })
}

/// Returns what code of others has panicked with, cut.
pub(super) fn words_of_panic(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    excerpt(words.unwrap_or("without a word").as_bytes())
}
