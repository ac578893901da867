//! Writes the docs of generated items. They appear in the author's crate and have to pass the
//! author's lints.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

use super::super::{inherited, model::Operation};

/// Returns the author's attributes of the method, among them docs that say what it returns now, and
/// when it fails if the author does not.
///
/// A method without docs stays without: the author's lints find it.
pub(super) fn of_method(operation: &Operation) -> TokenStream {
    let (attrs, alias) = (&operation.method.attrs, &operation.names.operation);
    let Some((before, after)) = inherited::end_of_first_paragraph(attrs).and_then(|at| attrs.split_at_checked(at))
    else {
        return quote!(#(#attrs)*);
    };
    let response = shown(operation.response.to_token_stream());
    // No link: a public method may be in a private module. The signature links to it anyway.
    let returns = format!(
        "Returns at once, with an `{alias}`. To wait until the operation has ended and get `{response}`, `.await` that."
    );
    // An author who says more of errors has a section of that name. It stands where the author's
    // code does: clippy does not read docs of a macro, and would miss the section.
    let span = operation.method.sig.ident.span();
    let errors = (!inherited::has_section(attrs, "Errors"))
        .then(|| quote_spanned!(span=> #[doc = "\n# Errors\n\nIf the operation could not be started."]));
    quote!(#(#before)* #[doc = ""] #[doc = #returns] #(#after)* #errors)
}

/// Returns the docs of the alias.
pub(super) fn of_alias(operation: &Operation) -> TokenStream {
    let (method, state) = (link(operation), &operation.names.state);
    let response = shown(operation.response.to_token_stream());
    let first = format!("The operation that {method} starts. Its states are [`{state}`]; `.await` gives `{response}`.");
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

/// Returns a type as an author writes it, which the text of its tokens is not: `Vec < u8 >`.
fn shown(tokens: TokenStream) -> String {
    let mut text = String::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.extend([open, &shown(group.stream()), close]);
            }
            TokenTree::Punct(mark) if matches!(mark.as_char(), ',' | ';') => text.extend([mark.as_char(), ' ']),
            TokenTree::Punct(mark) if matches!(mark.as_char(), '+' | '=') => text.extend([' ', mark.as_char(), ' ']),
            TokenTree::Punct(mark) => text.push(mark.as_char()),
            word => {
                let follows_word = text.ends_with(|last: char| last.is_alphanumeric() || last == '_');
                let gap = if follows_word { " " } else { "" };
                text.extend([gap, &word.to_string()]);
            }
        }
    }
    text.trim_end().to_owned()
}
