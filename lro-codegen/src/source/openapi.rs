//! `OpenAPI` 3 and Swagger 2.

use std::path::PathBuf;

use crate::{context::Context, model::Model};

/// What is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenApi {
    pub(crate) files: Vec<PathBuf>,
    /// Whether a plain `202` with a monitor's header is a long-running method.
    pub(crate) accept_202: bool,
}

pub(crate) fn read(_input: &OpenApi, _context: &mut Context, _model: &mut Model) {}
