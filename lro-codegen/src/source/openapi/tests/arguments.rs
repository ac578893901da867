//! What a call is made of.

use super::*;

fn arguments(parameters: &str) -> Found {
    read_text(&swagger(&format!("parameters: [{parameters}]"), ""))
}

#[test]
fn parameters_become_arguments_by_their_place_and_format() {
    let found = arguments(
        "{name: $top, in: query, type: integer, format: int32}, {name: tags, in: query, type: array, items: {type: string}}, \
         {name: ids, in: query, type: array, collectionFormat: multi, required: true, items: {type: integer}}, \
         {name: If-Match, in: header, type: string, description: the etag, x-ms-client-name: etag}, \
         {name: kind, in: query, type: string, enum: [a, b]}",
    );
    let method = found.method();
    let list = |ty| Type::List(Box::new(ty));
    assert_eq!(
        shown(&method.arguments),
        [
            ("$top", &Type::I32, false, Place::Query),
            ("tags", &list(Type::String), false, Place::QueryList),
            ("ids", &list(Type::I64), true, Place::Query),
            ("If-Match", &Type::String, false, Place::Header),
            ("kind", &Type::String, false, Place::Query),
        ]
    );
    assert_eq!((&*method.arguments[3].name, &*method.arguments[3].docs), ("etag", "the etag"));
}

#[test]
fn in_openapi_3_the_style_says_how_a_list_is_written() {
    let found = read_text(
        "openapi: 3.0.0\npaths: {/a: {post: {operationId: A_B, x-ms-long-running-operation: true, parameters: [\
         {name: one, in: query, schema: {type: array, items: {$ref: '#/components/schemas/Id'}}}, \
         {name: two, in: query, explode: false, schema: {type: array, items: {type: string}}}, \
         {name: three, in: query, schema: {$ref: '#/components/schemas/Id'}}, \
         {name: four, in: query, schema: {anyOf: [{type: boolean}, {type: 'null'}]}}]}}}\n\
         components: {schemas: {Id: {type: integer, format: int64}}}",
    );
    let list = |ty| Type::List(Box::new(ty));
    assert_eq!(
        shown(&found.method().arguments),
        [
            ("one", &list(Type::I64), false, Place::Query),
            ("two", &list(Type::String), false, Place::QueryList),
            ("three", &Type::I64, false, Place::Query),
            ("four", &Type::Bool, false, Place::Query),
        ]
    );
}

#[test]
fn what_cannot_be_sent_is_left_out_with_a_note_and_skips_the_method_where_it_is_required() {
    for (parameter, why) in [
        ("name: a, in: query, type: array, collectionFormat: pipes, items: {type: string}", "format `pipes`"),
        ("name: a, in: cookie, type: string", "is a cookie"),
        ("name: a, in: query, type: object", "is no scalar, and no list of scalars"),
        ("name: a, in: queery, type: string", "is in `queery`; legal is path, query, header, cookie or body"),
        ("name: a, in: formData, type: string", "the field `a` of a form; only JSON is sent"),
    ] {
        let found = arguments(&format!("{{{parameter}}}"));
        assert_eq!(found.model.services[0].methods.len(), 1);
        let note = &found.said()[0];
        assert!(note.starts_with("api.yaml:8:20: note: Orders.Send: left out: ") && note.contains(why), "{note}");
        let skip = arguments(&format!("{{{parameter}, required: true}}")).skip();
        assert!(skip.starts_with("api.yaml:8:20: skipped: Orders.Send: ") && skip.contains(why), "{skip}");
    }
}

#[test]
fn what_is_the_same_in_every_call_is_no_argument() {
    let found = arguments(
        "{name: api-version, in: query, required: true, type: string}, \
         {name: format, in: query, required: true, type: string, enum: [json]}, \
         {name: maybe, in: query, type: boolean, enum: [true]}, \
         {name: x-mode, in: header, required: true, type: string, enum: [deep]}, \
         {name: Accept, in: header, required: true, type: string}, \
         {name: x-ms-client-request-id, in: header, type: string}, \
         {name: version, in: query, x-ms-api-version: true, required: true, type: string}",
    );
    let method = found.method();
    let query = [pair("api-version", "v1"), pair("format", "json"), pair("version", "v1")];
    assert_eq!(call(method), ("orders", &query[..], &[pair("x-mode", "deep")][..]));
    assert_eq!(shown(&method.arguments), [("maybe", &Type::Bool, false, Place::Query)]);
}

#[test]
fn a_header_that_tells_repeated_starts_apart_is_the_start_id() {
    for header in ["Repeatability-Request-ID", "Idempotency-Key", "Operation-Id"] {
        let found = arguments(&format!(
            "{{name: {header}, in: header, type: string, required: true}}, \
             {{name: Repeatability-First-Sent, in: header, type: string, required: true}}"
        ));
        let method = found.method();
        assert!(method.arguments.is_empty());
        let expected = Some(StartId::Header(header.to_owned()));
        assert!(matches!(&method.call, Call::Http { start_id, .. } if *start_id == expected));
    }
}

#[test]
fn a_constant_in_the_path_is_written_into_it_and_long_values_match_segments() {
    let found = read_text(
        "swagger: '2.0'\npaths:\n  '/{scope}/things/{kind}/{my id}:run#1':\n    post:\n      operationId: A_B\n      \
         x-ms-long-running-operation: true\n      parameters:\n      - {name: my id, in: path, type: string}\n      \
         - {name: kind, in: path, type: string, enum: [a b], required: true}\n      \
         - {name: unused, in: path, type: string, required: true}\n      \
         - {name: scope, in: path, type: string, x-ms-skip-url-encoding: true}",
    );
    let method = found.method();
    assert_eq!(call(method).0, "{scope=**}/things/a%20b/{my_id}:run");
    assert_eq!(
        shown(&method.arguments),
        [("scope", &Type::String, true, Place::Path), ("my_id", &Type::String, true, Place::Path)]
    );
}

#[test]
fn a_path_that_cannot_be_filled_skips_the_method() {
    for (path, why) in [
        ("/a/{idd}", "the path has `{idd}`, which is no parameter of it; did you mean `id`?"),
        ("/a/{id", "the braces of the path `/a/{id` do not match"),
        ("/a/../{id}", "the path `/a/../{id}` has a segment `.` or `..`"),
        ("/a?x={id}", "the path has the query `x={id}`; a parameter stands beside it"),
    ] {
        let text = format!(
            "swagger: '2.0'\npaths: {{'{path}': {{put: {{operationId: A_B, x-ms-long-running-operation: true, parameters: [\
             {{name: id, in: path, type: string, required: true}}]}}}}}}"
        );
        let skip = read_text(&text).skip();
        assert!(skip.contains("skipped: A.B: ") && skip.contains(why), "{skip}");
    }
    let text = "swagger: '2.0'\npaths: {/a: {head: {operationId: A_B, x-ms-long-running-operation: true}}}";
    let skip = read_text(text).skip();
    assert!(skip.contains("a start call is one of GET, POST, PUT, PATCH, DELETE, and not HEAD"), "{skip}");
}

#[test]
fn an_operations_own_parameter_stands_for_the_one_of_its_path() {
    let found = read_text(
        "swagger: '2.0'\npaths: {'/{id}': {parameters: [{name: id, in: path, type: string}], put: {operationId: A_B, \
         x-ms-long-running-operation: true, parameters: [{name: id, in: path, type: integer}]}}}",
    );
    assert_eq!(shown(&found.method().arguments), [("id", &Type::I64, true, Place::Path)]);
}

#[test]
fn a_shared_variable_of_the_path_is_the_clients() {
    let text = "swagger: '2.0'\npaths:\n  '/subscriptions/{subscriptionId}/groups/{group}/{tenant}':\n    put:\n      \
                operationId: A_B\n      x-ms-long-running-operation: true\n      parameters:\n      \
                - {$ref: '#/parameters/Subscription'}\n      - {$ref: '#/parameters/Group'}\n      \
                - {$ref: '#/parameters/Top'}\n      \
                - {name: tenant, in: path, type: string, x-ms-parameter-location: client}\n  \
                '/subscriptions/{subscriptionId}/all':\n    delete:\n      operationId: A_Drop\n      \
                x-ms-long-running-operation: true\n      parameters:\n      \
                - {name: subscriptionId, in: path, type: string}\n      - {$ref: '#/parameters/Top'}\n\
                parameters:\n  Subscription: {name: subscriptionId, in: path, type: string}\n  \
                Group: {name: group, in: path, type: string, x-ms-parameter-location: method}\n  \
                Top: {name: top, in: query, type: integer}";
    let found = read_text(text);
    let service = found.service();
    assert_eq!(
        shown(&service.parameters),
        [("subscriptionId", &Type::String, true, Place::Path), ("tenant", &Type::String, true, Place::Path)]
    );
    let top = ("top", &Type::I64, false, Place::Query);
    assert_eq!(shown(&service.methods[0].arguments), [("group", &Type::String, true, Place::Path), top]);
    assert_eq!(shown(&service.methods[1].arguments), [top]);
}

#[test]
fn a_body_is_json_or_like_it() {
    let body = |consumes: &str, schema: &str| {
        let operation =
            format!("consumes: {consumes}\nparameters: [{{name: order, in: body, required: true, schema: {schema}}}]");
        read_text(&swagger(&operation, "definitions: {Order: {properties: {id: {type: string}}}}"))
    };
    let named = Type::Named("api.yaml#/definitions/Order".to_owned());
    for (consumes, kind) in [
        ("[]", None),
        ("[text/json, application/json; charset=utf-8]", None),
        ("[application/merge-patch+json]", Some("application/merge-patch+json")),
    ] {
        let found = body(consumes, "{$ref: '#/definitions/Order'}");
        let method = found.method();
        assert_eq!(shown(&method.arguments), [("order", &named, true, Place::Body)]);
        let headers: Vec<_> = kind.map(|kind| pair("content-type", kind)).into_iter().collect();
        assert_eq!(call(method).2, headers, "{consumes}");
    }
    let skip = body("[application/xml, text/plain]", "{type: string}").skip();
    assert!(skip.ends_with("the body is `application/xml` or `text/plain`; only JSON is sent"), "{skip}");
    let skip = body("[application/json]", "{type: string, format: binary}").skip();
    assert!(skip.ends_with("the body is bytes; only JSON is sent"), "{skip}");
}

#[test]
fn in_openapi_3_the_body_stands_beside_the_parameters() {
    let found = read_text(
        "openapi: 3.0.0\npaths: {/a: {patch: {operationId: A_B, x-ms-long-running-operation: true, requestBody: {content: {\
         text/plain: {}, application/merge-patch+json: {schema: {$ref: '#/components/schemas/Order'}}}}}}}\n\
         components: {schemas: {Order: {properties: {id: {type: string}}}}}",
    );
    let method = found.method();
    let named = Type::Named("api.yaml#/components/schemas/Order".to_owned());
    assert_eq!(shown(&method.arguments), [("body", &named, false, Place::Body)]);
    assert_eq!(method.arguments[0].name, "Order");
    assert_eq!(call(method).2, [pair("content-type", "application/merge-patch+json")]);
}
