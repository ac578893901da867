//! Which reply is the response, and what says how the operation stands.

use super::*;

const DEFINITIONS: &str = "definitions:\n  Order: {properties: {id: {type: string}, properties: {type: object}}}\n  \
                           Monitor: {properties: {status: {type: string}, error: {type: object}}}\n";

fn read_replies(operation: &str) -> Found {
    read_text(&swagger(operation, DEFINITIONS))
}

fn named(name: &str) -> Type {
    Type::Named(format!("api.yaml#/definitions/{name}"))
}

#[test]
fn the_response_is_what_success_declares() {
    const ORDER: &str = "{schema: {$ref: '#/definitions/Order'}}";
    const MONITOR: &str = "{schema: {$ref: '#/definitions/Monitor'}}";
    let option = |ty| Type::Option(Box::new(ty));
    for (replies, response, metadata) in [
        (format!("200: {ORDER}, 201: {MONITOR}"), named("Order"), Type::Value),
        (format!("200: {{}}, 201: {ORDER}, 202: {{}}"), named("Order"), Type::Value),
        (format!("200: {ORDER}, 202: {MONITOR}"), named("Order"), named("Monitor")),
        (format!("200: {ORDER}, 202: {ORDER}"), named("Order"), Type::Value),
        (format!("200: {ORDER}, 204: {{}}"), option(named("Order")), Type::Value),
        (format!("202: {ORDER}"), named("Order"), Type::Value),
        (format!("202: {MONITOR}"), Type::Unit, named("Monitor")),
        (format!("202: {{}}, default: {ORDER}"), Type::Unit, Type::Value),
        (
            "200: {schema: {type: array, items: {$ref: '#/definitions/Order'}}}".to_owned(),
            Type::List(Box::new(named("Order"))),
            Type::Value,
        ),
    ] {
        let found = read_replies(&format!("responses: {{{replies}}}"));
        let method = found.method();
        assert_eq!((&method.response, &method.metadata), (&response, &metadata), "{replies}");
        assert!(!method.unknown_response);
    }
    assert!(read_replies("responses: {200: {schema: {}}}").method().unknown_response);
}

#[test]
fn a_deletion_has_no_response_whatever_answers_it() {
    let text = swagger("responses: {200: {schema: {$ref: '#/definitions/Monitor'}}}", DEFINITIONS);
    let found = read_text(&text.replace("    post:", "    delete:"));
    assert_eq!(found.method().response, Type::Unit);
}

#[test]
fn a_file_is_no_response() {
    let skip = read_replies("responses: {200: {schema: {type: file}}}").skip();
    assert!(skip.ends_with("skipped: Orders.Send: the response is a file; only JSON is read"), "{skip}");
    let skip = read_text(
        "openapi: 3.0.0\npaths: {/a: {post: {operationId: A_B, x-ms-long-running-operation: true, responses: {\
         200: {content: {text/csv: {schema: {type: string}}}}}}}}",
    );
    assert!(skip.skip().ends_with("the response is `text/csv`; only JSON is read"));
}

#[test]
fn options_say_where_the_response_is_and_its_type() {
    let found = read_replies(
        "x-ms-long-running-operation-options: {final-state-via: original-uri, final-state-schema: '#/definitions/Order'}",
    );
    let method = found.method();
    assert_eq!(method.options.final_state_via.as_deref(), Some("original-uri"));
    assert_eq!(method.response, named("Order"));
    assert_eq!(found.model.types["api.yaml#/definitions/Order"].name, "Order");

    let skip = read_replies("x-ms-long-running-operation-options: {final-state-via: orginal-uri}").skip();
    let start = "api.yaml:8:62: skipped: Orders.Send: `final-state-via` is `orginal-uri`; did you mean `original-uri`?";
    assert!(skip.starts_with(start), "{skip}");
}

#[test]
fn documentation_is_the_summary_and_the_description() {
    for (said, docs) in [
        ("{}", ""),
        ("summary: Sends.", "Sends."),
        ("description: Sends all.", "Sends all."),
        ("summary: Send\ndescription: Sends all.", "Sends all."),
        ("summary: Now\ndescription: Sends all.", "Now\n\nSends all."),
    ] {
        let said = if said == "{}" { "tags: []" } else { said };
        assert_eq!(read_replies(said).method().docs, docs);
    }
    assert!(read_replies("deprecated: true").method().deprecated);
}
