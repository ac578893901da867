//! Small documents of each family, in words of our own.

use std::cell::Cell;

use super::*;
use crate::overrides::Override;

#[test]
fn a_method_is_long_running_by_the_shape_of_its_reply_and_polls_are_not_counted() {
    let create = r#"{"httpMethod": "POST", "path": "v1/{+parent}/things", "response": {"$ref": "Handle"},
        "description": "Makes a thing.", "deprecated": true, "parameterOrder": ["parent", "thingId"],
        "parameters": {
          "dryRun": {"location": "query", "type": "boolean"},
          "header.size": {"location": "query", "type": "string", "format": "int64"},
          "label": {"location": "query", "type": "string", "repeated": true,
              "enum": ["A", "B"], "enumDescriptions": ["First.", ""]},
          "parent": {"location": "path", "type": "string", "required": true,
              "pattern": "^projects/[^/]+/locations/[^/]+$"},
          "requestId": {"location": "query", "type": "string", "description": "Tells a retried request."},
          "thingId": {"location": "query", "type": "string", "required": true}},
        "request": {"$ref": "Thing"}}"#;
    let thing = r#", "Thing": {"id": "Thing", "type": "object", "properties": {
        "size": {"type": "string", "format": "int64"},
        "kind": {"type": "string", "enum": ["BIG", "SMALL"], "enumDeprecated": [false, true]},
        "made": {"type": "string", "format": "google-datetime", "readOnly": true},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"inner": {"$ref": "Thing"}}}},
        "any": {"type": "any"}}},
      "Operation": {"id": "Operation", "type": "object", "properties": {"id": {"type": "string"}}}"#;
    let (model, context) = read_text("shape", &with_method("create", create, thing), Context::default());
    assert_eq!(model.methods_seen, 2);
    let method = only_method(&model);
    assert_eq!((&*method.name, method.deprecated, &*method.docs), ("create", true, "Makes a thing."));
    let start_id = StartId::Query("requestId".to_owned());
    let path = "v1/{parent=projects/*/locations/*}/things";
    assert_eq!(http(&method.call), ("POST", path, Some(&start_id)));
    let Type::Named(id) = &method.arguments.get(2).unwrap().ty else { panic!("{:?}", method.arguments) };
    assert_eq!(
        said(&method.arguments),
        [
            argument("parent", Type::String, Place::Path, true),
            argument("thingId", Type::String, Place::Query, true),
            argument("body", Type::Named(id.clone()), Place::Body, true),
            argument("dryRun", Type::Bool, Place::Query, false),
            argument("header.size", Type::I64, Place::Query, false),
            argument("label", Type::List(Box::new(Type::String)), Place::Query, false),
        ]
    );
    assert_eq!(method.arguments.last().unwrap().docs, "\n\nOne of:\n\n- `A`: First.\n- `B`");
    assert_eq!(
        fields(&model, "Thing"),
        [
            ("size".to_owned(), Type::Quoted(Box::new(Type::I64))),
            ("kind".to_owned(), Type::Named(format!("{id}.kind"))),
            ("made".to_owned(), Type::String),
            ("tags".to_owned(), Type::Map(Box::new(Type::String))),
            ("parts".to_owned(), Type::List(Box::new(Type::Named(format!("{id}.parts"))))),
            ("any".to_owned(), Type::Value),
        ]
    );
    assert_eq!(fields(&model, "Thing_parts"), [("inner".to_owned(), Type::Named(id.clone()))]);
    let Shape::Struct { fields, .. } = &model.types.get(id).unwrap().shape else { panic!("no struct") };
    assert_eq!(fields.iter().filter(|field| field.read_only).map(|field| &*field.wire).collect::<Vec<_>>(), ["made"]);
    let Shape::Enum(words) = &model.types.get(&format!("{id}.kind")).unwrap().shape else { panic!("no enum") };
    assert_eq!(
        words.iter().map(|word| (&*word.wire, &*word.docs)).collect::<Vec<_>>(),
        [("BIG", ""), ("SMALL", "Deprecated.")]
    );
    // Nothing says the response of this one: there is no `get` that answers it.
    assert!(method.unknown_response && method.response == Type::Value);
    assert!(
        messages(&context).iter().any(|message| message.starts_with("things.create neither")),
        "{:?}",
        messages(&context)
    );
    // What no method reaches is not read.
    assert!(!model.types.values().any(|def| def.name == "Operation"));
}

#[test]
fn a_method_that_writes_what_get_answers_is_taken_to_end_with_it_and_a_delete_with_nothing() {
    let call = |verb: &str, request: &str| {
        format!(r#"{{"httpMethod": "{verb}", "path": "v2/things", "response": {{"$ref": "Handle"}}{request}}}"#)
    };
    let request = r#", "request": {"$ref": "Thing"}"#;
    let (create, delete, run) = (call("POST", request), call("DELETE", ""), call("POST", request));
    let text = document(&format!(
        r#""resources": {{"things": {{"methods": {{"create": {create}, "delete": {delete}, "run": {run},
             "get": {{"httpMethod": "GET", "path": "v2/things", "response": {{"$ref": "Thing"}}}}}}}}}},
           "schemas": {{{LONGRUNNING}, "Thing": {{"type": "object", "properties": {{"a": {{"type": "string"}}}}}},
             "ThingOperationMetadata": {{"type": "object", "description": "Metadata of an operation.",
                "properties": {{"progressPercent": {{"type": "integer"}}}}}}}}"#
    ));
    let (model, context) = read_text("resource", &text, Context::default());
    let service = model.services.first().unwrap();
    let types: Vec<_> = service.methods.iter().map(|it| (&*it.name, it.unknown_response, &it.response)).collect();
    let Type::Named(id) = &service.methods.first().unwrap().response else { panic!("{types:?}") };
    assert!(id.ends_with("#Thing"), "{id}");
    assert_eq!(
        types,
        [("create", false, &Type::Named(id.clone())), ("delete", false, &Type::Unit), ("run", true, &Type::Value)]
    );
    for method in &service.methods {
        assert_eq!(method.options.path.as_deref(), Some("v2/{name}"), "without `operations.get`, the method's version");
        assert!(matches!(&method.metadata, Type::Named(id) if id.ends_with("#ThingOperationMetadata")));
    }
    let said = messages(&context).join("\n");
    for note in [
        "the resource that is written (key `response`): `things.create`",
        "to be nothing (key `response`): `things.delete`",
        "polls go to `v2/{name}`",
    ] {
        assert!(said.contains(note), "{note}: {said}");
    }
}

const EXTENDED: &str = r#""Operation": {"id": "Operation", "type": "object", "properties": {
    "name": {"type": "string"}, "status": {"type": "string"}, "operationType": {"type": "string"},
    "targetLink": {"type": "string"}, "selfLink": {"type": "string"},
    "progress": {"type": "integer", "format": "int32"}, "httpErrorStatusCode": {"type": "integer"},
    "error": {"type": "object", "properties": {"code": {"type": "string"}}}}},
  "Disk": {"id": "Disk", "type": "object", "properties": {"name": {"type": "string"}}}"#;

fn extended(service_path: &str) -> String {
    let project = r#""parameters": {"project": {"location": "path", "type": "string", "required": true}}"#;
    let method = |verb: &str, path: &str, request: &str, response: &str| {
        format!(
            r#"{{"httpMethod": "{verb}", "path": "{path}", {project},
                "apiVersion": "2026-01", {request} "response": {{"$ref": "{response}"}}}}"#
        )
    };
    let disk = r#""request": {"$ref": "Disk"},"#;
    let methods = [
        ("get", method("GET", "projects/{project}/disks", "", "Disk")),
        ("insert", method("POST", "projects/{project}/disks", disk, "Operation")),
        ("delete", method("DELETE", "projects/{project}/disks", "", "Operation")),
        ("resize", method("POST", "projects/{project}/disks/resize", disk, "Operation")),
    ];
    let methods = methods.map(|(name, method)| format!(r#""{name}": {method}"#)).join(",");
    let get = method("GET", "projects/{project}/global/operations", "", "Operation");
    document(&format!(
        r#""servicePath": "{service_path}", "schemas": {{{EXTENDED}}}, "resources": {{
            "disks": {{"methods": {{{methods}}}}},
            "folders": {{"methods": {{"move": {}}}}},
            "globalOperations": {{"methods": {{"get": {get}, "delete": {}}}}}}}"#,
        method("POST", "folders/{project}/move", "", "Operation"),
        method("DELETE", "projects/{project}/global/operations", "", "Operation"),
    ))
}

#[test]
fn an_extended_operation_ends_with_the_resource_of_its_link_if_the_method_writes_it() {
    let (model, context) = read_text("extended", &extended("compute/v1/"), Context::default());
    let [disks] = &*model.services else { panic!("{:?}", model.services) };
    assert_eq!((&disks.dialect, &*disks.base), (&Dialect::Compute, "https://things.example"));
    let said: Vec<_> = disks
        .methods
        .iter()
        .map(|it| {
            (&*it.name, it.response != Type::Unit, it.options.result.as_deref(), it.options.delete, it.unknown_response)
        })
        .collect();
    assert_eq!(
        said,
        [
            ("insert", true, Some("target_link"), true, false),
            ("delete", false, None, true, false),
            ("resize", false, None, true, false)
        ]
    );
    let Call::Http { path, headers, .. } = &disks.methods.first().unwrap().call else { panic!("no call of HTTP") };
    assert_eq!(path, "compute/v1/projects/{project}/disks");
    assert_eq!(headers, &[("X-Goog-Api-Version".to_owned(), "2026-01".to_owned())]);
    assert!(disks.methods.iter().all(|it| matches!(&it.metadata, Type::Named(id) if id.ends_with("#Operation"))));
    assert_eq!(messages(&context).len(), 1);
    assert!(messages(&context).concat().starts_with("folders.move its operations are of a folder"));
    // Another version is polled below its own prefix.
    let (model, _) = read_text("beta", &extended("compute/beta/"), Context::default());
    assert_eq!(model.services.first().unwrap().dialect, Dialect::ComputeBelow("compute/beta".to_owned()));
}

#[test]
fn services_with_declared_types_are_told_by_their_members() {
    let gke = r#", "Operation": {"type": "object", "properties": {
        "name": {"type": "string"}, "status": {"type": "string"},
        "operationType": {"type": "string"}, "targetLink": {"type": "string"}, "selfLink": {"type": "string"},
        "statusMessage": {"type": "string"}, "error": {"$ref": "Status"}}}"#;
    let sql = gke.replace(r#""selfLink""#, r#""targetProject""#);
    let method = |version: &str| {
        format!(r#"{{"httpMethod": "POST", "path": "{version}/things", "response": {{"$ref": "Operation"}}}}"#)
    };
    for (name, schemas, dialect) in [("gke", gke, "gke"), ("sql", &*sql, "cloud_sql")] {
        let (model, _) = read_text(name, &with_method("make", &method("v1"), schemas), Context::default());
        let expected = Dialect::Wire(format!("::lro_runtime::wire::{dialect}::Operation"));
        assert_eq!(model.services.first().unwrap().dialect, expected);
        let method = only_method(&model);
        assert!(method.response == method.metadata && !method.unknown_response);
        assert_eq!(method.options.path, None);
    }
    let (model, context) = read_text("gke-beta", &with_method("make", &method("v1beta1"), gke), Context::default());
    assert!(model.services.is_empty());
    assert!(messages(&context).concat().starts_with("things.make `lro_runtime::wire::gke::Operation` reads"));
}

#[test]
fn the_overrides_file_says_what_the_document_does_not() {
    let run = r#"{"httpMethod": "POST", "path": "v1/run", "response": {"$ref": "Handle"}}"#;
    let made = |response: &str| {
        let mut context = Context::default();
        let at = Position::file("lro.toml");
        let said = Override {
            response: Some((response.to_owned(), at.clone())),
            metadata: Some(("crate::Progress".to_owned(), at)),
            is_used: Cell::new(false),
            ..Override::default()
        };
        context.overrides.methods.insert("things.run".to_owned(), said);
        read_text("said", &with_method("run", run, r#", "Report": {"type": "object", "properties": {}}"#), context)
    };
    let (model, context) = made("Report");
    let method = only_method(&model);
    assert!(matches!(&method.response, Type::Named(id) if id.ends_with("#Report")) && !method.unknown_response);
    assert_eq!(method.metadata, Type::Path("crate::Progress".to_owned()));
    assert_eq!(messages(&context), [""; 0]);
    assert_eq!(only_method(&made("()").0).response, Type::Unit);
    let (model, context) = made("Reprot");
    assert!(model.services.is_empty());
    let found = context.report.diagnostics.first().unwrap();
    assert_eq!(&*found.at.file, "lro.toml");
    assert!(
        found.message.contains("`Reprot` is no schema") && found.message.contains("did you mean `Report`?"),
        "{found}"
    );
}

#[test]
fn a_method_whose_reply_is_not_known_is_long_running_if_the_overrides_file_says_how() {
    let run = r#"{"httpMethod": "POST", "path": "v1/run", "response": {"$ref": "Status"}}"#;
    let read = |dialect: Option<Dialect>| {
        let mut context = Context::default();
        context.overrides.methods.insert("things.run".to_owned(), Override { dialect, ..Override::default() });
        read_text("own", &with_method("run", run, ""), context)
    };
    let job = Dialect::Wire("crate::Job".to_owned());
    let (model, _) = read(Some(job.clone()));
    assert_eq!(model.services.first().unwrap().dialect, job);
    assert_eq!(only_method(&model).options.path, None);
    let (model, context) = read(None);
    assert!(model.services.is_empty());
    assert!(messages(&context).concat().contains("name its `dialect` in the overrides file"));
    let (model, context) = read_text("plain", &with_method("run", run, ""), Context::default());
    assert!(model.services.is_empty() && messages(&context).is_empty());
}

#[test]
fn progress_that_is_a_number_is_named_with_its_kind() {
    let schema = |ty: &str| format!(r#"{{"properties": {{"percentComplete": {{"type": "{ty}"}}}}}}"#);
    let number = |ty: &str| {
        let node = Node::read(&"m.json".into(), &schema(ty)).unwrap();
        response::number(&node, "percentComplete")
    };
    let progress = |is_float| Some(Progress { field: "percentComplete".to_owned(), is_float, is_optional: true });
    assert_eq!([number("integer"), number("number"), number("string")], [progress(false), progress(true), None]);
}
