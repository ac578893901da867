//! Chooses the attributes and doc lines of a method that its generated items carry as well.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// Returns the attributes that apply to all items generated for a method: `cfg`, `doc(hidden)`,
/// `doc(cfg(…))`.
pub(crate) fn attributes(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| is_inherited(&attr.meta)).cloned().collect()
}

fn is_inherited(meta: &Meta) -> bool {
    match meta {
        // A `cfg_attr` is copied only if everything it applies may be copied: `inline`, for one, is
        // illegal on a type.
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            conditional(list).is_some_and(|metas| metas.iter().all(is_inherited))
        }
        Meta::List(list) => list.path.is_ident("cfg") || list.path.is_ident("doc"),
        _ => false,
    }
}

/// Returns the attributes that a `cfg_attr` applies: all of its arguments but the condition.
fn conditional(list: &syn::MetaList) -> Option<Vec<Meta>> {
    use syn::punctuated::Punctuated;
    let metas = list.parse_args_with(Punctuated::<Meta, syn::Token![,]>::parse_terminated).ok()?;
    Some(metas.into_iter().skip(1).collect())
}

/// Returns the attribute `deprecated`, which the resume function shares with its method.
pub(crate) fn deprecated(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("deprecated")).cloned().collect()
}

/// Whether the method may be compiled out: it has a `cfg` or a `cfg_attr`.
pub(crate) fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
}

/// Returns the first paragraph of the author's docs and all link definitions below it, for use on
/// another item.
///
/// `Self` becomes `this`, because generated items are outside of the block, where `Self` is another
/// type.
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

/// Returns how many of the attributes stand before the end of the first paragraph of the author's
/// docs; `None` if there are no docs.
pub(crate) fn end_of_first_paragraph(attrs: &[Attribute]) -> Option<usize> {
    let is_blank = |attr: &Attribute| text(attr).map(|text| text.trim().is_empty());
    let begin = attrs.iter().position(|attr| is_blank(attr) == Some(false))?;
    let (_, lines) = attrs.split_at_checked(begin)?;
    let end = lines.iter().position(|attr| is_blank(attr) == Some(true));
    let last = || lines.iter().rposition(|attr| is_blank(attr).is_some()).map(|last| last + 1);
    Some(begin + end.or_else(last)?)
}

/// Returns whether the author's docs have a section with this heading.
pub(crate) fn has_section(attrs: &[Attribute], heading: &str) -> bool {
    let is_heading =
        |line: &str| line.trim().strip_prefix('#').is_some_and(|line| line.trim_matches(['#', ' ']) == heading);
    attrs.iter().filter_map(text).any(|text| text.lines().any(is_heading))
}

/// Returns the text of a doc attribute.
fn text(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            // An empty `///` ends the paragraph, but `"".lines()` has no line to end it with.
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
