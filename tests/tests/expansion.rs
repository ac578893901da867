//! Checks what the macros generate: each `snapshots/<case>.rs` must expand to `<case>.snap`.
//!
//! To add a case, add a file. The macros' sources are compiled into this test, because a proc-macro
//! crate cannot export functions.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a case that is not Rust is a mistake in the case")]

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};

#[path = "../../lro-macros/src/grammar/mod.rs"]
mod grammar;
#[path = "../../lro-macros/src/list.rs"]
mod list;
#[path = "../../lro-macros/src/long_running/mod.rs"]
mod long_running;
#[path = "../../lro-macros/src/most.rs"]
mod most;
#[path = "../../lro-macros/src/nearest.rs"]
mod nearest;
#[path = "../../lro-macros/src/report.rs"]
mod report;
#[path = "../../lro-macros/src/runtime_path.rs"]
mod runtime_path;
#[path = "../../lro-macros/src/total.rs"]
mod total;
#[path = "../../lro-macros/src/wire_operation/mod.rs"]
mod wire_operation;

#[test]
fn every_case_expands_as_its_snapshot_shows() {
    insta::glob!("../../snapshots", "*.rs", |path| {
        let source = std::fs::read_to_string(path).expect("a case is readable");
        let file = syn::parse_file(&source).expect("a case is Rust");
        let items = file.items.into_iter().map(|item| expand(&item.into_token_stream()));
        let expanded: syn::File = syn::parse2(items.collect()).expect("an expansion is Rust");
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a case has a name");
        settings().bind(|| insta::assert_snapshot!(name, prettyplease::unparse(&expanded)));
    });
}

/// Returns settings by which a snapshot is beside its case, has its name, and contains only the
/// expansion.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.remove_snapshot_suffix();
    settings.remove_input_file();
    settings.set_omit_expression(true);
    settings
}

/// Does what rustc does with an annotated item: removes the attribute and calls the macro.
fn expand(item: &TokenStream) -> TokenStream {
    // An attribute is two tokens, `#` and a group in brackets. `at` is the index of the first token
    // of ours.
    let tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let is_attribute =
        |pair: &[TokenTree]| matches!(pair, [TokenTree::Punct(hash), TokenTree::Group(_)] if hash.as_char() == '#');
    let attributes = tokens.chunks(2).take_while(|pair| is_attribute(pair));
    let mut arguments = attributes.map(|pair| arguments(pair.iter().cloned().collect())).enumerate();
    let Some((at, arguments)) = arguments.find_map(|(at, arguments)| Some((2 * at, arguments?))) else {
        return derived(item);
    };
    let (before, after) = (&tokens[..at], &tokens[at + 2..]);
    long_running::expand(arguments, quote!(#(#before)* #(#after)*))
}

/// Returns the item and, if it derives `WireOperation`, the output of the derive after it.
fn derived(item: &TokenStream) -> TokenStream {
    let parsed = syn::parse2::<syn::DeriveInput>(item.clone()).ok();
    let derives =
        parsed.iter().flat_map(|parsed| &parsed.attrs).filter(|attribute| attribute.path().is_ident("derive"));
    let is_ours =
        derives.into_iter().any(|attribute| attribute.to_token_stream().to_string().contains("WireOperation"));
    let expansion = if is_ours { wire_operation::expand(item.clone()) } else { TokenStream::new() };
    quote!(#item #expansion)
}

/// Returns the arguments of `#[long_running]`, or `None` for another attribute.
fn arguments(attribute: TokenStream) -> Option<TokenStream> {
    use syn::parse::Parser;
    let attribute = syn::Attribute::parse_outer.parse2(attribute).ok()?.pop()?;
    match attribute.meta {
        syn::Meta::Path(path) if path.is_ident("long_running") => Some(TokenStream::new()),
        syn::Meta::List(list) if list.path.is_ident("long_running") => Some(list.tokens),
        _ => None,
    }
}
