//! From files to descriptors. Every file that cannot be read is told, not the first one alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use prost_reflect::{DescriptorPool, FileDescriptor};
use protox::{
    Compiler, Error,
    file::{File, FileResolver, GoogleFileResolver},
};

use super::{Proto, known, sources::Sources};
use crate::{context::Context, nearest::did_you_mean, position::Position};

/// How deep the folders of a root may nest: more is a loop of links.
const DEEPEST: usize = 32;

/// What was compiled.
pub(super) struct Compiled {
    pub(super) pool: DescriptorPool,
    pub(super) sources: Sources,
    /// The files whose services are wanted.
    pub(super) wanted: Vec<FileDescriptor>,
    /// The configurations that were named, or found beside the files.
    pub(super) configs: Vec<PathBuf>,
}

/// A file below a root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    /// As it is imported.
    name: String,
    path: PathBuf,
}

/// What stands in the included folders.
#[derive(Default)]
struct Folder {
    protos: BTreeSet<Found>,
    configs: BTreeSet<PathBuf>,
}

/// Compiles what is named. `None` if there is nothing to compile, which the report says.
pub(super) fn compile(input: &Proto, context: &mut Context) -> Option<Compiled> {
    if input.descriptors.is_empty() { from_roots(input, context) } else { Some(from_descriptors(input, context)) }
}

fn from_roots(input: &Proto, context: &mut Context) -> Option<Compiled> {
    for root in input.roots.iter().filter(|root| !root.is_dir()) {
        let at = Position::file(root.to_string_lossy());
        context.report.error(&at, "", "there is no such folder; a root is the folder that imports begin in");
    }
    if context.report.has_errors() {
        return None;
    }
    let (mut wanted, mut beside) = (Folder::default(), Folder::default());
    if input.include.is_empty() {
        for root in &input.roots {
            collect(root, root, DEEPEST, &mut wanted);
        }
    }
    for include in &input.include {
        match found(include, &input.roots) {
            Some((root, path)) if path.is_dir() => collect(&root, &path, DEEPEST, &mut wanted),
            Some((root, path)) => {
                add(&root, &path, &mut wanted);
                if let Some(folder) = path.parent() {
                    collect(&root, folder, 1, &mut beside);
                }
            }
            None => not_found(include, &input.roots, context),
        }
    }
    let mut compiler = Compiler::with_file_resolver(Roots(input.roots.clone()));
    compiler.include_imports(true);
    let mut told = BTreeSet::new();
    for file in &wanted.protos {
        if let Err(error) = compiler.open_file(&file.name) {
            let (at, message) = explained(&error, file, &input.roots);
            // A file that several import is told once.
            if told.insert((at.clone(), message.clone())) {
                context.report.error(&at, "", message);
            }
        }
    }
    for file in beside.protos.difference(&wanted.protos) {
        if let Err(error) = compiler.open_file(&file.name) {
            let (at, message) = explained(&error, file, &input.roots);
            if told.insert((at.clone(), message.clone())) {
                context.report.note(&at, "", format!("{message}; the file is left out"));
            }
        }
    }
    let paths: BTreeMap<String, PathBuf> =
        compiler.files().filter_map(|file| Some((file.name().to_owned(), file.path()?.to_owned()))).collect();
    context.read.extend(paths.values().cloned());
    let pool = compiler.descriptor_pool();
    let wanted_files = wanted.protos.iter().filter_map(|file| pool.get_file_by_name(&file.name)).collect();
    let configs = if input.configs.is_empty() {
        wanted.configs.union(&beside.configs).cloned().collect()
    } else {
        input.configs.clone()
    };
    Some(Compiled { sources: Sources::new(paths), pool, wanted: wanted_files, configs })
}

fn from_descriptors(input: &Proto, context: &mut Context) -> Compiled {
    let mut pool = DescriptorPool::new();
    for path in &input.descriptors {
        let at = Position::file(path.to_string_lossy());
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                context.report.error(&at, "", format!("the file cannot be read: {error}"));
                continue;
            }
        };
        context.read.push(path.clone());
        if let Err(error) = pool.decode_file_descriptor_set(&*bytes) {
            let message = format!(
                "this is no complete set of descriptors: {error}; write it with `protoc --descriptor_set_out=… \
                 --include_imports --include_source_info`"
            );
            context.report.error(&at, "", message);
        }
    }
    let prefixes: Vec<String> = input.include.iter().filter_map(|path| name_of(path)).collect();
    let is_wanted = |file: &FileDescriptor| {
        let is_below = |prefix: &String| {
            file.name().strip_prefix(&**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        prefixes.is_empty() || prefixes.iter().any(is_below)
    };
    let wanted: Vec<_> = pool.files().filter(is_wanted).collect();
    for (include, prefix) in input.include.iter().zip(&prefixes) {
        if !wanted.iter().any(|file| file.name().starts_with(&**prefix)) {
            let at = Position::file(include.to_string_lossy());
            context.report.error(&at, "", "no file of the descriptors has this name, or is below it");
        }
    }
    Compiled { sources: Sources::default(), pool, wanted, configs: input.configs.clone() }
}

/// Returns where an included path stands: below a root, or as it is.
fn found(include: &Path, roots: &[PathBuf]) -> Option<(PathBuf, PathBuf)> {
    // The same folder may be written in several ways: `protos`, `./protos`.
    let plain = |path: &Path| -> PathBuf { path.components().filter(|part| *part != Component::CurDir).collect() };
    let include = plain(include);
    let mut below = roots.iter().map(|root| (root, Some(include.clone())));
    let mut within = roots.iter().map(|root| (root, include.strip_prefix(plain(root)).ok().map(Path::to_owned)));
    below.by_ref().chain(within.by_ref()).find_map(|(root, rest)| {
        let rest = rest.filter(|rest| name_of(rest).is_some())?;
        let path = root.join(rest);
        path.exists().then(|| (root.clone(), path))
    })
}

fn not_found(include: &Path, roots: &[PathBuf], context: &mut Context) {
    let name = include.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folders = roots.iter().map(|root| root.join(include.parent().unwrap_or(Path::new(""))));
    let entries = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let hint = did_you_mean(&name, names.iter().map(String::as_str));
    let roots: Vec<_> = roots.iter().map(|root| format!("`{}`", root.display())).collect();
    let message = format!("no such file or folder is below {}{hint}", roots.join(" or "));
    context.report.error(&Position::file(include.to_string_lossy()), "", message);
}

/// Finds the protos and the configurations in a folder, and in those below it. What cannot be read
/// holds none: the compiler says so if another file needs it.
fn collect(root: &Path, folder: &Path, depth: usize, out: &mut Folder) {
    let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth > 1 {
                collect(root, &path, depth - 1, out);
            }
        } else {
            add(root, &path, out);
        }
    }
}

fn add(root: &Path, path: &Path, out: &mut Folder) {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("proto") => {
            let name = path.strip_prefix(root).ok().and_then(name_of);
            out.protos.extend(name.map(|name| Found { name, path: path.to_owned() }));
        }
        Some("yaml" | "yml") => _ = out.configs.insert(path.to_owned()),
        _ => {}
    }
}

/// Returns a path as imports write it.
fn name_of(path: &Path) -> Option<String> {
    let parts = path.components().filter(|part| !matches!(part, Component::CurDir));
    let parts: Option<Vec<_>> = parts
        .map(|part| match part {
            Component::Normal(part) => part.to_str(),
            _ => None,
        })
        .collect();
    Some(parts?.join("/"))
}

/// Finds imports below the roots, and else among the files of the options that are read. Those of
/// protobuf itself are the compiler's own: the newest `descriptor.proto` is written in a language
/// that only the newest compiler reads.
struct Roots(Vec<PathBuf>);

impl FileResolver for Roots {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        if let Ok(file) = GoogleFileResolver::new().open_file(name) {
            return Ok(file);
        }
        // An import leads nowhere else.
        let is_below = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let path = self.0.iter().map(|root| root.join(name)).find(|path| is_below && path.is_file());
        match path {
            Some(path) => File::open(name, &path),
            None => known::open(name).unwrap_or_else(|| Err(Error::file_not_found(name))),
        }
    }
}

/// Returns where an error of the compiler stands, and what it says.
fn explained(error: &Error, file: &Found, roots: &[PathBuf]) -> (Position, String) {
    let name = error.file().unwrap_or(&file.name);
    let path = roots.iter().map(|root| root.join(name)).find(|path| path.is_file());
    let shown: Arc<str> = path.unwrap_or_else(|| file.path.clone()).to_string_lossy().into();
    // The compiler's own form for debugging begins with the place: `file:line:column: `.
    let debug = format!("{error:?}");
    let place = debug.strip_prefix(name).and_then(|rest| rest.strip_prefix(':'));
    let mut numbers = place.unwrap_or_default().splitn(3, ':').map(|part| part.trim().parse().ok());
    let (line, column) = match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(line), Some(column)) => (line, column),
        _ => (0, 0),
    };
    let mut message = error.to_string();
    if error.is_file_not_found() {
        message += &missing(&message);
    }
    (Position { file: shown, line, column }, message)
}

/// Says where a missing import may be found.
fn missing(message: &str) -> String {
    let known = ["google/api/", "google/longrunning/", "google/rpc/", "google/type/", "google/cloud/"];
    let hint = if known.iter().any(|folder| message.contains(folder)) {
        "; it is among the protos of https://github.com/googleapis/googleapis: give a folder that has them as a root"
    } else {
        "; it is below none of the roots"
    };
    hint.to_owned()
}
