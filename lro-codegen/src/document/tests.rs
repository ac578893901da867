#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

use std::sync::Arc;

use super::*;

fn read(file: &str, text: &str) -> Result<Node, String> {
    Node::read(&Arc::from(file), text).map_err(|error| format!("{}: {}", error.at, error.message))
}

#[test]
fn every_node_knows_where_it_stands() {
    for (file, text) in [
        ("a.json", "{\n  \"ä\": \"x\", \"paths\": {\"/a\": [1, true]}\n}"),
        ("a.yaml", "ä: x\n\"paths\":\n    /a: [1, true]\n"),
        ("a.toml", "\"ä\" = \"x\"\n[paths]\n\"/a\" = [1, true]\n"),
    ] {
        let root = read(file, text).unwrap();
        let number = root.at_path(["paths", "/a", "0"]).unwrap();
        assert_eq!(number.value, Value::Number("1".to_owned()), "{file}");
        let line = text.lines().position(|line| line.contains('1')).unwrap();
        let column = text.lines().nth(line).unwrap().chars().position(|c| c == '1').unwrap();
        assert_eq!(number.at.to_string(), format!("{file}:{}:{}", line + 1, column + 1));
        assert_eq!(root.str_of("ä"), Some("x"));
        let key = root.get("paths").unwrap().members()[0].at.clone();
        assert_eq!(key.line as usize, line + 1, "{file}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (file, text, expected) in [
        ("a.json", "{\n \"a\" 1}", "a.json:2:6: expected `:`, found '1'"),
        ("a.json", "{\"a\": \"x", "a.json:1:7: expected text that ends with `\"`, found '\"'"),
        ("a.json", "{} x", "a.json:1:4: expected the end of the file, found 'x'"),
        ("a.json", "[1.e]", "a.json:1:2: expected a number, found '1'"),
        ("a.yaml", "? [a]\n: 1", "a.yaml:1:3: a list as a key; a key is text"),
        ("a.toml", "a = ", "a.toml:1:5: not TOML: string values must be quoted, expected literal string"),
    ] {
        assert_eq!(read(file, text), Err(expected.to_owned()));
    }
    assert!(read("a.yaml", "a: [1").unwrap_err().starts_with("a.yaml:"));
}

#[test]
fn a_hostile_document_ends_in_a_message() {
    let deep = "[".repeat(100_000);
    let deep_toml = format!("a = {}", "[".repeat(100_000));
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]\n";
    for (file, text) in [
        ("a.json", deep.as_str()),
        ("a.yaml", &deep),
        ("a.toml", &deep_toml),
        ("a.yaml", bomb),
        ("a.yaml", "a: &a [*a]"),
    ] {
        read(file, text).unwrap_err();
    }
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(10 << 20));
    assert_eq!(read("a.json", &long).unwrap().str_of("a").map(str::len), Some(10 << 20));
}
