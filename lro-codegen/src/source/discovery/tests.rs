#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may fail")]

use super::*;
use crate::{
    model::{Argument, Call, Dialect, Place, Progress, Shape, StartId, Type},
    position::Position,
};

mod corpus;
mod hostile;
mod joined;
mod shapes;

/// A discovery document with these members beside those that all have.
fn document(members: &str) -> String {
    format!(
        r#"{{"kind": "discovery#restDescription", "name": "things", "version": "v1", "title": "Things API",
            "rootUrl": "https://things.example/", {members}}}"#
    )
}

/// The schema of `google.longrunning` operations, under a name that says nothing.
const LONGRUNNING: &str = r#""Handle": {"id": "Handle", "type": "object", "properties": {
    "name": {"type": "string"}, "done": {"type": "boolean"}, "error": {"$ref": "Status"},
    "response": {"type": "object", "additionalProperties": {"type": "any"}},
    "metadata": {"type": "object", "additionalProperties": {"type": "any"}}}},
  "Status": {"id": "Status", "type": "object", "properties": {"code": {"type": "integer", "format": "int32"}}}"#;

/// A method `things.<name>` that starts an operation, and `operations.get`.
fn with_method(name: &str, method: &str, schemas: &str) -> String {
    let get = r#""get": {"httpMethod": "GET", "path": "v1/{+name}", "response": {"$ref": "Handle"},
        "parameters": {"name": {"location": "path", "type": "string", "pattern": "^operations/.*$"}}}"#;
    document(&format!(
        r#""resources": {{"things": {{"methods": {{"{name}": {method}}}}}, "operations": {{"methods": {{{get}}}}}}},
           "schemas": {{{LONGRUNNING}{schemas}}}"#
    ))
}

/// What is read from a document that stands in a file of this test.
fn read_text(name: &str, text: &str, mut context: Context) -> (Model, Context) {
    let file = written(&format!("{name}.json"), text);
    let mut model = Model::default();
    read(&Discovery { files: vec![file], protos: vec![] }, &mut context, &mut model);
    (model, context)
}

/// Writes a file below the folder of these tests.
fn written(name: &str, text: &str) -> PathBuf {
    let file = std::env::temp_dir().join(format!("lro-codegen-discovery-{}", std::process::id())).join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

fn only_method(model: &Model) -> &Method {
    model.services.first().unwrap().methods.first().unwrap()
}

/// The messages of the report, without positions.
fn messages(context: &Context) -> Vec<String> {
    context.report.diagnostics.iter().map(|found| format!("{} {}", found.subject, found.message)).collect()
}

fn argument(name: &str, ty: Type, place: Place, required: bool) -> (String, Type, Place, bool) {
    (name.to_owned(), ty, place, required)
}

fn said(arguments: &[Argument]) -> Vec<(String, Type, Place, bool)> {
    arguments.iter().map(|it| (it.wire.clone(), it.ty.clone(), it.place, it.required)).collect()
}

fn http(call: &Call) -> (&str, &str, Option<&StartId>) {
    match call {
        Call::Http { verb, path, start_id, .. } => (verb, path, start_id.as_ref()),
        Call::Rpc { path, .. } => ("", path, None),
    }
}

fn fields(model: &Model, name: &str) -> Vec<(String, Type)> {
    let def = model.types.values().find(|def| def.name == name).unwrap();
    match &def.shape {
        Shape::Struct { fields, .. } => fields.iter().map(|field| (field.wire.clone(), field.ty.clone())).collect(),
        _ => vec![],
    }
}
