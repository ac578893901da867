//! Protobuf: services with `google.longrunning.operation_info`.
//!
//! The files are compiled here, without `protoc`, and their options are read by reflection, since
//! prost-types loses those that it does not know.

use std::path::PathBuf;

use crate::{
    context::Context,
    model::{Model, Transport},
};

mod compile;
mod config;
mod extended;
mod fields;
mod http;
mod json;
mod known;
mod options;
mod progress;
mod resolve;
mod routing;
mod service;
mod sources;

/// What is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proto {
    /// The folders that imports are found in.
    pub(crate) roots: Vec<PathBuf>,
    /// Folders and files below the roots whose services are wanted; all of them if none is named.
    /// Folders are read whole, since the types of a method may stand in a file that the service's
    /// file does not import.
    pub(crate) include: Vec<PathBuf>,
    /// A set of compiled descriptors (`protoc --descriptor_set_out --include_imports
    /// --include_source_info`), in place of roots.
    pub(crate) descriptors: Vec<PathBuf>,
    /// Service configurations (`workflows_v1.yaml`) and `*_gapic.yaml`. If none is named, those in
    /// the included folders are read.
    pub(crate) configs: Vec<PathBuf>,
    pub(crate) transport: Transport,
}

pub(crate) fn read(input: &Proto, context: &mut Context, model: &mut Model) {
    if input.roots.is_empty() && input.descriptors.is_empty() {
        return;
    }
    let Some(compiled) = compile::compile(input, context) else { return };
    let config = config::Config::read(&compiled.configs, !input.configs.is_empty(), context);
    service::Reader::new(&compiled, &config, input.transport).read(context, model);
}

#[cfg(test)]
mod tests;
