//! References, within a file and to others.

use super::*;

/// A description in the folder `shop`, whose operation has these replies.
fn main_file(replies: &str) -> String {
    swagger(
        &format!("responses: {{{replies}}}"),
        "definitions: {Order: {type: object, properties: {a: {type: string}}}}",
    )
}

#[test]
fn references_are_followed_everywhere_relative_to_the_file_that_has_them() {
    let main = "swagger: '2.0'\npaths: {/a: {$ref: './paths/a.json#/a~1b%20c'}}";
    let path = r#"{"a/b c": {"put": {"operationId": "A_B", "x-ms-long-running-operation": true,
        "parameters": [{"$ref": "../../common/all.yaml#/parameters/Body"}],
        "responses": {"200": {"$ref": "../../common/all.yaml#/responses/Good"}}}}}"#;
    let common = "parameters: {Body: {name: b, in: body, required: true, schema: {$ref: types.yaml}}}\n\
                  responses: {Good: {schema: {$ref: '#/definitions/Good'}}}\n\
                  definitions: {Good: {properties: {next: {$ref: '#/definitions/Good'}}}}";
    let found = read_texts(&[
        ("shop/api.yaml", main),
        ("shop/paths/a.json", path),
        ("common/all.yaml", common),
        ("common/types.yaml", "type: object\nproperties: {x: {type: string}}"),
    ]);
    let method = found.method();
    assert_eq!(method.response, Type::Named("../common/all.yaml#/definitions/Good".to_owned()));
    assert_eq!(method.arguments[0].ty, Type::Named("../common/types.yaml#".to_owned()));
    assert_eq!(found.model.types.len(), 2);
    assert_eq!(&*method.at.file, "shop/paths/a.json");
}

#[test]
fn a_reference_that_leads_nowhere_skips_the_method_and_says_what_was_probably_meant() {
    for (reference, why) in [
        ("#/definitions/Ordre", "`/definitions` has no `Ordre`; did you mean `Order`?"),
        ("#/definitons/Order", "the file has no `definitons`; did you mean `definitions`?"),
        ("other.json#/a", "there is no file `other.json`"),
        ("https://example.com/a.json#/b", "is a URL; only files are read: save it, and refer to the file"),
        ("#Order", "is not legal: a reference is `file#/path/to/it`"),
    ] {
        let skip = read_text(&main_file(&format!("200: {{schema: {{$ref: '{reference}'}}}}"))).skip();
        assert!(skip.starts_with("api.yaml:8:40: skipped: Orders.Send: `"), "{skip}");
        assert!(skip.contains(why), "{skip}");
    }
    let skip = read_text(&main_file("200: {schema: {$ref: 7}}")).skip();
    assert!(skip.ends_with("`$ref` is a number; it must be text"), "{skip}");
}

#[test]
fn a_type_that_cannot_be_read_skips_every_method_that_reaches_it() {
    let text = "swagger: '2.0'\npaths:\n  /a: {put: {operationId: A_One, x-ms-long-running-operation: true, responses: {200: \
                {schema: {$ref: '#/definitions/Outer'}}}}}\n  /b: {put: {operationId: A_Two, \
                x-ms-long-running-operation: true, responses: {200: {schema: {$ref: '#/definitions/Outer'}}}}}\n  \
                /c: {put: {operationId: A_Three, x-ms-long-running-operation: true}}\ndefinitions:\n  \
                Outer: {properties: {inner: {type: array, items: {$ref: '#/definitions/Inner'}}}}\n  \
                Inner: {properties: {x: {$ref: '#/definitions/Gone'}}}";
    let found = read_text(text);
    let names: Vec<_> = found.model.services[0].methods.iter().map(|method| &*method.name).collect();
    assert_eq!(names, ["Three"]);
    let said = found.said();
    assert_eq!(said.len(), 2);
    for (line, name) in said.iter().zip(["A.One", "A.Two"]) {
        assert!(
            line.starts_with(&format!("api.yaml:8:34: skipped: {name}: `#/definitions/Gone` is not there")),
            "{line}"
        );
    }
}
