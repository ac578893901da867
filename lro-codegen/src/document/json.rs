//! JSON (RFC 8259) with positions. The structure is read here; text is unescaped by `serde_json`.

use std::sync::Arc;

use super::{DEEPEST, Member, Node, Unreadable, Value};
use crate::position::Position;

pub(super) fn read(file: &Arc<str>, text: &str) -> Result<Node, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { file, text, offset: 0, line: 1, line_start: 0 };
    let node = reader.node(0)?;
    reader.space();
    if reader.offset < text.len() {
        return Err(reader.expected("the end of the file"));
    }
    Ok(node)
}

struct Reader<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    offset: usize,
    line: u32,
    line_start: usize,
}

impl Reader<'_> {
    fn node(&mut self, depth: usize) -> Result<Node, Unreadable> {
        self.space();
        let at = self.position();
        if depth > DEEPEST {
            return Err(Unreadable { at, message: format!("nested deeper than {DEEPEST} levels") });
        }
        let value = match self.peek() {
            Some(b'{') => Value::Map(self.map(depth)?),
            Some(b'[') => Value::List(self.list(depth)?),
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            _ if self.took("true") => Value::Bool(true),
            _ if self.took("false") => Value::Bool(false),
            _ if self.took("null") => Value::Null,
            _ => return Err(self.expected("a JSON value")),
        };
        Ok(Node { at, value })
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Member>, Unreadable> {
        self.offset += 1;
        let mut members = vec![];
        self.space();
        if self.took("}") {
            return Ok(members);
        }
        loop {
            self.space();
            let at = self.position();
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key in quotes"));
            }
            let key = self.string()?;
            self.space();
            if !self.took(":") {
                return Err(self.expected("`:`"));
            }
            members.push(Member { key, at, node: self.node(depth + 1)? });
            self.space();
            if self.took("}") {
                return Ok(members);
            }
            if !self.took(",") {
                return Err(self.expected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Unreadable> {
        self.offset += 1;
        let mut items = vec![];
        self.space();
        if self.took("]") {
            return Ok(items);
        }
        loop {
            items.push(self.node(depth + 1)?);
            self.space();
            if self.took("]") {
                return Ok(items);
            }
            if !self.took(",") {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Unreadable> {
        let start = self.offset;
        let rest = self.rest();
        let mut is_escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        let quoted =
            end.and_then(|end| rest.get(..end + 2)).ok_or_else(|| self.expected("text that ends with `\"`"))?;
        let text = serde_json::from_str(quoted)
            .map_err(|error| Unreadable { at: self.position(), message: format!("not JSON text: {error}") })?;
        self.offset = start + quoted.len();
        Ok(text)
    }

    fn number(&mut self) -> Result<String, Unreadable> {
        let rest = self.rest();
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = rest.get(..end).unwrap_or_default();
        if serde_json::from_str::<serde_json::Number>(number).is_err() {
            return Err(self.expected("a number"));
        }
        let number = number.to_owned();
        self.offset += end;
        Ok(number)
    }

    fn space(&mut self) {
        while let Some(byte) = self.peek().filter(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
            self.offset += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.offset;
            }
        }
    }

    fn took(&mut self, word: &str) -> bool {
        let is_next = self.rest().starts_with(word);
        if is_next {
            self.offset += word.len();
        }
        is_next
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn position(&self) -> Position {
        let before = self.text.get(self.line_start..self.offset).unwrap_or_default();
        let column = u32::try_from(before.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        Position { file: self.file.clone(), line: self.line, column }
    }

    fn expected(&self, what: &str) -> Unreadable {
        let found = self.rest().chars().next().map_or("the end of the file".to_owned(), |c| format!("{c:?}"));
        Unreadable { at: self.position(), message: format!("expected {what}, found {found}") }
    }
}
