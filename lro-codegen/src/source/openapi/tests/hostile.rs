//! Descriptions that someone wrote to do harm: nothing panics, nothing goes on for ever.

use std::fmt::Write as _;

use super::*;

/// Reads a response of the type `A`, and these definitions.
fn read_a(definitions: &str) -> Found {
    let operation = "responses: {200: {schema: {$ref: '#/definitions/A'}}}";
    read_text(&swagger(operation, &format!("definitions:\n{definitions}")))
}

#[test]
fn references_in_a_circle_end() {
    assert_eq!(read_a("  A: {$ref: '#/definitions/A'}").method().name, "Send");
    assert_eq!(read_a("  A: {$ref: '#/definitions/B'}\n  B: {$ref: '#/definitions/A'}").model.types.len(), 2);
    let found = read_a("  A: {properties: {b: {type: array, items: {$ref: '#/definitions/A'}}}}");
    assert_eq!(found.method().name, "Send");
    let text = swagger("parameters: [{$ref: '#/parameters/a'}]", "parameters: {a: {$ref: '#/parameters/a'}}");
    assert!(read_text(&text).skip().ends_with("references lead on and on: more than 64 in a row"));
    let found = read_text("swagger: '2.0'\npaths: {/a: {$ref: '#/paths/~1a'}}");
    assert_eq!(found.diagnostics[0].severity, Severity::Error);
}

#[test]
fn inheritance_in_a_circle_skips_the_method() {
    let skip = read_a("  A: {allOf: [{$ref: '#/definitions/B'}]}\n  B: {allOf: [{$ref: '#/definitions/A'}]}").skip();
    assert!(skip.ends_with("`A` inherits itself by `allOf`"), "{skip}");
}

#[test]
fn long_chains_take_no_stack_and_no_exponential_time() {
    let mut chain = String::new();
    for number in 0..20_000 {
        let name = if number == 0 { "A".to_owned() } else { format!("A{number}") };
        let next = format!("A{}", (number + 1) % 20_000).replace("A0", "A");
        _ = writeln!(chain, "  {name}: {{properties: {{next: {{$ref: '#/definitions/{next}'}}}}}}");
    }
    assert_eq!(read_a(&chain).model.types.len(), 20_000);
    // Each inherits the next twice.
    let mut twice = String::new();
    for number in 0..60 {
        let (name, next) = (if number == 0 { "A".to_owned() } else { format!("A{number}") }, number + 1);
        _ = writeln!(
            twice,
            "  {name}: {{allOf: [{{$ref: '#/definitions/A{next}'}}, {{$ref: '#/definitions/A{next}'}}]}}"
        );
    }
    twice.push_str("  A60: {properties: {x: {type: string}}}");
    assert_eq!(read_a(&twice).method().name, "Send");
    let mut deep = String::new();
    for number in 0..200 {
        let (name, next) = (if number == 0 { "A".to_owned() } else { format!("A{number}") }, number + 1);
        _ = writeln!(deep, "  {name}: {{allOf: [{{$ref: '#/definitions/A{next}'}}]}}");
    }
    deep.push_str("  A200: {properties: {x: {type: string}}}");
    assert!(read_a(&deep).skip().ends_with("`allOf` leads on and on: more than 64 in a row"));
}

#[test]
fn schemas_that_nest_are_read_to_the_depth_of_a_document() {
    let deep = format!("{}{{type: string}}{}", "{type: array, items: ".repeat(100), "}".repeat(100));
    let found = read_a(&format!("  A: {deep}"));
    assert_eq!(found.method().name, "Send");
    let deep = format!("{}{{type: string}}{}", "{properties: {a: ".repeat(55), "}}".repeat(55));
    assert_eq!(read_a(&format!("  A: {deep}")).model.types.len(), 55);
}

#[test]
fn huge_texts_are_no_part_of_messages() {
    let huge = "x".repeat(1 << 20);
    for text in [
        swagger(&format!("responses: {{200: {{schema: {{$ref: '#/definitions/{huge}'}}}}}}"), "definitions: {A: {}}"),
        swagger(&format!("x-ms-long-running-operation-options: {{final-state-via: {huge}}}"), ""),
        swagger(&format!("parameters: [{{name: {huge}, in: queery, required: true}}]"), ""),
        swagger(&format!("responses: {{200: {{schema: {{type: {huge}}}}}}}"), ""),
        format!("swagger: '{huge}'"),
    ] {
        assert!(read_text(&text).skip().len() < 1_000);
    }
    let huge = huge.repeat(10);
    let found = read_text(&swagger(&format!("description: {huge}"), ""));
    assert_eq!(found.method().docs.len(), huge.len());
}

#[test]
fn nothing_of_the_wrong_kind_is_more_than_a_diagnostic() {
    for operation in [
        "parameters: 7",
        "parameters: [7]",
        "parameters: [{name: 7, in: query}]",
        "responses: [a]",
        "responses: {200: 7, 202: [1]}",
        "responses: {200: {schema: 7}}",
        "responses: {200: {schema: {properties: 7, allOf: {}, enum: 1, items: []}}}",
        "responses: {200: {schema: {type: array, items: [1, 2]}}}",
        "responses: {200: {schema: {type: {a: b}, oneOf: 1, anyOf: [[], 3]}}}",
        "responses: {200: {schema: {allOf: [7, {}], properties: {a: 7, '': {}}}}}",
        "responses: {200: {headers: 1, schema: {enum: [1, a, {}, null]}}}",
        "x-ms-long-running-operation-options: 7",
        "consumes: 7\nparameters: [{name: a, in: body}]",
        "tags: 7\ndescription: [1]",
        "x-lro: [1]",
    ] {
        let found = read_text(&swagger(operation, "definitions: 7\nparameters: []"));
        assert_eq!(found.model.methods_seen, 1, "{operation}");
        let methods: usize = found.model.services.iter().map(|service| service.methods.len()).sum();
        let is_told = found.diagnostics.iter().any(|diagnostic| diagnostic.severity < Severity::Note);
        assert!(methods == 1 || is_told, "{operation}");
    }
    for text in
        ["swagger: '2.0'\npaths: 7", "swagger: '2.0'\npaths: {/a: 7, /b: {get: 7}}", "openapi: 3.0.0\nservers: 7"]
    {
        assert!(read_text(text).model.services.is_empty());
    }
}

#[test]
fn names_and_comments_go_into_the_model_as_they_are() {
    let text = swagger(
        "description: 'a */ b \" #[x] <b>'\nparameters: [{name: 'a\"b */', in: query, type: string}]",
        "definitions: {}",
    );
    let found = read_text(&text.replace("Orders_Send", "'Or*/ders_Se \"nd'"));
    let method = found.method();
    assert_eq!((&*method.name, &*method.docs), ("Se \"nd", "a */ b \" #[x] <b>"));
    assert_eq!(method.arguments[0].wire, "a\"b */");
}
