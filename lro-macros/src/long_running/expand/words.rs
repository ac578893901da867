//! Documentation of generated items, in the author's crate and under the author's lints.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::Operation;

pub(super) fn of_alias(operation: &Operation) -> TokenStream {
    let (method, state) = (link(operation), &operation.names.state);
    let first = format!("The operation that {method} starts. Its states are [`{state}`].");
    lines(&[&[first], &paragraph(operation)])
}

pub(super) fn of_state(operation: &Operation) -> TokenStream {
    let (method, alias) = (link(operation), &operation.names.operation);
    let first = format!("The states of [`{alias}`], the operation that {method} starts.");
    lines(&[&[first], &paragraph(operation)])
}

pub(super) fn of_resume(operation: &Operation) -> TokenStream {
    let (method, alias) = (link(operation), &operation.names.operation);
    let first = format!(
        "Resumes an operation that {method} started, from its name or its token, as [`{alias}`]. Sends nothing."
    );
    let errors =
        ["", "# Errors", "", "If the name is malformed, or the token is not of this method."].map(str::to_owned);
    lines(&[&[first], &errors])
}

/// A link to the method, shown with no more of its path than the type.
fn link(operation: &Operation) -> String {
    let path = &operation.link;
    let shown = path.rsplitn(3, "::").take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("::");
    format!("[`{shown}`](fn@{path})")
}

fn paragraph(operation: &Operation) -> Vec<String> {
    let docs = &operation.docs;
    if docs.is_empty() { Vec::new() } else { [String::new()].iter().chain(docs).cloned().collect() }
}

fn lines(parts: &[&[String]]) -> TokenStream {
    let text: Vec<&str> = parts.iter().copied().flatten().map(String::as_str).collect();
    let text = text.join("\n");
    quote!(#[doc = #text])
}
