//! Declared wire types: what a service's job object says, written on the type.
pub use crate::dialect::declared::{HintUnit, Total, WireList, WireOperation, WirePath, WireShape, WireState};

#[cfg(feature = "macros")]
pub mod bigquery;
#[cfg(feature = "macros")]
pub mod cloud_sql;
#[cfg(feature = "macros")]
pub mod gke;
#[cfg(feature = "macros")]
pub mod google_jobs;
#[cfg(feature = "macros")]
pub mod meilisearch;
#[cfg(feature = "macros")]
pub mod openai;
#[cfg(feature = "macros")]
pub mod replicate;
