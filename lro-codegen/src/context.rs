//! What every front end works with: the files it reads, the methods that are wanted, the overrides,
//! and the report.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{document::Node, overrides::Overrides, position::Position, report::Report};

/// The longest file that is read: the longest known description has 9 MB.
const LONGEST: u64 = 256 << 20;

/// What every front end works with.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) report: Report,
    pub(crate) overrides: Overrides,
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    /// The files that were read, which a build depends on.
    pub(crate) read: Vec<PathBuf>,
    pub(crate) documents: BTreeMap<PathBuf, Option<Arc<Node>>>,
}

impl Context {
    /// Returns the text of a file. A file that cannot be read is an error of the report.
    pub(crate) fn text(&mut self, path: &Path) -> Option<String> {
        let at = Position::file(path.to_string_lossy());
        let found = fs::metadata(path).and_then(|metadata| match metadata.len() {
            long @ LONGEST.. => Ok(Err(format!("the file has {long} bytes; at most {LONGEST} are read"))),
            _ => fs::read(path).map(|bytes| {
                String::from_utf8(bytes).map_err(|error| {
                    let line =
                        error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n');
                    format!("the file is not UTF-8: see its line {}", line.count() + 1)
                })
            }),
        });
        match found {
            Ok(Ok(text)) => {
                self.read.push(path.to_owned());
                Some(text)
            }
            Ok(Err(message)) => {
                self.report.error(&at, "", message);
                None
            }
            Err(error) => {
                self.report.error(&at, "", format!("the file cannot be read: {error}"));
                None
            }
        }
    }

    /// Returns a JSON, YAML or TOML file, read once. What is wrong with it is an error of the
    /// report.
    pub(crate) fn document(&mut self, path: &Path) -> Option<Arc<Node>> {
        if let Some(document) = self.documents.get(path) {
            return document.clone();
        }
        let file: Arc<str> = path.to_string_lossy().into();
        let document = self.text(path).and_then(|text| match Node::read(&file, &text) {
            Ok(node) => Some(Arc::new(node)),
            Err(unreadable) => {
                self.report.error(&unreadable.at, "", unreadable.message);
                None
            }
        });
        self.documents.insert(path.to_owned(), document.clone());
        document
    }

    /// Returns whether the method `service.method` is wanted. One that is not is noted as skipped,
    /// with the reason: so ask for each long-running method once, before anything of it is
    /// resolved.
    pub(crate) fn wants(&mut self, at: &Position, service: &str, method: &str) -> bool {
        let name = format!("{service}.{method}");
        let matches = |pattern: &String| pattern_matches(pattern, &name);
        let why = if self.overrides.of(service, method).is_some_and(|found| found.skip) {
            "by the overrides file"
        } else if self.skip.iter().any(matches) {
            "by `skip`"
        } else if !self.only.is_empty() && !self.only.iter().any(matches) {
            "not among `only`"
        } else {
            return true;
        };
        self.report.left_out(at, name, why);
        false
    }
}

/// Returns whether `pattern`, in which `*` stands for any characters, is all of `name`, or all of
/// its service or its method.
pub(crate) fn pattern_matches(pattern: &str, name: &str) -> bool {
    let (service, method) = name.rsplit_once('.').unwrap_or(("", name));
    [name, service, method].into_iter().any(|text| glob(pattern, text))
}

fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            let Some(at) = rest.find(before) else { return false };
            rest = rest.get(at + before.len()..).unwrap_or_default();
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}
