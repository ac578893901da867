//! Chooses the generics of a generated item: those that its types mention, with the bounds that
//! mention no others.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Token, TypeParamBound, WherePredicate, punctuated::Punctuated};

// Input: impl<T: Record<C> + Clone, C, const N: usize> Client<T, C, N> {
//         #[long_running(response = Page<T, N>, metadata = M)]
//         async fn export<M: Meter, R: Into<M>>(…)
//     }
// Output, for items next to the block: <T: Clone, const N: usize, M: Meter>
//
// `C` and `R` are in no type, so that rustc would reject them as unused or unconstrained. With them
// goes the bound `Record<C>`, which cannot be written without `C`.
/// Returns those parameters of the block and the method that the tokens mention.
pub(crate) fn chosen(block: &Generics, method: &Generics, tokens: &TokenStream) -> Generics {
    let mut generics = chosen_of(block, &[block, method], tokens);
    let inside = chosen_inside(block, method, tokens);
    generics.params.extend(inside.params);
    if let Some(clause) = inside.where_clause {
        generics.make_where_clause().predicates.extend(clause.predicates);
    }
    generics
}

/// Returns the part of the same choice that the method itself declares.
///
/// A resume function stands inside the block, where the block's own parameters are declared
/// already.
pub(crate) fn chosen_inside(block: &Generics, method: &Generics, tokens: &TokenStream) -> Generics {
    chosen_of(method, &[block, method], tokens)
}

/// Chooses among the parameters and predicates of `scope`. `all` are the parameters that bounds may
/// mention.
fn chosen_of(scope: &Generics, all: &[&Generics], tokens: &TokenStream) -> Generics {
    let params = all.iter().flat_map(|generics| &generics.params);
    let (chosen, others): (Vec<_>, Vec<_>) = params.partition(|param| mentions(tokens, name(param)));
    let only = |tokens: TokenStream| !others.iter().any(|param| mentions(&tokens, name(param)));
    let own = |tokens: TokenStream| chosen.iter().any(|param| mentions(&tokens, name(param)));
    let params = scope.params.iter().filter(|param| mentions(tokens, name(param)));
    let predicates = scope.where_clause.iter().flat_map(|clause| &clause.predicates);
    let predicates = predicates.filter(|predicate| own(predicate.to_token_stream()));
    let predicates: Vec<_> = predicates.filter_map(|predicate| required(predicate, &only)).collect();
    let params = params.map(|param| bounded(param, &only)).collect();
    let mut generics = Generics { params, ..Generics::default() };
    if !predicates.is_empty() {
        generics.make_where_clause().predicates.extend(predicates);
    }
    generics
}

/// Adds `T: Send + Sync + 'static` for each of the `types`.
///
/// An operation is `Send + Sync + 'static`, so the values in it must be too. The bounds go to the
/// parameter if it has bounds there, else to the `where` clause.
pub(crate) fn keep(generics: &mut Generics, types: &[Ident]) {
    let bounds: Bounds = syn::parse_quote!(::core::marker::Send + ::core::marker::Sync + 'static);
    for ident in types {
        let declared = generics.type_params_mut().find(|param| param.ident == *ident && !param.bounds.is_empty());
        match declared {
            Some(param) => param.bounds.extend(bounds.clone()),
            None => generics.make_where_clause().predicates.push(syn::parse_quote!(#ident: #bounds)),
        }
    }
}

/// Returns the names of the type parameters.
pub(crate) fn types(generics: &Generics) -> Vec<Ident> {
    generics.type_params().map(|param| param.ident.clone()).collect()
}

/// Returns the parameters as an alias declares them: `<T, const N: usize>`. rustc warns of bounds
/// on an alias.
pub(crate) fn unbounded(generics: &Generics) -> TokenStream {
    let params = generics.params.iter().map(|param| match param {
        GenericParam::Const(param) => param.to_token_stream(),
        other => name(other).to_token_stream(),
    });
    if generics.params.is_empty() { TokenStream::new() } else { quote!(<#(#params),*>) }
}

fn name(param: &GenericParam) -> &Ident {
    match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    }
}

/// Returns the parameter without default and attributes, and without the bounds that mention
/// parameters not chosen.
fn bounded(param: &GenericParam, only: &dyn Fn(TokenStream) -> bool) -> GenericParam {
    let mut param = param.clone();
    match &mut param {
        GenericParam::Type(param) => {
            param.attrs.clear();
            param.default = None;
            param.bounds = filtered(std::mem::take(&mut param.bounds), only);
            param.colon_token = param.colon_token.filter(|_| !param.bounds.is_empty());
        }
        GenericParam::Const(param) => {
            param.attrs.clear();
            param.default = None;
        }
        GenericParam::Lifetime(param) => param.attrs.clear(),
    }
    param
}

/// Returns the predicate without the bounds that mention parameters not chosen, or `None` if none
/// remains.
fn required(predicate: &WherePredicate, only: &dyn Fn(TokenStream) -> bool) -> Option<WherePredicate> {
    let WherePredicate::Type(predicate) = predicate else {
        return only(predicate.to_token_stream()).then(|| predicate.clone());
    };
    let mut predicate = predicate.clone();
    predicate.bounds = filtered(predicate.bounds, only);
    let remains = only(predicate.bounded_ty.to_token_stream()) && !predicate.bounds.is_empty();
    remains.then_some(WherePredicate::Type(predicate))
}

type Bounds = Punctuated<TypeParamBound, Token![+]>;

fn filtered(bounds: Bounds, only: &dyn Fn(TokenStream) -> bool) -> Bounds {
    bounds.into_iter().filter(|bound| only(bound.to_token_stream())).collect()
}

/// Whether the identifier occurs in the tokens, at any depth.
pub(crate) fn mentions(tokens: &TokenStream, ident: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(&group.stream(), ident),
        TokenTree::Ident(other) => other == *ident,
        _ => false,
    })
}
