//! The derive `WireOperation`: item → roles → model → expand.
//!
//! Like `#[long_running]`, it works on `proc_macro2` tokens only, so that a test can call it as a
//! plain function.

use proc_macro2::TokenStream;

use crate::report::Report;

mod check;
mod expand;
mod keys;
mod model;
mod path;
mod roles;
mod serde;

/// Expands the derive on this item.
///
/// After a mistake, the output is an implementation that declares nothing, so that uses of the type
/// do not fail as well, and then one `compile_error!` per mistake.
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
