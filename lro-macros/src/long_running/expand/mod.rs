//! Writes the tokens of the model. Nothing here can fail.
//!
//! Each method adds as little code as possible to an SDK: an alias instead of a struct, no derives,
//! and function bodies that are one call into the runtime or one `match`. `#[inline]` delays their
//! machine code to the programs that use them.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use super::{
    model::{Entry, Model},
    source::braces,
};
use crate::report::Report;

mod constant;
mod docs;
mod functions;
mod state;
mod waiter;

// Input:
//     #[long_running]
//     impl ImageClient { #[long_running(…)] pub async fn export_image(&self) -> Result<RawOperation> { … } }
// Output: impl ImageClient { pub async fn export_image(…) … pub fn resume_export_image(…) … } pub
// type ExportImageOperation = …; pub enum ExportImageState { … } impl OperationState for
// ExportImageState { … } // and more, see `items` compile_error!(…); // one per mistake
//
// The author's item comes first, and is emitted after a mistake too: without it, every use of the
// type or the method would be an error as well, and an editor could not map the author's source to
// the expansion.
/// Returns the author's item with its methods changed, the items generated next to it, and the
/// mistakes.
pub(crate) fn tokens(model: Model, report: Report) -> TokenStream {
    let mistakes = report.into_tokens();
    match model {
        Model::Other(item) => quote!(#item #mistakes),
        Model::Function(entry) => {
            let [function, resume, items] = [written(&entry), resumed(&entry), items(&entry)];
            quote!(#function #resume #items #mistakes)
        }
        Model::Block { head, entries, brace } => {
            let inside = entries.iter().flat_map(|entry| [written(entry), resumed(entry)]).collect();
            let body = braces(inside, brace);
            let items = entries.iter().map(items);
            quote!(#head #body #(#items)* #mistakes)
        }
    }
}

/// Returns what stands in the place of a member: the member itself, or the typed method.
fn written(entry: &Entry) -> TokenStream {
    match entry {
        Entry::Verbatim(tokens) => tokens.clone(),
        Entry::Operation(operation) => functions::started(operation),
    }
}

/// Returns the resume function of a method, which stands right after it.
fn resumed(entry: &Entry) -> TokenStream {
    match entry {
        Entry::Verbatim(_) => TokenStream::new(),
        Entry::Operation(operation) => functions::resume(operation),
    }
}

/// Returns the items that one method adds next to its block, in their order.
fn items(entry: &Entry) -> TokenStream {
    let Entry::Operation(operation) = entry else { return TokenStream::new() };
    // Another method has types of these names. A second definition would be one more error, of
    // rustc's.
    if !operation.has_types {
        return functions::use_of_raw_operation(operation);
    }
    let items = [
        functions::once,
        functions::alias,
        state::state,
        state::operation_state,
        state::variants,
        state::conditional,
        state::capabilities,
        functions::use_of_raw_operation,
    ];
    items.into_iter().map(|item| item(operation)).collect()
}

/// Returns a span at the place of the author's tokens, but with the hygiene of generated ones.
///
/// Errors then point at the author's code. Lints about hand-written code skip the tokens, because
/// rustc and clippy see that they come from a macro.
fn located(span: Span) -> Span {
    Span::call_site().located_at(span)
}
