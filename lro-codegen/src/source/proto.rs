//! Protobuf: services with `google.longrunning.operation_info`.

use std::path::PathBuf;

use crate::{
    context::Context,
    model::{Model, Transport},
};

/// What is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proto {
    /// The folders that imports are found in.
    pub(crate) roots: Vec<PathBuf>,
    /// Folders and files below the roots whose services are wanted. Folders are read whole, since
    /// the types of a method may stand in a file that the service's file does not import.
    pub(crate) include: Vec<PathBuf>,
    /// A set of compiled descriptors (`protoc --descriptor_set_out`), in place of roots.
    pub(crate) descriptors: Vec<PathBuf>,
    /// Service configurations (`workflows_v1.yaml`) and `*_gapic.yaml`.
    pub(crate) configs: Vec<PathBuf>,
    pub(crate) transport: Transport,
}

pub(crate) fn read(_input: &Proto, _context: &mut Context, _model: &mut Model) {}
