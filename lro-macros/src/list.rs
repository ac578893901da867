//! Lists of `key = value`, read to the end whatever is wrong in the middle.

use proc_macro2::{Ident, TokenStream};
use syn::{
    Result, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    token,
};

use crate::report::Report;

/// Reads `key …` after `key …`, separated by commas. After a mistake it goes on with the next key.
pub(crate) fn each(
    tokens: TokenStream,
    report: &mut Report,
    read: &mut dyn FnMut(&Ident, ParseStream<'_>, &mut Report) -> Result<()>,
) {
    each_of(tokens, &[], report, read);
}

/// The same, where these keys may come more than once.
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

fn one(
    input: ParseStream<'_>,
    repeated: &[&str],
    seen: &mut Vec<Ident>,
    report: &mut Report,
    read: &mut dyn FnMut(&Ident, ParseStream<'_>, &mut Report) -> Result<()>,
) -> Result<()> {
    let key = input
        .call(Ident::parse_any)
        .map_err(|error| syn::Error::new(error.span(), "expected a key, like `response = ExportedImage`"))?;
    if seen.contains(&key) && !repeated.iter().any(|word| key == word) {
        return Err(syn::Error::new(key.span(), format!("`{key}` is given twice; keep one")));
    }
    seen.push(key.clone());
    read(&key, input, report)?;
    if !input.is_empty() {
        input
            .parse::<Token![,]>()
            .map_err(|error| syn::Error::new(error.span(), format!("expected `,` after the value of `{key}`")))?;
    }
    Ok(())
}

/// Goes to the next comma that a key follows, or stays where a comma is missing before one.
fn skip(input: ParseStream<'_>) -> Result<()> {
    if input.peek(syn::Ident) && input.peek2(Token![=]) {
        return Ok(());
    }
    while !input.is_empty() {
        let comma = input.peek(Token![,]);
        input.parse::<proc_macro2::TokenTree>()?;
        let next = input.fork();
        let key = next.call(Ident::parse_any).is_ok();
        if comma
            && key
            && (next.is_empty() || next.peek(Token![=]) || next.peek(Token![,]) || next.peek(syn::token::Paren))
        {
            break;
        }
    }
    Ok(())
}

/// What is between the parentheses after a key, or what the key takes.
pub(crate) fn inside(key: &Ident, input: ParseStream<'_>, takes: &str) -> Result<TokenStream> {
    if !input.peek(token::Paren) {
        return Err(syn::Error::new(key.span(), format!("`{key}` takes {takes}")));
    }
    let content;
    syn::parenthesized!(content in input);
    content.parse()
}

/// `= value`, or what the key takes, at the token that is not it.
pub(crate) fn value<T: Parse>(key: &Ident, input: ParseStream<'_>, takes: &str) -> Result<T> {
    let wrong = |span| syn::Error::new(span, format!("`{key}` takes {takes}"));
    if !input.peek(Token![=]) {
        return Err(wrong(key.span()));
    }
    input.parse::<Token![=]>()?;
    let at = if input.is_empty() || input.peek(Token![,]) { key.span() } else { input.span() };
    input.parse().map_err(|_| wrong(at))
}
