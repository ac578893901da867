//! `lro.toml`: what the user says of methods whose description says too little, or something wrong.
//! The same keys stand in the extension `x-lro` of an OpenAPI document.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    document::{Member, Node, Value},
    model::{Dialect, Options},
    nearest::{did_you_mean, did_you_mean_or_stop},
    position::Position,
    report::Report,
};

mod duration;
mod keys;

pub(crate) use keys::FINAL_STATE_VIA;

/// The tables of the file.
const TABLES: [&str; 2] = ["method", "types"];

/// The overrides of a run, by `Service.Method`.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) methods: BTreeMap<String, Override>,
    /// The types that the user has written, by what the description calls them: `Workflow`, or a
    /// whole package, `google.rpc`. Each is a path of Rust.
    pub(crate) externs: BTreeMap<String, String>,
    /// The methods that were asked for: of an entry that matches none, the nearest is named.
    seen: RefCell<BTreeSet<String>>,
}

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The user, in `lro.toml`.
    File,
    /// The description, in `x-lro`: it names no path of Rust.
    Description,
}

/// What is said of one method.
#[derive(Clone, Debug, Default)]
pub(crate) struct Override {
    /// Where it stands.
    pub(crate) at: Option<Position>,
    /// Whether the method was found.
    pub(crate) is_used: Cell<bool>,
    /// `skip = true`.
    pub(crate) skip: bool,
    /// `response = "Image"`: a type of the description, `()`, or a path of Rust that has `::`.
    pub(crate) response: Option<(String, Position)>,
    /// `metadata = "Progress"`, alike.
    pub(crate) metadata: Option<(String, Position)>,
    /// `dialect = "azure"`, or `wire = "crate::Job"`.
    pub(crate) dialect: Option<Dialect>,
    /// `name = "ExportImage"`: base of the alias and the enum.
    pub(crate) name: Option<String>,
    /// `cancel = false`, which takes back what the description says.
    pub(crate) cancel: Option<bool>,
    /// `delete = false`, alike.
    pub(crate) delete: Option<bool>,
    /// The keys of the attribute that are said; the others have their default value. Of `progress`,
    /// only the field's name is said.
    pub(crate) options: Options,
}

impl Overrides {
    /// Reads the overrides file. What is wrong with it is an error of the report.
    pub(crate) fn read(document: &Node, report: &mut Report) -> Self {
        let mut overrides = Self::default();
        for Member { key, at, node } in document.members() {
            match key.as_str() {
                "method" => {
                    for entry in table(node, at, "`method` takes a table for each method", report) {
                        overrides.method(entry, &entry.key, report);
                    }
                }
                "types" => {
                    for entry in table(node, at, "`types` takes a path of Rust for each type", report) {
                        overrides.extern_type(entry, report);
                    }
                }
                _ => {
                    let hint = did_you_mean_or_stop(key, TABLES);
                    let legal = "Legal tables are `[method.\"Service.Method\"]` and `[types]`";
                    report.error(at, "", format!("unknown table `{key}`{hint} {legal}"));
                }
            }
        }
        overrides
    }

    /// Reads `[method."Service.Method"]`, or tables in tables: `[method.Service.Method]`.
    fn method(&mut self, entry: &Member, name: &str, report: &mut Report) {
        let Member { at, node, .. } = entry;
        let is_service =
            |member: &Member| matches!(member.node.value, Value::Map(_)) && !keys::KEYS.contains(&member.key.as_str());
        let members = node.members();
        if !entry.key.contains('.') && !members.is_empty() && members.iter().all(is_service) {
            for member in members {
                self.method(member, &format!("{name}.{}", member.key), report);
            }
            return;
        }
        let mut found = Override::read(node, From::File, report);
        found.at = Some(at.clone());
        self.methods.insert(name.to_owned(), found);
    }

    fn extern_type(&mut self, entry: &Member, report: &mut Report) {
        let Member { key, at, node } = entry;
        let Some(path) = node.as_str() else {
            let message = format!("found {}; a type is a path of Rust: `{key} = \"crate::{key}\"`", node.kind());
            return report.error(at, key.clone(), message);
        };
        match keys::rust_path(path) {
            Ok(()) => _ = self.externs.insert(key.clone(), path.to_owned()),
            Err(why) => report.error(&node.at, key.clone(), why),
        }
    }

    /// Takes types of the user that stand in no file.
    pub(crate) fn add_externs(&mut self, externs: &BTreeMap<String, String>, report: &mut Report) {
        for (name, path) in externs {
            match keys::rust_path(path) {
                Ok(()) => _ = self.externs.insert(name.clone(), path.clone()),
                Err(why) => report.error(&Position::file("extern_type"), name.clone(), why),
            }
        }
    }

    /// Returns what is said of the method, and notes that it was found. A method with overrides is
    /// long-running: so ask for each method, also for one that the description does not call so.
    pub(crate) fn of(&self, service: &str, method: &str) -> Option<&Override> {
        let name = format!("{service}.{method}");
        let found = self.methods.get(&name);
        if !self.methods.is_empty() {
            self.seen.borrow_mut().insert(name);
        }
        found.inspect(|found| found.is_used.set(true))
    }

    /// Notes the entries that no method was found for. Ask after the last front end.
    pub(crate) fn report_unused(&self, report: &mut Report) {
        let seen = self.seen.borrow();
        // Where nothing could be read, that is the error, and not these entries.
        if seen.is_empty() && report.has_errors() {
            return;
        }
        for (name, entry) in &self.methods {
            let Some(at) = entry.at.as_ref().filter(|_| !entry.is_used.get()) else { continue };
            let hint = did_you_mean(name, seen.iter().map(String::as_str));
            let message = format!("no description has this method{hint}");
            report.error(at, name.clone(), message);
        }
    }
}

impl Override {
    /// Reads the keys of a method. What is wrong with one is an error of the report, and the others
    /// are read all the same. `x-lro: true` says of a method that it is long-running, and no more.
    pub(crate) fn read(node: &Node, from: From, report: &mut Report) -> Self {
        let mut found = Self { at: Some(node.at.clone()), ..Self::default() };
        match &node.value {
            Value::Map(members) => {
                for member in members {
                    keys::read(member, from, &mut found, report);
                }
                keys::check(node, report);
            }
            Value::Bool(true) if from == From::Description => {}
            Value::Bool(false) if from == From::Description => found.skip = true,
            _ => {
                let message = format!("found {}; a method takes a map of the keys {}", node.kind(), keys::legal(from));
                report.error(&node.at, "", message);
            }
        }
        found
    }

    /// Puts what is said here over what the description says.
    pub(crate) fn apply(&self, options: &mut Options) {
        fn set<T: Clone>(said: Option<&T>, option: &mut Option<T>) {
            if let Some(said) = said {
                *option = Some(said.clone());
            }
        }
        let said = &self.options;
        options.cancel = self.cancel.unwrap_or(options.cancel);
        options.delete = self.delete.unwrap_or(options.delete);
        set(said.path.as_ref(), &mut options.path);
        set(said.result.as_ref(), &mut options.result);
        set(said.final_state_via.as_ref(), &mut options.final_state_via);
        set(said.response_type.as_ref(), &mut options.response_type);
        set(said.metadata_type.as_ref(), &mut options.metadata_type);
        set(said.poll.delay.as_ref(), &mut options.poll.delay);
        set(said.poll.multiplier.as_ref(), &mut options.poll.multiplier);
        set(said.poll.max_delay.as_ref(), &mut options.poll.max_delay);
        set(said.poll.timeout.as_ref(), &mut options.poll.timeout);
        // The kind of the number is known to the description alone.
        if said.progress.as_ref().map(|said| &said.field) != options.progress.as_ref().map(|known| &known.field) {
            set(said.progress.as_ref(), &mut options.progress);
        }
    }
}

/// Returns the members of a table. Anything else is an error.
fn table<'a>(node: &'a Node, at: &Position, takes: &str, report: &mut Report) -> &'a [Member] {
    if !matches!(node.value, Value::Map(_)) {
        report.error(at, "", format!("{takes}; found {}", node.kind()));
    }
    node.members()
}

#[cfg(test)]
mod tests;
