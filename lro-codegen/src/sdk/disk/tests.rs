#![expect(clippy::unwrap_used, reason = "tests may fail")]

use super::*;

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp");
    let folder = folder.join(format!("disk-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn output(folder: &Path, files: &[(&str, &str)]) -> Output {
    let file = |(name, text): &(&str, &str)| (folder.join(name), format!("{HEADER}{text}"));
    Output { files: files.iter().map(file).collect(), folder: Some(folder.to_owned()) }
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

#[test]
fn only_what_has_changed_is_written() {
    let folder = folder("changed");
    let inner = folder.join("a/b");
    let first = output(&inner, &[("mod.rs", "x\n"), ("types.rs", "y\n")]);
    assert_eq!(write(&first).unwrap(), [inner.join("mod.rs"), inner.join("types.rs")]);
    let written = fs::metadata(inner.join("mod.rs")).unwrap().modified().unwrap();
    assert_eq!(write(&first).unwrap(), Vec::<PathBuf>::new());
    let second = output(&inner, &[("mod.rs", "x\n"), ("types.rs", "z\n")]);
    assert_eq!(write(&second).unwrap(), [inner.join("types.rs")]);
    assert_eq!(fs::metadata(inner.join("mod.rs")).unwrap().modified().unwrap(), written);
    assert_eq!(names(&inner), ["mod.rs", "types.rs"]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn files_of_an_earlier_run_are_removed_and_those_of_a_person_stay() {
    let folder = folder("leftovers");
    write(&output(&folder, &[("mod.rs", ""), ("old.rs", "")])).unwrap();
    // By another version, whose second sentence is another one.
    fs::write(folder.join("older.rs"), "// Written by lro-codegen. No more is known.\n").unwrap();
    fs::write(folder.join("mine.rs"), "// Written by me\n").unwrap();
    fs::write(folder.join("notes.txt"), HEADER).unwrap();
    let now = output(&folder, &[("mod.rs", "")]);
    let leftover = |name: &str| Difference { path: folder.join(name), kind: DifferenceKind::Leftover };
    assert_eq!(differences(&now).unwrap(), [leftover("old.rs"), leftover("older.rs")]);
    assert_eq!(write(&now).unwrap(), [folder.join("old.rs"), folder.join("older.rs")]);
    assert_eq!(names(&folder), ["mine.rs", "mod.rs", "notes.txt"]);
    assert_eq!(differences(&now).unwrap(), []);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_that_was_not_generated_is_in_the_way_and_then_nothing_is_written() {
    let folder = folder("in-the-way");
    fs::write(folder.join("mod.rs"), "pub mod mine;\n").unwrap();
    let wrong = write(&output(&folder, &[("a.rs", ""), ("mod.rs", ""), ("z.rs", "")])).unwrap_err();
    let path = folder.join("mod.rs");
    let said = format!("{}: was not written by lro-codegen; remove it, or write to another place", path.display());
    assert_eq!((wrong.to_string(), names(&folder)), (said, vec!["mod.rs".to_owned()]));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn where_one_file_cannot_be_written_none_is() {
    let folder = folder("half");
    let before = output(&folder, &[("a.rs", "1\n")]);
    write(&before).unwrap();
    // The folder of the second file is a file.
    fs::write(folder.join("b"), "").unwrap();
    let wrong = write(&output(&folder, &[("a.rs", "2\n"), ("b/c.rs", "")])).unwrap_err();
    assert!(matches!(&wrong, Error::File(..)), "{wrong}");
    assert_eq!((fs::read_to_string(folder.join("a.rs")).unwrap(), names(&folder).len()), (format!("{HEADER}1\n"), 2));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_stale_is_told_with_its_first_line() {
    let folder = folder("stale");
    write(&output(&folder, &[("a.rs", "1\n2\n"), ("b.rs", "1\n")])).unwrap();
    let now = output(&folder, &[("a.rs", "1\n3\n"), ("b.rs", "1\n2\n"), ("c.rs", "")]);
    let said: Vec<String> = differences(&now).unwrap().iter().map(ToString::to_string).collect();
    let at = |name: &str| folder.join(name).display().to_string();
    assert_eq!(
        said,
        [
            format!("{}:3: stale: it differs from here on", at("a.rs")),
            format!("{}:3: stale: it differs from here on", at("b.rs")),
            format!("{}: stale: the file is missing", at("c.rs")),
        ]
    );
    // Line ends are those of the checkout.
    fs::write(folder.join("a.rs"), format!("{HEADER}1\n3\n").replace('\n', "\r\n")).unwrap();
    assert_eq!(differences(&now).unwrap().len(), 2);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_rustfmt_has_formatted_is_not_stale() {
    let folder = folder("formatted");
    let written = "use lro::{\n    dialect::Azure,\n    http::Method, Result,\n};\nuse super::types;\n\
        pub mod b;\npub mod a;\nmod c {\n    use y::Y;\n    use x::X;\n    \
        fn f() {\n        g(1).h(2);\n    }\n}\n";
    // As rustfmt writes it: sorted, and broken at other places.
    let formatted = "use super::types;\nuse lro::{Result, dialect::Azure, http::Method};\npub mod a;\npub mod b;\n\
        mod c {\n    use x::X;\n    use y::Y;\n    fn f() {\n        g(1)\n            .h(2);\n    }\n}\n";
    write(&output(&folder, &[("mod.rs", formatted)])).unwrap();
    assert_eq!(differences(&output(&folder, &[("mod.rs", written)])).unwrap(), []);
    for (from, to) in [("h(2)", "h(3)"), ("y::Y", "y::Z"), ("Azure", "Http"), ("pub mod b", "mod b")] {
        let changed = output(&folder, &[("mod.rs", &written.replace(from, to))]);
        assert_eq!(differences(&changed).unwrap().len(), 1, "{to}");
    }
    fs::remove_dir_all(folder).unwrap();
}
