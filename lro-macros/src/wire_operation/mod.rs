//! `#[derive(WireOperation)]`: item → roles → model → expand.
//!
//! Pure, as `#[long_running]` is: tokens in, tokens out.

use proc_macro2::TokenStream;

use crate::report::Report;

mod check;
mod expand;
mod keys;
mod model;
mod path;
mod roles;
mod serde;

/// Expands the derive on this item. Mistakes follow an implementation that declares nothing, so that uses of the type do not fail as well.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let item = match syn::parse2::<syn::DeriveInput>(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let mut report = Report::default();
    let roles = roles::read(&item, &mut report);
    let model = model::build(&item, roles, &mut report);
    expand::tokens(&model, report)
}
