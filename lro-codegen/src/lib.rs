//! Writes annotated methods of `lro-runtime` from API descriptions.
//!
//! One model, one back end, and a front end for each description language: protobuf, Google
//! discovery, OpenAPI 3 and Swagger 2. What is written is what a careful person would write with
//! the library: one method with `#[long_running]` for each long-running method of the description,
//! its types, and nothing that the attribute can write.
//!
//! A run begins with [`proto`], [`discovery`] or [`openapi`], says by the methods of [`Generator`]
//! what else is read and what is wanted, and ends with [`write`](Generator::write) in a build
//! script, [`write_to`](Generator::write_to) for files that are checked in, or
//! [`generate`](Generator::generate) in memory:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("lro-codegen-doctest-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let description = folder.join("images.yaml");
//! std::fs::write(&description, r##"
//! openapi: 3.0.0
//! info: {title: Images, version: v1}
//! paths:
//!   /images/{image}:export:
//!     post:
//!       operationId: Images_Export
//!       summary: Exports an image.
//!       parameters: [{name: image, in: path, required: true, schema: {type: string}}]
//!       responses: {"202": {description: It is being exported.}}
//!       x-lro: {dialect: azure, response: Exported}
//! components:
//!   schemas:
//!     Exported: {type: object, properties: {uri: {type: string}}}
//! "##)?;
//! let sdk = lro_codegen::openapi(&description).generate()?;
//! # std::fs::remove_dir_all(folder)?;
//!
//! assert_eq!(sdk.report.coverage.to_string(), "of 1 methods 1 long-running: 1 generated, 0 skipped; 0 of unknown response");
//! assert!(sdk.one_file()?.contains("pub async fn export(&self, image: &str) -> Result<RawOperation> {"));
//! # Ok(())
//! # }
//! ```
//!
//! What is wrong with a description is an error of the [`Report`], at its line, and then nothing is
//! written. The [book] tells it from the beginning, and what `lro.toml` can say.
//!
//! [book]: https://github.com/lro-rs/lro/blob/main/docs/book/generate-your-sdk.md

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

/// The README of the crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
