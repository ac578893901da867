//! The last touch to what prost-build writes: documentation in the place of marks, and what strict
//! lints ask for.

use quote::quote;
use syn::{Attribute, Expr, ExprLit, Field, Fields, ImplItem, Item, Lit, LitInt, Meta, Visibility, parse_quote};

use super::comments::MARK;
use crate::types::json::documentation;

/// The functions that prost-build gives an enumeration, and what is said of them.
const FUNCTIONS: [(&str, &str); 2] = [
    ("as_str_name", " Returns the name of the value in the description."),
    ("from_str_name", " Returns the value that has this name in the description."),
];

/// Finishes items, and those within them.
pub(super) fn finish(items: Vec<Item>, docs: &[Vec<String>]) -> Vec<Item> {
    items.into_iter().map(|item| one(item, docs)).collect()
}

fn one(mut item: Item, docs: &[Vec<String>]) -> Item {
    match &mut item {
        Item::Mod(module) => {
            if let Some((_, items)) = &mut module.content {
                *items = finish(std::mem::take(items), docs);
            }
        }
        Item::Struct(structure) => {
            attributes(&mut structure.attrs, docs);
            structure.fields.iter_mut().for_each(|field| attributes(&mut field.attrs, docs));
        }
        Item::Enum(an_enum) => {
            attributes(&mut an_enum.attrs, docs);
            for variant in &mut an_enum.variants {
                attributes(&mut variant.attrs, docs);
                if let Some((_, Expr::Lit(ExprLit { lit: Lit::Int(number), .. }))) = &mut variant.discriminant {
                    *number = readable(number);
                }
                if let Fields::Unnamed(fields) = &mut variant.fields {
                    fields.unnamed.iter_mut().for_each(|field: &mut Field| attributes(&mut field.attrs, docs));
                }
            }
        }
        Item::Impl(block) => {
            with_table(block);
            for item in &mut block.items {
                let ImplItem::Fn(function) = item else { continue };
                function
                    .attrs
                    .retain(|attribute| !attribute.path().is_ident("allow") && !attribute.path().is_ident("doc"));
                if let Some((_, docs)) = FUNCTIONS.iter().find(|(name, _)| function.sig.ident == name) {
                    function.attrs.insert(0, parse_quote!(#[doc = #docs]));
                }
                if matches!(function.vis, Visibility::Public(_)) {
                    function.attrs.push(parse_quote!(#[must_use]));
                }
            }
            strip_allows(block);
        }
        _ => {}
    }
    item
}

/// Puts documentation in the place of its mark. What the description calls deprecated is said
/// there: the attribute would warn in the code that reads the messages.
fn attributes(attributes: &mut Vec<Attribute>, docs: &[Vec<String>]) {
    let old = std::mem::take(attributes);
    for attribute in old {
        match mark(&attribute).and_then(|number| docs.get(number)) {
            Some(lines) => {
                let lines = documentation(lines);
                let written: syn::ItemStruct = parse_quote!(#lines struct Marked;);
                attributes.extend(written.attrs);
            }
            None if attribute.path().is_ident("deprecated") => {}
            None => attributes.push(attribute),
        }
    }
}

fn mark(attribute: &Attribute) -> Option<usize> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &meta.value else { return None };
    text.value().trim().strip_prefix(MARK)?.parse().ok()
}

/// Long numbers are written in groups of three digits.
fn readable(number: &LitInt) -> LitInt {
    let digits = number.base10_digits();
    if digits.len() < 6 {
        return number.clone();
    }
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    LitInt::new(&grouped, number.span())
}

/// Removes the `allow`s of arms: nothing is deprecated any more.
fn strip_allows(block: &mut syn::ItemImpl) {
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        for statement in &mut function.block.stmts {
            if let syn::Stmt::Expr(Expr::Match(arms), _) = statement {
                arms.arms.iter_mut().for_each(|arm| arm.attrs.retain(|attribute| !attribute.path().is_ident("allow")));
            }
        }
    }
}

/// How many values an enumeration may have before its two functions are longer than clippy takes.
const MOST_ARMS: usize = 40;

/// Replaces the two functions of a long enumeration: the names stand in a table.
fn with_table(block: &mut syn::ItemImpl) {
    let functions = block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "as_str_name" => Some(function),
        _ => None,
    });
    let arms: Vec<syn::Arm> = functions
        .flat_map(|function| &function.block.stmts)
        .filter_map(|statement| match statement {
            syn::Stmt::Expr(Expr::Match(found), _) => Some(found.arms.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    if arms.len() <= MOST_ARMS {
        return;
    }
    let rows = arms.iter().map(|arm| {
        let (value, name) = (&arm.pat, &arm.body);
        quote!((#value, #name))
    });
    let written: syn::ItemImpl = parse_quote! {
        impl Table {
            const NAMES: &[(Self, &'static str)] = &[#(#rows),*];
            pub fn as_str_name(&self) -> &'static str {
                Self::NAMES.iter().find(|(value, _)| value == self).map_or("", |(_, name)| name)
            }
            pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
                Self::NAMES.iter().find(|(_, name)| *name == value).map(|(value, _)| *value)
            }
        }
    };
    block.items = written.items;
}
