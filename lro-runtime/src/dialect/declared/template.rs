//! Fills and takes apart names and paths with placeholders, such as `v1/jobs/{name}` and
//! `threads/{thread_id}/runs/{id}`.

use std::borrow::Cow;

use crate::{dialect::encode_name, status::Failure, text::excerpt, url::encode_query};

/// The placeholder that stands for the whole name.
pub(super) const NAME: &str = "name";

/// Splits `template` into literal text and the words of placeholders.
fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if let Some(inner) = rest.strip_prefix('{') {
            // Without the closing brace the rest is the word. The derive refuses such a template.
            let (word, after) = inner.split_once('}').unwrap_or((inner, ""));
            rest = after;
            return Some(Piece::Placeholder(word));
        }
        let (text, after) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        rest = after;
        (!text.is_empty()).then_some(Piece::Text(text))
    })
}

/// A piece of a template.
#[derive(Debug, PartialEq)]
enum Piece<'t> {
    Text(&'t str),
    Placeholder(&'t str),
}

/// Makes a name: fills the placeholders of `template` with what `value` returns for their index,
/// counted from 0, and their word.
///
/// Fails if a value is empty or has a slash: the name could not be taken apart again by
/// [`value_in`].
pub(super) fn fill<'v>(
    template: &str,
    value: impl Fn(usize, &str) -> Result<Cow<'v, str>, Failure>,
) -> Result<String, Failure> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut index = 0;
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Placeholder(word) => {
                let value = value(index, word)?;
                if value.is_empty() || value.contains('/') {
                    let found = excerpt(value.as_bytes());
                    return Err(Failure::protocol(format!(
                        "`{word}`: found `{found}`, expected one segment of a name"
                    )));
                }
                out.push_str(&value);
                index += 1;
            }
        }
    }
    Ok(out)
}

/// Returns the value of the placeholder `wanted` in `name`, or `None` if `name` was not made from
/// `template`.
fn value_in<'n>(template: &str, name: &'n str, wanted: &str) -> Option<&'n str> {
    let mut rest = name;
    let mut found = None;
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => rest = rest.strip_prefix(text)?,
            Piece::Placeholder(word) => {
                let (value, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                if value.is_empty() {
                    return None;
                }
                found = found.or((word == wanted).then_some(value));
                rest = after;
            }
        }
    }
    found.filter(|_| rest.is_empty()) // a longer name is not of this template
}

/// Fails unless `name` can be put into a path and, if there is a template, was made from it.
pub(super) fn check(name: &str, template: Option<&str>) -> Result<(), Failure> {
    encode_name(name)?;
    let Some(template) = template else { return Ok(()) };
    // One placeholder is enough: `value_in` compares the whole name with the template, whichever
    // value it looks for.
    let first = pieces(template).find_map(|piece| match piece {
        Piece::Placeholder(word) => Some(word),
        Piece::Text(_) => None,
    });
    match first {
        Some(word) if value_in(template, name, word).is_none() => {
            Err(Failure::untrusted(format!("the name `{}` is not of the form `{template}`", excerpt(name.as_bytes()))))
        }
        _ => Ok(()),
    }
}

/// Makes the path of a call: fills `path` with `name`. The placeholder `{name}` stands for the
/// whole name, the others for its parts by the name's own `template`.
///
/// Values are encoded for where they stand: as path segments before the `?`, as query values after
/// it. In a query (`tasks/cancel?uids={name}`) a `&` of the name would start another parameter; in
/// a path it is legal.
pub(super) fn path(path: &str, name: &str, template: Option<&str>) -> Result<String, Failure> {
    check(name, template)?;
    let mut out = String::with_capacity(path.len() + name.len());
    for piece in pieces(path) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Placeholder(word) => {
                let value = if word == NAME {
                    Some(name)
                } else {
                    template.and_then(|template| value_in(template, name, word))
                };
                let value = value.ok_or_else(|| Failure::protocol(format!("no value for `{{{word}}}` in `{path}`")))?;
                out.push_str(&if out.contains('?') { encode_query(value) } else { encode_name(value)? });
            }
        }
    }
    Ok(out)
}

/// Returns the parent whose `list` has the operation that is polled at `poll`: what stands at
/// `{parent}` in the path of its collection. Empty for a list without a parent, and `None` if the
/// operation is in no such list.
pub(super) fn parent_in(list: &str, poll: &str, name: &str, template: Option<&str>) -> Option<String> {
    check(name, template).ok()?;
    let (list, poll) = (path_alone(list), path_alone(poll));
    let pieces = pieces(poll).map(|piece| match piece {
        Piece::Text(text) => Some(text),
        Piece::Placeholder(NAME) => Some(name),
        Piece::Placeholder(word) => value_in(template?, name, word),
    });
    let polled = pieces.collect::<Option<String>>()?;
    let (collection, _) = polled.rsplit_once('/')?;
    match list.split_once("{parent}") {
        Some((before, after)) => {
            let parent = collection.strip_prefix(before)?.strip_suffix(after)?;
            (!parent.is_empty()).then(|| parent.to_owned())
        }
        None => (collection == list).then(String::new),
    }
}

/// Returns a path without its query.
pub(super) fn path_alone(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// Fills the placeholders of `path` with what `value` returns for their words. Parameters of the
/// query whose value is empty are left out: a first page has no token, and most lists no filter.
pub(super) fn query(path: &str, value: impl Fn(&str) -> String) -> Result<String, Failure> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let fill = |text: &str, encode: &dyn Fn(&str) -> Result<String, Failure>| {
        let filled = pieces(text).map(|piece| match piece {
            Piece::Text(text) => Ok(text.to_owned()),
            Piece::Placeholder(word) => encode(&value(word)),
        });
        filled.collect::<Result<String, Failure>>()
    };
    let mut out = fill(path, &encode_name)?;
    for parameter in query.split('&') {
        let filled = fill(parameter, &|value| Ok(encode_query(value)))?;
        if !filled.is_empty() && !filled.ends_with('=') {
            out.push(if out.contains('?') { '&' } else { '?' });
            out.push_str(&filled);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "threads/{thread_id}/runs/{id}";

    #[test]
    fn a_name_is_made_and_taken_apart_again() {
        let name = fill(RUN, |index, _| Ok(["t1", "r2"][index].into())).unwrap();
        assert_eq!(name, "threads/t1/runs/r2");
        assert_eq!(path("v1/{name}", &name, Some(RUN)).unwrap(), "v1/threads/t1/runs/r2");
        assert_eq!(path("v1/{id}?in={thread_id}", &name, Some(RUN)).unwrap(), "v1/r2?in=t1");
        for strange in ["r2", "threads/t1/runs", "threads//runs/r2", "threads/t1/runs/r2/steps", "x/t1/runs/r2"] {
            assert!(check(strange, Some(RUN)).is_err(), "{strange}");
        }
        assert!(fill(RUN, |_, _| Ok("../x".into())).is_err());
    }

    #[test]
    fn a_name_cannot_leave_its_place() {
        assert_eq!(path("v1/jobs/{name}", "a b?c", None).unwrap(), "v1/jobs/a%20b%3Fc");
        assert_eq!(path("v1/jobs/cancel?uids={name}", "a&b=/c", None).unwrap(), "v1/jobs/cancel?uids=a%26b%3D%2Fc");
        for strange in ["../x", "a//b", "", "a/.."] {
            assert!(path("v1/jobs/{name}", strange, None).is_err(), "{strange}");
        }
    }

    #[test]
    fn the_list_of_an_operation_is_the_one_that_its_path_lies_in() {
        let parent = |list, poll, name| parent_in(list, poll, name, None);
        assert_eq!(parent("tasks?limit={page_size}", "tasks/{name}", "17").as_deref(), Some(""));
        assert_eq!(parent("v1/{parent}/ops", "v1/{name}", "p/7/ops/o").as_deref(), Some("p/7"));
        assert_eq!(parent("v1/{parent}/ops?x=1", "v1/{name}?y=2", "p/ops/ops/o").as_deref(), Some("p/ops"));
        for (list, poll, name) in [
            ("tasks", "tasks/{name}", "a/b"),
            ("tasks", "jobs/{name}", "17"),
            ("tasks", "{name}", "17"),
            ("tasks", "tasks/{name}/state", "17"),
            ("v1/{parent}/ops", "v1/{name}", "p/jobs/o"),
            ("v1/{parent}/ops", "v1/{name}", "ops/o"),
            ("v1/{parent}/{filter}", "v1/{name}", "p/ops/o"),
            ("v1/{parent}", "v1/{name}", ".."),
        ] {
            assert_eq!(parent(list, poll, name), None, "{name} in {list}");
        }
        let run = |name| parent_in("threads/{parent}/runs", "threads/{thread_id}/runs/{id}", name, Some(RUN));
        assert_eq!((run("threads/t1/runs/r2").as_deref(), run("t1/r2")), (Some("t1"), None));
    }

    #[test]
    fn empty_parameters_are_left_out() {
        let value = |word: &str| if word == "page_size" { "20".to_owned() } else { String::new() };
        assert_eq!(query("v1/jobs?limit={page_size}&after={page_token}", value).unwrap(), "v1/jobs?limit=20");
        assert_eq!(query("v1/jobs?after={page_token}&all=1", value).unwrap(), "v1/jobs?all=1");
        assert_eq!(query("v1/{parent}/jobs", |_| "projects/a b".to_owned()).unwrap(), "v1/projects/a%20b/jobs");
        assert!(query("v1/{parent}/jobs", |_| "..".to_owned()).is_err());
    }
}
