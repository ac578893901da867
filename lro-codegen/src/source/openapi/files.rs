//! The files of a description, and the references between them.

use std::{
    cell::OnceCell,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use crate::{
    context::Context,
    document::{Node, Value},
    nearest::did_you_mean,
    position::Position,
};

/// The most references that lead from one to the next: more is a cycle, or an attack.
const LONGEST_CHAIN: usize = 64;

/// Why a part of a description cannot be used: where, and what was found instead of what.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) at: Position,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(at: &Position, message: impl Into<String>) -> Self {
        Self { at: at.clone(), message: message.into() }
    }
}

/// A file that was read.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// The path as ids show it: relative to the folder of the first file.
    pub(crate) id: String,
    document: Option<Arc<Node>>,
    next: OnceCell<Box<File>>,
}

/// The files that were read, in that order. Files are only added, so that what is found in them can
/// be held while others are read.
pub(crate) struct Files {
    root: PathBuf,
    first: OnceCell<Box<File>>,
}

/// A node, and where it is in its file.
#[derive(Clone)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a File,
    /// The JSON pointer, which begins with a slash; empty for the whole file.
    pub(crate) pointer: String,
    pub(crate) node: &'a Node,
}

impl Files {
    /// No files. Ids are relative to the folder of `first`.
    pub(crate) fn new(first: &Path) -> Self {
        let root = normal(first.parent().unwrap_or(Path::new("")));
        Self { root, first: OnceCell::new() }
    }

    /// Returns a file, read once. What is wrong with it is an error of the report.
    pub(crate) fn whole<'a>(&'a self, context: &mut Context, path: &Path) -> Option<Place<'a>> {
        let path = normal(path);
        let mut slot = &self.first;
        while let Some(file) = slot.get() {
            if file.path == path {
                return file.place();
            }
            slot = &file.next;
        }
        let document = context.document(&path);
        let id = relative(&self.root, &path);
        slot.get_or_init(|| Box::new(File { path, id, document, next: OnceCell::new() })).place()
    }

    /// Follows the references from a place to where there is none.
    pub(crate) fn resolved<'a>(&'a self, context: &mut Context, place: &Place<'a>) -> Result<Place<'a>, Problem> {
        let mut place = place.clone();
        for _ in 0..LONGEST_CHAIN {
            match place.reference() {
                Some(reference) => place = self.target(context, place.file, reference)?,
                None => return Ok(place),
            }
        }
        Err(Problem::new(&place.node.at, format!("references lead on and on: more than {LONGEST_CHAIN} in a row")))
    }

    /// Returns the place that a reference leads to, which may be a reference itself.
    pub(crate) fn target<'a>(
        &'a self,
        context: &mut Context,
        from: &'a File,
        reference: &Node,
    ) -> Result<Place<'a>, Problem> {
        let problem = |message: String| Problem::new(&reference.at, message);
        let Some(text) = reference.as_str() else {
            return Err(problem(format!("`$ref` is {}; it must be text", reference.kind())));
        };
        let (file, pointer) = text.split_once('#').unwrap_or((text, ""));
        let shown = excerpt(text);
        if file.contains("://") || file.starts_with("//") {
            return Err(problem(format!("`{shown}` is a URL; only files are read: save it, and refer to the file")));
        }
        let Some(pointer) = decoded(pointer).filter(|pointer| pointer.is_empty() || pointer.starts_with('/')) else {
            return Err(problem(format!("`{shown}` is not legal: a reference is `file#/path/to/it`")));
        };
        let whole = if file.is_empty() {
            self.whole(context, &from.path)
        } else {
            let file = decoded(file).unwrap_or_default();
            let path = normal(&from.path.parent().unwrap_or(Path::new("")).join(&file));
            if !context.documents.contains_key(&path) && !path.is_file() {
                return Err(problem(format!("`{shown}`: there is no file `{}`{}", path.display(), near_file(&path))));
            }
            self.whole(context, &path)
        };
        let Some(mut place) = whole else { return Err(problem(format!("`{shown}`: the file cannot be read"))) };
        for key in pointer.split('/').skip(1) {
            let key = key.replace("~1", "/").replace("~0", "~");
            place = place.get(&key).ok_or_else(|| {
                let near = nearest(&key, place.node.members().iter().map(|member| member.key.as_str()));
                problem(format!("`{shown}` is not there: {} has no `{}`{near}", place.shown(), excerpt(&key)))
            })?;
        }
        Ok(place)
    }
}

impl File {
    fn place(&self) -> Option<Place<'_>> {
        Some(Place { file: self, pointer: String::new(), node: self.document.as_deref()? })
    }
}

impl<'a> Place<'a> {
    /// Returns the member of a map, or the element of a list.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let node = match &self.node.value {
            Value::List(items) => items.get(key.parse::<usize>().ok()?)?,
            _ => self.node.get(key)?,
        };
        Some(self.below(key, node))
    }

    /// Returns the members of a map.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'a str, &'a Position, Self)> + use<'a, '_> {
        let members = self.node.members().iter();
        members.map(|member| (member.key.as_str(), &member.at, self.below(&member.key, &member.node)))
    }

    /// Returns the elements of a list.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> + use<'a, '_> {
        self.node.items().iter().enumerate().map(|(index, node)| self.below(&index.to_string(), node))
    }

    /// Returns the elements of the list that the member `key` is.
    pub(crate) fn items_of(&self, key: &str) -> Vec<Self> {
        self.get(key).map_or(vec![], |list| list.items().collect())
    }

    /// Returns the members of the map that the member `key` is.
    pub(crate) fn members_of(&self, key: &str) -> Vec<(&'a str, &'a Position, Self)> {
        self.get(key).map_or(vec![], |map| map.members().collect())
    }

    /// Returns the node of `$ref`, if it has one.
    pub(crate) fn reference(&self) -> Option<&'a Node> {
        self.node.get("$ref")
    }

    /// The id of what is here.
    pub(crate) fn id(&self) -> String {
        format!("{}#{}", self.file.id, self.pointer)
    }

    /// The last key of the pointer, as it is written in the file.
    pub(crate) fn name(&self) -> String {
        let last = self.pointer.rsplit('/').next().unwrap_or_default();
        last.replace("~1", "/").replace("~0", "~")
    }

    fn below(&self, key: &str, node: &'a Node) -> Self {
        let pointer = format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"));
        Self { file: self.file, pointer, node }
    }

    fn shown(&self) -> String {
        if self.pointer.is_empty() { "the file".to_owned() } else { format!("`{}`", excerpt(&self.pointer)) }
    }
}

/// Returns a text short enough to be shown.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Returns `; did you mean …?` with the legal name that is nearest, if one is near.
pub(crate) fn nearest<'n>(name: &str, legal: impl Iterator<Item = &'n str>) -> String {
    const LONGEST: usize = 200;
    if name.len() > LONGEST {
        return String::new();
    }
    did_you_mean(name, legal.filter(|legal| legal.len() <= LONGEST))
}

/// The same, or a full stop.
pub(crate) fn nearest_or_stop<'n>(name: &str, legal: impl Iterator<Item = &'n str>) -> String {
    Some(nearest(name, legal)).filter(|hint| !hint.is_empty()).unwrap_or_else(|| ".".to_owned())
}

/// Returns the name of the file beside `path` that is nearest to its name.
fn near_file(path: &Path) -> String {
    let names: Vec<String> = path
        .parent()
        .and_then(|folder| folder.read_dir().ok())
        .map(|entries| entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    nearest(&path.file_name().unwrap_or_default().to_string_lossy(), names.into_iter())
}

/// Resolves `.` and `..` by the names alone.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Returns `path` as it is seen from the folder `root`, with slashes.
fn relative(root: &Path, path: &Path) -> String {
    let (root, path): (Vec<_>, Vec<_>) = (root.components().collect(), path.components().collect());
    let shared = root.iter().zip(&path).take_while(|(a, b)| a == b).count();
    let up = root.iter().skip(shared).map(|_| "..".to_owned());
    let down = path.iter().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Decodes percent-encoding; `None` if what comes out is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = vec![];
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || char::from(ahead.next()?).to_digit(16);
        let value = (byte == b'%').then(|| Some(digit()? * 16 + digit()?)).flatten();
        match value.and_then(|value| u8::try_from(value).ok()) {
            Some(value) => {
                out.push(value);
                bytes = ahead;
            }
            None => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}
