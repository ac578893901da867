// Written by lro-codegen. Do not edit: change the description, or the overrides, and run it again.

//! Long-running methods of an API.

/// Long-running methods of `example.images.v1.Images`, from `images.proto`.
pub mod images;
/// What the methods take and give.
pub mod types;
