//! Writes the state enum of a method, and the implementations by which the runtime fills and reads
//! it.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    super::{args::Shape, model::Operation},
    constant, docs, located,
};

// Input:
//     #[long_running(response = ExportedImage, metadata = ExportProgress)]
// Output:
//     #[doc = "The states of …"]
//     pub enum ExportImageState { Pending, Running { metadata: Option<ExportProgress> }, … }
/// Returns the state enum.
pub(super) fn state(operation: &Operation) -> TokenStream {
    let Operation { krate, names, vis, attrs, generics, response, metadata, .. } = operation;
    let (name, (declared, _, clause)) = (&names.state, generics.split_for_impl());
    let docs = docs::of_state(operation);
    let progress = quote! {
        /// The last known metadata, if any.
        metadata: ::core::option::Option<#metadata>
    };
    let status = quote! {
        /// Why the operation failed or was cancelled: code, message and details.
        status: #krate::Status
    };
    quote_spanned! {located(names.state.span())=>
        #(#attrs)* #docs
        #[allow(dead_code)]
        #vis enum #name #declared #clause {
            /// The service has accepted the operation; the work has not begun.
            Pending,
            /// The work is in progress.
            Running { #progress },
            /// The operation has succeeded.
            Succeeded {
                /// The result of the operation.
                response: #response,
                #progress
            },
            /// The operation has failed.
            Failed { #status, #progress },
            /// The work was cancelled before it was done.
            Cancelled { #status, #progress },
        }
    }
}

// Output:
//     impl ::lro_runtime::OperationState for ExportImageState { … }
/// Returns the implementation by which the runtime builds the enum, reads it and decodes payloads.
pub(super) fn operation_state(operation: &Operation) -> TokenStream {
    let Operation { krate, names, kept, response, metadata, settings, .. } = operation;
    let (name, (declared, parameters, clause)) = (&names.state, kept.split_for_impl());
    let conditions = operation.conditions();
    let method = constant::constant(operation);
    // Spanned at the author's type: "cannot be read from JSON" then points at the type in the
    // attribute.
    let decode = |ty: &syn::Type| match settings.shape {
        Shape::Proto => quote_spanned!(ty.span()=> #krate::__private::proto::<#ty>(payload)),
        Shape::Json | Shape::Wire(_) | Shape::Dialect(_) | Shape::Waiter(_) => {
            quote_spanned!(ty.span()=> #krate::__private::json::<#ty>(payload))
        }
    };
    let (decode_response, decode_metadata) = (decode(response), decode(metadata));
    // Likewise of "private type in public interface".
    let response_type = quote_spanned!(located(response.span())=> type Response = #response;);
    let metadata_type = quote_spanned!(located(metadata.span())=> type Metadata = #metadata;);
    quote_spanned! {located(names.state.span())=>
        #(#conditions)*
        #[automatically_derived]
        impl #declared #krate::OperationState for #name #parameters #clause {
            #response_type
            #metadata_type
            const METHOD: &'static #krate::Method = &#method;
            #[inline]
            fn from_parts(parts: #krate::StateParts<#response, #metadata>) -> Self {
                #krate::__private::Variants::from_parts(parts)
            }
            #[inline]
            fn response(&self) -> ::core::option::Option<&#response> {
                match self {
                    Self::Succeeded { response, .. } => ::core::option::Option::Some(response),
                    _ => ::core::option::Option::None,
                }
            }
            #[inline]
            fn into_response(self) -> ::core::option::Option<#response> {
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
//     impl ::lro_runtime::__private::Variants<ExportedImage, ExportProgress> for ExportImageState { … }
/// Returns the implementation that turns variants into parts and back.
pub(super) fn variants(operation: &Operation) -> TokenStream {
    let Operation { krate, names, kept, response, metadata, .. } = operation;
    let (name, (declared, parameters, clause)) = (&names.state, kept.split_for_impl());
    let conditions = operation.conditions();
    quote_spanned! {located(name.span())=>
        #(#conditions)*
        #[automatically_derived]
        impl #declared #krate::__private::Variants<#response, #metadata> for #name #parameters #clause {
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
            fn parts(&self) -> #krate::StateParts<&#response, &#metadata> {
                match self {
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
                }
            }
        }
    }
}

// Output:
//     impl Clone for ExportImageState where for<'a> ExportedImage: ClonePart<'a>, … { … }
//     impl PartialEq for ExportImageState where for<'a> &'a ExportedImage: PartialEq, … { … }
//     impl Debug for ExportImageState where for<'a> &'a ExportedImage: Debug, … { … }
//
// The author's types need not be `Debug`; the enum then has no `Debug` either. So with the other
// two. rustc rejects a bound `Image: Debug` that does not hold, because it has no parameter. A
// bound with `for<'a>` has one, so rustc only leaves the implementation out.
/// Returns the implementations that the enum has where both types have them.
pub(super) fn conditional(operation: &Operation) -> TokenStream {
    let Operation { krate, names, .. } = operation;
    let name = &names.state;
    let reference: fn(&syn::Type) -> TokenStream = |ty| quote!(&'lro #ty);
    let value: fn(&syn::Type) -> TokenStream = |ty| quote!(#ty);
    let parts = quote!(#krate::__private::Variants::parts);
    let cloned = quote! {
        #[inline]
        fn clone(&self) -> Self {
            #krate::__private::Variants::from_parts(#krate::__private::cloned(#parts(self)))
        }
    };
    let eq = quote! {
        #[inline]
        fn eq(&self, other: &Self) -> bool {
            #parts(self) == #parts(other)
        }
    };
    let fmt = quote! {
        #[inline]
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Debug::fmt(&#parts(self), f)
        }
    };
    let implementations = [
        (quote!(::core::clone::Clone), value, quote!(#krate::__private::ClonePart<'lro>), cloned),
        (quote!(::core::cmp::PartialEq), reference, quote!(::core::cmp::PartialEq), eq),
        (quote!(::core::fmt::Debug), reference, quote!(::core::fmt::Debug), fmt),
    ];
    let written = implementations.map(|(implemented, of, bound, function)| {
        let Operation { kept, response, metadata, .. } = operation;
        let mut generics = kept.clone();
        for ty in [response, metadata].map(of) {
            generics.make_where_clause().predicates.push(syn::parse_quote!(for<'lro> #ty: #bound));
        }
        let (declared, parameters, clause) = generics.split_for_impl();
        let conditions = operation.conditions();
        quote_spanned! {located(name.span())=>
            #(#conditions)*
            #[automatically_derived]
            impl #declared #implemented for #name #parameters #clause { #function }
        }
    });
    written.into_iter().collect()
}

// Input:
//     #[long_running(…, cancel)]
// Output:
//     impl ::lro_runtime::Cancellable for ExportImageState {}
//
// Input:
//     #[long_running(…, wire = Prediction, cancel)]
// Output, one more item:
//     const _: () = ::core::assert!(::lro_runtime::__private::has_cancel::<Prediction>(), "…");
/// Returns the implementations of the marker traits for `cancel` and `delete`.
pub(super) fn capabilities(operation: &Operation) -> TokenStream {
    let Operation { krate, names, kept, settings, .. } = operation;
    let (name, (declared, parameters, clause)) = (&names.state, kept.split_for_impl());
    let conditions: Vec<_> = operation.conditions().collect();
    let capability = |flag: Option<Span>, capability: TokenStream, key: &str, example: &str| {
        let at = located(flag?);
        let check = match &settings.shape {
            // A constant beside the block cannot name the type parameters of the block or method.
            Shape::Wire(wire) if kept.params.is_empty() => {
                let has = format_ident!("has_{key}");
                let missing = format!(
                    "the wire type declares no {key} call: add `{key} = \"{example}\"` to its `#[operation(…)]`, or \
                     write `{key} = false` on the method"
                );
                let has = quote!(#krate::__private::#has::<#wire>());
                // `{}`, or the braces in the example would be placeholders.
                Some(quote_spanned!(at=> #(#conditions)* const _: () = ::core::assert!(#has, "{}", #missing);))
            }
            _ => None,
        };
        Some(
            quote_spanned!(located(name.span())=> #(#conditions)* impl #declared #krate::#capability for #name #parameters #clause {} #check),
        )
    };
    let cancel = capability(settings.cancel, quote!(Cancellable), "cancel", "POST v1/jobs/{name}/cancel");
    let delete = capability(settings.delete, quote!(Deletable), "delete", "DELETE v1/jobs/{name}");
    quote!(#cancel #delete)
}
