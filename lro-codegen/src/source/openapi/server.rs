//! Where a service is: the public address, and what stands before every path.
//!
//! An address with variables that have no value of their own (`{endpoint}`) is the user's: the base
//! is empty, and the client is made with the address. What follows the authority stays a part of
//! the path, with its variables.

use super::{
    document::{Language, text_of},
    files::{Files, Place, Problem},
};
use crate::{context::Context, document::Node};

/// Where a service is.
#[derive(Default)]
pub(super) struct Server<'a> {
    /// The scheme and the authority; empty if they are the user's.
    pub(super) base: String,
    /// What stands before every path; begins with a slash, or is empty.
    pub(super) prefix: String,
    /// The parameters of the prefix.
    pub(super) parameters: Vec<Place<'a>>,
}

impl<'a> Server<'a> {
    pub(super) fn new(
        files: &'a Files,
        context: &mut Context,
        root: &Place<'a>,
        language: Language,
    ) -> Result<Self, Problem> {
        if language == Language::OpenApi3 {
            return Ok(root.items_of("servers").first().map(Self::of_openapi).unwrap_or_default());
        }
        let node = root.node;
        let base_path = node.str_of("basePath").unwrap_or_default().trim_matches('/');
        let base_path = if base_path.is_empty() { String::new() } else { format!("/{base_path}") };
        if let Some(host) = root.get("x-ms-parameterized-host") {
            let template = host.node.str_of("hostTemplate").unwrap_or_default();
            let parameters = host.items_of("parameters").iter().map(|place| files.resolved(context, place)).collect();
            let (_, prefix) = split(template);
            let prefix = format!("{}{base_path}", prefix.trim_end_matches('/'));
            return Ok(Self { base: String::new(), prefix, parameters: used(&host, parameters)? });
        }
        let schemes = node.get("schemes").map_or(&[][..], Node::items);
        let scheme = if schemes.is_empty() || schemes.iter().any(|scheme| scheme.as_str() == Some("https")) {
            "https"
        } else {
            schemes.first().and_then(Node::as_str).unwrap_or("https")
        };
        let host = node.str_of("host").filter(|host| !host.is_empty() && !host.contains('{'));
        let base = host.map_or_else(String::new, |host| format!("{scheme}://{host}"));
        Ok(Self { base, prefix: base_path, parameters: vec![] })
    }

    /// Reads `{url: …, variables: …}`. Variables have their default values.
    pub(super) fn of_openapi(server: &Place<'a>) -> Self {
        let mut url = server.node.str_of("url").unwrap_or_default().to_owned();
        for (name, _, variable) in server.members_of("variables") {
            let default = variable.node.get("default").and_then(text_of).filter(|default| !default.is_empty());
            if let Some(default) = default {
                url = url.replace(&format!("{{{name}}}"), &default);
            }
        }
        let (authority, prefix) = split(&url);
        // Of a prefix, only the literal part can be known.
        let prefix = prefix.split('{').next().unwrap_or_default().trim_end_matches('/').to_owned();
        let base = if authority.contains('{') || !authority.contains("://") { String::new() } else { authority };
        Self { base, prefix, parameters: vec![] }
    }
}

/// Splits an address after the authority.
fn split(url: &str) -> (String, String) {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let slash = url.get(after_scheme..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| after_scheme + at);
    let (authority, prefix) = url.split_at_checked(slash).unwrap_or((url, ""));
    (authority.to_owned(), prefix.to_owned())
}

/// Returns the parameters that stand in the path after the authority: the others are the user's
/// address.
fn used<'a>(host: &Place<'a>, parameters: Result<Vec<Place<'a>>, Problem>) -> Result<Vec<Place<'a>>, Problem> {
    let template = host.node.str_of("hostTemplate").unwrap_or_default();
    let (_, prefix) = split(template);
    let is_used = |parameter: &Place<'a>| {
        parameter.node.str_of("name").is_some_and(|name| prefix.contains(&format!("{{{name}}}")))
    };
    Ok(parameters?.into_iter().filter(is_used).collect())
}
