//! JSON as a tree that also holds what no writer of JSON would write: members that come twice,
//! numbers of any length, strings with odd escapes.

use std::fmt::Write;

use serde_json::Value;

/// A JSON text in its parts.
#[derive(Clone, Debug)]
pub enum Json {
    /// A scalar as it is written, quotes included.
    Scalar(String),
    /// A list.
    List(Vec<Json>),
    /// The members of an object, each with its name as it is written.
    Object(Vec<(String, Json)>),
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(elements) => Self::List(elements.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, value)| (Value::from(name.as_str()).to_string(), Self::from(value)))
                    .collect(),
            ),
            scalar => Self::Scalar(scalar.to_string()),
        }
    }
}

impl Json {
    /// Reads a body; `None` if it is not JSON.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Value>(body).ok().as_ref().map(Self::from)
    }

    /// Creates a string.
    #[must_use]
    pub fn string(text: &str) -> Self {
        Self::Scalar(Value::from(text).to_string())
    }

    /// Returns how many parts the text has, this one included.
    #[must_use]
    pub fn parts(&self) -> usize {
        1 + match self {
            Self::Scalar(_) => 0,
            Self::List(elements) => elements.iter().map(Self::parts).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.parts()).sum(),
        }
    }

    /// Returns the part at `index`, counted from this one, each before what is in it.
    pub fn part(&mut self, index: usize) -> Option<&mut Self> {
        let mut left = index;
        self.seek(&mut left)
    }

    fn seek(&mut self, left: &mut usize) -> Option<&mut Self> {
        if *left == 0 {
            return Some(self);
        }
        *left -= 1;
        match self {
            Self::Scalar(_) => None,
            Self::List(elements) => elements.iter_mut().find_map(|element| element.seek(left)),
            Self::Object(members) => members.iter_mut().find_map(|(_, value)| value.seek(left)),
        }
    }

    /// Returns the text, with `space` where space may be.
    #[must_use]
    pub fn text(&self, space: &str) -> String {
        let mut out = String::new();
        self.write(&mut out, space);
        out
    }

    fn write(&self, out: &mut String, space: &str) {
        match self {
            Self::Scalar(text) => out.push_str(text),
            Self::List(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    let _ = write!(out, "{}{space}", if index > 0 { "," } else { "" });
                    element.write(out, space);
                }
                let _ = write!(out, "{space}]");
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    let _ = write!(out, "{}{space}{name}:{space}", if index > 0 { "," } else { "" });
                    value.write(out, space);
                }
                let _ = write!(out, "{space}}}");
            }
        }
    }
}
