//! The back end: the model as Rust.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{context::Context, model::Model};

pub(crate) fn write(_model: &Model, _context: &mut Context) -> BTreeMap<PathBuf, String> {
    BTreeMap::new()
}
