//! Writes the functions of a method, the typed method and its resume function, and the alias that
//! both return.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::{
    super::{
        generics,
        model::{Operation, Resume},
        returns::{self, Form},
        source::braces,
    },
    docs, located,
};

// Input:
//     #[doc = "Exports an image."]
//     pub async fn export_image(&self, request: &Request) -> Result<RawOperation> { body }
// Output:
//     #[doc = "Exports an image."]
//     pub async fn export_image(&self, request: &Request) -> Result<ExportImageOperation> {
//         ::lro_runtime::__private::start::<ExportImageState, Error, _>(async move { body }).await
//     }
//
// `Error` is written as `<Result<RawOperation> as ::lro_runtime::__private::Outcome>::Error`: the
// author's return type may be any alias of `Result`. The body is never parsed: its tokens move as
// they are, with the author's spans, so that rustc reports errors in it as if the macro were not
// there.
/// Returns the annotated method, which now returns the typed operation.
pub(super) fn started(operation: &Operation) -> TokenStream {
    let Operation { krate, names, generics, method, form, .. } = operation;
    let (attrs, vis, default, body) = (docs::of_method(operation), &method.vis, &method.default, &method.body);
    let (alias, state, parameters) = (&names.operation, &names.state, generics.split_for_impl().1);
    let sig = returns::replace(method.sig.to_token_stream(), &quote!(#alias #parameters));
    // A trait method without a body: its implementations start the operation, so that only the type
    // changes.
    if !method.has_body() {
        return quote!(#attrs #vis #default #sig #body);
    }
    let at = located(method.body.span());
    let body = braces(without_braces(body), at);
    let start = |error, future| quote_spanned!(at=> #krate::__private::start::<#state #parameters, #error, _>(#future));
    let body = match form {
        // The error type is named, or `?` and `.into()` in the body would have no type to convert
        // into.
        Form::Async => {
            let output = returns::output(&method.sig);
            let error = quote!(<#output as #krate::__private::Outcome>::Error);
            let start = start(error, quote_spanned!(at=> async move #body));
            quote_spanned!(at=> #start.await)
        }
        Form::Future => start(quote!(_), body.to_token_stream()),
        Form::Boxed => {
            let start = start(quote!(_), body.to_token_stream());
            quote_spanned!(at=> ::std::boxed::Box::pin(#start))
        }
    };
    let body = braces(body, method.body.span());
    quote!(#attrs #vis #default #sig #body)
}

/// Returns the tokens inside the braces, so that new braces can have another span.
fn without_braces(body: &TokenTree) -> TokenStream {
    match body {
        TokenTree::Group(group) => group.stream(),
        other => other.to_token_stream(),
    }
}

// Input: pub async fn export_image(&self, request: &Request) -> Result<RawOperation> { … } Output:
//     #[doc = "Resumes …"]
//     pub fn resume_export_image(&self, from: impl Into<Resume>) -> ::lro_runtime::Result<ExportImageOperation> {
//         ::lro_runtime::__private::resume::<ExportImageState>(&self.operations, from)
//     }
/// Returns the resume function, or no tokens after a mistake that leaves nothing to write.
pub(super) fn resume(operation: &Operation) -> TokenStream {
    let Operation { krate, names, generics, attrs, deprecated, method, .. } = operation;
    let (name, alias, state, parameters) = (&names.resume, &names.operation, &names.state, generics.split_for_impl().1);
    let Some(Resume { inputs, generics: own, operations, concrete }) = &operation.resume else {
        return TokenStream::new();
    };
    let (vis, (declared, _, clause)) = (&method.vis, own.split_for_impl());
    let docs = docs::of_resume(operation);
    // `mixed_site` hygiene: an argument of the author's that is also called `from` is another
    // variable.
    let from = Ident::new("from", Span::mixed_site());
    let token = quote!(#krate::Resume);
    // An `impl Trait` argument would make the method generic, which a trait's users may not want.
    let token = if *concrete { token } else { quote!(impl ::core::convert::Into<#token>) };
    quote_spanned! {located(names.resume.span())=>
        #(#attrs)* #(#deprecated)* #docs
        #[allow(dead_code)]
        #vis fn #name #declared(#(#inputs,)* #from: #token) -> #krate::Result<#alias #parameters> #clause {
            #krate::__private::resume::<#state #parameters>(#operations, #from)
        }
    }
}

// Output:
//     const GIVE_ONE_OF_TWO_ExportImageState_ANOTHER_BASE_WITH_THE_KEY_name: () = ();
//
// Two methods of two blocks in one module have one name: rustc alone can see it. It reports every
// generated item, and first of all this one, whose name says what to do.
/// Returns the constant that exists at most once beside the types of one name.
pub(super) fn once(operation: &Operation) -> TokenStream {
    let Operation { names, .. } = operation;
    let conditions = operation.conditions();
    let name = format_ident!("GIVE_ONE_OF_TWO_{}_ANOTHER_BASE_WITH_THE_KEY_name", names.state);
    quote_spanned! {located(names.state.span())=>
        #(#conditions)*
        #[doc(hidden)]
        #[allow(dead_code, non_upper_case_globals)]
        const #name: () = ();
    }
}

// Output:
//     #[doc = "The operation that …"]
//     pub type ExportImageOperation = ::lro_runtime::Operation<ExportImageState>;
/// Returns the alias of the operation's type.
pub(super) fn alias(operation: &Operation) -> TokenStream {
    let Operation { krate, names, vis, attrs, generics, .. } = operation;
    let (name, state, declared) = (&names.operation, &names.state, generics::unbounded(generics));
    let (_, parameters, _) = generics.split_for_impl();
    let docs = docs::of_alias(operation);
    quote_spanned! {located(names.operation.span())=>
        #(#attrs)* #docs
        #[allow(dead_code)]
        #vis type #name #declared = #krate::Operation<#state #parameters>;
    }
}

// Input: fn export_image(&self) -> impl Future<Output = Result<RawOperation>> { … } Output: const
// _: ::core::marker::PhantomData<RawOperation> = ::core::marker::PhantomData;
//
// The expansion replaces `RawOperation` in such a signature. Without another mention, rustc would
// call the author's `use lro_runtime::RawOperation` unused. The body of an `async fn` keeps a
// mention: see `started`.
/// Returns a use of `RawOperation`, if the expansion has removed the author's last one.
pub(super) fn use_of_raw_operation(operation: &Operation) -> TokenStream {
    let Operation { method, form, .. } = operation;
    if *form == Form::Async && method.has_body() {
        return TokenStream::new();
    }
    let conditions = operation.conditions();
    let raw = returns::raw(method.sig.output.to_token_stream());
    quote!(#(#conditions)* const _: ::core::marker::PhantomData<#raw> = ::core::marker::PhantomData;)
}
