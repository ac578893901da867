//! The body of a start call: JSON, or something like it.

use super::{
    document::Document,
    files::{Place, Problem, excerpt},
    operation::Operation,
    parameter::Parameter,
};
use crate::{
    context::Context,
    document::Node,
    model::{Argument, Place as Where, Type},
    source::json_schema::{Parent, Schemas},
};

/// A body that can be sent.
pub(super) struct Body {
    pub(super) argument: Argument,
    /// The content type, if it is not that of plain JSON.
    pub(super) content_type: Option<String>,
}

/// Returns the body that Swagger 2 has as a parameter.
pub(super) fn of_parameter<'a>(
    schemas: &mut Schemas<'a>,
    context: &mut Context,
    document: &Document<'a>,
    operation: &Operation<'a>,
    parameter: &Parameter<'a>,
    name: &str,
) -> Result<Body, Problem> {
    let node = parameter.place.node;
    if parameter.location == "formData" {
        return Err(Problem::new(&node.at, format!("the field `{}` of a form; only JSON is sent", parameter.name)));
    }
    let consumes = operation.place.node.get("consumes").or_else(|| document.root.node.get("consumes"));
    let kinds: Vec<&str> = consumes.map_or(&[][..], Node::items).iter().filter_map(Node::as_str).collect();
    let content_type = content_type(&node.at, &kinds)?;
    let Some(schema) = parameter.place.get("schema") else {
        return Err(Problem::new(&node.at, "a body without a `schema`"));
    };
    let ty = ty(schemas, context, &schema, Parent { name })?;
    let argument = Argument {
        wire: parameter.name.to_owned(),
        name: parameter.code_name(),
        docs: node.str_of("description").unwrap_or_default().to_owned(),
        ty,
        required: node.is_true("required"),
        place: Where::Body,
        at: node.at.clone(),
    };
    Ok(Body { argument, content_type })
}

/// Returns the body that `OpenAPI` 3 has beside the parameters.
pub(super) fn of_request<'a>(
    schemas: &mut Schemas<'a>,
    context: &mut Context,
    request: &Place<'a>,
    parent: Parent<'_>,
) -> Result<Body, Problem> {
    let node = request.node;
    let contents = request.members_of("content");
    let kinds: Vec<&str> = contents.iter().map(|(kind, _, _)| *kind).collect();
    let chosen = chosen(&kinds).ok_or_else(|| not_json(&node.at, &kinds))?;
    let content_type = content_type(&node.at, &[chosen])?;
    let of_kind = contents.into_iter().find(|(kind, _, _)| *kind == chosen);
    let schema = of_kind.and_then(|(_, _, content)| content.get("schema"));
    let name = schema
        .as_ref()
        .and_then(Place::reference)
        .and_then(Node::as_str)
        .and_then(|reference| reference.rsplit('/').next())
        .unwrap_or("body")
        .to_owned();
    let name = node.str_of("x-ms-client-name").map_or(name, str::to_owned);
    let ty = match schema {
        Some(schema) => ty(schemas, context, &schema, parent)?,
        None => Type::Value,
    };
    let argument = Argument {
        wire: "body".to_owned(),
        name,
        docs: node.str_of("description").unwrap_or_default().to_owned(),
        ty,
        required: node.is_true("required"),
        place: Where::Body,
        at: node.at.clone(),
    };
    Ok(Body { argument, content_type })
}

fn ty<'a>(
    schemas: &mut Schemas<'a>,
    context: &mut Context,
    schema: &Place<'a>,
    parent: Parent<'_>,
) -> Result<Type, Problem> {
    let node = schema.node;
    if node.str_of("format") == Some("binary") || matches!(node.str_of("type"), Some("file")) {
        return Err(Problem::new(&node.at, "the body is bytes; only JSON is sent"));
    }
    // Null as a body is no body.
    Ok(match schemas.ty(context, schema, parent)? {
        Type::Option(inner) => *inner,
        ty => ty,
    })
}

/// Returns the content type to send, if it is not that of plain JSON.
fn content_type(at: &crate::position::Position, kinds: &[&str]) -> Result<Option<String>, Problem> {
    if kinds.is_empty() {
        return Ok(None);
    }
    let kind = chosen(kinds).ok_or_else(|| not_json(at, kinds))?;
    let is_plain = essence(kind) == "application/json" || kind.contains('*');
    Ok((!is_plain).then(|| kind.to_owned()))
}

/// Returns the media type to use: JSON, else the first that is like it.
pub(super) fn chosen<'k>(kinds: &[&'k str]) -> Option<&'k str> {
    let plain = kinds.iter().find(|kind| essence(kind) == "application/json");
    plain.or_else(|| kinds.iter().find(|kind| is_like_json(kind))).copied()
}

fn is_like_json(kind: &str) -> bool {
    let essence = essence(kind);
    matches!(&*essence, "text/json" | "*/*" | "application/*") || essence.ends_with("+json")
}

fn essence(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn not_json(at: &crate::position::Position, kinds: &[&str]) -> Problem {
    let kinds: Vec<String> = kinds.iter().take(4).map(|kind| format!("`{}`", excerpt(kind))).collect();
    Problem::new(at, format!("the body is {}; only JSON is sent", kinds.join(" or ")))
}
