//! The types that methods name: JSON types by ourselves, messages by prost-build.

pub(crate) mod json;
pub(crate) mod messages;
mod reached;
