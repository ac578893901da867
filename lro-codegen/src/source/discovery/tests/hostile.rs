//! Documents that are wrong, by mistake or to do harm: all of it is said, nothing panics.

use super::*;
use crate::report::Severity;

fn run(test: &str, method: &str, schemas: &str) -> (Model, Context) {
    read_text(test, &with_method("run", method, schemas), Context::default())
}

const RUN: &str =
    r#"{"httpMethod": "POST", "path": "v1/run", "response": {"$ref": "Handle"}, "request": {"$ref": "A"}}"#;

#[test]
fn what_is_wrong_with_a_method_is_named_with_its_place() {
    let path = |path: &str| format!(r#"{{"httpMethod": "POST", "path": "{path}", "response": {{"$ref": "Handle"}}}}"#);
    let cases = [
        (RUN.to_owned(), "`schemas` has no `A`"),
        (RUN.replace("\"A\"", "\"Handel\""), "did you mean `Handle`?"),
        (RUN.replace("{\"$ref\": \"A\"}", "{\"$ref\": 7}"), "`$ref` is a number"),
        (RUN.replace("POST", "BREW"), "`httpMethod` is \"BREW\""),
        (path(""), "no `path`"),
        (path("v1/{name"), "braces"),
        (path("v1/name}"), "braces"),
        (path("v1/{+name*}"), "expected `{name}` or `{+name}`"),
        (path("v1/{name}"), "which is no parameter of the path"),
        (path("v1/../secrets"), "leads elsewhere"),
        (path("v1/a b"), "' '"),
        (path("v1/a?b=c"), "'?'"),
        (path("v1/\\\" + evil() + \\\""), "'\"'"),
    ];
    for (method, expected) in cases {
        let method = if expected.contains("schemas") || expected.contains("mean") || expected.contains("$ref") {
            method
        } else {
            method.replace(r#", "request": {"$ref": "A"}"#, "")
        };
        let (model, context) = run("wrong", &method, "");
        assert!(model.services.is_empty(), "{method}");
        let found: Vec<_> = context.report.diagnostics.iter().filter(|it| it.severity == Severity::Error).collect();
        let [found] = &*found else { panic!("{method}: {}", context.report) };
        assert!(found.message.contains(expected) && found.subject == "things.run", "{expected}: {found}");
        assert!(found.at.line > 0 && found.at.file.ends_with("wrong.json"), "{found}");
    }
}

#[test]
fn types_that_hold_themselves_are_read_and_names_of_themselves_are_refused() {
    let schemas = r#", "A": {"type": "object", "properties": {"a": {"$ref": "A"}, "b": {"$ref": "B"}, 
        "gone": {"$ref": "Gone"}}},
        "B": {"$ref": "C"}, "C": {"type": "array", "items": {"$ref": "B"}}, "D": {"$ref": "D"}"#;
    let (model, context) = run("cycle", RUN, schemas);
    assert_eq!(fields(&model, "A").len(), 3);
    let found = messages(&context).join("\n");
    assert!(found.contains("is nothing but itself"), "{found}");
    assert!(found.contains("`schemas` has no `Gone`"), "{found}");
    assert!(!model.types.values().any(|def| def.name == "D"), "what no method reaches is not read");
    // No alias leads to itself any more.
    for def in model.types.values() {
        let mut next = Some(def);
        for _ in 0..10 {
            next = next.and_then(|def| match &def.shape {
                Shape::Alias(Type::Named(id)) => model.types.get(id),
                Shape::Alias(Type::List(inner)) => match &**inner {
                    Type::Named(id) => model.types.get(id),
                    _ => None,
                },
                _ => None,
            });
        }
        assert!(next.is_none(), "{}", def.name);
    }
}

#[test]
fn what_is_nested_too_deep_is_refused_by_the_reader_and_what_is_not_is_read() {
    let nested = |depth: usize| {
        let open = r#"{"type": "array", "items": "#.repeat(depth);
        format!(r#", "A": {open}{{"type": "string"}}{}"#, "}".repeat(depth))
    };
    let (model, context) = run("deep", RUN, &nested(100));
    assert_eq!((model.services.len(), context.report.has_errors()), (1, false));
    let (model, context) = run("deeper", RUN, &nested(100_000));
    assert!(model.services.is_empty());
    assert!(messages(&context).concat().contains("nested deeper"), "{:?}", messages(&context));
    let resources = format!(r#""resources": {}{{}}{}"#, r#"{"a": {"resources": "#.repeat(60), "}}".repeat(60));
    let (model, context) = read_text("resources", &document(&resources), Context::default());
    assert_eq!((model.services.len(), context.report.has_errors()), (0, false));
}

#[test]
fn a_text_of_ten_megabytes_and_names_that_differ_in_case_are_kept_as_they_are() {
    let docs = "long */ \\\"# ".repeat(1 << 20);
    let method = format!(
        r#"{{"httpMethod": "POST", "path": "v1/x", "response": {{"$ref": "Handle"}}, "description": "{docs}"}}"#
    );
    let text = with_method("run", &format!(r#"{method}, "Run": {method}, "RUN": {method}"#), "");
    let (model, context) = read_text("huge", &text, Context::default());
    let names: Vec<_> = model.services.first().unwrap().methods.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["run", "Run", "RUN"]);
    assert!(!context.report.has_errors());
}

#[test]
fn a_file_that_is_no_document_is_an_error_and_the_others_are_read() {
    for (text, expected) in [
        (r#"{"kind": "discovery#directoryList"}"#, "expected \"discovery#restDescription\""),
        ("[]", "`kind`"),
        (r#"{"kind": "discovery#restDescription", "rootUrl": "javascript:alert(1)"}"#, "`rootUrl`"),
        ("{", "expected"),
    ] {
        let (model, context) = read_text("none", text, Context::default());
        assert!(model.services.is_empty() && context.report.has_errors());
        assert!(messages(&context).concat().contains(expected), "{text}: {:?}", messages(&context));
    }
    // Every member of another kind than it should be: nothing is found, and nothing panics.
    let wrong =
        document(r#""resources": [1], "schemas": "x", "methods": {"a": null, "b": {"response": {"$ref": []}}}"#);
    let (model, context) = read_text("kinds", &wrong, Context::default());
    assert_eq!((model.services.len(), model.methods_seen, context.report.has_errors()), (0, 2, false));
}
