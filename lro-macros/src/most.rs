//! The key `most`: how many operations one call shows at most. Both macros have it.

use proc_macro2::Ident;
use syn::{Error, LitInt, Result, parse::ParseStream};

use crate::list::value;

/// The most entries of a reply that the runtime reads.
const MOST: u32 = 10_000;

/// Reads `= 100` after the key.
pub(crate) fn parse(key: &Ident, input: ParseStream<'_>) -> Result<u32> {
    let takes = format!("how many operations one call shows at most, from 1 to {MOST}: `{key} = 100`");
    let number: LitInt = value(key, input, &takes)?;
    let legal = number.base10_parse().ok().filter(|number| (1..=MOST).contains(number));
    legal.ok_or_else(|| Error::new(number.span(), format!("`{key}` takes {takes}")))
}
