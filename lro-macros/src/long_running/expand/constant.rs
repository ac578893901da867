//! Writes the constant that describes a method: `Method::new("…").delay(…)…`, which the compiler
//! evaluates.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    super::{
        args::{Function, Of, Progress, Shape},
        model::{Operation, Settings},
        settings::{ErrorBudget, Hint, Origin, Time, Timeout},
    },
    located, waiter,
};

// Input:
//     #[long_running(…, poll(delay = "1s"))]
// Output:
// ::lro_runtime::Method::new("ImageClient.export_image").delay(::core::time::Duration::new(1, 0))
/// Returns the expression of the constant.
pub(super) fn constant(operation: &Operation) -> TokenStream {
    let Operation { krate, label, settings, .. } = operation;
    let calls = [poll(krate, settings), types(settings), functions(krate, settings), dialect(krate, settings)];
    quote!(#krate::Method::new(#label) #(#calls)*)
}

/// Returns the calls for the keys of `poll(…)`.
fn poll(krate: &TokenStream, settings: &Settings) -> TokenStream {
    let poll = &settings.poll;
    let time = |name: &str, value: &Option<Time>| {
        let name = Ident::new(name, Span::call_site());
        value.as_ref().map(duration).map(|value| quote!(.#name(#value)))
    };
    let variant = |name: &str| Ident::new(name, Span::call_site());
    let multiplier = poll.multiplier.as_ref().map(|value| quote!(.multiplier(#value)));
    let timeout = poll.timeout.as_ref().map(|value| match value {
        Timeout::After(limit) => {
            let limit = duration(limit);
            quote!(.timeout(#limit))
        }
        Timeout::Never => quote!(.without_expiration()),
    });
    let jitter = poll.jitter.map(variant).map(|value| quote!(.jitter(#krate::Jitter::#value)));
    let hint = poll.hint.as_ref().map(|value| match value {
        Hint::Ignore => quote!(.hint(#krate::HintPolicy::Ignore)),
        Hint::Obey { floor, ceiling } => {
            let (floor, ceiling) = (duration(floor), duration(ceiling));
            quote!(.hint(#krate::HintPolicy::Obey { floor: #floor, ceiling: #ceiling }))
        }
    });
    let error_budget = poll.error_budget.as_ref().map(|ErrorBudget { failures, elapsed, delay, max_delay, origin }| {
        let elapsed = time("with_elapsed", elapsed);
        // Before the longest delay: it raises that one.
        let delay = time("with_delay", delay);
        let max_delay = time("with_max_delay", max_delay);
        let origin = origin.as_ref().map(|origin| match origin {
            Origin::Word(setter) => {
                let setter = variant(setter);
                quote!(.#setter())
            }
            Origin::Limits { failures, elapsed } => {
                let failures = failures.map(|failures| quote!(.with_origin_failures(#failures)));
                let elapsed = time("with_origin_elapsed", elapsed);
                quote!(#failures #elapsed)
            }
        });
        quote!(.error_budget(#krate::ErrorBudget::new(#failures) #elapsed #delay #max_delay #origin))
    });
    let unknown_status =
        poll.unknown_status.map(variant).map(|value| quote!(.unknown_status(#krate::UnknownStatus::#value)));
    let calls = [
        time("delay", &poll.delay),
        multiplier,
        time("max_delay", &poll.max_delay),
        timeout,
        time("initial_delay", &poll.initial_delay),
        jitter,
        time("poll_timeout", &poll.poll_timeout),
        hint,
        error_budget,
        time("not_found_grace", &poll.not_found_grace),
        time("long_poll", &poll.long_poll),
        unknown_status,
    ];
    calls.into_iter().flatten().collect()
}

/// Returns a duration as an expression that is legal in a constant.
fn duration((_, duration): &Time) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

// Input:
//     response_type = "example.Image"
// Output:
//     .response_type("example.Image")
/// Returns the calls for the expected type URLs.
fn types(settings: &Settings) -> TokenStream {
    let response = settings.response_type.as_ref().map(|url| quote!(.response_type(#url)));
    let metadata = settings.metadata_type.as_ref().map(|url| quote!(.metadata_type(#url)));
    quote!(#response #metadata)
}

// Input:
//     pending = |metadata| metadata.queued
// Output:
//     .pending(|payload| ::lro_runtime::__private::pending::<Self>(payload, |metadata| metadata.queued))
//
// The author's closure is an argument of a generic function, so that its parameter has a type
// without being written. The call is spanned at the closure: an error about the type it returns
// points there.
/// Returns the calls for the author's closures and functions.
fn functions(krate: &TokenStream, settings: &Settings) -> TokenStream {
    let call = |name: TokenStream, types: TokenStream, function: TokenStream| quote_spanned!(function.span()=> .#name(|payload| #krate::__private::#name::<#types>(payload, #function)));
    let pending = settings.pending.as_ref().map(|function| call(quote!(pending), quote!(Self), tokens(function)));
    let progress =
        settings.progress.as_ref().map(|progress| call(quote!(progress), quote!(Self, _), fraction(krate, progress)));
    let classify = settings.classify.as_ref().map(|function| call(quote!(classify), quote!(Self), tokens(function)));
    quote!(#pending #progress #classify)
}

/// Returns the author's closure or path, as written.
fn tokens(function: &Function) -> TokenStream {
    match function {
        Function::Closure(closure) => closure.to_token_stream(),
        Function::Path(path) => path.to_token_stream(),
    }
}

// Input:
//     progress = stats.done
// Output:
//     |metadata| ::lro_runtime::__private::ProgressField::fraction(&metadata.stats.done)
//
// Input:
//     progress(stats.done, of = "total")
// Output:
//     |metadata| ::lro_runtime::__private::part(&metadata.stats.done, &metadata.stats.total)
/// Returns the function that reads the fraction done from the metadata.
fn fraction(krate: &TokenStream, progress: &Progress) -> TokenStream {
    match progress {
        Progress::Closure(closure) => closure.to_token_stream(),
        Progress::Field(field) => {
            quote_spanned!(field.span()=> |metadata| #krate::__private::ProgressField::fraction(&metadata.#field))
        }
        Progress::Of(field, of) => {
            let of = match of {
                Of::Number(number) => quote!(&#number),
                Of::Field(total) => quote_spanned!(total.span()=> &metadata.#total),
            };
            quote_spanned!(field.span()=> |metadata| #krate::__private::part(&metadata.#field, #of))
        }
    }
}

// Input:
//     dialect = Azure::new(), path = "v2/{name}"
// Output:
//     .dialect(|| ::std::sync::Arc::new(Azure::new())).options(&[("path", "v2/{name}")])
//
// A closure, because an `Arc` cannot be made in a constant.
/// Returns the calls for the method's own dialect and its options.
fn dialect(krate: &TokenStream, settings: &Settings) -> TokenStream {
    let own = match &settings.shape {
        Shape::Wire(wire) => Some(quote_spanned!(wire.span()=> .dialect(|| #krate::__private::wire::<#wire>()))),
        Shape::Dialect(dialect) => {
            Some(quote_spanned!(located(dialect.span())=> .dialect(|| ::std::sync::Arc::new(#dialect))))
        }
        Shape::Waiter(waiter) => {
            let waiter = waiter::waiter(krate, waiter);
            // A constant of its own, so that the compiler evaluates the declaration, and not each
            // call of the closure.
            Some(quote!(.dialect(|| {
                const WAITER: #krate::dialect::Waiter = #waiter;
                ::std::sync::Arc::new(WAITER)
            })))
        }
        // These two say how payloads are decoded (see `state`). The dialect is that of the client.
        Shape::Json | Shape::Proto => None,
    };
    let options = settings.options.iter().map(|(key, value)| quote!((#key, #value)));
    let options = (!settings.options.is_empty()).then(|| quote!(.options(&[#(#options),*])));
    quote!(#own #options)
}
