//! The key `crate = path`: the path by which generated code names `lro-runtime`.

use proc_macro2::Ident;
use syn::{
    Path, Result,
    parse::{Parse, ParseStream},
};

use crate::list::value;

/// Reads `= ::my_sdk::lro_runtime`.
pub(crate) fn parse(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    value::<ModulePath>(key, input, "a path: `crate = ::my_sdk::lro_runtime`").map(|path| path.0)
}

/// The path without a `crate = …`.
pub(crate) fn default() -> Path {
    // The leading `::` skips modules of the author's that are also called `lro_runtime`.
    syn::parse_quote!(::lro_runtime)
}

/// A path without generic arguments, which may begin with `crate`, `self` or `super`.
struct ModulePath(Path);

impl Parse for ModulePath {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.call(Path::parse_mod_style).map(Self)
    }
}
