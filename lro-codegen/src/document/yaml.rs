//! YAML 1.2 with positions, by `saphyr-parser`.

use std::{collections::HashMap, sync::Arc};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::{DEEPEST, Member, Node, Unreadable, Value};
use crate::position::Position;

/// How many nodes aliases may add: a file of a few lines can ask for billions.
const MOST_BY_ALIASES: usize = 1 << 20;

pub(super) fn read(file: &Arc<str>, text: &str) -> Result<Node, Unreadable> {
    let mut builder = Builder { file, open: vec![], anchors: HashMap::new(), by_aliases: 0, root: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| builder.unreadable(&error))?;
        builder.take(event, builder.position(span.start))?;
    }
    let at = Position { file: file.clone(), line: 1, column: 1 };
    Ok(builder.root.unwrap_or(Node { at, value: Value::Null }))
}

struct Builder<'a> {
    file: &'a Arc<str>,
    /// The lists and maps that are not closed, from the outermost.
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    by_aliases: usize,
    root: Option<Node>,
}

struct Open {
    node: Node,
    anchor: usize,
    /// The key whose value comes next.
    key: Option<(String, Position)>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Unreadable> {
        match event {
            Event::SequenceStart(anchor, _) => self.enter(Node { at, value: Value::List(vec![]) }, anchor),
            Event::MappingStart(anchor, _) => self.enter(Node { at, value: Value::Map(vec![]) }, anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { node, anchor, .. }) => self.add(node, anchor),
                None => Ok(()),
            },
            Event::Scalar(text, style, anchor, _) => {
                let value = if style == ScalarStyle::Plain { plain(&text) } else { Value::String(text.into_owned()) };
                self.add(Node { at, value }, anchor)
            }
            Event::Alias(anchor) => {
                let message = "an alias of something that encloses it".to_owned();
                let mut node = self.anchors.get(&anchor).cloned().ok_or(Unreadable { at: at.clone(), message })?;
                self.by_aliases += size(&node);
                if self.by_aliases > MOST_BY_ALIASES {
                    return Err(Unreadable { at, message: format!("aliases add more than {MOST_BY_ALIASES} values") });
                }
                node.at = at;
                self.add(node, 0)
            }
            // Only the first document of a file is read.
            _ => Ok(()),
        }
    }

    fn enter(&mut self, node: Node, anchor: usize) -> Result<(), Unreadable> {
        if self.open.len() > DEEPEST {
            return Err(Unreadable { at: node.at, message: format!("nested deeper than {DEEPEST} levels") });
        }
        self.open.push(Open { node, anchor, key: None });
        Ok(())
    }

    /// Adds a whole value to what encloses it.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Unreadable> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match (&mut open.node.value, open.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(members), Some((key, at))) => members.push(Member { key, at, node }),
            (_, _) => open.key = Some((key(&node)?, node.at)),
        }
        Ok(())
    }

    fn position(&self, marker: Marker) -> Position {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position {
            file: self.file.clone(),
            line: number(marker.line()),
            column: number(marker.col()).saturating_add(1),
        }
    }

    fn unreadable(&self, error: &ScanError) -> Unreadable {
        Unreadable { at: self.position(*error.marker()), message: format!("not YAML: {}", error.info()) }
    }
}

/// A key as text: `200` and `true` are keys of maps as well.
fn key(node: &Node) -> Result<String, Unreadable> {
    match &node.value {
        Value::String(text) | Value::Number(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null => Ok("null".to_owned()),
        Value::List(_) | Value::Map(_) => {
            Err(Unreadable { at: node.at.clone(), message: format!("{} as a key; a key is text", node.kind()) })
        }
    }
}

/// A scalar without quotes, by YAML's core schema.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if serde_json::from_str::<serde_json::Number>(text).is_ok() => Value::Number(text.to_owned()),
        _ => Value::String(text.to_owned()),
    }
}

fn size(node: &Node) -> usize {
    1 + node.items().iter().map(size).sum::<usize>()
        + node.members().iter().map(|member| size(&member.node)).sum::<usize>()
}
