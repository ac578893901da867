//! The front end on small descriptions, and on folders of real ones.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::*;
use crate::{
    document::Node,
    model::{Argument, Call, Dialect, Method, Place, Service, StartId, Type},
    overrides::Overrides,
    report::{Diagnostic, Severity},
};

mod arguments;
mod corpus;
mod found;
mod hostile;
mod references;
mod replies;
mod servers;

/// What was read of a description.
pub(in crate::source) struct Found {
    pub(in crate::source) model: Model,
    diagnostics: Vec<Diagnostic>,
}

/// Reads files whatever is in them.
fn read_files(files: Vec<PathBuf>, accept_202: bool) -> Found {
    read_with(&mut Context::default(), files, accept_202)
}

fn read_with(context: &mut Context, files: Vec<PathBuf>, accept_202: bool) -> Found {
    let mut model = Model::default();
    read(&OpenApi { files, accept_202 }, context, &mut model);
    Found { model, diagnostics: std::mem::take(&mut context.report.diagnostics) }
}

/// Puts texts where files would be.
fn context(files: &[(&str, &str)]) -> Context {
    let mut context = Context::default();
    for (name, text) in files {
        let node = Node::read(&Arc::from(*name), text).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        context.documents.insert(PathBuf::from(name), Some(Arc::new(node)));
    }
    context
}

/// Reads the first of these texts; the others are there for its references.
pub(in crate::source) fn read_texts(files: &[(&str, &str)]) -> Found {
    read_with(&mut context(files), vec![PathBuf::from(files[0].0)], false)
}

/// Reads a text in YAML, which JSON is as well.
pub(in crate::source) fn read_text(text: &str) -> Found {
    read_texts(&[("api.yaml", text)])
}

impl Found {
    fn said(&self) -> Vec<String> {
        self.diagnostics.iter().map(ToString::to_string).collect()
    }

    /// Returns the only service, if nothing was said.
    #[track_caller]
    pub(in crate::source) fn service(&self) -> &Service {
        assert_eq!(self.said(), Vec::<String>::new());
        assert_eq!(self.model.services.len(), 1);
        &self.model.services[0]
    }

    /// Returns the only method, if nothing was said.
    #[track_caller]
    pub(in crate::source) fn method(&self) -> &Method {
        let service = self.service();
        assert_eq!(service.methods.len(), 1);
        &service.methods[0]
    }

    /// Returns the only line that was said, if no method was read.
    #[track_caller]
    pub(in crate::source) fn skip(&self) -> String {
        assert!(self.model.services.is_empty());
        let said = self.said();
        assert_eq!(said.len(), 1, "{said:?}");
        said[0].clone()
    }
}

type Pairs = [(String, String)];

/// Returns the path and the fixed query and headers of a call.
fn call(method: &Method) -> (&str, &Pairs, &Pairs) {
    match &method.call {
        Call::Http { path, query, headers, .. } => (path, query, headers),
        Call::Rpc { .. } => panic!("a call of gRPC"),
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Returns what tells arguments apart.
fn shown(arguments: &[Argument]) -> Vec<(&str, &Type, bool, Place)> {
    arguments.iter().map(|argument| (&*argument.wire, &argument.ty, argument.required, argument.place)).collect()
}

/// A description in Swagger 2 with one long-running `POST`, and these lines in it.
pub(in crate::source) fn swagger(operation: &str, rest: &str) -> String {
    let indented = operation.replace('\n', "\n      ");
    format!(
        "swagger: '2.0'\ninfo: {{title: Shop, version: v1}}\npaths:\n  /orders:\n    post:\n      \
         operationId: Orders_Send\n      x-ms-long-running-operation: true\n      {indented}\n{rest}"
    )
}
