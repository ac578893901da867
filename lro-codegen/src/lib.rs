//! Writes annotated methods of `lro-runtime` from API descriptions.
//!
//! One model, one back end, and a front end for each description language: protobuf, Google
//! discovery, `OpenAPI` 3 and Swagger 2. What is written is what a careful person would write with
//! the library: one method with `#[long_running]` for each long-running method of the description,
//! its types, and nothing that the attribute can write.

mod context;
mod docs;
mod document;
mod error;
mod generator;
mod model;
mod names;
mod nearest;
mod overrides;
mod position;
mod report;
mod sdk;
mod source;
mod types;
mod write;

pub use error::{Difference, DifferenceKind, Error, Result};
pub use generator::{Generator, discovery, openapi, proto};
pub use model::Transport;
pub use position::Position;
pub use report::{Coverage, Diagnostic, Report, Severity};
pub use sdk::Sdk;
pub use write::Row;
