//! The pictures of the book show the code as it is.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{collections::BTreeSet, fs};

use lro_docs::pictures;
use lro_runtime::State;

#[test]
fn every_picture_is_what_the_code_draws_now() {
    for picture in pictures::ALL {
        let path = pictures::folder().join(picture.file);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == (picture.draw)(),
            "{} is not what the code draws: run `cargo run -p lro-docs`, and look at it",
            path.display()
        );
    }
}

#[test]
fn every_file_among_the_pictures_is_drawn_by_the_program() {
    let files = fs::read_dir(pictures::folder()).unwrap();
    let files: BTreeSet<String> = files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, pictures::ALL.iter().map(|picture| picture.file.to_owned()).collect());
}

#[test]
fn a_picture_can_be_read_aloud_and_in_the_dark() {
    for picture in pictures::ALL {
        let svg = (picture.draw)();
        for part in ["<title id=", "<desc id=", "prefers-color-scheme:dark", "<text"] {
            assert!(svg.contains(part), "{}: {part}", picture.file);
        }
    }
}

#[test]
fn the_states_have_an_arrow_for_every_change_and_one_for_the_start() {
    let picture = pictures::ALL.into_iter().find(|picture| picture.file == "states.svg").unwrap();
    assert_eq!((picture.draw)().matches("marker-end").count(), State::TRANSITIONS.len() + 1);
}
