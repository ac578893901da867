//! Tokens from the model. Nothing here can fail.
//!
//! As little as possible is emitted per method: an alias and no struct, no derives, and every function body a call into
//! the runtime or one `match`; `#[inline]` leaves its machine code to the programs that use it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::args::Shape;
use super::generics;
use super::model::{Entry, Model, Operation, Resume};
use super::report::Report;
use super::returns::{self, Form};
use super::source::braces;

mod method;
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
        Entry::Operation(operation) => started(operation),
    }
}

fn resumed(entry: &Entry) -> TokenStream {
    match entry {
        Entry::Verbatim(_) => TokenStream::new(),
        Entry::Operation(operation) => resume(operation),
    }
}

/// What one method brings along, in order.
fn beside(entry: &Entry) -> TokenStream {
    let Entry::Operation(operation) = entry else { return TokenStream::new() };
    if !operation.has_types {
        return mention(operation);
    }
    let items = [alias, state, operation_state, debug, capabilities, mention];
    items.into_iter().map(|item| item(operation)).collect()
}

// Input:
//     #[doc = "Exports an image."]
//     pub async fn export_image(&self, request: &Request) -> Result<RawOperation> { body }
// Output:
//     #[doc = "Exports an image."]
//     pub async fn export_image(&self, request: &Request) -> Result<ExportImageOperation> {
//         ::lro_runtime::__private::start::<ExportImageState, _, _>(async move { body }).await
//     }
fn started(operation: &Operation) -> TokenStream {
    let Operation { krate, names, generics, method, form, .. } = operation;
    let (attrs, vis, default, body) = (&method.attrs, &method.vis, &method.default, &method.body);
    let (alias, state, parameters) = (&names.operation, &names.state, generics.split_for_impl().1);
    let sig = returns::replace(method.sig.to_token_stream(), &quote!(#alias #parameters));
    if !method.has_body() {
        return quote!(#(#attrs)* #vis #default #sig #body);
    }
    let at = located(method.body.span());
    let body = braces(without_braces(body), at);
    let start = |error, future| quote_spanned!(at=> #krate::__private::start::<#state #parameters, #error, _>(#future));
    let body = match form {
        // The error type, so that `?` and `.into()` in the body have something to convert into.
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
    quote!(#(#attrs)* #vis #default #sig #body)
}

/// The place of the author's tokens, with the marks of generated ones: lints about what a person writes pass them by.
fn located(span: Span) -> Span {
    Span::call_site().located_at(span)
}

fn without_braces(body: &TokenTree) -> TokenStream {
    match body {
        TokenTree::Group(group) => group.stream(),
        other => other.to_token_stream(),
    }
}

// Output:
//     #[doc = "Resumes …"]
//     pub fn resume_export_image(&self, from: impl Into<Resume>) -> ::lro_runtime::Result<ExportImageOperation> {
//         ::lro_runtime::__private::resume::<ExportImageState>(&self.operations, from)
//     }
fn resume(operation: &Operation) -> TokenStream {
    let Operation { krate, names, generics, attrs, deprecated, method, .. } = operation;
    let (name, alias, state, parameters) = (&names.resume, &names.operation, &names.state, generics.split_for_impl().1);
    let Some(Resume { inputs, generics: own, operations, concrete }) = &operation.resume else {
        return TokenStream::new();
    };
    let (vis, (declared, _, clause)) = (&method.vis, own.split_for_impl());
    let docs = words::of_resume(operation);
    // An argument of the author's may have the same name.
    let from = Ident::new("from", Span::mixed_site());
    let token = quote!(#krate::Resume);
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
//     #[doc = "The operation that …"]
//     pub type ExportImageOperation = ::lro_runtime::Operation<ExportImageState>;
fn alias(operation: &Operation) -> TokenStream {
    let Operation { krate, names, vis, attrs, generics, .. } = operation;
    let (name, state, declared) = (&names.operation, &names.state, generics::unbounded(generics));
    let (_, parameters, _) = generics.split_for_impl();
    let docs = words::of_alias(operation);
    quote_spanned! {located(names.operation.span())=>
        #(#attrs)* #docs
        #[allow(dead_code)]
        #vis type #name #declared = #krate::Operation<#state #parameters>;
    }
}

// Output:
//     #[doc = "State of …"]
//     pub enum ExportImageState { Pending, Running { metadata: Option<ExportProgress> }, … }
fn state(operation: &Operation) -> TokenStream {
    let Operation { krate, names, vis, attrs, generics, response, metadata, .. } = operation;
    let (name, (declared, _, clause)) = (&names.state, generics.split_for_impl());
    let docs = words::of_state(operation);
    let progress = quote! {
        /// The progress last reported, if any.
        metadata: ::core::option::Option<#metadata>
    };
    let status = quote! {
        /// Why: code, message and details.
        status: #krate::Status
    };
    quote_spanned! {located(names.state.span())=>
        #(#attrs)* #docs
        #[allow(dead_code)]
        #vis enum #name #declared #clause {
            /// Accepted; the work has not begun.
            Pending,
            /// The work goes on.
            Running { #progress },
            /// The work is done.
            Succeeded {
                /// What the work gave.
                response: #response,
                #progress
            },
            /// The work came to nothing.
            Failed { #status, #progress },
            /// The work was cancelled before it was done.
            Cancelled { #status, #progress },
        }
    }
}

// Output:
//     impl ::lro_runtime::OperationState for ExportImageState { … }
fn operation_state(operation: &Operation) -> TokenStream {
    let Operation { krate, names, attrs, kept, response, metadata, settings, .. } = operation;
    let (name, (declared, parameters, clause)) = (&names.state, kept.split_for_impl());
    let conditions = attrs.iter().filter(|attr| !attr.path().is_ident("doc"));
    let method = method::constant(operation);
    let decode = |ty: &syn::Type| match settings.shape {
        Shape::Proto => quote_spanned!(ty.span()=> #krate::__private::proto::<#ty>(payload)),
        Shape::Json | Shape::Wire(_) => quote_spanned!(ty.span()=> #krate::__private::json::<#ty>(payload)),
    };
    let (decode_response, decode_metadata) = (decode(response), decode(metadata));
    quote_spanned! {located(names.state.span())=>
        #(#conditions)*
        #[automatically_derived]
        impl #declared #krate::OperationState for #name #parameters #clause {
            type Response = #response;
            type Metadata = #metadata;
            const METHOD: &'static #krate::Method = &#method;
            #[inline]
            fn from_parts(parts: #krate::StateParts<#response, #metadata>) -> Self {
                match parts {
                    #krate::StateParts::Pending => Self::Pending,
                    #krate::StateParts::Running { metadata } => Self::Running { metadata },
                    #krate::StateParts::Succeeded { response, metadata } => Self::Succeeded { response, metadata },
                    #krate::StateParts::Failed { status, metadata } => Self::Failed { status, metadata },
                    #krate::StateParts::Cancelled { status, metadata } => Self::Cancelled { status, metadata },
                }
            }
            #[inline]
            fn response(&self) -> ::core::option::Option<&#response> {
                match self {
                    Self::Succeeded { response, .. } => ::core::option::Option::Some(response),
                    _ => ::core::option::Option::None,
                }
            }
            #[inline]
            fn metadata(&self) -> ::core::option::Option<&#metadata> {
                match self {
                    Self::Pending => ::core::option::Option::None,
                    Self::Running { metadata }
                    | Self::Succeeded { metadata, .. }
                    | Self::Failed { metadata, .. }
                    | Self::Cancelled { metadata, .. } => metadata.as_ref(),
                }
            }
            #[inline]
            fn decode_response(payload: #krate::Payload<'_>) -> #krate::Result<#response> {
                #decode_response
            }
            #[inline]
            fn decode_metadata(payload: #krate::Payload<'_>) -> #krate::Result<#metadata> {
                #decode_metadata
            }
        }
    }
}

// Output:
//     impl Debug for ExportImageState where for<'a> &'a ExportedImage: Debug, for<'a> &'a ExportProgress: Debug { … }
//
// The bounds are on references of any lifetime because rustc rejects a bound without parameters that does not hold, and
// the author's types need not be `Debug`. It is then as if the implementation were not there.
fn debug(operation: &Operation) -> TokenStream {
    let Operation { krate, names, attrs, kept, response, metadata, .. } = operation;
    let mut generics = kept.clone();
    for ty in [response, metadata] {
        generics.make_where_clause().predicates.push(syn::parse_quote!(for<'lro> &'lro #ty: ::core::fmt::Debug));
    }
    let (name, (declared, parameters, clause)) = (&names.state, generics.split_for_impl());
    let conditions = attrs.iter().filter(|attr| !attr.path().is_ident("doc"));
    quote_spanned! {located(name.span())=>
        #(#conditions)*
        #[automatically_derived]
        impl #declared ::core::fmt::Debug for #name #parameters #clause {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(
                    &match self {
                        Self::Pending => #krate::StateParts::Pending,
                        Self::Running { metadata } => #krate::StateParts::Running { metadata: metadata.as_ref() },
                        Self::Succeeded { response, metadata } => {
                            #krate::StateParts::Succeeded { response, metadata: metadata.as_ref() }
                        }
                        Self::Failed { status, metadata } => {
                            #krate::StateParts::Failed { status: ::core::clone::Clone::clone(status), metadata: metadata.as_ref() }
                        }
                        Self::Cancelled { status, metadata } => {
                            #krate::StateParts::Cancelled { status: ::core::clone::Clone::clone(status), metadata: metadata.as_ref() }
                        }
                    },
                    f,
                )
            }
        }
    }
}

// Output, with `cancel`:
//     impl ::lro_runtime::Cancellable for ExportImageState {}
fn capabilities(operation: &Operation) -> TokenStream {
    let Operation { krate, names, attrs, kept, settings, .. } = operation;
    let (name, (declared, parameters, clause)) = (&names.state, kept.split_for_impl());
    let conditions: Vec<_> = attrs.iter().filter(|attr| !attr.path().is_ident("doc")).collect();
    let capability = |declares: bool, capability: TokenStream| {
        declares.then(|| quote_spanned!(located(name.span())=> #(#conditions)* impl #declared #krate::#capability for #name #parameters #clause {}))
    };
    let cancel = capability(settings.cancel, quote!(Cancellable));
    let delete = capability(settings.delete, quote!(Deletable));
    quote!(#cancel #delete)
}

// Output, where no body mentions it any more:
//     const _: ::core::marker::PhantomData<RawOperation> = ::core::marker::PhantomData;
//
// so that the author's `use lro_runtime::RawOperation` is used.
fn mention(operation: &Operation) -> TokenStream {
    let Operation { attrs, method, form, .. } = operation;
    if *form == Form::Async && method.has_body() {
        return TokenStream::new();
    }
    let conditions = attrs.iter().filter(|attr| !attr.path().is_ident("doc"));
    let raw = returns::raw(method.sig.output.to_token_stream());
    quote!(#(#conditions)* const _: ::core::marker::PhantomData<#raw> = ::core::marker::PhantomData;)
}
