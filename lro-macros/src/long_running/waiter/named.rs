//! Reads `named(…)` of a waiter: how one call asks for several names.

use proc_macro2::Ident;
use syn::{Error, LitStr, Result, parse::ParseStream};

use super::{Acceptor, Comparator, Matcher, NAME, output_path};
use crate::{
    list::{each, inside},
    long_running::keys,
    most,
    report::Report,
};

/// A valid declaration.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) items: LitStr,
    pub(crate) id: LitStr,
    pub(crate) most: u32,
}

const TAKES: &str =
    "where the reply has what it says of each name: `named(items = \"tasks[]\", id = \"id\", most = 100)`";

impl Named {
    /// Reads `(items = "tasks[]", id = "id", most = 100)`. Returns `None` after a mistake that was
    /// reported.
    pub(super) fn parse(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Option<Self>> {
        let tokens = inside(key, input, TAKES)?;
        let (mut items, mut id, mut most, mut is_broken) = (None, None, None, false);
        each(tokens, report, &mut |key, input, _| {
            let read = match key.to_string().as_str() {
                "items" => elements(key, input).map(|path| items = Some(path)),
                "id" => output_path(key, input, "id").map(|path| id = Some(path)),
                "most" => most::parse(key, input).map(|number| most = Some(number)),
                unknown => Err(Error::new(key.span(), keys::unknown_in_named(unknown))),
            };
            is_broken |= read.is_err();
            read
        });
        match (items, id, most) {
            (Some(items), Some(id), Some(most)) => return Ok(Some(Self { items, id, most })),
            _ if is_broken => {}
            _ => report.at(key, format!("`{key}` takes {TAKES}")),
        }
        Ok(None)
    }

    /// Reports what does not go with several names: a call without a place for them, and acceptors
    /// that cannot judge elements alone. The runtime polls such a waiter one by one.
    pub(super) fn check(
        &self,
        path: Option<&LitStr>,
        body: Option<&LitStr>,
        acceptors: &[Acceptor],
        report: &mut Report,
    ) {
        let path = path.map(LitStr::value).unwrap_or_default();
        let takes_several = match body.map(LitStr::value) {
            Some(body) => body.split_once("\"{name}\"").is_some_and(|(before, after)| {
                let is_list = before.trim_end().ends_with('[') && after.trim_start().starts_with(']');
                is_list && ![&path, before, after].iter().any(|text| text.contains(NAME))
            }),
            None => path.split_once(NAME).is_some_and(|(before, after)| before.contains('?') && !after.contains(NAME)),
        };
        if !takes_several {
            let message = "several names have no place in the call: `{name}` stands alone in a list of the body, \
                           `{\"ids\": [\"{name}\"]}`, or in the query of the path, `v1/tasks?ids={name}`";
            report.at(&self.items, message);
        }
        let items = self.items.value();
        let below = without_indices(&items);
        let below = below.strip_suffix(']').unwrap_or(&below);
        for acceptor in acceptors {
            let Matcher::Output(path, comparator) = &acceptor.matcher else { continue };
            let is_of_elements = without_indices(path).starts_with(below) && !path.contains(['=', '<', '>']);
            let of_each = |rest: &str| rest.starts_with(']') || rest.starts_with("*]");
            let looks_for_any = matches!(comparator, Comparator::Any(_))
                && !path.contains(['=', '<', '>', '('])
                && path.split('[').skip(1).all(of_each);
            if !is_of_elements && !looks_for_any {
                let message = format!(
                    "`{path}` says nothing of one name alone: with `named`, an acceptor looks at `{items}`, or for \
                     `any` word of a list elsewhere"
                );
                report.at(&self.items, message);
            }
        }
    }
}

/// Reads `= "tasks[]"`: plain members, the last of which is a list.
fn elements(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    let path = output_path(key, input, "tasks[]")?;
    let text = path.value();
    let is_plain = |member: &str| {
        let name = member.strip_suffix("[]").unwrap_or(member);
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    if text.ends_with("[]") && text.split('.').all(is_plain) {
        return Ok(path);
    }
    let message =
        format!("`{text}` is not a path of elements: members, the last of which is a list, such as `tasks[]`");
    Err(Error::new(path.span(), message))
}

/// Returns the path with `[]` for each `[0]` and `[*]`.
fn without_indices(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut is_inside = false;
    for c in path.chars() {
        is_inside = (is_inside || c == '[') && c != ']';
        if !is_inside || c == '[' {
            out.push(c);
        }
    }
    out
}
