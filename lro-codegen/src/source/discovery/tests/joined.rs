//! A document together with protos of the same API.

use super::*;

const HTTP: &str = r#"syntax = "proto3"; package google.api; import "google/protobuf/descriptor.proto";
message HttpRule {
    oneof pattern { string get = 2; string put = 3; string post = 4; string delete = 5; string patch = 6; }
    string body = 7; repeated HttpRule additional_bindings = 11; }
extend google.protobuf.MethodOptions { HttpRule http = 72295728; }
extend google.protobuf.ServiceOptions { string default_host = 1049; }"#;

const OPERATIONS: &str = r#"syntax = "proto3"; package google.longrunning; import "google/protobuf/descriptor.proto";
message OperationInfo { string response_type = 1; string metadata_type = 2; }
message Operation {}
extend google.protobuf.MethodOptions { google.longrunning.OperationInfo operation_info = 1049; }"#;

/// The protos of version 1, as this API might have them.
const THINGS: &str = r#"syntax = "proto3"; package own.things.v1;
import "google/api/http.proto"; import "google/longrunning/operations.proto";
message Request {} message Polished {} message Thing { string name = 1; }
message Progress { int32 progress_percent = 1; }
service Things { option (google.api.default_host) = "things.example:443";
  rpc Build(Request) returns (google.longrunning.Operation) {
    option (google.api.http) = { post: "/v1/{parent=projects/*}/things:build" body: "*"
                                 additional_bindings { post: "/v1/{parent=folders/*}/things:build" } };
    option (google.longrunning.operation_info) = { response_type: "Thing" metadata_type: "own.things.v1.Progress" }; }
  rpc Polish(Request) returns (google.longrunning.Operation) {
    option (google.api.http) = { post: "/v1/polish" };
    option (google.longrunning.operation_info) = {
        response_type: "Polished" metadata_type: "google.protobuf.Struct" }; }
  rpc Paint(Request) returns (google.longrunning.Operation) {
    option (google.api.http) = { post: "/v1/paint" };
    option (google.longrunning.operation_info) = { response_type: "other.Painted" metadata_type: "Progress" }; } }"#;

fn protos(test: &str, things: &str) -> PathBuf {
    written(&format!("{test}/google/api/http.proto"), HTTP);
    written(&format!("{test}/google/longrunning/operations.proto"), OPERATIONS);
    let file = written(&format!("{test}/things.proto"), things);
    file.parent().unwrap().to_owned()
}

fn read_joined(name: &str, version: &str, things: &str) -> (Model, Context) {
    let parent = |pattern: &str| {
        format!(
            r#""parameters": {{"parent": {{"location": "path", "type": "string", "pattern": "^{pattern}/[^/]+$"}}}},"#
        )
    };
    let methods = [
        ("build", format!("{version}/{{+parent}}/things:build"), parent("projects")),
        ("buildOfFolder", format!("{version}/{{+parent}}/things:build"), parent("folders")),
        ("buildOfNoBody", format!("{version}/{{+parent}}/things:build"), parent("nobodies")),
        ("polish", format!("{version}/polish"), String::new()),
        ("paint", format!("{version}/paint"), String::new()),
    ];
    let methods = methods.map(|(method, path, parameters)| {
        format!(
            r#""{method}": {{"httpMethod": "POST", "path": "{path}", {parameters} "response": {{"$ref": "Handle"}}}}"#
        )
    });
    let text = document(&format!(
        r#""resources": {{"things": {{"methods": {{{}}}}}}}, "schemas": {{{LONGRUNNING},
            "OwnThings{}Thing": {{"type": "object", "properties": {{"name": {{"type": "string"}}}}}},
            "Progress": {{"type": "object", "properties": {{"progressPercent": {{"type": "integer"}}}}}}}}"#,
        methods.join(","),
        version.replace('v', "V")
    ));
    let file = written(&format!("{name}.json"), &text);
    let (mut context, mut model) = (Context::default(), Model::default());
    read(&Discovery { files: vec![file], protos: vec![protos(name, things)] }, &mut context, &mut model);
    (model, context)
}

/// The name, the response, the metadata of each method; the last part of a type's id.
fn types(model: &Model) -> Vec<(String, String, String)> {
    let short = |ty: &Type| match ty {
        Type::Named(id) => id.rsplit('#').next().unwrap().to_owned(),
        other => format!("{other:?}"),
    };
    let methods = model.services.iter().flat_map(|service| &service.methods);
    methods.map(|it| (it.name.clone(), short(&it.response), short(&it.metadata))).collect()
}

#[test]
fn protos_of_the_same_host_verb_and_path_say_the_types() {
    let (model, context) = read_joined("joined", "v1", THINGS);
    let expected = [
        ("build", "OwnThingsV1Thing", "Progress"),
        ("buildOfFolder", "OwnThingsV1Thing", "Progress"),
        ("buildOfNoBody", "Value", "Value"),
        // A message without members is nothing.
        ("polish", "Unit", "Map(Value)"),
        ("paint", "Value", "Progress"),
    ];
    assert_eq!(types(&model), expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    let progress = only_method(&model).options.progress.as_ref().unwrap();
    assert_eq!((&*progress.field, progress.is_float), ("progressPercent", false));
    let found = messages(&context).join("\n");
    assert!(
        found.contains("things.paint the response is `other.Painted`, which the document has no schema of"),
        "{found}"
    );
    assert!(found.contains("things.buildOfNoBody neither the document nor a proto"), "{found}");
    assert!(context.read.iter().any(|file| file.ends_with("things.proto")), "{:?}", context.read);
}

#[test]
fn protos_of_another_version_say_the_types_with_a_note_and_those_of_another_host_do_not() {
    let (model, context) = read_joined("version", "v2beta", THINGS);
    assert_eq!(types(&model).first().unwrap().1, "OwnThingsV2betaThing");
    let found = messages(&context).join("\n");
    assert!(found.contains("in other versions (key `response`): `things.build`, `things.buildOfFolder`"), "{found}");
    let (model, _) = read_joined("host", "v1", &THINGS.replace("things.example", "thongs.example"));
    assert!(types(&model).iter().all(|(_, response, _)| response == "Value"), "{:?}", types(&model));
}

#[test]
fn protos_that_cannot_be_read_are_said_and_the_document_is_read_without_them() {
    let (model, context) = read_joined("broken", "v1", &THINGS.replace("message Request {}", "message {"));
    assert_eq!(types(&model).len(), 5);
    assert!(!context.report.has_errors());
    let found = context.report.diagnostics.iter().find(|found| found.at.file.ends_with("things.proto"));
    assert!(found.is_some(), "{}", context.report);
}
