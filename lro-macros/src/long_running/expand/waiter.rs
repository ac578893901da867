//! Writes a declared waiter as the expression of a constant, of the runtime's type `Waiter`.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::waiter::{Acceptor, Comparator, Matcher, Meaning, Named, PollCall, Waiter};

// Input: waiter(success(error = "NotFound")) Output:
// ::lro_runtime::dialect::Waiter::start_url().acceptors(&[
// ::lro_runtime::dialect::Acceptor::new(Meaning::Success, Matcher::ErrorType("NotFound")), // paths
// in full ])
/// Returns the expression of a waiter.
pub(super) fn waiter(krate: &TokenStream, waiter: &Waiter) -> TokenStream {
    let Waiter { poll, headers, name_at, response_at, acceptors, named } = waiter;
    let poll = match poll {
        PollCall::StartUrl => quote!(start_url()),
        PollCall::Get(path) => quote!(get(#path)),
        PollCall::Post(path, body) => quote!(post(#path, #body)),
    };
    let pairs = headers.iter().map(|(name, value)| quote!((#name, #value)));
    let headers = (!headers.is_empty()).then(|| quote!(.headers(&[#(#pairs),*])));
    let name_at = name_at.iter().map(|path| quote!(.name_at(#path)));
    let response_at = response_at.iter().map(|path| quote!(.response_at(#path)));
    let acceptors = acceptors.iter().map(|one| acceptor(krate, one));
    let named = named.as_ref().map(|Named { items, id, most }| quote!(.named(#items, #id, #most)));
    quote! {
        #krate::dialect::Waiter::#poll #headers #(#name_at)* #(#response_at)* .acceptors(&[#(#acceptors),*]) #named
    }
}

// Input: success(output = "state", is = "READY") Output: Acceptor::new(Meaning::Success,
// Matcher::Output("state", Comparator::Is("READY"))) // paths in full
/// Returns the expression of one acceptor.
fn acceptor(krate: &TokenStream, acceptor: &Acceptor) -> TokenStream {
    let meaning = match acceptor.meaning {
        Meaning::Success => quote!(Success),
        Meaning::Failure => quote!(Failure),
        Meaning::Retry => quote!(Retry),
    };
    let matcher = match &acceptor.matcher {
        Matcher::Output(path, comparator) => {
            let comparator = match comparator {
                Comparator::Is(word) => quote!(Is(#word)),
                Comparator::IsTrue(flag) => quote!(IsTrue(#flag)),
                Comparator::All(word) => quote!(All(#word)),
                Comparator::Any(word) => quote!(Any(#word)),
            };
            quote!(Output(#path, #krate::dialect::Comparator::#comparator))
        }
        Matcher::Success(flag) => quote!(Success(#flag)),
        Matcher::Error(error) => quote!(ErrorType(#error)),
    };
    quote!(#krate::dialect::Acceptor::new(#krate::dialect::Meaning::#meaning, #krate::dialect::Matcher::#matcher))
}
