//! Writes the docs of generated items. They appear in the author's crate and have to pass the
//! author's lints.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::Operation;

/// Returns the docs of the alias.
pub(super) fn of_alias(operation: &Operation) -> TokenStream {
    let (method, state) = (link(operation), &operation.names.state);
    let first = format!("The operation that {method} starts. Its states are [`{state}`].");
    lines(&[&[first], &paragraph(operation)])
}

/// Returns the docs of the state enum.
pub(super) fn of_state(operation: &Operation) -> TokenStream {
    let (method, alias) = (link(operation), &operation.names.operation);
    let first = format!("The states of [`{alias}`], the operation that {method} starts.");
    lines(&[&[first], &paragraph(operation)])
}

/// Returns the docs of the resume function.
pub(super) fn of_resume(operation: &Operation) -> TokenStream {
    let (method, alias) = (link(operation), &operation.names.operation);
    let first = format!(
        "Resumes an operation that {method} started, from its name or token, as [`{alias}`]. Sends no request."
    );
    // No link: the runtime crate may have another name in the author's crate.
    let rest = [
        "",
        "Anyone may write a name. Text from outside the program, such as a part of a web request, is resumed as \
         `Resume::token_only(text)`, which refuses bare names, and only after the caller's right to the operation was \
         checked: a token is an address and proves nothing.",
        "",
        "# Errors",
        "",
        "If the name is malformed, or if the token belongs to another method.",
    ]
    .map(str::to_owned);
    lines(&[&[first], &rest])
}

/// Returns a link to the method. Its text is the type and the method, its target the whole path.
fn link(operation: &Operation) -> String {
    let path = &operation.link;
    let shown = path.rsplitn(3, "::").take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("::");
    format!("[`{shown}`](fn@{path})")
}

/// Returns the author's first paragraph as one more paragraph of ours.
fn paragraph(operation: &Operation) -> Vec<String> {
    let docs = &operation.docs;
    if docs.is_empty() { Vec::new() } else { [String::new()].iter().chain(docs).cloned().collect() }
}

/// Joins lines into one doc attribute.
fn lines(parts: &[&[String]]) -> TokenStream {
    let text: Vec<&str> = parts.iter().copied().flatten().map(String::as_str).collect();
    let text = text.join("\n");
    quote!(#[doc = #text])
}
