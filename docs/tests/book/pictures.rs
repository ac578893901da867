//! The pictures of the book show the code as it is.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use lro_docs::pictures::{
    self, Picture,
    simulation::{self, Row},
};
use lro_runtime::State;

const PAGE: &str = include_str!("../../book/how-a-wait-goes.md");
const SETTINGS: &str = include_str!("../../../lro-runtime/src/settings/mod.rs");

/// What a simulation apart from this one gave for the other clients: polls per operation and
/// seconds from its end to the poll that sees it, for medians of 5 s, 60 s and 600 s.
const MEASURED: [(&str, [f64; 6]); 7] = [
    ("google-cloud-lro", [3.2, 4.0, 6.8, 22.5, 21.9, 30.0]),
    ("azure_core", [1.0, 23.2, 3.8, 15.0, 33.4, 15.0]),
    ("api-core", [6.2, 2.6, 17.0, 6.3, 105.7, 6.7]),
    ("gax-dotnet", [2.1, 14.8, 4.5, 19.8, 24.3, 22.5]),
    ("gax-java", [2.6, 4.3, 8.5, 12.8, 48.2, 15.0]),
    ("Go", [5.1, 5.3, 9.8, 18.1, 39.5, 20.0]),
    ("AWS waiters", [3.7, 4.4, 7.7, 28.5, 22.7, 39.8]),
];

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| simulation::rows().unwrap());

fn committed(picture: &Picture) -> String {
    fs::read_to_string(pictures::folder().join(picture.file)).unwrap_or_default()
}

#[test]
fn the_simulated_clients_cost_what_they_were_measured_to() {
    for (name, measured) in MEASURED {
        let row = ROWS.iter().find(|row| row.name == name).unwrap();
        let simulated = row.figures.iter().flat_map(|figure| [figure.polls, figure.late]);
        for (simulated, measured) in simulated.zip(measured) {
            // Both are of 20,000 operations: another 20,000 differ a little.
            let close = (simulated - measured).abs() <= 0.1 + 0.01 * measured;
            assert!(close, "{name}: {simulated}, measured {measured}");
        }
    }
}

#[test]
fn the_documentation_of_the_settings_has_the_figures_that_the_pictures_show() {
    let table = simulation::table(&ROWS).replace("| `default` |", "| the library's |");
    let names = ["AWS waiters", "google-cloud-lro", "api-core", "the library's", "`interactive`", "`batch`"];
    for name in names {
        let row = table.lines().find(|row| row.starts_with(&format!("| {name} |"))).unwrap();
        assert!(SETTINGS.contains(&format!("/// {row}\n")), "{row}");
    }
}

#[test]
fn the_page_has_the_table_that_the_program_prints() {
    assert!(PAGE.contains(&simulation::table(&ROWS)));
}

#[test]
fn every_picture_is_what_the_code_draws_now() {
    for picture in &pictures::ALL {
        let is_drawn = committed(picture) == (picture.draw)().unwrap();
        assert!(is_drawn, "{} is not what the code draws: run `cargo run -p lro-docs`, and look at it", picture.file);
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
    for picture in &pictures::ALL {
        let svg = committed(picture);
        for part in ["<title id=", "<desc id=", "prefers-color-scheme:dark", "<text"] {
            assert!(svg.contains(part), "{}: {part}", picture.file);
        }
    }
}

#[test]
fn the_states_have_an_arrow_for_every_change_and_one_for_the_start() {
    let picture = pictures::ALL.iter().find(|picture| picture.file == "states.svg").unwrap();
    assert_eq!(committed(picture).matches("marker-end").count(), State::TRANSITIONS.len() + 1);
}
