#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::fs;

use super::*;
use crate::position::Position;

/// A document with two long-running methods and one that is none.
const BAKERY: &str = r#"{
  "kind": "discovery#restDescription", "name": "bakery", "version": "v1", "rootUrl": "https://bakery.example.com/", "servicePath": "",
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

/// A folder of this test's own, with the document.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp");
    let folder = folder.join(format!("generator-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("bakery.json"), BAKERY).unwrap();
    folder
}

#[test]
fn a_generator_writes_checks_and_writes_again_what_is_stale() {
    let folder = folder("cycle");
    let (document, out) = (folder.join("bakery.json"), folder.join("bakery.rs"));
    let sdk = discovery(&document).write_to(&out).unwrap();
    let rows: Vec<&str> = sdk.list().iter().map(|row| row.method.as_str()).collect();
    assert_eq!(rows, ["BreadsClient::bake", "BreadsClient::delete"]);
    assert_eq!((sdk.report.coverage.methods, sdk.report.coverage.generated), (3, 2));
    let text = fs::read_to_string(&out).unwrap();
    assert_eq!(text, sdk.one_file().unwrap());
    assert!(text.contains("/// Bakes a bread."), "{text}");
    discovery(&document).check(&out).unwrap();
    fs::write(&document, BAKERY.replace("Bakes a bread.", "Bakes bread.")).unwrap();
    let stale = discovery(&document).check(&out).unwrap_err();
    let line = text.lines().position(|line| line.contains("/// Bakes a bread.")).unwrap() + 1;
    assert!(stale.to_string().starts_with(&format!("{}:{line}: stale: ", out.display())), "{stale}");
    discovery(&document).write_to(&out).unwrap();
    discovery(&document).check(&out).unwrap();
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_same_description_gives_the_same_bytes() {
    let folder = folder("same");
    let of = || discovery(folder.join("bakery.json")).generate().unwrap().one_file().unwrap();
    let first = of();
    assert!((0..4).all(|_| of() == first));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn cargo_is_told_each_file_that_was_read_and_what_nobody_asked_to_skip() {
    let folder = folder("cargo");
    fs::write(folder.join("lro.toml"), "[method.\"breads.delete\"]\nresponse = \"()\"\n").unwrap();
    let document = folder.join("bakery.json");
    let generator = discovery(&document).overrides(folder.join("lro.toml")).skip("breads.bake");
    let mut sdk = generator.generate().unwrap();
    let watched = |name: &str| format!("cargo::rerun-if-changed={}", folder.join(name).display());
    let expected = [watched("bakery.json"), watched("lro.toml")];
    // Not among them: the method that `skip` leaves out.
    assert_eq!(build::lines(&sdk), expected);
    assert_eq!((sdk.report.coverage.skipped, sdk.report.has_skipped()), (1, false));
    // A folder, and a file that is gone, would make every build run the script again.
    sdk.read.extend([folder.clone(), folder.join("gone.json"), document]);
    sdk.report.skipped(&Position::file("a\ncargo::rustc-link-arg=x"), "m\nn", "it streams");
    let mut lines = build::lines(&sdk);
    assert_eq!(lines.pop().unwrap(), r"cargo::warning=a\ncargo::rustc-link-arg=x: skipped: m\nn: it streams");
    assert_eq!(lines, expected);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_method_that_is_skipped_unasked_is_denied_where_none_may_be() {
    let folder = folder("denied");
    let (document, out) = (folder.join("bakery.json"), folder.join("out"));
    // How an operation is written that `get` would reply with is not known.
    fs::write(folder.join("lro.toml"), "[method.\"breads.get\"]\nresponse = \"Bread\"\n").unwrap();
    let generator = || discovery(&document).overrides(folder.join("lro.toml"));
    let allowed = generator().generate().unwrap();
    assert_eq!((allowed.report.coverage.skipped, allowed.report.has_skipped()), (1, true), "{}", allowed.report);
    let denied = generator().deny_skipped().write_to(&out).unwrap_err();
    assert!(matches!(&denied, Error::Skipped(report) if report.coverage.generated == 0), "{denied}");
    assert!(!out.exists());
    generator().deny_skipped().skip("breads.get").write_to(&out).unwrap();
    assert!(out.join("breads.rs").exists());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_error_of_a_build_script_is_readable() {
    let folder = folder("readable");
    fs::write(folder.join("lro.toml"), "[method.\"breads.bakes\"]\nskip = true\n").unwrap();
    let failed = discovery(folder.join("bakery.json")).overrides(folder.join("lro.toml")).write_to(folder.join("x.rs"));
    let said = format!("{:?}", failed.unwrap_err());
    let at = folder.join("lro.toml");
    let at = at.display();
    let error =
        format!("\n{at}:1:9: error: breads.bakes: no description has this method; did you mean `breads.bake`?\n");
    assert!(said.starts_with('\n') && said.contains(&error), "{said}");
    assert!(said.ends_with("\nof 3 methods 2 long-running: 0 generated, 0 skipped; 0 of unknown response"), "{said}");
    assert!(!folder.join("x.rs").exists());
    fs::remove_dir_all(folder).unwrap();
}
