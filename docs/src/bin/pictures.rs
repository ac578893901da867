//! Draws the pictures of the book, and prints the table of the schedules that one of them shows:
//! `cargo run -p lro-docs`.

use std::{error::Error, fs};

use lro_docs::pictures::{self, simulation};

fn main() -> Result<(), Box<dyn Error>> {
    for picture in pictures::ALL {
        let path = pictures::folder().join(picture.file);
        fs::write(&path, (picture.draw)()?)?;
        println!("{}", path.display());
    }
    fs::write(pictures::rustdoc::file(), pictures::rustdoc::states())?;
    println!("{}", pictures::rustdoc::file().display());
    print!("{}", simulation::table(&simulation::rows()?));
    Ok(())
}
