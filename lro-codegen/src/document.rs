//! JSON, YAML and TOML as one tree in which every node knows where it stands.

use std::sync::Arc;

use crate::position::Position;

mod json;
mod toml;
mod yaml;

/// How deep a document may nest: more is an attack, or a mistake.
const DEEPEST: usize = 128;

/// A value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    String(String),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A member of a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) at: Position,
    pub(crate) node: Node,
}

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unreadable {
    pub(crate) at: Position,
    pub(crate) message: String,
}

impl Node {
    /// Reads a document: TOML and YAML by the file's ending, everything else as JSON, which is YAML
    /// if its first character says so.
    pub(crate) fn read(file: &Arc<str>, text: &str) -> Result<Self, Unreadable> {
        let ending = file.rsplit('.').next().unwrap_or_default();
        match ending {
            "toml" => toml::read(file, text),
            "yaml" | "yml" => yaml::read(file, text),
            _ if !text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[', '"']) => {
                yaml::read(file, text)
            }
            _ => json::read(file, text),
        }
    }

    /// Returns the member `key` of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.members().iter().find(|member| member.key == key).map(|member| &member.node)
    }

    /// Returns the node that a path of keys leads to.
    pub(crate) fn at_path<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        keys.into_iter().try_fold(self, |node, key| match &node.value {
            Value::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => node.get(key),
        })
    }

    /// Returns the members of a map, in their order; none if it is no map.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// Returns the elements of a list; none if it is no list.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match &self.value {
            Value::Number(number) => number.parse().ok(),
            _ => None,
        }
    }

    /// Returns the text of the member `key`, if it is text.
    pub(crate) fn str_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Returns whether the member `key` is `true`.
    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.get(key).and_then(Node::as_bool) == Some(true)
    }

    /// Returns what kind of value this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

#[cfg(test)]
mod tests;
