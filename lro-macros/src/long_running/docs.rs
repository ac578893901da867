//! Attributes of generated items: what the author wrote on the method, and docs of their own.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// Attributes that hold for everything a method brings along: `cfg`, `doc(hidden)`, `doc(cfg(…))`.
pub(crate) fn inherited(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| is_inherited(&attr.meta)).cloned().collect()
}

fn is_inherited(meta: &Meta) -> bool {
    match meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            conditional(list).is_some_and(|metas| metas.iter().all(is_inherited))
        }
        Meta::List(list) => list.path.is_ident("cfg") || list.path.is_ident("doc"),
        _ => false,
    }
}

/// What a `cfg_attr` applies.
fn conditional(list: &syn::MetaList) -> Option<Vec<Meta>> {
    use syn::punctuated::Punctuated;
    let metas = list.parse_args_with(Punctuated::<Meta, syn::Token![,]>::parse_terminated).ok()?;
    Some(metas.into_iter().skip(1).collect())
}

/// Attributes that hold for what a caller names besides the method itself.
pub(crate) fn deprecated(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("deprecated")).cloned().collect()
}

/// Whether some attribute says under which `cfg` the method exists.
pub(crate) fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
}

/// The author's first paragraph, and the link definitions below it, with `Self` spelt out.
pub(crate) fn first_paragraph(attrs: &[Attribute], this: &str) -> Vec<String> {
    let lines: Vec<String> =
        attrs.iter().filter_map(text).flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut paragraph = lines.iter().skip_while(|line| line.trim().is_empty());
    let first: Vec<&String> = paragraph.by_ref().take_while(|line| !line.trim().is_empty()).collect();
    let targets: Vec<&String> = paragraph.filter(|line| is_link_definition(line)).collect();
    let blank = String::new();
    let gap = (!targets.is_empty()).then_some(&blank);
    let spelt = |line: &String| {
        line.strip_prefix(' ')
            .unwrap_or(line)
            .replace("`Self::", &format!("`{this}::"))
            .replace("(Self::", &format!("({this}::"))
    };
    first.into_iter().chain(gap).chain(targets).map(spelt).collect()
}

fn text(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().is_empty() => Some("\n".to_owned()),
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn is_link_definition(line: &str) -> bool {
    line.trim_start().starts_with('[') && line.contains("]: ")
}
