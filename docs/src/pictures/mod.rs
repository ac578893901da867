//! The pictures of the book, drawn from the code that they show.
//!
//! `cargo run -p lro-docs` draws them anew, after a change that they must show. `tests/pictures.rs`
//! holds that the files are what the code draws now.

use std::path::{Path, PathBuf};

mod states;
mod svg;

/// A picture: the name of its file, and what draws it.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    /// The name of the file in [`folder`].
    pub file: &'static str,
    /// Draws the picture as SVG. Draws the same at every call.
    pub draw: fn() -> String,
}

/// Every picture of the book.
pub const ALL: [Picture; 1] = [Picture { file: "states.svg", draw: states::draw }];

/// The folder of the pictures, in the repository.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("book/pictures")
}
