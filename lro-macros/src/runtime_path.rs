//! `crate = path`: where generated code finds `lro-runtime`.

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

/// The path where no `crate = …` is given.
pub(crate) fn default() -> Path {
    syn::parse_quote!(::lro_runtime)
}

/// A path that may begin with `crate`, without generics.
struct ModulePath(Path);

impl Parse for ModulePath {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.call(Path::parse_mod_style).map(Self)
    }
}
