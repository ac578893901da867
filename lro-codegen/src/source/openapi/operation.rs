//! The operations of a description, and what they are called.

use super::{
    document::Document,
    files::{Files, Place},
};
use crate::{context::Context, position::Position};

/// The methods of HTTP that a path may have.
const VERBS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The maps of paths: Azure's extension has those that differ in the query alone.
const PATHS: [&str; 2] = ["paths", "x-ms-paths"];

/// An operation of a description: in this project's words, a method.
pub(super) struct Operation<'a> {
    /// The group: what becomes a client.
    pub(super) service: String,
    /// The name in its group.
    pub(super) name: String,
    /// In upper case.
    pub(super) verb: String,
    /// The template, as it is written.
    pub(super) path: &'a str,
    pub(super) place: Place<'a>,
    /// What holds for all operations of the path.
    pub(super) item: Place<'a>,
    /// Where it begins.
    pub(super) at: &'a Position,
}

impl<'a> Operation<'a> {
    /// Returns the operations of a description, in its order.
    pub(super) fn all(files: &'a Files, context: &mut Context, document: &Document<'a>) -> Vec<Self> {
        let mut operations = vec![];
        for (path, _, item) in PATHS.into_iter().flat_map(|key| document.root.members_of(key)) {
            // Extensions may stand between paths.
            if path.starts_with("x-") {
                continue;
            }
            let item = match files.resolved(context, &item) {
                Ok(item) => item,
                Err(problem) => {
                    context.report.error(&problem.at, super::files::excerpt(path), problem.message);
                    continue;
                }
            };
            for (verb, at, place) in item.members() {
                if VERBS.contains(&verb) {
                    let (service, name) = names(document, verb, path, &place);
                    let (verb, item) = (verb.to_uppercase(), item.clone());
                    operations.push(Self { service, name, verb, path, place, item, at });
                }
            }
        }
        operations
    }

    /// The name that overrides and messages have.
    pub(super) fn subject(&self) -> String {
        format!("{}.{}", self.service, self.name)
    }
}

/// Returns the service and the name of an operation: `VirtualMachines_Start` is `Start` of
/// `VirtualMachines`. An id without an underscore, or one in snake case, is the name alone, and its
/// service is named by the first tag or else by the title.
fn names(document: &Document<'_>, verb: &str, path: &str, place: &Place<'_>) -> (String, String) {
    let id = place.node.str_of("operationId").filter(|id| !id.trim().is_empty());
    let is_split = |id: &&str| id.contains(char::is_uppercase);
    let split = id.filter(is_split).and_then(|id| id.split_once('_'));
    if let Some((service, name)) = split.filter(|(service, name)| !service.is_empty() && !name.is_empty()) {
        return (service.to_owned(), name.to_owned());
    }
    let tag = place.items_of("tags").first().and_then(|tag| tag.node.as_str()).filter(|tag| !tag.trim().is_empty());
    let service = tag.unwrap_or(&document.title).to_owned();
    (service, id.map_or_else(|| described(verb, path), str::to_owned))
}

/// Returns a name for an operation without one: `post_users_by_id_export`.
fn described(verb: &str, path: &str) -> String {
    let segments = path.split(['/', ':', '?']).filter(|segment| !segment.is_empty());
    let words = segments.map(|segment| match segment.strip_prefix('{') {
        Some(variable) => format!("by_{}", variable.trim_end_matches('}')),
        None => segment.to_owned(),
    });
    std::iter::once(verb.to_owned()).chain(words).collect::<Vec<_>>().join("_")
}
