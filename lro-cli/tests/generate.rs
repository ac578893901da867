//! `lro generate`: what it writes, checks and lists, what it says, and its exit codes.

#![cfg(feature = "generate")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use support::{Ran, ran, run};

/// A document of Google's discovery with two long-running methods and one that is none.
const BAKERY: &str = r#"{
  "kind": "discovery#restDescription", "name": "bakery", "version": "v1",
  "rootUrl": "https://bakery.example.com/", "servicePath": "",
  "resources": {"breads": {"methods": {
    "bake": {
      "id": "bakery.breads.bake", "httpMethod": "POST", "path": "v1/breads", "description": "Bakes a bread.",
      "request": {"$ref": "Bread"}, "response": {"$ref": "Operation"}
    },
    "delete": {
      "id": "bakery.breads.delete", "httpMethod": "DELETE", "path": "v1/{+name}",
      "parameters": {"name": {"location": "path", "required": true, "type": "string"}},
      "response": {"$ref": "Operation"}
    },
    "get": {
      "id": "bakery.breads.get", "httpMethod": "GET", "path": "v1/{+name}",
      "parameters": {"name": {"location": "path", "required": true, "type": "string"}},
      "response": {"$ref": "Bread"}
    }
  }}},
  "schemas": {
    "Bread": {"id": "Bread", "type": "object", "properties": {"grain": {"type": "string"}}},
    "Status": {"id": "Status", "type": "object", "properties": {"code": {"type": "integer", "format": "int32"}}},
    "Operation": {"id": "Operation", "type": "object", "properties": {
      "name": {"type": "string"}, "done": {"type": "boolean"}, "error": {"$ref": "Status"},
      "metadata": {"type": "object", "additionalProperties": {"type": "any"}},
      "response": {"type": "object", "additionalProperties": {"type": "any"}}
    }}
  }
}"#;

/// What the document does not say.
const SAID: &str = "[method.\"breads.bake\"]\nresponse = \"Bread\"\npath = \"v1/{name}\"\n\n\
                    [method.\"breads.delete\"]\nresponse = \"()\"\npath = \"v1/{name}\"\n";

/// A folder of one test, in which the command runs.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("generate-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let folder = Self(folder);
        folder.write("bakery.json", BAKERY);
        folder.write("lro.toml", SAID);
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    /// Runs `lro generate` on the document and the overrides, with further arguments.
    fn generate(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["--discovery", "bakery.json", "--overrides", "lro.toml"], arguments].concat())
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = support::lro(&[&["generate"], arguments].concat());
        command.current_dir(&self.0);
        let ran = run(command);
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
        ran
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_folder_is_written_checked_and_written_again_only_where_it_is_stale() {
    let folder = Folder::new("cycle");
    let first = folder.generate(&["--out", "sdk"]);
    assert_eq!(
        (first.code, first.stdout.as_str()),
        (Some(0), "sdk/breads.rs\nsdk/mod.rs\nsdk/types.rs\n"),
        "{first:?}"
    );
    assert_eq!(first.stderr, "of 3 methods 2 long-running: 2 generated, 0 skipped; 0 of unknown response\n");
    assert!(folder.read("sdk/breads.rs").contains("pub async fn bake(&self, "), "{}", folder.read("sdk/breads.rs"));
    let again = folder.generate(&["--out", "sdk"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""), "{again:?}");
    assert_eq!(folder.generate(&["--out", "sdk", "--check"]).code, Some(0));
    folder.write("bakery.json", &BAKERY.replace("Bakes a bread.", "Bakes bread."));
    let stale = folder.generate(&["--out", "sdk", "--check"]);
    let line = folder.read("sdk/breads.rs").lines().position(|line| line.contains("Bakes a bread.")).unwrap() + 1;
    let said = format!("sdk/breads.rs:{line}: stale: it differs from here on\n");
    assert!(stale.code == Some(1) && stale.stderr.starts_with(&said), "{stale:?}");
    assert!(folder.read("sdk/breads.rs").contains("Bakes a bread."), "--check has written");
    assert_eq!(folder.generate(&["--out", "sdk"]).stdout, "sdk/breads.rs\n");
    assert_eq!(folder.generate(&["--out", "sdk", "--check"]).code, Some(0));
}

#[test]
fn one_file_is_written_where_its_name_ends_so() {
    let folder = Folder::new("one");
    let ran = folder.generate(&["--out", "src/sdk.rs"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "src/sdk.rs\n"), "{ran:?}");
    assert!(folder.read("src/sdk.rs").contains("pub mod breads {"));
    assert_eq!(folder.generate(&["--out", "src/sdk.rs", "--check"]).code, Some(0));
}

#[test]
fn a_list_has_a_line_for_each_method_and_nothing_is_written() {
    let folder = Folder::new("list");
    let ran = folder.generate(&["--list", "--out", "sdk"]);
    assert!(ran.code == Some(0) && !folder.has("sdk"), "{ran:?}");
    let rows: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let columns: Vec<[&str; 2]> = rows.iter().map(|row| [row[0], row[1]]).collect();
    assert_eq!(columns, [["BreadsClient::bake", "types::Bread"], ["BreadsClient::delete", "()"]], "{}", ran.stdout);
    assert!(rows.iter().all(|row| row.len() == 5 && row[4].starts_with("bakery.json:")), "{}", ran.stdout);
    assert!(ran.stderr.ends_with("of 3 methods 2 long-running: 2 generated, 0 skipped; 0 of unknown response\n"));
}

#[test]
fn every_mistake_is_told_at_its_place_and_then_nothing_is_written() {
    let folder = Folder::new("mistakes");
    folder.write("lro.toml", "[method.\"breads.bakes\"]\nskip = true\n[method.\"breads.delete\"]\nrespons = \"()\"\n");
    folder.write("broken.json", "{\n  \"swagger\": 2,\n  oops\n}\n");
    let ran = folder.generate(&["--discovery", "broken.json", "--out", "sdk"]);
    assert!(ran.code == Some(1) && !folder.has("sdk"), "{ran:?}");
    let lines: Vec<&str> = ran.stderr.lines().collect();
    for start in [
        "broken.json:3:3: error: ",
        "lro.toml:1:9: error: breads.bakes: no description has this method; did you mean `breads.bake`?",
        "lro.toml:4:1: error: unknown key `respons`; did you mean `response`?",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start}: {ran:?}");
    }
    assert!(lines.last().unwrap().ends_with(": 0 generated, 0 skipped; 0 of unknown response"), "{ran:?}");
    let missing = folder.run(&["--discovery", "nowhere.json", "--out", "sdk"]);
    assert!(missing.code == Some(1) && missing.stderr.starts_with("nowhere.json: error: the file cannot be read"));
}

#[test]
fn what_is_skipped_is_told_and_denied_unless_it_was_asked_for() {
    let folder = Folder::new("skipped");
    let asked = folder.generate(&["--skip", "breads.bake", "--deny", "skipped", "--out", "sdk"]);
    assert!(asked.code == Some(0) && asked.stderr.contains(": skipped: breads.bake: "), "{asked:?}");
    assert!(asked.stderr.ends_with("of 3 methods 2 long-running: 1 generated, 1 skipped; 0 of unknown response\n"));
    let only = folder.generate(&["--only", "*.delete", "--deny", "skipped", "--list"]);
    assert!(only.code == Some(0) && only.stdout.starts_with("BreadsClient::delete "), "{only:?}");
    folder.write("lro.toml", &format!("{SAID}\n[method.\"breads.get\"]\nresponse = \"Bread\"\n"));
    let allowed = folder.generate(&["--out", "allowed"]);
    assert!(allowed.code == Some(0) && allowed.stderr.contains(": skipped: breads.get: "), "{allowed:?}");
    let denied = folder.generate(&["--deny", "skipped", "--out", "denied"]);
    assert!(denied.code == Some(1) && !folder.has("denied"), "{denied:?}");
    assert!(denied.stderr.contains("lro: methods were skipped, which `--deny skipped` forbids: nothing was written\n"));
    assert!(denied.stderr.lines().last().unwrap().starts_with("of 3 methods 3 long-running: "), "{denied:?}");
}

#[test]
fn a_file_of_a_person_is_left_as_it_is() {
    let folder = Folder::new("person");
    folder.write("mine.rs", "fn mine() {}\n");
    let ran = folder.generate(&["--out", "mine.rs"]);
    assert!(ran.code == Some(4) && ran.stderr.contains("lro: mine.rs: was not written by lro-codegen"), "{ran:?}");
    assert!(ran.stderr.lines().last().unwrap().starts_with("of 3 methods "), "{ran:?}");
    assert_eq!(folder.read("mine.rs"), "fn mine() {}\n");
    // A folder below a file cannot be made.
    let ran = folder.generate(&["--out", "mine.rs/sdk"]);
    assert!(ran.code == Some(6) && ran.stderr.contains("lro: mine.rs/sdk"), "{ran:?}");
}

#[test]
fn names_of_a_description_end_no_line_and_control_no_terminal() {
    let folder = Folder::new("hostile");
    let hostile = BAKERY.replace("\"bake\":", r#""ba\nke\u001b[2J":"#);
    folder.write("bakery.json", &hostile);
    for arguments in [&["--out", "sdk"][..], &["--list"], &["--deny", "skipped", "--list"]] {
        let ran = folder.run(&[&["--discovery", "bakery.json"], arguments].concat());
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains('\u{1b}'), "{ran:?}");
        let is_known = |line: &str| ["bakery.json", "lro: ", "of 3"].iter().any(|start| line.starts_with(start));
        assert!(ran.stderr.lines().all(is_known), "{ran:?}");
    }
}

#[test]
fn arguments_that_are_wrong_end_with_4() {
    let cases: [(&[&str], &str); 7] = [
        (&["--out", "sdk"], "--proto <ROOT>|--descriptors <FILE>|--discovery <FILE>|--openapi <FILE>"),
        (&["--discovery", "bakery.json"], "--out"),
        (&["--discovery", "bakery.json", "--out", "sdk", "--deny", "all"], "skipped"),
        (&["--discovery", "bakery.json", "--list", "--check"], "--check"),
        (&["--discovery", "bakery.json", "--list", "--extern", "Bread"], "lro: --extern `Bread`: expected `NAME=PATH`"),
        (&["--discovery", "bakery.json", "--list", "--accept-202"], "--openapi"),
        (&["--discovery", "bakery.json", "--list", "--include", "x"], "--proto"),
    ];
    let folder = Folder::new("usage");
    for (arguments, said) in cases {
        let ran = folder.run(arguments);
        assert!(ran.code == Some(4) && ran.stdout.is_empty() && ran.stderr.contains(said), "{arguments:?}: {ran:?}");
    }
    let wrong = folder.generate(&["--extern", "Bread=not a path", "--list"]);
    assert!(wrong.code == Some(1) && wrong.stderr.contains("`not a path` is no path of Rust"), "{wrong:?}");
}

#[test]
fn the_command_is_in_the_help_the_man_page_and_the_completions() {
    assert!(ran(&["--help"]).stdout.contains("generate "));
    let man = ran(&["man", "generate"]);
    assert!(man.code == Some(0) && man.stdout.contains("accept\\-202"), "{man:?}");
    assert!(ran(&["completions", "bash"]).stdout.contains("--service-config"));
}
