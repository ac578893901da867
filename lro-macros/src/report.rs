//! Collects the mistakes of an item, so that one compile reports all of them.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far.
///
/// Code that finds a mistake adds it here and continues, usually with a legal value in place of the
/// wrong one.
#[derive(Default)]
pub(crate) struct Report {
    errors: Option<syn::Error>,
}

impl Report {
    /// Adds a mistake at the tokens that caused it.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.add(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake that carries its own span.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            None => self.errors = Some(error),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none()
    }

    /// Returns one `compile_error!` per mistake, or no tokens if there are no mistakes.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.map(syn::Error::into_compile_error).unwrap_or_default()
    }
}
