//! One description: which language it is in, and what holds for all of its operations.

use super::{
    files::{Files, Place},
    server::Server,
};
use crate::{context::Context, document::Node};

/// The language of a description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Swagger2,
    OpenApi3,
}

/// A description.
pub(super) struct Document<'a> {
    pub(super) root: Place<'a>,
    pub(super) language: Language,
    pub(super) title: String,
    /// `info.version`, which is the `api-version` in descriptions of Azure.
    pub(super) version: Option<String>,
    pub(super) server: Server<'a>,
}

impl<'a> Document<'a> {
    /// Reads what holds for all operations. A file that is no description is an error of the
    /// report.
    pub(super) fn new(files: &'a Files, context: &mut Context, root: Place<'a>) -> Option<Self> {
        const LEGAL: &str = "expected `swagger: \"2.0\"` or `openapi: \"3.…\"`";
        let node = root.node;
        let found = ["swagger", "openapi"].into_iter().find_map(|key| Some((key, node.get(key)?)));
        let Some((key, version)) = found else {
            let what = if node.members().is_empty() { node.kind() } else { "a map without either" };
            context.report.error(&node.at, "", format!("not a description: {LEGAL}, found {what}"));
            return None;
        };
        let text = text_of(version).unwrap_or_default();
        let language = match key {
            "swagger" if text == "2.0" || text == "2" => Language::Swagger2,
            "openapi" if text.starts_with("3.") || text == "3" => Language::OpenApi3,
            _ => {
                let found = super::files::excerpt(&text);
                context.report.error(&version.at, "", format!("{LEGAL}, found `{key}: {found}`"));
                return None;
            }
        };
        let info = node.get("info");
        let title = info.and_then(|info| info.str_of("title")).unwrap_or("Service").to_owned();
        let version = info.and_then(|info| info.get("version")).and_then(text_of);
        let server = match Server::new(files, context, &root, language) {
            Ok(server) => server,
            Err(problem) => {
                context.report.error(&problem.at, "", problem.message);
                return None;
            }
        };
        Some(Self { root, language, title, version, server })
    }

    /// Returns whether a place is in the part of the description that parameters are shared from.
    pub(super) fn is_shared_parameter(place: &Place<'_>) -> bool {
        // Also in files of parameters that several descriptions share.
        place.pointer.starts_with("/parameters/")
    }
}

/// Returns a scalar as text: versions are written as numbers in YAML.
pub(super) fn text_of(node: &Node) -> Option<String> {
    use crate::document::Value;
    match &node.value {
        Value::String(text) | Value::Number(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}
