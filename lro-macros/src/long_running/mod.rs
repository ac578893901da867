//! The attribute `#[long_running]`: source → args → model → expand.
//!
//! Works on `proc_macro2` tokens only, so that a test can call it as a plain function
//! (`tests/tests/expansion.rs`). Only `model` and the steps before it can find mistakes; `expand`
//! cannot fail.

use proc_macro2::TokenStream;

use crate::report::Report;

mod args;
mod expand;
mod generics;
mod inherited;
mod keys;
mod model;
mod returns;
mod settings;
mod source;
mod types;
mod waiter;

/// Expands the attribute with these arguments on this item. Mistakes come after the item, as
/// `compile_error!`s.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let source = source::parse(item, &mut report);
    let model = model::build(args, source, &mut report);
    expand::tokens(model, report)
}
