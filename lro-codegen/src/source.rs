//! The front ends: one for each description language. Each fills the model, and writes no Rust.

pub(crate) mod discovery;
pub(crate) mod json_schema;
pub(crate) mod openapi;
pub(crate) mod proto;
