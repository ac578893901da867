//! `#[long_running]`: source → args → model → expand.
//!
//! Pure: tokens in, tokens out, by way of `proc_macro2` alone, so that a test can run it as a plain function.

use proc_macro2::TokenStream;

use crate::report::Report;

mod args;
mod docs;
mod expand;
mod generics;
mod keys;
mod model;
mod returns;
mod settings;
mod source;
mod types;
mod waiter;

/// Expands the attribute with these arguments on this item. Mistakes follow the item as `compile_error!`s.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let source = source::parse(item, &mut report);
    let model = model::build(args, source, &mut report);
    expand::tokens(model, report)
}
