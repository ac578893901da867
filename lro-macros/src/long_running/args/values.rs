//! Reads the values of keys: strings, flags, closures, and words of a fixed list.

use proc_macro2::Ident;
use syn::{
    Expr, LitBool, LitStr, Result, Token,
    parse::{Parse, ParseStream},
};

use super::{Function, Progress, Shape};
use crate::{grammar::final_state_via, list::value};

/// Reads a string. The error shows `example`.
pub(super) fn text(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    value(key, input, &format!("a string: `{key} = \"{example}\"`"))
}

/// Reads a flag: `cancel`, `cancel = true` or `cancel = false`.
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

/// Reads the value of `encoding`.
pub(super) fn encoding(key: &Ident, input: ParseStream<'_>) -> Result<Shape> {
    let takes = "`json` or `proto`: `encoding = proto`";
    let word: Ident = value(key, input, takes)?;
    match word.to_string().as_str() {
        "json" => Ok(Shape::Json),
        "proto" => Ok(Shape::Proto),
        _ => Err(syn::Error::new(word.span(), format!("`encoding` takes {takes}"))),
    }
}

/// Reads the value of `final_state_via`. The runtime would refuse a wrong word only when a start
/// call returns.
pub(super) fn final_state_via(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    let text = text(key, input, "location")?;
    if final_state_via::WORDS.contains(&text.value().as_str()) {
        return Ok(text);
    }
    let legal = final_state_via::WORDS.map(|word| format!("\"{word}\"")).join(", ");
    Err(syn::Error::new(text.span(), format!("`final_state_via` takes one of {legal}")))
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

/// Whether the expression is a field or a path of fields: `percent`, `stats.done`, `counts.0`.
fn is_field(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.qself.is_none() && path.path.get_ident().is_some(),
        Expr::Field(field) => is_field(&field.base),
        _ => false,
    }
}
