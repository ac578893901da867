//! Where the elements of a proto stand, and what their comments say.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    rc::Rc,
    sync::Arc,
};

use prost_reflect::FileDescriptor;
use prost_types::source_code_info::Location;

use crate::position::Position;

/// The source information of files, read once for each.
#[derive(Default)]
pub(super) struct Sources {
    /// Where the files are, by the names that they are imported by.
    paths: BTreeMap<String, PathBuf>,
    files: RefCell<BTreeMap<String, Rc<Source>>>,
}

struct Source {
    shown: Arc<str>,
    /// By the path of the element in the descriptor: line, column, comment.
    places: HashMap<Vec<i32>, (u32, u32, String)>,
}

impl Sources {
    pub(super) fn new(paths: BTreeMap<String, PathBuf>) -> Self {
        Self { paths, files: RefCell::default() }
    }

    /// Returns where an element stands.
    pub(super) fn at(&self, file: &FileDescriptor, path: &[i32]) -> Position {
        let source = self.source(file);
        let (line, column) = source.places.get(path).map_or((0, 0), |(line, column, _)| (*line, *column));
        Position { file: source.shown.clone(), line, column }
    }

    /// Returns what the comment of an element says.
    pub(super) fn docs(&self, file: &FileDescriptor, path: &[i32]) -> String {
        self.source(file).places.get(path).map_or_else(String::new, |(_, _, docs)| docs.clone())
    }

    fn source(&self, file: &FileDescriptor) -> Rc<Source> {
        if let Some(source) = self.files.borrow().get(file.name()) {
            return source.clone();
        }
        let shown = match self.paths.get(file.name()) {
            Some(path) => path.to_string_lossy().into(),
            None => file.name().into(),
        };
        let locations = file.file_descriptor_proto().source_code_info.iter().flat_map(|info| &info.location);
        let places = locations.filter(|location| is_element(&location.path)).filter_map(|location| {
            let number = |index: usize| u32::try_from(*location.span.get(index)?).ok();
            Some((location.path.clone(), (number(0)? + 1, number(1)? + 1, comment(location))))
        });
        let source = Rc::new(Source { shown, places: places.collect() });
        self.files.borrow_mut().insert(file.name().to_owned(), source.clone());
        source
    }
}

/// Returns whether a path leads to an element, and not to a part of one.
fn is_element(path: &[i32]) -> bool {
    path.len().is_multiple_of(2)
}

/// Returns the text of a comment, without the notes that Google's authors write for each other.
fn comment(location: &Location) -> String {
    let text = [location.leading_comments(), location.trailing_comments()];
    let text = text.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("(--") {
        out.push_str(before);
        rest = after.split_once("--)").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    // Each line begins with the space that follows the slashes.
    let lines = out.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
