//! The methods of a document, of nested resources as well.

use crate::document::{Member, Node};

/// A method, and the resource it stands in.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    /// The names of the resources that lead to it; none for a method of the document itself.
    pub(super) resource: Vec<&'a str>,
    pub(super) member: &'a Member,
}

/// Returns the methods of a document, in its order.
pub(super) fn all(document: &Node) -> Vec<Found<'_>> {
    let mut found = vec![];
    collect(document, &mut vec![], &mut found);
    found
}

// A document does not nest deeper than the reader of documents allows.
fn collect<'a>(node: &'a Node, resource: &mut Vec<&'a str>, found: &mut Vec<Found<'a>>) {
    let methods = node.get("methods").map(Node::members).unwrap_or_default();
    found.extend(methods.iter().map(|member| Found { resource: resource.clone(), member }));
    for member in node.get("resources").map(Node::members).unwrap_or_default() {
        resource.push(&member.key);
        collect(&member.node, resource, found);
        resource.pop();
    }
}

impl<'a> Found<'a> {
    pub(super) fn name(&self) -> &'a str {
        &self.member.key
    }

    pub(super) fn node(&self) -> &'a Node {
        &self.member.node
    }

    pub(super) fn verb(&self) -> &'a str {
        self.node().str_of("httpMethod").unwrap_or_default()
    }

    pub(super) fn path(&self) -> &'a str {
        self.node().str_of("path").unwrap_or_default()
    }

    /// Returns the schema of what the method is sent (`request`) or answers (`response`).
    pub(super) fn schema(&self, which: &str) -> Option<&'a Node> {
        self.node().get(which)?.get("$ref")
    }

    /// Returns whether the method stands in a resource of operations: `operations`,
    /// `globalOperations`.
    pub(super) fn is_of_operations(&self) -> bool {
        self.resource.last().is_some_and(|last| last.to_ascii_lowercase().ends_with("operations"))
    }

    /// Returns whether the method reads an operation that was started by another. A `GET` of
    /// another name than `get` starts one: `datasetVersions.restore`, `getMembershipGraph`.
    pub(super) fn is_polling(&self) -> bool {
        self.is_of_operations() || (self.verb() == "GET" && self.name() == "get")
    }
}
