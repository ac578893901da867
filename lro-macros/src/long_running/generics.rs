//! Which generics a generated item needs: those its types mention, with the bounds that mention only them.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{GenericParam, Generics, Token, TypeParamBound, WherePredicate};

/// A choice of the parameters in scope.
#[derive(Default)]
pub(crate) struct Chosen {
    params: Vec<GenericParam>,
    predicates: Vec<WherePredicate>,
}

impl Chosen {
    /// Chooses, of all parameters in scope, those that the tokens mention.
    pub(crate) fn mentioned(scopes: &[&Generics], tokens: &TokenStream) -> Self {
        let params = scopes.iter().flat_map(|generics| &generics.params);
        let (chosen, others): (Vec<_>, Vec<_>) = params.partition(|param| mentions(tokens, name(param)));
        let only = |tokens: TokenStream| !others.iter().any(|param| mentions(&tokens, name(param)));
        let own = |tokens: TokenStream| chosen.iter().any(|param| mentions(&tokens, name(param)));
        let clauses = scopes.iter().filter_map(|generics| generics.where_clause.as_ref());
        let predicates = clauses.flat_map(|clause| &clause.predicates);
        let predicates =
            predicates.filter(|p| only(p.to_token_stream()) && own(p.to_token_stream())).cloned().collect();
        let params = chosen.iter().map(|param| bounded(param, &only)).collect();
        Self { params, predicates }
    }

    /// `<T: Bound, const N: usize>`, or nothing.
    pub(crate) fn declared(&self) -> TokenStream {
        list(self.params.iter().map(ToTokens::to_token_stream))
    }

    /// `<T, N>`, or nothing.
    pub(crate) fn named(&self) -> TokenStream {
        list(self.params.iter().map(name_tokens))
    }

    /// `<T, const N: usize>`: as an alias declares them.
    pub(crate) fn unbounded(&self) -> TokenStream {
        list(self.params.iter().map(|param| match param {
            GenericParam::Const(param) => quote!(#param),
            other => name_tokens(other),
        }))
    }

    /// `where …` as the author wrote it, or nothing.
    pub(crate) fn clause(&self) -> TokenStream {
        clause(self.predicates.iter().map(ToTokens::to_token_stream))
    }

    /// `where …` as written, and that each type can be kept in an operation.
    pub(crate) fn clause_to_keep(&self) -> TokenStream {
        self.clause_and(&self.kept())
    }

    /// `where …` as written, and more.
    pub(crate) fn clause_and(&self, more: &[WherePredicate]) -> TokenStream {
        clause(self.predicates.iter().chain(more).map(ToTokens::to_token_stream))
    }

    /// `T: Send + Sync + 'static`, for each type: an operation is all three, so what it holds must be.
    pub(crate) fn kept(&self) -> Vec<WherePredicate> {
        let types = self.params.iter().filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            _ => None,
        });
        types.map(|ident| syn::parse_quote!(#ident: ::core::marker::Send + ::core::marker::Sync + 'static)).collect()
    }
}

fn list(params: impl Iterator<Item = TokenStream>) -> TokenStream {
    let params: Vec<_> = params.collect();
    if params.is_empty() { TokenStream::new() } else { quote!(<#(#params),*>) }
}

fn clause(predicates: impl Iterator<Item = TokenStream>) -> TokenStream {
    let predicates: Vec<_> = predicates.collect();
    if predicates.is_empty() { TokenStream::new() } else { quote!(where #(#predicates),*) }
}

fn name(param: &GenericParam) -> &Ident {
    match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    }
}

fn name_tokens(param: &GenericParam) -> TokenStream {
    match param {
        GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
        other => name(other).to_token_stream(),
    }
}

/// The parameter without default, attributes, and the bounds that mention another parameter than the chosen ones.
fn bounded(param: &GenericParam, only: &dyn Fn(TokenStream) -> bool) -> GenericParam {
    let mut param = param.clone();
    match &mut param {
        GenericParam::Type(param) => {
            param.attrs.clear();
            param.default = None;
            let bounds = std::mem::take(&mut param.bounds).into_iter();
            let kept: Punctuated<TypeParamBound, Token![+]> =
                bounds.filter(|bound| only(bound.to_token_stream())).collect();
            param.colon_token = param.colon_token.filter(|_| !kept.is_empty());
            param.bounds = kept;
        }
        GenericParam::Const(param) => {
            param.attrs.clear();
            param.default = None;
        }
        GenericParam::Lifetime(param) => param.attrs.clear(),
    }
    param
}

/// Whether the identifier occurs, at any depth.
pub(crate) fn mentions(tokens: &TokenStream, ident: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(&group.stream(), ident),
        TokenTree::Ident(other) => other == *ident,
        _ => false,
    })
}
