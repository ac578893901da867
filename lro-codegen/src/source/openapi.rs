//! `OpenAPI` 3 and Swagger 2.
//!
//! A method is long-running if its description says so (`x-ms-long-running-operation`, `x-lro`), if
//! the overrides file does, or, on request, if it answers `202` with the header of a monitor.

use std::path::PathBuf;

use self::{document::Document, files::Files, operation::Operation, services::Services};
use super::json_schema::Schemas;
use crate::{context::Context, model::Model};

mod arguments;
mod body;
mod candidate;
mod document;
pub(crate) mod files;
mod method;
mod operation;
mod parameter;
mod path;
mod replies;
mod server;
mod services;

/// What is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenApi {
    pub(crate) files: Vec<PathBuf>,
    /// Whether a plain `202` with a monitor's header is a long-running method.
    pub(crate) accept_202: bool,
}

pub(crate) fn read(input: &OpenApi, context: &mut Context, model: &mut Model) {
    let Some(first) = input.files.first() else { return };
    let files = Files::new(first);
    let mut schemas = Schemas::new(&files);
    let mut services = Services::default();
    for path in &input.files {
        let Some(document) = files.whole(context, path).and_then(|whole| Document::new(&files, context, whole)) else {
            continue;
        };
        let operations = Operation::all(&files, context, &document);
        model.methods_seen += operations.len();
        for operation in &operations {
            let Some(found) = candidate::judge(&files, context, operation, input.accept_202) else {
                continue;
            };
            match method::read(&files, &mut schemas, context, &document, operation, &found) {
                Ok(read) => services.add(&document, operation, read),
                Err(problem) => context.report.skipped(&problem.at, operation.subject(), problem.message),
            }
        }
    }
    schemas.read_named(context);
    model.services.extend(services.finish(&schemas, context));
    model.types.extend(schemas.finish(context));
}

#[cfg(test)]
pub(in crate::source) mod tests;
