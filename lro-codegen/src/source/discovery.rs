//! Google's discovery documents.

use std::path::PathBuf;

use crate::{context::Context, model::Model};

/// What is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) files: Vec<PathBuf>,
    /// Roots of protos whose methods say the types that a discovery document does not.
    pub(crate) protos: Vec<PathBuf>,
}

pub(crate) fn read(_input: &Discovery, _context: &mut Context, _model: &mut Model) {}
