//! Which operations are long-running, and what they are called.

use super::*;

#[test]
fn json_and_yaml_of_both_languages_give_the_same_method() {
    let swagger_json = r#"{"swagger": "2.0", "info": {"title": "Shop", "version": "1"}, "paths": {"/orders/{id}": {
        "delete": {"operationId": "Orders_Drop", "x-ms-long-running-operation": true, "parameters": [
            {"name": "id", "in": "path", "required": true, "type": "string"}], "responses": {"202": {"description": ""}}}}}}"#;
    let openapi_json = swagger_json.replace(r#""swagger": "2.0""#, r#""openapi": "3.1.0""#);
    let openapi_json = openapi_json.replace(r#""type": "string""#, r#""schema": {"type": "string"}"#);
    let yaml = "openapi: 3.0.1\ninfo: {title: Shop, version: 1}\npaths:\n  /orders/{id}:\n    delete:\n      \
                operationId: Orders_Drop\n      x-ms-long-running-operation: true\n      parameters:\n      - {name: id, in: path, \
                required: true, schema: {type: string}}\n      responses:\n        202: {description: accepted}\n";
    for (name, text) in [("a.json", swagger_json), ("b.json", &openapi_json), ("c.yaml", yaml)] {
        let found = read_texts(&[(name, text)]);
        let method = found.method();
        assert_eq!((&*method.name, &found.service().name), ("Drop", &vec!["Orders".to_owned()]), "{name}");
        assert!(matches!(&method.call, Call::Http { verb, path, .. } if verb == "DELETE" && path == "orders/{id}"));
        assert_eq!(shown(&method.arguments), [("id", &Type::String, true, Place::Path)]);
        assert_eq!((&method.response, found.service().dialect.clone()), (&Type::Unit, Dialect::Azure));
        assert_eq!(&*method.at.file, name);
        assert!(method.at.line > 0 && method.at.column > 0);
    }
}

#[test]
fn a_file_that_is_no_description_is_an_error_that_says_what_is_legal() {
    let legal = "expected `swagger: \"2.0\"` or `openapi: \"3.…\"`";
    for (text, found) in [
        ("{a: 1}", "api.yaml:1:1: error: not a description: LEGAL, found a map without either"),
        ("[]", "api.yaml:1:1: error: not a description: LEGAL, found a list"),
        ("swagger: '1.2'", "api.yaml:1:10: error: LEGAL, found `swagger: 1.2`"),
        ("openapi: 2.0", "api.yaml:1:10: error: LEGAL, found `openapi: 2.0`"),
        ("openapi: [3]", "api.yaml:1:10: error: LEGAL, found `openapi: `"),
    ] {
        assert_eq!(read_text(text).skip(), found.replace("LEGAL", legal));
    }
}

#[test]
fn every_operation_is_counted_and_only_the_long_running_are_read() {
    let found = read_text(
        "swagger: '2.0'\npaths:\n  x-note: {get: {}}\n  /a:\n    parameters: []\n    get: {operationId: A_Get}\n    \
         put: {operationId: A_Put, x-ms-long-running-operation: true}\nx-ms-paths:\n  /a?over:\n    \
         put: {operationId: A_Over, x-ms-long-running-operation: true}\n    delete: {x-ms-long-running-operation: false}",
    );
    assert_eq!(found.model.methods_seen, 4);
    let names: Vec<_> = found.service().methods.iter().map(|method| &*method.name).collect();
    assert_eq!(names, ["Put", "Over"]);
    assert_eq!(call(&found.service().methods[1]), ("a", &[pair("over", "")][..], &[][..]));
}

#[test]
fn a_plain_202_with_the_header_of_a_monitor_is_a_candidate_until_it_is_accepted() {
    let text = |header: &str| {
        format!(
            "swagger: '2.0'\npaths:\n  /items:\n    post:\n      operationId: Items_Make\n      responses:\n        \
             202: {{headers: {{{header}: {{type: string}}}}}}"
        )
    };
    let found = read_text(&text("LOCATION"));
    let note = found.skip();
    assert!(note.starts_with("api.yaml:4:5: note: Items.Make: may be long-running: it answers `202` with the header"));
    assert_eq!(found.diagnostics[0].severity, Severity::Note);
    for (header, dialect) in [
        ("location", Dialect::Http),
        ("operation-location", Dialect::Azure),
        ("Azure-AsyncOperation", Dialect::Azure),
        // Fabric: beside a `Location`, and read by the same dialect as a monitor of Azure.
        ("Location: {type: string}, x-ms-operation-id", Dialect::Azure),
    ] {
        let mut context = context(&[("api.yaml", &text(header))]);
        let found = read_with(&mut context, vec!["api.yaml".into()], true);
        found.method();
        assert_eq!(found.service().dialect, dialect, "{header}");
    }
    let found = read_text(&text("Retry-After"));
    assert!(found.model.services.is_empty() && found.diagnostics.is_empty());
}

#[test]
fn fabrics_own_flag_is_one() {
    let text = "swagger: '2.0'\npaths: {/a: {post: {x-ms-fabric-sdk-long-running-operation: true, tags: [Items]}}}";
    let found = read_text(text);
    assert_eq!((&*found.method().name, &*found.service().name[0]), ("post_a", "Items"));
    assert_eq!(found.service().dialect, Dialect::Azure);
}

#[test]
fn x_lro_makes_a_method_long_running_and_says_its_keys() {
    let found = read_text(
        "openapi: 3.0.0\ninfo: {title: Shop}\npaths:\n  /orders:\n    post:\n      operationId: send_orders\n      \
         x-lro: {dialect: google, response: Order, metadata: (), name: SendAll, cancel: true, path: 'v1/{name}'}\n\
         components: {schemas: {Order: {properties: {id: {type: string}}}}}",
    );
    let method = found.method();
    assert_eq!((&*method.name, &*found.service().name[0]), ("send_orders", "Shop"));
    assert_eq!(found.service().dialect, Dialect::Google);
    assert_eq!(method.response, Type::Named("api.yaml#/components/schemas/Order".to_owned()));
    assert_eq!((&method.metadata, method.alias.as_deref()), (&Type::Unit, Some("SendAll")));
    assert!(method.options.cancel);
    assert_eq!(method.options.path.as_deref(), Some("v1/{name}"));

    let skip = read_text("openapi: 3.0.0\npaths: {/a: {post: {operationId: A_B, x-lro: false}}}").skip();
    assert_eq!(skip, "api.yaml:2:14: skipped: A.B: by `x-lro`");
    let skip = read_text("openapi: 3.0.0\npaths: {/a: {post: {operationId: A_B, x-lro: true}}}").skip();
    assert!(skip.starts_with("api.yaml:2:14: skipped: A.B: how it is polled is not known"), "{skip}");
    let skip = read_text(&swagger("x-lro: {response: Ordre}", "definitions: {Order: {type: string}}")).skip();
    assert!(skip.contains("`Ordre` is no schema of `api.yaml`") && skip.ends_with("did you mean `Order`?"), "{skip}");
}

#[test]
fn a_reply_that_is_an_operation_of_google_says_the_dialect() {
    let found = read_text(
        "openapi: 3.0.0\npaths: {/a: {post: {operationId: A_B, x-lro: {response: ()}, responses: {200: {content: \
         {application/json: {schema: {properties: {name: {type: string}, done: {type: boolean}}}}}}}}}}",
    );
    found.method();
    assert_eq!(found.service().dialect, Dialect::Google);
}

#[test]
fn the_overrides_file_goes_over_what_the_description_says() {
    let text = "openapi: 3.0.0\npaths: {/a: {post: {operationId: A_B, x-lro: {dialect: google, response: ()}}}}";
    let mut context = context(&[
        ("api.yaml", text),
        ("lro.toml", "[method.\"A.B\"]\nresponse = \"crate::Thing\"\ndialect = \"http\"\nname = \"Thing\""),
    ]);
    let document = context.document(Path::new("lro.toml")).unwrap();
    context.overrides = Overrides::read(&document, &mut context.report);
    let found = read_with(&mut context, vec!["api.yaml".into()], false);
    assert_eq!(found.method().response, Type::Path("crate::Thing".to_owned()));
    assert_eq!(found.service().dialect, Dialect::Http);
    context.skip.push("A.*".to_owned());
    let found = read_with(&mut context, vec!["api.yaml".into()], false);
    assert_eq!(found.skip(), "api.yaml:2:14: skipped: A.B: by `skip`");
}

#[test]
fn services_are_groups_and_of_several_files_one() {
    let file = |id: &str| {
        format!("swagger: '2.0'\ninfo: {{title: T}}\npaths: {{/a: {{put: {{{id}x-ms-long-running-operation: true}}}}}}")
    };
    let (a, b, c) = (file("operationId: Orders_Put, "), file("operationId: Orders_Redo, "), file("tags: [Parts], "));
    let mut context = context(&[("a.yaml", &a), ("b.yaml", &b), ("c.yaml", &c)]);
    let found = read_with(&mut context, vec!["a.yaml".into(), "b.yaml".into(), "c.yaml".into()], false);
    let names = found.model.services.iter().map(|service| {
        let methods: Vec<_> = service.methods.iter().map(|method| &*method.name).collect();
        (&*service.name[0], methods)
    });
    assert_eq!(names.collect::<Vec<_>>(), [("Orders", vec!["Put", "Redo"]), ("Parts", vec!["put_a"])]);
}
