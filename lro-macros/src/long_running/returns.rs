//! The declared return type: how the method gives its future, and where `RawOperation` stands in it.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::{ReturnType, Signature, Type};

/// How the method is asynchronous.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// `async fn -> Result<RawOperation>`
    Async,
    /// `fn -> impl Future<Output = Result<RawOperation>>`
    Future,
    /// `fn -> Pin<Box<dyn Future<Output = Result<RawOperation>>>>`, or an alias of it named `…BoxFuture`
    Boxed,
}

const WRITE: &str =
    "write `async fn … -> Result<RawOperation>` or `fn … -> impl Future<Output = Result<RawOperation>>`";

/// What the signature says, or what it must say.
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
    if sig.asyncness.is_some() {
        return Ok(Form::Async);
    }
    match &**output {
        Type::ImplTrait(_) => Ok(Form::Future),
        Type::Path(path) if path.path.segments.last().is_some_and(|last| is_boxed(&last.ident)) => Ok(Form::Boxed),
        _ => Err(syn::Error::new_spanned(sig.fn_token, format!("a long-running method is asynchronous: {WRITE}"))),
    }
}

fn is_boxed(ident: &Ident) -> bool {
    let name = ident.to_string();
    name == "Pin" || name.ends_with("BoxFuture")
}

fn count(tokens: TokenStream) -> usize {
    let of = |token| match token {
        TokenTree::Group(group) => count(group.stream()),
        TokenTree::Ident(ident) => usize::from(ident == "RawOperation"),
        _ => 0,
    };
    tokens.into_iter().map(of).sum()
}

/// Writes the typed operation in the place of `RawOperation` and of the path before it.
pub(crate) fn replace(tokens: TokenStream, operation: &TokenStream) -> TokenStream {
    let mut output: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if ident == "RawOperation" => {
                drop_path(&mut output);
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

/// Takes a trailing `a::b::` off the tokens.
fn drop_path(tokens: &mut Vec<TokenTree>) {
    let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    while colon(tokens.last()) && colon(tokens.get(tokens.len().wrapping_sub(2))) {
        tokens.truncate(tokens.len() - 2);
        if matches!(tokens.last(), Some(TokenTree::Ident(_))) {
            tokens.pop();
        }
    }
}

/// The error type of `Result<RawOperation, E>`, where it is written.
pub(crate) fn error(sig: &Signature) -> Option<&Type> {
    let ReturnType::Type(_, output) = &sig.output else { return None };
    let Type::Path(path) = &**output else { return None };
    let syn::PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.iter().nth(1)? {
        syn::GenericArgument::Type(Type::ImplTrait(_)) => None,
        syn::GenericArgument::Type(error) => Some(error),
        _ => None,
    }
}
