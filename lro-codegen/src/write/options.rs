//! The optional arguments of a method: a struct, since a call seldom gives more than one of them.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Types, method::added};
use crate::{
    model::{Argument, Place, Type},
    names::{self, Scope},
    types::json::documented,
};

/// Returns the struct, and how it is added to a call.
pub(super) fn write(name: &str, method: &str, arguments: &[&Argument], types: &Types<'_>) -> TokenStream {
    let mut scope = Scope::default();
    let fields: Vec<_> = arguments
        .iter()
        .map(|argument| (names::ident(&scope.take(&names::snake(&argument.name))), *argument))
        .collect();
    let members = fields.iter().map(|(field, argument)| {
        let docs = documented(&argument.docs, &|name| types.link(name), || {
            format!("`{}` of the request.", argument.wire.replace('`', ""))
        });
        let ty = types.rust(&argument.ty);
        if argument.required { quote!(#docs pub #field: #ty,) } else { quote!(#docs pub #field: Option<#ty>,) }
    });
    let steps = fields.iter().map(|(field, argument)| {
        if argument.required {
            added(&quote!(&self.#field), argument)
        } else {
            step(&quote!(self.#field.as_ref()), argument)
        }
    });
    let docs = format!(" What `{method}` takes beside what it needs.");
    let name = names::ident(name);
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct #name { #(#members)* }
        impl #name {
            fn add_to(&self, call: StartCall) -> StartCall {
                call #(#steps)*
            }
        }
    }
}

/// Returns the call of the builder that adds an argument that may be absent.
fn step(value: &TokenStream, argument: &Argument) -> TokenStream {
    let wire = &argument.wire;
    let is_list = matches!(argument.ty, Type::List(_));
    let joined = |values: &TokenStream| joined(values, &argument.ty);
    match argument.place {
        Place::QueryList if is_list => {
            let joined = joined(&quote!(values));
            quote!(.query_opt(#wire, #value.map(|values| #joined)))
        }
        Place::Query if is_list => quote!(.query_each(#wire, #value.into_iter().flatten())),
        Place::Header if is_list => {
            let joined = joined(&quote!(values));
            quote!(.header_opt(#wire, #value.map(|values| #joined)))
        }
        Place::Header => quote!(.header_opt(#wire, #value)),
        // A variable of a path has a value; a body is an argument.
        Place::Path | Place::Body | Place::Query | Place::QueryList => quote!(.query_opt(#wire, #value)),
    }
}

/// Returns the elements of a list in one value, separated by commas.
pub(super) fn joined(values: &TokenStream, list: &Type) -> TokenStream {
    if matches!(list, Type::List(inner) if **inner == Type::String) {
        return quote!(#values.join(","));
    }
    quote!(#values.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}
