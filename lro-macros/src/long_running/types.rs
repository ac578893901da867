//! Checks the types that an operation can hold, and derives the names of its own types.

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{LitStr, Type, ext::IdentExt};

use super::{args::Args, source::Method};
use crate::report::Report;

/// Returns the type given for `response` or `metadata`, or `()` after a mistake.
///
/// It is a mistake if the type is missing, or if an operation cannot hold a value of it.
pub(crate) fn kept(key: &str, given: Option<&Type>, args: &Args, method: &Method, report: &mut Report) -> Type {
    let unit = || syn::parse_quote!(());
    let Some(given) = given else {
        if args.attempted.iter().any(|word| word == key) {
            return unit();
        }
        let what = if key == "response" { "the type of the result" } else { "the type of the progress" };
        report.at(place(method), format!("missing `{key}`: {what} (`{key} = ()` where the service gives none)"));
        return unit();
    };
    match mistake(given.to_token_stream()) {
        None => given.clone(),
        Some((token, reason)) => {
            report.at(token, format!("`{key}` cannot be kept in an operation: {reason}"));
            unit()
        }
    }
}

/// Returns the place of mistakes about a method's keys: its attribute, or its name.
///
/// A free function's own attribute is not among the tokens that a macro gets.
pub(crate) fn place(method: &Method) -> TokenStream {
    if method.marker.is_empty() { method.sig.ident.to_token_stream() } else { method.marker.clone() }
}

/// Returns the first token that the type of a kept value cannot have, and the reason.
///
/// Without this check rustc would report the same mistake in generated code, several times and in
/// other words.
fn mistake(tokens: TokenStream) -> Option<(TokenStream, &'static str)> {
    const BORROWED: &str =
        "it outlives the reply it was read from, so it must own what it holds; only `'static` can be borrowed";
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Group(group) => {
                if let Some(found) = mistake(group.stream()) {
                    return Some(found);
                }
            }
            // A lifetime is two tokens, `'` and its name.
            quote if is_quote(quote) => {
                let name = tokens.next();
                if !matches!(&name, Some(TokenTree::Ident(ident)) if ident == "static") {
                    return Some((quote!(#token #name), BORROWED));
                }
            }
            // A reference with a lifetime is left to the branch above, so that `&'static str`
            // passes.
            TokenTree::Punct(punct)
                if punct.as_char() == '&' && !matches!(tokens.peek(), Some(next) if is_quote(next)) =>
            {
                return Some((token.into(), BORROWED));
            }
            TokenTree::Ident(ident) if ident == "Self" => {
                return Some((token.into(), "`Self` means nothing beside the block; write the type's name"));
            }
            TokenTree::Ident(ident) if ident == "_" || ident == "impl" => {
                return Some((token.into(), "it must be a type with a name"));
            }
            _ => {}
        }
    }
    None
}

/// Whether this is the `'` of a lifetime.
fn is_quote(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '\'' && punct.spacing() == Spacing::Joint)
}

/// Returns the path of a block's type without generics: `ImageClient`, `super::ImageClient`.
pub(crate) fn path(this: &Type) -> String {
    match this {
        Type::Path(path) => {
            let segments: Vec<String> =
                path.path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
            segments.join("::")
        }
        // A type that comes through a `macro_rules!` macro is in an invisible group.
        Type::Group(group) => self::path(&group.elem),
        Type::Paren(paren) => self::path(&paren.elem),
        _ => String::new(),
    }
}

/// Turns the name of a method into the base of type names: `export_image` → `ExportImage`, `r#move`
/// → `Move`.
pub(crate) fn upper_camel(method: &Ident) -> String {
    let name = method.unraw().to_string();
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    name.split('_').map(capital).collect()
}

/// Returns the value of the key `name`, or `None` after a mistake: it must be the beginning of a
/// type's name.
pub(crate) fn upper_camel_base(name: &LitStr, report: &mut Report) -> Option<String> {
    let text = name.value();
    let is_name = text.starts_with(char::is_uppercase) && !text.contains('_') && syn::parse_str::<Ident>(&text).is_ok();
    if is_name {
        return Some(text);
    }
    report.at(
        name,
        format!(
            "`name` is the base of type names and must be UpperCamelCase, like \"ExportImage\"; found {}",
            name.token()
        ),
    );
    None
}
