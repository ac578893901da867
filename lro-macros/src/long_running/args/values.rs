//! Values of one key each.

use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitBool, LitStr, Path, Result, Token};

use super::super::list::value;
use super::{Function, Progress, Shape};

pub(super) fn text(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    value(key, input, &format!("a string: `{key} = \"{example}\"`"))
}

pub(super) fn flag(key: &Ident, input: ParseStream<'_>) -> Result<bool> {
    if !input.peek(Token![=]) {
        return Ok(true);
    }
    value::<LitBool>(
        key,
        input,
        &format!("no value: write `{key}`, or `{key} = false` to take back the block's default"),
    )
    .map(|on| on.value)
}

pub(super) fn encoding(key: &Ident, input: ParseStream<'_>) -> Result<Shape> {
    let takes = "`json` or `proto`: `encoding = proto`";
    let word: Ident = value(key, input, takes)?;
    match word.to_string().as_str() {
        "json" => Ok(Shape::Json),
        "proto" => Ok(Shape::Proto),
        _ => Err(syn::Error::new(word.span(), format!("`encoding` takes {takes}"))),
    }
}

pub(super) fn final_state_via(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    const LEGAL: [&str; 4] = ["location", "original-uri", "operation-location", "azure-async-operation"];
    let text = text(key, input, "location")?;
    if LEGAL.contains(&text.value().as_str()) {
        return Ok(text);
    }
    let legal = LEGAL.map(|word| format!("\"{word}\"")).join(", ");
    Err(syn::Error::new(text.span(), format!("`final_state_via` takes one of {legal}")))
}

pub(super) fn path(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    value::<ModPath>(key, input, "a path: `crate = ::my_sdk::lro_runtime`").map(|path| path.0)
}

/// A path that may begin with `crate`, without generics.
struct ModPath(Path);

impl Parse for ModPath {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.call(Path::parse_mod_style).map(Self)
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        match input.parse()? {
            Expr::Closure(closure) => Ok(Self::Closure(closure)),
            Expr::Path(path) => Ok(Self::Path(path)),
            other => Err(syn::Error::new_spanned(other, "expected a closure")),
        }
    }
}

impl Parse for Progress {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        match input.parse()? {
            Expr::Closure(closure) => Ok(Self::Closure(closure)),
            field if is_field(&field) => Ok(Self::Field(field)),
            other => Err(syn::Error::new_spanned(other, "expected a field or a closure")),
        }
    }
}

/// `percent`, `stats.done`, `counts.0`.
fn is_field(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.qself.is_none() && path.path.get_ident().is_some(),
        Expr::Field(field) => is_field(&field.base),
        _ => false,
    }
}
