//! Reads the declared return type: how the method returns its future, and where `RawOperation`
//! stands in it.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::{ReturnType, Signature, Type};

/// How the method is asynchronous.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// `async fn -> Result<RawOperation>`
    Async,
    /// `fn -> impl Future<Output = Result<RawOperation>>`
    Future,
    /// `fn -> Pin<Box<dyn Future<Output = Result<RawOperation>>>>`, or an alias of it named
    /// `…BoxFuture`
    Boxed,
}

const WRITE: &str =
    "write `async fn … -> Result<RawOperation>` or `fn … -> impl Future<Output = Result<RawOperation>>`";

/// Returns the form of the signature. The error says what the author has to write.
pub(crate) fn form(sig: &Signature) -> syn::Result<Form> {
    let ReturnType::Type(_, output) = &sig.output else {
        return Err(syn::Error::new_spanned(
            &sig.ident,
            format!("a long-running method returns its first snapshot: {WRITE}"),
        ));
    };
    if count(quote::quote!(#output)) != 1 {
        let message = format!("the return type must name `RawOperation` once, where the typed operation goes: {WRITE}");
        return Err(syn::Error::new_spanned(output, message));
    }
    match &**output {
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "RawOperation") => {
            Err(syn::Error::new_spanned(
                output,
                format!("a start call can fail, so the method must return a `Result`: {WRITE}"),
            ))
        }
        _ if sig.asyncness.is_some() => Ok(Form::Async),
        Type::ImplTrait(_) => Ok(Form::Future),
        Type::Path(path) if path.path.segments.last().is_some_and(|last| is_boxed(&last.ident)) => Ok(Form::Boxed),
        _ => Err(syn::Error::new_spanned(sig.fn_token, format!("a long-running method is asynchronous: {WRITE}"))),
    }
}

/// Whether this is `Pin`, or the name of an alias of a boxed future. A macro cannot look behind an
/// alias.
fn is_boxed(ident: &Ident) -> bool {
    let name = ident.to_string();
    name == "Pin" || name.ends_with("BoxFuture")
}

/// Counts the mentions of `RawOperation`, at any depth.
fn count(tokens: TokenStream) -> usize {
    let of = |token| match token {
        TokenTree::Group(group) => count(group.stream()),
        TokenTree::Ident(ident) => usize::from(ident == "RawOperation"),
        _ => 0,
    };
    tokens.into_iter().map(of).sum()
}

// Input: Result<lro_runtime::RawOperation, MyError> Output: Result<ExportImageOperation, MyError>
//
// Tokens and not `syn` types: `RawOperation` may be inside any type, also in an alias's arguments
// or a `dyn Future`.
/// Replaces `RawOperation`, and the path before it, with the typed operation.
pub(crate) fn replace(tokens: TokenStream, operation: &TokenStream) -> TokenStream {
    let mut output: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if ident == "RawOperation" => {
                output.truncate(path_start(&output));
                output.extend(operation.clone());
            }
            TokenTree::Group(group) => {
                let mut replaced = Group::new(group.delimiter(), replace(group.stream(), operation));
                replaced.set_span(group.span());
                output.push(replaced.into());
            }
            other => output.push(other),
        }
    }
    output.into_iter().collect()
}

/// Returns `RawOperation` with the path before it, as the author wrote it.
pub(crate) fn raw(tokens: TokenStream) -> Option<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if ident == "RawOperation" => {
                let before = tokens.get(..at)?;
                return tokens.get(path_start(before)..=at).map(|path| path.iter().cloned().collect());
            }
            TokenTree::Group(group) => match raw(group.stream()) {
                None => {}
                found => return found,
            },
            _ => {}
        }
    }
    None
}

/// Returns the index at which a trailing `a::b::` begins.
fn path_start(tokens: &[TokenTree]) -> usize {
    let colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    match tokens {
        [before @ .., TokenTree::Ident(_), a, b] if colon(a) && colon(b) => path_start(before),
        [before @ .., a, b] if colon(a) && colon(b) => before.len(),
        all => all.len(),
    }
}

/// Returns the declared return type, or `None` if the signature has none.
pub(crate) fn output(sig: &Signature) -> Option<&Type> {
    match &sig.output {
        ReturnType::Type(_, output) => Some(output),
        ReturnType::Default => None,
    }
}
