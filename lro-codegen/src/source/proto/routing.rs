//! The header by which a call over gRPC finds its backend: from `google.api.routing`, or from the
//! variables of the paths over REST.

use prost_reflect::{FieldDescriptor, Kind, MethodDescriptor};

use super::{
    fields::{is_of_oneof, is_optional, walk},
    http::variables,
    options,
};
use crate::model::{Routing, RoutingField};

/// Returns the fields that the header carries, and what has to be said of those that it does not.
pub(super) fn routing(method: &MethodDescriptor) -> (Vec<Routing>, Vec<String>) {
    let mut notes = vec![];
    let said = options::routing(method);
    let pairs = match said.map(|parameters| said_pairs(&parameters)) {
        Some(Ok(pairs)) => pairs,
        Some(Err(template)) => {
            notes.push(format!(
                "the routing header is that of the path: the template `{template}` of `google.api.routing` takes a \
                 value apart, which is not supported"
            ));
            path_pairs(method)
        }
        None => path_pairs(method),
    };
    let mut out: Vec<Routing> = vec![];
    for (key, path) in pairs {
        if out.iter().any(|known| known.key == key) {
            continue;
        }
        match fields(method, &path) {
            Ok(fields) => out.push(Routing { key, fields }),
            Err(why) => notes.push(format!("`{path}` is left out of the routing header: {why}")),
        }
    }
    (out, notes)
}

/// Returns key and field of each parameter; the error is a template that takes a value apart.
fn said_pairs(parameters: &[options::Parameter]) -> Result<Vec<(String, String)>, String> {
    let pair = |parameter: &options::Parameter| {
        let options::Parameter { field, template } = parameter;
        if template.is_empty() {
            return Ok((field.clone(), field.clone()));
        }
        let key = template.strip_prefix('{').and_then(|rest| rest.strip_suffix("=**}"));
        match key {
            Some(key) if !key.contains(['{', '}', '=']) => Ok((key.to_owned(), field.clone())),
            _ => Err(template.clone()),
        }
    };
    parameters.iter().map(pair).collect()
}

fn path_pairs(method: &MethodDescriptor) -> Vec<(String, String)> {
    let paths = options::rules(method).into_iter().filter_map(|rule| variables(&rule.path).ok());
    paths.flatten().map(|variable| (variable.name.clone(), variable.name)).collect()
}

fn fields(method: &MethodDescriptor, path: &str) -> Result<Vec<RoutingField>, String> {
    let fields = walk(&method.input(), path).ok_or_else(|| format!("`{}` has no such field", method.input().name()))?;
    if fields.iter().any(is_of_oneof) {
        return Err("it is one of several alternatives".to_owned());
    }
    let is_behind_option = fields.iter().any(is_optional);
    match fields.last().map(FieldDescriptor::kind) {
        Some(Kind::String) => {}
        Some(Kind::Message(_) | Kind::Bytes) | None => return Err("it is neither text nor a number".to_owned()),
        Some(_) if is_behind_option => return Err("it is no text".to_owned()),
        Some(_) => {}
    }
    if fields.iter().any(|field| field.is_list() || field.is_map()) {
        return Err("it is a list".to_owned());
    }
    let field =
        |field: &FieldDescriptor| RoutingField { name: field.name().to_owned(), is_optional: is_optional(field) };
    Ok(fields.iter().map(field).collect())
}
