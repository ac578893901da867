//! Reads the values of keys: strings, flags, closures, and words of a fixed list.

use proc_macro2::Ident;
use quote::quote;
use syn::{
    Error, Expr, ExprField, LitBool, LitStr, Result, Token,
    parse::{Parse, ParseStream, Parser},
    token,
};

use super::{Function, Of, Progress, Shape};
use crate::{
    grammar::final_state_via,
    list::{each, inside, value},
    report::Report,
    total::{self, Total},
};

/// Reads a string. The error shows `example`.
pub(super) fn text(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    value(key, input, &format!("a string: `{key} = \"{example}\"`"))
}

/// Reads a flag: `cancel`, `cancel = true` or `cancel = false`.
pub(super) fn flag(key: &Ident, input: ParseStream<'_>) -> Result<LitBool> {
    if !input.peek(Token![=]) {
        return Ok(LitBool::new(true, key.span()));
    }
    value(key, input, &format!("no value: write `{key}`, or `{key} = false` to take back the block's default"))
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

const PROGRESS: &str = "a field of the metadata, `progress = percent`, a field and its total, `progress(percent, of = 100)`, \
                        or a closure, `progress = |metadata| …`";

/// Reads `= percent`, `= |metadata| …` or `(percent, of = 100)`.
pub(super) fn progress(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Progress> {
    if !input.peek(token::Paren) {
        return value(key, input, PROGRESS);
    }
    let tokens = inside(key, input, PROGRESS)?;
    (|input: ParseStream<'_>| part(key, input, report)).parse2(tokens)
}

/// Reads `percent, of = 100`: a field and its total.
fn part(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Progress> {
    let wrong = |span| Error::new(span, format!("`{key}` takes {PROGRESS}"));
    let at = if input.is_empty() { key.span() } else { input.span() };
    let field: Expr = input.parse().ok().filter(is_field).ok_or_else(|| wrong(at))?;
    let comma: Option<Token![,]> = input.parse()?;
    if comma.is_none() && !input.is_empty() {
        return Err(wrong(input.span()));
    }
    let (mut of, mut is_given) = (None, false);
    each(input.parse()?, report, &mut |key, input, _| {
        is_given = true;
        if key != "of" {
            return Err(Error::new(key.span(), format!("unknown key `{key}`; `progress(…)` has one key, `of = 100`")));
        }
        of = Some(match total::parse(key, input)? {
            Total::Number(number) => Of::Number(number),
            Total::Beside(path) => Of::Field(Box::new(beside(&field, &path)?)),
        });
        Ok(())
    });
    match of {
        Some(of) => Ok(Progress::Of(field, of)),
        // The mistake in it is reported already; any legal total stands in.
        None if is_given => Ok(Progress::Of(field, Of::Number(1.0))),
        None => {
            let message = "the total of `progress` is missing: `of = 100` for per cent, `of = \"total\"` for a field \
                           beside it; where the field's type says it, write `progress = percent`";
            Err(Error::new_spanned(field, message))
        }
    }
}

/// Returns the field at a path that begins at the parent of `field`: `stats.done` and `"total"`
/// give `stats.total`.
fn beside(field: &Expr, path: &LitStr) -> Result<Expr> {
    let wrong = || Error::new(path.span(), "`of` takes the path of a field beside the progress: `of = \"total\"`");
    let beside: Expr = path.parse().map_err(|_| wrong())?;
    if !is_field(&beside) {
        return Err(wrong());
    }
    match field {
        Expr::Field(ExprField { base, .. }) => syn::parse2(quote!(#base.#beside)).map_err(|_| wrong()),
        _ => Ok(beside),
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
