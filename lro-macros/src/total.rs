//! The key `of` beside `progress`: the total that the progress is a part of. Both macros have it.

use proc_macro2::Ident;
use syn::{Error, Lit, LitStr, Result, parse::ParseStream};

use crate::list::value;

/// The value of `of`.
#[derive(Clone)]
pub(crate) enum Total {
    /// `of = 100`
    Number(f64),
    /// `of = "total"`: the path of a member, which begins beside the progress.
    Beside(LitStr),
}

const TAKES: &str = "a number above 0 or the path of one beside it: `of = 100`, `of = \"total\"`";

/// Reads `= 100` or `= "total"` after the key.
pub(crate) fn parse(key: &Ident, input: ParseStream<'_>) -> Result<Total> {
    let found: Lit = value(key, input, TAKES)?;
    let number = match &found {
        Lit::Str(path) => return Ok(Total::Beside(path.clone())),
        Lit::Int(number) => number.base10_parse().ok(),
        Lit::Float(number) => number.base10_parse().ok(),
        _ => None,
    };
    // A part of nothing is not a fraction.
    let number = number.filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.map(Total::Number).ok_or_else(|| Error::new(found.span(), format!("`of` takes {TAKES}")))
}
