//! The front end on small descriptions, and on folders of real ones.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::*;
use crate::report::{Diagnostic, Severity};

mod corpus;

/// What was read of a description.
struct Found {
    model: Model,
    diagnostics: Vec<Diagnostic>,
}

/// Reads files whatever is in them.
fn read_files(files: Vec<PathBuf>, accept_202: bool) -> Found {
    let (mut context, mut model) = (Context::default(), Model::default());
    read(&OpenApi { files, accept_202 }, &mut context, &mut model);
    Found { model, diagnostics: context.report.diagnostics }
}
