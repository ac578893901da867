//! Writes the model as an implementation of `WireOperation`, which is one constant.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericParam, Type, spanned::Spanned};

use super::{
    model::{List, Model, Name, Of},
    path::Steps,
    roles::Place,
};
use crate::report::Report;

// Input:
//     #[derive(WireOperation)]
//     #[operation(poll = "v1/predictions/{name}")]
//     struct Prediction { #[operation(name)] id: String, … }
// Output: impl ::lro_runtime::WireOperation for Prediction { const SHAPE: &'static
// ::lro_runtime::wire::WireShape = &::lro_runtime::wire::WireShape::new("declared:Prediction")
// .name(::lro_runtime::wire::WirePath::at(&[&["id"]])) …; } const _: () = { fn is_read(message:
// &Prediction) { … } };
//
// After a mistake the implementation declares nothing but the id. It has to exist: without it,
// every method with `wire = Prediction` would be one more error.
/// Returns the implementation, the checks of the fields, and the mistakes.
pub(crate) fn tokens(model: &Model<'_>, report: Report) -> TokenStream {
    let Model { item, krate, id, .. } = model;
    let declared = if report.is_empty() { shape(model) } else { TokenStream::new() };
    let checks = if report.is_empty() { checks(model) } else { TokenStream::new() };
    let mistakes = report.into_tokens();
    let (ident, id) = (&item.ident, format!("declared:{id}"));
    let (declaration, parameters, clause) = item.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #declaration #krate::WireOperation for #ident #parameters #clause {
            const SHAPE: &'static #krate::wire::WireShape = &#krate::wire::WireShape::new(#id)#declared;
        }
        #checks
        #mistakes
    }
}

// Input:
//     #[operation(name)] id: String,
//     #[operation(state, running = "busy", done = "over")] status: String,
// Output:
//     .name(WirePath::at(&[&["id"]]))
//     .state(WirePath::at(&[&["status"]]))
//     .words(&[("busy", WireState::Running), ("over", WireState::Done)]) // paths in full
/// Returns the calls that build the shape, in the order of the documentation.
fn shape(model: &Model<'_>) -> TokenStream {
    let krate = &model.krate;
    let at = |steps: &Steps| quote!(#krate::wire::WirePath::at(&[#(&[#(#steps),*]),*]));
    let mut out = TokenStream::new();
    match &model.name {
        Some(Name::Member { at: steps, after }) => {
            let (path, after) = (at(steps), after.as_ref().map(|after| quote!(.name_after(#after))));
            out.extend(quote!(.name(#path)#after));
        }
        Some(Name::Template { template, parts }) => {
            let parts = parts.iter().map(at).enumerate().map(|(index, path)| quote!(.part(#index, #path)));
            out.extend(quote!(.name_template(#template)#(#parts)*));
        }
        None => {}
    }
    if let Some(state) = &model.state {
        let path = at(state);
        let words = model.words.iter().map(|(word, meaning)| {
            let meaning = format_ident!("{meaning}");
            quote!((#word, #krate::wire::WireState::#meaning))
        });
        out.extend(quote!(.state(#path).words(&[#(#words),*])));
    }
    if let Some(state) = model.missing {
        let state = format_ident!("{state}");
        out.extend(quote!(.missing(#krate::State::#state)));
    }
    let whole = |place: &Place| match place {
        Place::At(steps) => Some(at(steps)),
        Place::Whole => Some(quote!(#krate::wire::WirePath::WHOLE)),
        Place::Template(_) | Place::Nothing => None,
    };
    for (method, place) in [("response", &model.response), ("metadata", &model.metadata)] {
        let (method, path) = (format_ident!("{method}"), place.as_ref().and_then(whole));
        out.extend(path.map(|path| quote!(.#method(#path))));
    }
    for error in &model.errors {
        let path = at(error);
        out.extend(quote!(.error(#path)));
    }
    if !model.cancelled_errors.is_empty() {
        let words = &model.cancelled_errors;
        out.extend(quote!(.cancelled_errors(&[#(#words),*])));
    }
    if let Some((steps, of)) = &model.progress {
        let path = at(steps);
        let total = match of {
            Of::Number(number) => quote!(#krate::wire::Total::Of(#number)),
            Of::Member(steps) => {
                let path = at(steps);
                quote!(#krate::wire::Total::At(#path))
            }
            // The type is only known to rustc. Spanned at the field's type, where an error about it
            // belongs.
            Of::Type(ty) => {
                quote_spanned!(ty.span()=> #krate::wire::Total::Of(<#ty as #krate::__private::ProgressTotal>::TOTAL))
            }
        };
        out.extend(quote!(.progress(#path, #total)));
    }
    if let Some(next) = &model.next {
        let path = at(next);
        out.extend(quote!(.next(#path)));
    }
    if let Some((hint, unit)) = &model.hint {
        let (path, unit) = (at(hint), format_ident!("{unit}"));
        out.extend(quote!(.hint(#path, #krate::wire::HintUnit::#unit)));
    }
    let calls = model.calls.iter().map(|(key, call)| quote!(.#key(#call)));
    out.extend(quote!(#(#calls)*));
    if let Some(List { path, items, next, most, unfinished, named }) = &model.list {
        let (items, next) = (at(items), next.as_ref().map_or_else(|| quote!(#krate::wire::WirePath::at(&[])), at));
        let most = most.map(|most| quote!(.most(#most)));
        let unfinished = unfinished.as_ref().map(|filter| quote!(.unfinished(#filter)));
        let named = named.as_ref().map(|parameter| quote!(.named(#parameter)));
        out.extend(quote!(.list(#krate::wire::WireList::new(#path, #items, #next) #most #unfinished #named)));
    }
    out
}

// Input: struct Prediction { #[operation(name)] id: String, … } Output: const _: () = { fn
// is_read(message: &Prediction) { ::lro_runtime::__private::is_read::<String>(&message.id); … } };
//
// Makes rustc check that each field with a role can be read from a reply, and report it at the
// field's type. It also counts as a use of the fields: the library reads replies without them, so
// rustc would warn of fields never read.
/// Returns a function, never called, in which rustc checks the types of the fields.
fn checks(model: &Model<'_>) -> TokenStream {
    let krate = &model.krate;
    let parameters: Vec<_> = model.item.generics.params.iter().map(parameter).collect();
    let checks = model.read.iter().map(|(field, ty)| {
        let field = quote_spanned!(ty.span()=> message.#field);
        // The author's bounds need not say that a type parameter can be read; that is known where
        // the type is used.
        if mentions(ty, &parameters) {
            quote_spanned!(ty.span()=> let _ = &#field;)
        } else {
            quote_spanned!(ty.span()=> #krate::__private::is_read::<#ty>(&#field);)
        }
    });
    let ident = &model.item.ident;
    let (declaration, generics, clause) = model.item.generics.split_for_impl();
    quote! {
        const _: () = {
            #[allow(dead_code)]
            fn is_read #declaration(message: &#ident #generics) #clause { #(#checks)* }
        };
    }
}

/// Returns the name of a generic parameter.
fn parameter(parameter: &GenericParam) -> String {
    match parameter {
        GenericParam::Lifetime(lifetime) => lifetime.lifetime.ident.to_string(),
        GenericParam::Type(ty) => ty.ident.to_string(),
        GenericParam::Const(constant) => constant.ident.to_string(),
    }
}

/// Whether the type mentions one of the parameters, at any depth.
fn mentions(ty: &Type, parameters: &[String]) -> bool {
    fn any(tokens: TokenStream, parameters: &[String]) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => parameters.iter().any(|parameter| ident == parameter),
            proc_macro2::TokenTree::Group(group) => any(group.stream(), parameters),
            _ => false,
        })
    }
    any(quote!(#ty), parameters)
}
