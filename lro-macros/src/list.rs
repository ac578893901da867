//! Reads lists of `key = value`, and goes on after a mistake so that one compile reports every
//! mistake.

use proc_macro2::{Ident, TokenStream};
use syn::{
    Result, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    token,
};

use crate::report::Report;

/// Calls `read` after each key of a comma-separated list, to read the key's value. Reports a key
/// that comes twice.
///
/// After a mistake, reading continues with the next key.
pub(crate) fn each(
    tokens: TokenStream,
    report: &mut Report,
    read: &mut dyn FnMut(&Ident, ParseStream<'_>, &mut Report) -> Result<()>,
) {
    each_of(tokens, &[], report, read);
}

/// Reads a list like [`each`], in which the keys of `repeated` may come more than once.
pub(crate) fn each_of(
    tokens: TokenStream,
    repeated: &[&str],
    report: &mut Report,
    read: &mut dyn FnMut(&Ident, ParseStream<'_>, &mut Report) -> Result<()>,
) {
    let mut seen: Vec<Ident> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = one(input, repeated, &mut seen, report, read) {
                report.add(error);
                skip(input)?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        report.add(error);
    }
}

/// Reads one `key …` and the comma after it.
fn one(
    input: ParseStream<'_>,
    repeated: &[&str],
    seen: &mut Vec<Ident>,
    report: &mut Report,
    read: &mut dyn FnMut(&Ident, ParseStream<'_>, &mut Report) -> Result<()>,
) -> Result<()> {
    // `parse_any`, because keys such as `crate` are keywords.
    let key = input
        .call(Ident::parse_any)
        .map_err(|error| syn::Error::new(error.span(), "expected a key, like `response = ExportedImage`"))?;
    if seen.contains(&key) && !repeated.iter().any(|word| key == word) {
        return Err(syn::Error::new(key.span(), format!("`{key}` is given twice; keep one")));
    }
    // Noted before the value is read: a second key is a duplicate even if the first one's value was
    // a mistake.
    seen.push(key.clone());
    read(&key, input, report)?;
    if !input.is_empty() {
        input
            .parse::<Token![,]>()
            .map_err(|error| syn::Error::new(error.span(), format!("expected `,` after the value of `{key}`")))?;
    }
    Ok(())
}

/// Skips what is left of a broken value: goes to the next key, or stays if the input is at a key
/// already.
///
/// The input is at a key already if only the comma before it is missing.
fn skip(input: ParseStream<'_>) -> Result<()> {
    if input.peek(syn::Ident) && input.peek2(Token![=]) {
        return Ok(());
    }
    while !input.is_empty() {
        let comma = input.peek(Token![,]);
        input.parse::<proc_macro2::TokenTree>()?;
        let next = input.fork();
        let key = next.call(Ident::parse_any).is_ok();
        // A broken value may contain commas of its own (`Map<K, V>`). A comma ends it only if what
        // follows looks like a key: a word, and then `=`, `(`, `,` or the end.
        if comma
            && key
            && (next.is_empty() || next.peek(Token![=]) || next.peek(Token![,]) || next.peek(syn::token::Paren))
        {
            break;
        }
    }
    Ok(())
}

/// Returns the tokens between the parentheses after a key. The error without parentheses says what
/// the key `takes`.
pub(crate) fn inside(key: &Ident, input: ParseStream<'_>, takes: &str) -> Result<TokenStream> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(key.span(), format!("`{key}` takes {takes}")));
    }
    let content;
    syn::parenthesized!(content in input);
    content.parse()
}

/// Reads `= value` after a key. The error says what the key `takes`, at the token that is wrong.
pub(crate) fn value<T: Parse>(key: &Ident, input: ParseStream<'_>, takes: &str) -> Result<T> {
    let wrong = |span| syn::Error::new(span, format!("`{key}` takes {takes}"));
    if !input.peek(Token![=]) {
        return Err(wrong(key.span()));
    }
    input.parse::<Token![=]>()?;
    // Where the value is missing, there is no token of it to point at.
    let at = if input.is_empty() || input.peek(Token![,]) { key.span() } else { input.span() };
    input.parse().map_err(|_| wrong(at))
}
