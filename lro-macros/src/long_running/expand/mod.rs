//! Tokens from the model. Nothing here can fail.
//!
//! As little as possible is emitted per method: an alias and no struct, no derives, and every function body a call into
//! the runtime or one `match`; `#[inline]` leaves its machine code to the programs that use it.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use super::{
    model::{Entry, Model},
    source::braces,
};
use crate::report::Report;

mod constant;
mod functions;
mod state;
mod waiter;
mod words;

/// The item as the author wrote it but for the annotated methods; then what they bring along; then the mistakes.
pub(crate) fn tokens(model: Model, report: Report) -> TokenStream {
    let mistakes = report.into_tokens();
    match model {
        Model::Other(item) => quote!(#item #mistakes),
        Model::Function(entry) => {
            let [function, resume, items] = [written(&entry), resumed(&entry), beside(&entry)];
            quote!(#function #resume #items #mistakes)
        }
        Model::Block { head, entries, brace } => {
            let inside = entries.iter().flat_map(|entry| [written(entry), resumed(entry)]).collect();
            let body = braces(inside, brace);
            let items = entries.iter().map(beside);
            quote!(#head #body #(#items)* #mistakes)
        }
    }
}

fn written(entry: &Entry) -> TokenStream {
    match entry {
        Entry::Verbatim(tokens) => tokens.clone(),
        Entry::Operation(operation) => functions::started(operation),
    }
}

fn resumed(entry: &Entry) -> TokenStream {
    match entry {
        Entry::Verbatim(_) => TokenStream::new(),
        Entry::Operation(operation) => functions::resume(operation),
    }
}

/// What one method brings along, in order.
fn beside(entry: &Entry) -> TokenStream {
    let Entry::Operation(operation) = entry else { return TokenStream::new() };
    if !operation.has_types {
        return functions::mention(operation);
    }
    let items =
        [functions::alias, state::state, state::operation_state, state::debug, state::capabilities, functions::mention];
    items.into_iter().map(|item| item(operation)).collect()
}

/// The place of the author's tokens, with the marks of generated ones: lints about what a person writes pass them by.
fn located(span: Span) -> Span {
    Span::call_site().located_at(span)
}
