//! The constant that describes a method: `Method::new("…").delay(…)…`, evaluated by the compiler.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    super::{
        args::{Function, Progress, Shape},
        model::{Operation, Settings},
        settings::Time,
    },
    located, waiter,
};

// Output:
//     ::lro_runtime::Method::new("ImageClient.export_image").delay(::core::time::Duration::new(1, 0))
pub(super) fn constant(operation: &Operation) -> TokenStream {
    let Operation { krate, label, settings, .. } = operation;
    let calls = [poll(settings), types(settings), functions(krate, settings), dialect(krate, settings)];
    quote!(#krate::Method::new(#label) #(#calls)*)
}

fn poll(settings: &Settings) -> TokenStream {
    let poll = &settings.poll;
    let delay = poll.delay.as_ref().map(duration).map(|value| quote!(.delay(#value)));
    let multiplier = poll.multiplier.as_ref().map(|value| quote!(.multiplier(#value)));
    let max_delay = poll.max_delay.as_ref().map(duration).map(|value| quote!(.max_delay(#value)));
    let timeout = poll.timeout.as_ref().map(duration).map(|value| quote!(.timeout(#value)));
    let initial_delay = poll.initial_delay.as_ref().map(duration).map(|value| quote!(.initial_delay(#value)));
    quote!(#delay #multiplier #max_delay #timeout #initial_delay)
}

fn duration((_, duration): &Time) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

fn types(settings: &Settings) -> TokenStream {
    let response = settings.response_type.as_ref().map(|url| quote!(.response_type(#url)));
    let metadata = settings.metadata_type.as_ref().map(|url| quote!(.metadata_type(#url)));
    quote!(#response #metadata)
}

fn functions(krate: &TokenStream, settings: &Settings) -> TokenStream {
    let call = |name: TokenStream, types: TokenStream, function: TokenStream| quote_spanned!(function.span()=> .#name(|payload| #krate::__private::#name::<#types>(payload, #function)));
    let pending = settings.pending.as_ref().map(|function| call(quote!(pending), quote!(Self), tokens(function)));
    let progress =
        settings.progress.as_ref().map(|progress| call(quote!(progress), quote!(Self, _), fraction(krate, progress)));
    let classify = settings.classify.as_ref().map(|function| call(quote!(classify), quote!(Self), tokens(function)));
    quote!(#pending #progress #classify)
}

fn tokens(function: &Function) -> TokenStream {
    match function {
        Function::Closure(closure) => closure.to_token_stream(),
        Function::Path(path) => path.to_token_stream(),
    }
}

fn fraction(krate: &TokenStream, progress: &Progress) -> TokenStream {
    match progress {
        Progress::Closure(closure) => closure.to_token_stream(),
        Progress::Field(field) => {
            quote_spanned!(field.span()=> |metadata| #krate::__private::Fraction::fraction(&metadata.#field))
        }
    }
}

fn dialect(krate: &TokenStream, settings: &Settings) -> TokenStream {
    let own = match &settings.shape {
        Shape::Wire(wire) => Some(quote_spanned!(wire.span()=> .dialect(|| #krate::__private::wire::<#wire>()))),
        Shape::Dialect(dialect) => {
            Some(quote_spanned!(located(dialect.span())=> .dialect(|| ::std::sync::Arc::new(#dialect))))
        }
        Shape::Waiter(waiter) => {
            let waiter = waiter::waiter(krate, waiter);
            Some(quote!(.dialect(|| {
                const WAITER: #krate::dialect::Waiter = #waiter;
                ::std::sync::Arc::new(WAITER)
            })))
        }
        Shape::Json | Shape::Proto => None,
    };
    let options = settings.options.iter().map(|(key, value)| quote!((#key, #value)));
    let options = (!settings.options.is_empty()).then(|| quote!(.options(&[#(#options),*])));
    quote!(#own #options)
}
