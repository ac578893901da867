//! The way in: what is read, what is wanted of it, and where it is written.

use std::path::PathBuf;

use crate::{
    context::Context,
    model::Model,
    overrides::Overrides,
    report::Report,
    source::{
        discovery::{self, Discovery},
        openapi::{self, OpenApi},
        proto::{self, Proto},
    },
    write::{self, Modules, Row},
};

/// How the methods of a proto are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// gRPC, with messages of prost.
    #[default]
    Grpc,
    /// REST by the option `google.api.http`, with types of serde.
    Rest,
}

/// Generates from protobuf files below the folder `root`, which imports are found in.
#[must_use]
pub fn proto(root: impl Into<PathBuf>) -> Generator {
    Generator { proto: Proto { roots: vec![root.into()], ..Proto::default() }, ..Generator::default() }
}

/// Generates from a discovery document of Google.
#[must_use]
pub fn discovery(file: impl Into<PathBuf>) -> Generator {
    Generator { discovery: Discovery { files: vec![file.into()], ..Discovery::default() }, ..Generator::default() }
}

/// Generates from an `OpenAPI` 3 or Swagger 2 document, JSON or YAML.
#[must_use]
pub fn openapi(file: impl Into<PathBuf>) -> Generator {
    Generator { openapi: OpenApi { files: vec![file.into()], ..OpenApi::default() }, ..Generator::default() }
}

/// What is read, and what is wanted of it.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is read before `generate`, `write` or `check`"]
pub struct Generator {
    pub(crate) proto: Proto,
    pub(crate) discovery: Discovery,
    pub(crate) openapi: OpenApi,
    pub(crate) overrides: Option<PathBuf>,
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
}

/// What was generated.
#[derive(Clone, Debug)]
pub struct Sdk {
    /// The modules, one for each service and one for the types.
    pub modules: Modules,
    /// The methods, for a list of them.
    pub rows: Vec<Row>,
    /// What the run has to say.
    pub report: Report,
    /// The files that were read.
    pub read: Vec<PathBuf>,
}

impl Generator {
    /// Reads the descriptions and returns what is written from them. Writes no file.
    ///
    /// # Errors
    ///
    /// The report, if a description has an error: all of them at once.
    pub fn generate(&self) -> Result<Sdk, Report> {
        let mut context = Context { only: self.only.clone(), skip: self.skip.clone(), ..Context::default() };
        let mut model = Model::default();
        if let Some(path) = &self.overrides {
            Overrides::read(path, &mut context);
        }
        proto::read(&self.proto, &mut context, &mut model);
        discovery::read(&self.discovery, &mut context, &mut model);
        openapi::read(&self.openapi, &mut context, &mut model);
        context.overrides.report_unused(&mut context.report);
        let (modules, rows) = write::write(&model, &mut context);
        if context.report.has_errors() {
            return Err(context.report);
        }
        Ok(Sdk { modules, rows, report: context.report, read: context.read })
    }
}
