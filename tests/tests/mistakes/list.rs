//! Checks that every test and script named in `MISTAKES.md` exists.

use std::{collections::BTreeSet, fs, path::Path};

/// Collects the name of every function below a folder of sources.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let names = source.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
fn every_mistake_names_a_test_or_a_script_that_exists() {
    let list = fs::read_to_string("MISTAKES.md").unwrap();
    let mut tests = BTreeSet::new();
    functions(Path::new("tests"), &mut tests);
    functions(Path::new("../lro-runtime/src"), &mut tests);
    let mut rows = 0;
    for row in list.lines().filter(|line| line.starts_with("| ")).skip(1) {
        let links = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<&str> = links.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "a mistake without a test: {row}");
        for name in names {
            let is_script = links.contains(&format!("(scripts/{name})")) && Path::new("scripts").join(name).is_file();
            assert!(is_script || tests.contains(name), "`{name}` is neither a test nor a script");
        }
        rows += 1;
    }
    assert!(rows >= 45, "{rows} mistakes are listed");
}
