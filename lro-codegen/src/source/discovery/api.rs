//! One document: what all of its methods share.

use std::collections::BTreeMap;

use super::{join::without_port, methods::Found, shape::Family};
use crate::document::{Member, Node};

/// The `kind` of discovery documents.
const KIND: &str = "discovery#restDescription";

/// A discovery document.
pub(super) struct Api<'a> {
    /// The file, as positions name it.
    pub(super) file: &'a str,
    pub(super) document: &'a Node,
    /// The address, without a slash at its end; empty if none is known.
    pub(super) base: String,
    /// What the paths of all methods begin with, without slashes at its ends: `compute/v1`. Most
    /// documents have none.
    pub(super) service_path: &'a str,
    pub(super) schemas: BTreeMap<&'a str, &'a Member>,
}

impl<'a> Api<'a> {
    /// Reads what is about the document itself; the error says why it is none.
    pub(super) fn new(document: &'a Node) -> Result<Self, String> {
        let kind = document.str_of("kind").unwrap_or_default();
        if kind != KIND {
            return Err(format!("`kind` is {kind:?}: expected {KIND:?}"));
        }
        let base = document.str_of("rootUrl").unwrap_or_default().trim_end_matches('/').to_owned();
        if !base.is_empty() && !base.starts_with("https://") && !base.starts_with("http://") {
            return Err(format!("`rootUrl` is {base:?}: expected a URL of `https`"));
        }
        let service_path = document.str_of("servicePath").unwrap_or_default().trim_matches('/');
        let schemas = document.get("schemas").map(Node::members).unwrap_or_default();
        let schemas = schemas.iter().map(|member| (&*member.key, member)).collect();
        Ok(Self { file: &document.at.file, document, base, service_path, schemas })
    }

    /// Returns the host, by which protos are found.
    pub(super) fn host(&self) -> &str {
        let rest = self.base.split_once("://").map_or("", |(_, rest)| rest);
        without_port(rest.split('/').next().unwrap_or_default())
    }

    /// Returns the name of the API: `compute`.
    pub(super) fn name(&self) -> &'a str {
        self.document.str_of("name").unwrap_or_default()
    }

    /// Returns a path below the base.
    pub(super) fn below(&self, path: &str) -> String {
        match self.service_path {
            "" => path.to_owned(),
            service_path => format!("{service_path}/{path}"),
        }
    }

    pub(super) fn schema(&self, name: &str) -> Option<&'a Node> {
        self.schemas.get(name).map(|member| &member.node)
    }

    /// Returns the family of the operations that a method answers, if it answers any.
    pub(super) fn family(&self, method: &Found<'_>) -> Option<Family> {
        Family::of(self.schema(method.schema("response")?.as_str()?)?)
    }

    /// Returns the text about a service: documents have none about a resource.
    pub(super) fn docs(&self, service: &str) -> String {
        let said = |key| self.document.str_of(key).unwrap_or_default();
        let (title, version) = (said("title"), said("version"));
        format!("The long-running methods of `{service}` in the {title} `{version}`.\n\n{}", said("description"))
    }

    /// Returns what a service is named in overrides and reports.
    pub(super) fn service(&self, method: &Found<'_>) -> String {
        match &*method.resource {
            [] => self.name().to_owned(),
            parts => parts.join("."),
        }
    }
}
