//! `lro.toml`: what the user says of methods whose description says too little, or something wrong.
//! The same keys stand in the extension `x-lro` of an `OpenAPI` document.

use std::{cell::Cell, collections::BTreeMap};

use crate::{
    model::{Dialect, Options},
    position::Position,
};

/// The overrides of a run, by `Service.Method`.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) methods: BTreeMap<String, Override>,
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
    /// The keys of the attribute that are said; the others have their default value.
    pub(crate) options: Options,
}

impl Overrides {
    /// Returns what is said of the method, and notes that it was found. A method with overrides is
    /// long-running.
    pub(crate) fn of(&self, service: &str, method: &str) -> Option<&Override> {
        let found = self.methods.get(&format!("{service}.{method}"))?;
        found.is_used.set(true);
        Some(found)
    }
}
