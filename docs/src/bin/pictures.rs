//! Draws the pictures of the book: `cargo run -p lro-docs`.

use std::{fs, io};

use lro_docs::pictures;

fn main() -> io::Result<()> {
    for picture in pictures::ALL {
        let path = pictures::folder().join(picture.file);
        fs::write(&path, (picture.draw)())?;
        println!("{}", path.display());
    }
    Ok(())
}
