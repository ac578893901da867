//! TOML with positions, by `toml_edit`.

use std::{ops::Range, sync::Arc};

use toml_edit::{Document, Item, Table, Value as TomlValue};

use super::{Member, Node, Unreadable, Value};
use crate::position::Position;

pub(super) fn read(file: &Arc<str>, text: &str) -> Result<Node, Unreadable> {
    let reader = Reader { file, text };
    let document = Document::parse(text).map_err(|error| Unreadable {
        at: reader.position(error.span()),
        message: format!("not TOML: {}", error.message()),
    })?;
    Ok(reader.table(document.as_table(), Some(0..0)))
}

struct Reader<'a> {
    file: &'a Arc<str>,
    text: &'a str,
}

impl Reader<'_> {
    fn table(&self, table: &Table, span: Option<Range<usize>>) -> Node {
        let members = table.iter().filter_map(|(name, item)| {
            let (key, _) = table.get_key_value(name)?;
            Some(Member { key: name.to_owned(), at: self.position(key.span()), node: self.item(item) })
        });
        Node { at: self.position(span.or(table.span())), value: Value::Map(members.collect()) }
    }

    fn item(&self, item: &Item) -> Node {
        match item {
            Item::None => Node { at: self.position(None), value: Value::Null },
            Item::Value(value) => self.value(value),
            Item::Table(table) => self.table(table, None),
            Item::ArrayOfTables(tables) => {
                let items = tables.iter().map(|table| self.table(table, None)).collect();
                Node { at: self.position(tables.span()), value: Value::List(items) }
            }
        }
    }

    fn value(&self, value: &TomlValue) -> Node {
        let at = self.position(value.span());
        let value = match value {
            TomlValue::String(text) => Value::String(text.value().clone()),
            TomlValue::Integer(number) => Value::Number(number.value().to_string()),
            TomlValue::Float(number) => Value::Number(number.value().to_string()),
            TomlValue::Boolean(value) => Value::Bool(*value.value()),
            TomlValue::Datetime(time) => Value::String(time.value().to_string()),
            TomlValue::Array(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            TomlValue::InlineTable(table) => Value::Map(
                table
                    .iter()
                    .filter_map(|(name, value)| {
                        let (key, _) = table.get_key_value(name)?;
                        Some(Member { key: name.to_owned(), at: self.position(key.span()), node: self.value(value) })
                    })
                    .collect(),
            ),
        };
        Node { at, value }
    }

    fn position(&self, span: Option<Range<usize>>) -> Position {
        let before = span.and_then(|span| self.text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position { file: self.file.clone(), line: number(line), column: number(column) }
    }
}
