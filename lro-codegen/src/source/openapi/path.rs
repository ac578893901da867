//! Templates of paths: as they are written, and as `Operations::call` takes them.

use std::{collections::BTreeMap, fmt::Write as _};

use super::files::{Problem, excerpt, nearest};
use crate::position::Position;

/// What a variable of a path becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Variable {
    /// One segment, or a part of one.
    Segment,
    /// One or more segments: `x-ms-skip-url-encoding`, `allowReserved`.
    Segments,
    /// Always the same text.
    Constant(String),
}

/// A path, and what its query always has.
pub(super) struct Template {
    /// Without a leading slash.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// The variables that it has, by their names in the template.
    pub(super) variables: Vec<String>,
}

/// Returns the name of a variable as a template may have it.
pub(super) fn variable_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-$".contains(c) { c } else { '_' }).collect()
}

impl Template {
    /// Reads a path. `variables` has the parameters of the place `path`, by name.
    pub(super) fn read(at: &Position, text: &str, variables: &BTreeMap<String, Variable>) -> Result<Self, Problem> {
        let problem = |message: String| Problem::new(at, message);
        let unbalanced = || problem(format!("the braces of the path `{}` do not match", excerpt(text)));
        // Some descriptions tell paths apart by a fragment, which is never sent.
        let whole = text.split('#').next().unwrap_or_default();
        let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
        let mut template = Self { path: String::new(), query: vec![], variables: vec![] };
        let mut rest = path.trim_start_matches('/');
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(unbalanced)?;
            if literal.contains('}') || name.contains('{') {
                return Err(unbalanced());
            }
            template.push_literal(literal);
            let Some(variable) = variables.get(name) else {
                let near = nearest(name, variables.keys().map(String::as_str));
                let shown = excerpt(name);
                return Err(problem(format!("the path has `{{{shown}}}`, which is no parameter of it{near}")));
            };
            let legal = variable_name(name);
            match variable {
                Variable::Segment => _ = write!(template.path, "{{{legal}}}"),
                Variable::Segments => _ = write!(template.path, "{{{legal}=**}}"),
                Variable::Constant(value) => template.push_constant(value),
            }
            template.variables.push(legal);
            rest = after;
        }
        if rest.contains('}') {
            return Err(unbalanced());
        }
        template.push_literal(rest);
        if template.path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(problem(format!("the path `{}` has a segment `.` or `..`", excerpt(text))));
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if pair.contains(['{', '}']) {
                return Err(problem(format!(
                    "the path has the query `{}`; a parameter stands beside it",
                    excerpt(pair)
                )));
            }
            template.query.push((name.to_owned(), value.to_owned()));
        }
        Ok(template)
    }

    /// What is not legal in a path is encoded.
    fn push_literal(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_ascii_graphic() && !"\"<>\\^`|".contains(c) {
                self.path.push(c);
            } else {
                self.push_encoded(c);
            }
        }
    }

    fn push_constant(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_ascii_alphanumeric() || "-._~:".contains(c) {
                self.path.push(c);
            } else {
                self.push_encoded(c);
            }
        }
    }

    fn push_encoded(&mut self, c: char) {
        let mut buffer = [0; 4];
        for byte in c.encode_utf8(&mut buffer).bytes() {
            _ = write!(self.path, "%{byte:02X}");
        }
    }
}
