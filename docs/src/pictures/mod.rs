//! The pictures of the book, drawn from the code that they show.
//!
//! `cargo run -p lro-docs` draws them anew, after a change that they must show. `tests/pictures.rs`
//! holds that the files are what the code draws now.

use std::path::{Path, PathBuf};

use lro_runtime::Result;

mod lateness;
mod peers;
mod recorded;
pub mod rustdoc;
pub mod simulation;
mod states;
mod svg;
mod timeline;

/// A picture: the name of its file, and what draws it.
#[derive(Clone, Copy, Debug)]
pub struct Picture {
    /// The name of the file in [`folder`].
    pub file: &'static str,
    /// Draws the picture as SVG: the same at every call. Fails if a wait that it shows does.
    pub draw: fn() -> Result<String>,
}

/// Every picture of the book.
pub const ALL: [Picture; 3] = [
    Picture { file: "states.svg", draw: || Ok(states::draw()) },
    Picture { file: "timeline.svg", draw: timeline::draw },
    Picture { file: "lateness.svg", draw: lateness::draw },
];

/// The folder of the pictures, in the repository.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("book/pictures")
}
