//! Types and names that an operation can have.

use proc_macro2::{Ident, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{LitStr, Type, ext::IdentExt};

use super::{args::Args, source::Method};
use crate::report::Report;

/// The type given for `response` or `metadata`, if an operation can keep a value of it; `()` after a mistake.
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

/// The attribute of a method, or its name where the attribute is not ours to see.
pub(crate) fn place(method: &Method) -> TokenStream {
    if method.marker.is_empty() { method.sig.ident.to_token_stream() } else { method.marker.clone() }
}

/// The first token that no kept type can have.
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
            quote if is_quote(quote) => {
                let name = tokens.next();
                if !matches!(&name, Some(TokenTree::Ident(ident)) if ident == "static") {
                    return Some((quote!(#token #name), BORROWED));
                }
            }
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

/// The `'` of a lifetime.
fn is_quote(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '\'' && punct.spacing() == Spacing::Joint)
}

/// The path of a block's type without generics: `ImageClient`, `super::ImageClient`.
pub(crate) fn path(this: &Type) -> String {
    match this {
        Type::Path(path) => {
            let segments: Vec<String> =
                path.path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
            segments.join("::")
        }
        Type::Group(group) => self::path(&group.elem),
        Type::Paren(paren) => self::path(&paren.elem),
        _ => String::new(),
    }
}

/// `export_image` → `ExportImage`, `r#move` → `Move`.
pub(crate) fn upper_camel(method: &Ident) -> String {
    let name = method.unraw().to_string();
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    name.split('_').map(capital).collect()
}

/// The value of `name`, if types can be named after it.
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
