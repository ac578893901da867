//! Where the operations of a document are polled, cancelled and deleted: what its own resources of
//! operations say.

use super::{Api, call::path_of, methods::Found, shape::Family};

/// The path that the library's own dialects poll.
const DEFAULT: &str = "v1/{name}";

/// A resource of operations that can be read.
pub(super) struct Polls<'a> {
    resource: Vec<&'a str>,
    /// The template of the whole path.
    template: String,
    /// The path with the one variable `{name}`, or why there is none.
    path: Result<String, String>,
    cancel: bool,
    delete: bool,
}

/// What the attribute of a method says of this.
#[derive(Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) path: Option<String>,
    pub(super) cancel: bool,
    pub(super) delete: bool,
    /// Whether the document says nothing, so that the path is a guess.
    pub(super) is_guess: bool,
}

/// Returns the resources of operations of one family.
pub(super) fn all<'a>(api: &Api<'_>, methods: &[Found<'a>], family: Family) -> Vec<Polls<'a>> {
    let gets = methods.iter().filter(|method| {
        method.is_of_operations()
            && (method.verb(), method.name()) == ("GET", "get")
            && api.family(method) == Some(family)
    });
    let has = |verb: &str, name: &str, path: &str| {
        methods.iter().any(|method| {
            method.is_of_operations() && (method.verb(), method.name(), method.path()) == (verb, name, path)
        })
    };
    let polls = gets.map(|get| {
        let path = get.path();
        let template = path_of(get).map(|template| api.below(&template));
        Polls {
            resource: get.resource.clone(),
            path: template.clone().and_then(|template| by_name(&template)),
            template: template.unwrap_or_default(),
            cancel: has("POST", "cancel", &format!("{path}:cancel"))
                || has("POST", "cancel", &format!("{path}/cancel")),
            delete: has("DELETE", "delete", path),
        }
    });
    polls.collect()
}

/// Returns what stands before `projects/…` in the path of an operation.
pub(super) fn prefix<'p>(polls: &'p [Polls<'_>]) -> Option<&'p str> {
    polls.iter().find_map(|polls| Some(polls.template.split_once("/projects/")?.0))
}

/// Chooses the resource whose operations a method starts: that which has most in common with the
/// method's own.
pub(super) fn chosen(api: &Api<'_>, polls: &[Polls<'_>], method: &Found<'_>, family: Family) -> Result<Chosen, String> {
    let common = |polls: &Polls<'_>| polls.resource.iter().zip(&method.resource).take_while(|(a, b)| a == b).count();
    let length = |polls: &Polls<'_>| polls.path.as_ref().map_or(usize::MAX, String::len);
    // The shortest path of several is that of the whole name.
    let nearest = polls.iter().max_by_key(|polls| (common(polls), std::cmp::Reverse(length(polls))));
    if family != Family::Google {
        let (cancel, delete) = nearest.map_or((false, false), |polls| (polls.cancel, polls.delete));
        return Ok(Chosen { path: None, cancel, delete, is_guess: false });
    }
    let Some(polls) = nearest else {
        let version = version_of(method.path());
        let path = version.map_or(DEFAULT.to_owned(), |version| api.below(&format!("{version}/{{name}}")));
        return Ok(Chosen { path: own(path), cancel: false, delete: false, is_guess: true });
    };
    Ok(Chosen { path: own(polls.path.clone()?), cancel: polls.cancel, delete: polls.delete, is_guess: false })
}

fn own(path: String) -> Option<String> {
    Some(path).filter(|path| path != DEFAULT)
}

/// Returns the version that a path begins with: `v1`, `v2beta1`.
pub(super) fn version_of(path: &str) -> Option<&str> {
    let first = path.trim_start_matches('/').split('/').next()?;
    let mut chars = first.chars();
    (chars.next() == Some('v') && chars.next().is_some_and(|c| c.is_ascii_digit())).then_some(first)
}

/// Makes one variable, the operation's name, of those that a path has.
// Input:  v1beta1/{name=projects/*/operations/*}
// Output: v1beta1/{name}
fn by_name(template: &str) -> Result<String, String> {
    let cannot =
        || format!("its operations are at `{template}`, which is no path with the name of the operation alone");
    let (before, rest) = template.split_once('{').ok_or_else(cannot)?;
    let (variable, after) = rest.split_once('}').ok_or_else(cannot)?;
    if after.is_empty() {
        return Ok(format!("{before}{{name}}"));
    }
    // Input:  v1/apps/{appsId}/operations/{operationsId}: the name, taken apart at its slashes.
    // Output: v1/{name}
    let pieces: Vec<_> = template.split('/').collect();
    let is_pair = |pair: &[&str]| matches!(pair, [word, id] if *id == format!("{{{word}Id}}"));
    let start = pieces.iter().position(|piece| piece.contains(variable)).unwrap_or_default().saturating_sub(1);
    match (pieces.get(..start), pieces.get(start..)) {
        (Some(before), Some(name)) if name.chunks(2).all(is_pair) && !before.is_empty() => {
            Ok(format!("{}/{{name}}", before.join("/")))
        }
        _ => Err(cannot()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polling_path_has_the_name_alone() {
        for (template, path) in [
            ("v1/{name=projects/*/operations/*}", Some("v1/{name}")),
            ("v1/operations/{operationId}", Some("v1/operations/{name}")),
            ("v1/apps/{appsId}/operations/{operationsId}", Some("v1/{name}")),
            ("storage/v1/b/{bucket}/operations/{operationId}", None),
            ("v1/operations", None),
            ("{appsId}/x", None),
        ] {
            assert_eq!(by_name(template).ok().as_deref(), path, "{template}");
        }
    }
}
